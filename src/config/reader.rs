//! Reads keys from the user's file, else from the defaults, and collects what is wrong.
//!
//! A key with a mistake yields its default, so that reading goes on and every mistake is found. The keys that were
//! asked for are the keys there are: whatever else the file has is unknown.

use super::problem::{Fault, PROBLEMS_MAX, Problem, Problems, line, shown};
use super::spelling;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

/// Where something stands in the user's file; nothing: it is a default.
pub(super) type Place = Option<Range<usize>>;

pub(super) struct Reader<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    user: &'t DeTable<'t>,
    default: &'t DeTable<'t>,
    asked: BTreeSet<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, user: &'t DeTable<'t>, default: &'t DeTable<'t>) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, line_starts, user, default, asked: BTreeSet::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// The user's value, whatever its type.
    pub(super) fn given(&mut self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        if !self.asked.contains(key) {
            self.asked.insert(key.to_owned());
        }
        find(self.user, key)
    }

    /// The default.
    pub(super) fn default(&self, key: &str) -> Option<&'t DeValue<'t>> {
        find(self.default, key).map(Spanned::get_ref)
    }

    /// A value of the type that `pick` takes: the user's, else the default.
    fn value<T>(&mut self, key: &str, pick: impl Fn(&'t DeValue<'t>) -> Option<T>) -> Option<T> {
        let given = self.given(key).and_then(|value| pick(value.get_ref()));
        given.or_else(|| self.default(key).and_then(&pick))
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> &'t str {
        self.value(key, DeValue::as_str).unwrap_or_default()
    }

    /// A text that the user must give: a missing one is a problem.
    pub(super) fn required_text(&mut self, key: &str, remedy: &str) -> Option<&'t str> {
        let given = self.given(key);
        if given.is_none() {
            self.refuse(key, Fault::new("is missing", remedy));
        }
        given?.get_ref().as_str()
    }

    /// A calendar date, with or without quotes.
    pub(super) fn date(&mut self, key: &str) -> Option<jiff::civil::Date> {
        let date = |value: &DeValue<'_>| value.as_datetime().map(ToString::to_string);
        let text = self.value(key, |value| date(value).or_else(|| value.as_str().map(str::to_owned)))?;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let date = text.parse().ok();
        if date.is_none() {
            let message = format!("{} is not a date", shown(text));
            self.refuse(key, Fault::new(message, "write year, month and day: \"2027-03-01\"; or leave it empty"));
        }
        date
    }

    /// A truth value.
    pub(super) fn boolean(&mut self, key: &str) -> bool {
        self.value(key, DeValue::as_bool).unwrap_or_default()
    }

    /// A whole number within a range.
    pub(super) fn whole<T: TryFrom<i64> + Default>(&mut self, key: &str, range: RangeInclusive<i64>) -> T {
        let number = |value: &DeValue<'_>| {
            let integer = value.as_integer()?;
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| range.contains(number))
        };
        let outside = self
            .given(key)
            .and_then(|value| value.get_ref().as_integer().filter(|_| number(value.get_ref()).is_none()));
        if let Some(integer) = outside {
            self.refuse_range(key, integer, *range.start(), *range.end());
        }
        self.value(key, number).and_then(|number| T::try_from(number).ok()).unwrap_or_default()
    }

    /// A number above 0, up to `max`.
    pub(super) fn rate(&mut self, key: &str, max: f64) -> f64 {
        let raw = |value: &'t DeValue<'t>| {
            let integer = value.as_integer().map(DeInteger::as_str);
            integer.or_else(|| value.as_float().map(DeFloat::as_str))
        };
        let rate = |value| raw(value)?.parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate <= max);
        let given = self.given(key).map(Spanned::get_ref);
        if let Some(text) = given.filter(|value| rate(value).is_none()).and_then(raw) {
            let message = format!("must be above 0 and at most {max}, is {text}");
            self.refuse(key, Fault::new(message, format!("write a number such as {max:.1}, or less")));
        }
        self.value(key, rate).unwrap_or_default()
    }

    /// One of two words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: [(&str, T); 2]) -> T {
        let [first, second] = choices;
        let pick = |value: &DeValue<'_>| {
            let text = value.as_str()?.trim();
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        };
        let given = self.given(key).map(Spanned::get_ref);
        if let Some(text) = given.filter(|value| pick(value).is_none()).and_then(DeValue::as_str) {
            let message = format!("{} is not a value of this key", shown(text));
            self.refuse(key, Fault::new(message, format!("write \"{}\" or \"{}\"", first.0, second.0)));
        }
        self.value(key, pick).unwrap_or(first.1)
    }

    /// A list, with the place of each item. What is no list is an empty one.
    pub(super) fn list(&mut self, key: &str) -> Vec<(&'t DeValue<'t>, Place)> {
        if let Some(value) = self.given(key) {
            let array = value.get_ref().as_array();
            return array.into_iter().flatten().map(|item| (item.get_ref(), Some(item.span()))).collect();
        }
        let default = self.default(key).and_then(DeValue::as_array);
        default.into_iter().flatten().map(|item| (item.get_ref(), None)).collect()
    }

    /// A list of texts, trimmed; an item that is none, or empty, is a problem.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(&'t str, Place)> {
        let mut texts = Vec::new();
        for (item, place) in self.list(key) {
            match item.as_str().map(str::trim) {
                Some("") => self.refuse_at(key, place, Fault::new("an entry is empty", "remove the entry")),
                Some(text) => texts.push((text, place)),
                None => {
                    let message = format!("an entry must be a string, is {}", kind(item));
                    self.refuse_at(key, place, Fault::new(message, "put the entry in quotes"));
                }
            }
        }
        texts
    }

    /// Whether the user's list is there and has nothing in it.
    pub(super) fn is_empty_list(&mut self, key: &str) -> bool {
        self.given(key).and_then(|value| value.get_ref().as_array()).is_some_and(|array| array.is_empty())
    }

    /// A table whose keys are free: the user's as a whole, else the default.
    pub(super) fn table(&mut self, key: &str) -> Option<&'t DeTable<'t>> {
        self.value(key, DeValue::as_table)
    }

    /// Whether a value is the example that the default file shows under a required key.
    pub(super) fn is_placeholder(&self, key: &str, text: &str) -> bool {
        let Some(default) = self.default(key) else { return false };
        let is_same = |value: &DeValue<'_>| value.as_str().is_some_and(|example| example.eq_ignore_ascii_case(text));
        is_same(default) || default.as_array().is_some_and(|list| list.iter().any(|item| is_same(item.get_ref())))
    }

    /// Notes a mistake in the value of a key.
    pub(super) fn refuse(&mut self, key: &str, fault: Fault) {
        let place = self.place(key);
        self.refuse_at(key, place, fault);
    }

    /// Whether no further mistake would be told.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// Notes a mistake at a place.
    pub(super) fn refuse_at(&mut self, key: &str, place: Place, fault: Fault) {
        if self.is_full() {
            return;
        }
        let place = place.map(|span| position(self.text, &self.line_starts, span.start));
        self.problems.push(Problem::new(place, key, fault));
    }

    /// Notes what is allowed but perhaps not meant.
    pub(super) fn warn(&mut self, warning: &str) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(line(warning));
        }
    }

    /// Everything that is allowed but perhaps not meant, so far.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn refuse_range(&mut self, key: &str, value: impl Display, min: i64, max: i64) {
        let message = format!("must be from {min} to {max}, is {value}");
        let remedy = format!("write a number from {min} to {max}");
        self.refuse(key, Fault::new(message, remedy));
    }

    /// Where the value is, else where its section begins.
    fn place(&self, key: &str) -> Place {
        let whole = find(self.user, key).map(Spanned::span);
        whole.or_else(|| {
            let section = key.split('.').next().unwrap_or(key);
            self.user.get_key_value(section).map(|(name, _)| name.span())
        })
    }

    /// Every key that was asked for.
    #[cfg(test)]
    pub(super) fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    /// Looks for unknown keys and wrong types, and ends the reading.
    pub(super) fn finish<T>(mut self, path: &Path, value: T) -> Result<T, Problems> {
        self.check(self.user, "");
        if self.problems.is_empty() { Ok(value) } else { Err(Problems::new(path, self.problems)) }
    }

    fn check(&mut self, table: &'t DeTable<'t>, section: &str) {
        for (name, value) in table {
            if self.is_full() {
                return;
            }
            let key =
                if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
            let begins_a_section = self.asked.iter().any(|asked| is_below(asked, &key).is_some());
            if name.get_ref().contains('.') || !(begins_a_section || self.asked.contains(&key)) {
                let fault = self.unknown(section, name.get_ref(), value.get_ref());
                self.refuse_at(&key, Some(name.span()), fault);
            } else if !begins_a_section {
                self.check_type(&key, value);
            } else if let Some(inner) = value.get_ref().as_table() {
                self.check(inner, &key);
            } else {
                let message = format!("must be a table with keys of its own, is {}", kind(value.get_ref()));
                let remedy = if section.is_empty() {
                    format!("write `[{key}]` on a line of its own, and its keys below")
                } else {
                    format!("write {} = {{ {} }}", name.get_ref(), self.names_below(&key).join(" = ..., ") + " = ...")
                };
                self.refuse_at(&key, Some(value.span()), Fault::new(message, remedy));
            }
        }
    }

    fn check_type(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        let (Some(default), given) = (self.default(key), value.get_ref()) else { return };
        let is_number = default.is_float() && given.is_integer();
        let is_date = key.ends_with("_expires") && given.is_datetime();
        if default.same_type(given) || is_number || is_date {
            return;
        }
        let remedy = if default.is_str() {
            "put the value in quotes"
        } else if default.is_bool() {
            "write true or false, without quotes"
        } else if default.is_array() {
            "write a list in square brackets"
        } else if default.is_table() {
            "write its keys below a line of its own in square brackets"
        } else {
            "write a number, without quotes"
        };
        let message = format!("must be {}, is {}", kind(default), kind(given));
        self.refuse_at(key, Some(value.span()), Fault::new(message, remedy));
    }

    fn unknown(&self, section: &str, name: &str, value: &DeValue<'_>) -> Fault {
        let known = self.names_below(section);
        let elsewhere = self.asked.iter().find(|key| key.rsplit_once('.').is_some_and(|(_, last)| last == name));
        let is_section = section.is_empty() && value.is_table();
        let message = match (section.is_empty(), is_section) {
            (true, true) => format!("there is no section `[{name}]`"),
            (true, false) => format!("there is no key `{name}` outside a section"),
            (false, _) => format!("there is no key `{name}` in `[{section}]`"),
        };
        let remedy = match (spelling::nearest(name, &known), elsewhere.and_then(|key| key.rsplit_once('.'))) {
            (Some(near), _) if is_section => format!("did you mean `[{near}]`?"),
            (Some(near), _) if !section.is_empty() => format!("did you mean `{near}`?"),
            (_, Some((home, _))) if !is_section => format!("it belongs under `[{home}]`"),
            (Some(_) | None, _) => format!("remove it; there is: {}", known.join(", ")),
        };
        Fault::new(message, remedy)
    }

    /// The names that may stand in a section.
    fn names_below(&self, section: &str) -> Vec<&str> {
        let below =
            self.asked.iter().filter_map(|key| if section.is_empty() { Some(&**key) } else { is_below(key, section) });
        let names: BTreeSet<&str> = below.filter_map(|rest| rest.split('.').next()).collect();
        names.into_iter().collect()
    }
}

/// The part of a key below a section.
fn is_below<'k>(key: &'k str, section: &str) -> Option<&'k str> {
    key.strip_prefix(section)?.strip_prefix('.')
}

fn find<'t>(table: &'t DeTable<'t>, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
    match key.split_once('.') {
        None => table.get(key),
        Some((section, rest)) => find(table.get(section)?.get_ref().as_table()?, rest),
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Line and column, both from 1.
pub(super) fn position(text: &str, line_starts: &[usize], offset: usize) -> (usize, usize) {
    let line = line_starts.partition_point(|start| *start <= offset);
    let start = line.checked_sub(1).and_then(|before| line_starts.get(before)).copied().unwrap_or_default();
    (line, text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
}
