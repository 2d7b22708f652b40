//! Queries: filters, pages, and the choice of attributes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::attribute::{Schema, USER};
use super::path::{Target, equality, parse};
use super::refusal::Refusal;

/// More than this is cut to it: Atlassian's KB "Fetch all … SCIM API" asks for 200 and gets "users 101 to 200".
pub const PAGE_MAX: usize = 100;

/// The parameters of a query.
#[derive(Clone, Debug, Default)]
pub struct Query {
    parameters: Vec<(String, String)>,
}

/// The part of a list that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Counted from one.
    pub start: usize,
    /// At most [`PAGE_MAX`].
    pub count: usize,
}

/// The only comparison that a filter may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The attribute, in its own spelling.
    pub attribute: &'static str,
    /// The string that it must be equal to.
    pub value: String,
}

/// The attributes that an answer has.
#[derive(Clone, Debug)]
pub enum Choice {
    /// All of them.
    All,
    /// Only these.
    Only(Vec<Target>),
    /// All but these.
    Without(Vec<Target>),
}

impl Query {
    /// Reads a query as a form: `+` is a space, so that a plus sign which a client forgot to encode changes the filter.
    pub fn read(query: &str) -> Self {
        let decoded = |text: &str| {
            let spaced: Cow<'_, str> = text.replace('+', " ").into();
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let parameters = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        Self { parameters }
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Which page is asked for.
    pub fn page(&self) -> Result<Page, Refusal> {
        let number = |name: &str, default: i64| match self.first(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::value(format!("{name} must be a number"))),
        };
        // RFC 7644, 3.4.2.4: less than one is one; less than zero is zero.
        let start = number("startIndex", 1)?.max(1);
        let count = number("count", i64::try_from(PAGE_MAX).unwrap_or(100))?.max(0);
        Ok(Page {
            start: usize::try_from(start).unwrap_or(usize::MAX),
            count: usize::try_from(count).unwrap_or(usize::MAX).min(PAGE_MAX),
        })
    }

    /// The filter, which may only be `<one of these> eq "…"`.
    pub fn filter(&self, schema: &Schema, attributes: &[&'static str]) -> Result<Option<Filter>, Refusal> {
        let Some(text) = self.first("filter") else { return Ok(None) };
        let known = equality(text).and_then(|(name, value)| {
            let attribute = attributes.iter().find(|a| a.eq_ignore_ascii_case(name))?;
            match value {
                Value::String(value) => Some(Filter { attribute, value }),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
            }
        });
        // The text of KB "Resource [USER] invalid filter".
        let refusal =
            || Refusal::bad("invalidFilter", format!("Resource [{}] invalid filter", schema.name.to_ascii_uppercase()));
        known.ok_or_else(refusal).map(Some)
    }

    /// Which attributes the answer has; for users only.
    pub fn choice(&self) -> Result<Choice, Refusal> {
        let targets = |list: &str| -> Result<Vec<Target>, Refusal> {
            list.split(',').filter(|name| !name.trim().is_empty()).map(|name| parse(&USER, name)).collect()
        };
        match (self.first("attributes"), self.first("excludedAttributes")) {
            (None, None) => Ok(Choice::All),
            (Some(list), None) => targets(list).map(Choice::Only),
            (None, Some(list)) => targets(list).map(Choice::Without),
            (Some(_), Some(_)) => Err(Refusal::value("attributes and excludedAttributes exclude each other")),
        }
    }
}
