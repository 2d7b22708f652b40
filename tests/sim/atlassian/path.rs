//! Attribute paths: of PATCH operations (RFC 7644, 3.5.2) and of `attributes` and `excludedAttributes`.

use serde_json::Value;

use super::attribute::{Attribute, Schema};
use super::refusal::Refusal;

/// What a path names.
#[derive(Clone, Debug)]
pub enum Target {
    /// Nothing that this service knows.
    Unknown,
    /// A whole extension.
    Extension(&'static Schema),
    /// An attribute or a part of it.
    Attribute(Place),
}

/// An attribute or a part of it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The extension that it belongs to.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// Which of its values are meant: all where there is no condition.
    pub condition: Option<Condition>,
    /// The part of it.
    pub part: Option<&'static Attribute>,
}

/// `[type eq "work"]`.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The sub-attribute that is compared.
    pub part: &'static Attribute,
    /// With this value.
    pub value: Value,
}

impl Condition {
    /// Whether this value of the attribute is meant.
    pub fn holds(&self, item: &Value) -> bool {
        match (item.get(self.part.name), &self.value) {
            (Some(Value::String(held)), Value::String(asked)) if !self.part.case_exact => {
                held.eq_ignore_ascii_case(asked)
            }
            (Some(held), asked) => held == asked,
            (None, asked) => *asked == Value::Bool(false),
        }
    }
}

/// Reads a path.
pub fn parse(schema: &'static Schema, path: &str) -> Result<Target, Refusal> {
    let path = path.trim();
    let known = std::iter::once(schema).chain(schema.extensions().iter().copied());
    for candidate in known {
        let Some(rest) = without_prefix(path, candidate.urn) else { continue };
        let extension = (candidate.urn != schema.urn).then_some(candidate);
        return match (rest.strip_prefix(':'), extension) {
            (Some(rest), _) => parse_attribute(candidate, extension, rest),
            (None, Some(extension)) if rest.is_empty() => Ok(Target::Extension(extension)),
            (None, _) => Ok(Target::Unknown),
        };
    }
    if without_prefix(path, "urn:").is_some() {
        return Ok(Target::Unknown);
    }
    parse_attribute(schema, None, path)
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn parse_attribute(schema: &'static Schema, extension: Option<&'static Schema>, path: &str) -> Result<Target, Refusal> {
    let invalid = || Refusal::bad("invalidPath", format!("Invalid path [{path}]"));
    let end = path.find(['[', '.']).unwrap_or(path.len());
    let (name, rest) = path.split_at_checked(end).ok_or_else(invalid)?;
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_');
    if name.is_empty() || !name.chars().all(named) {
        return Err(invalid());
    }
    let (bracket, rest) = match rest.strip_prefix('[') {
        Some(inner) => inner.rsplit_once(']').map(|(b, r)| (Some(b), r)).ok_or_else(invalid)?,
        None => (None, rest),
    };
    let part = match rest.strip_prefix('.') {
        Some(part) if !part.is_empty() => Some(part),
        None if rest.is_empty() => None,
        Some(_) | None => return Err(invalid()),
    };
    let Some(attribute) = schema.attribute(name) else { return Ok(Target::Unknown) };
    let condition = match bracket {
        Some(text) if attribute.multi => Some(parse_condition(attribute, text)?),
        Some(_) => return Err(invalid()),
        None => None,
    };
    let part = match part {
        Some(part) => match attribute.part(part) {
            Some(part) => Some(part),
            None => return Ok(Target::Unknown),
        },
        None => None,
    };
    Ok(Target::Attribute(Place { extension, attribute, condition, part }))
}

fn parse_condition(attribute: &'static Attribute, text: &str) -> Result<Condition, Refusal> {
    let invalid = || Refusal::bad("invalidFilter", format!("Invalid filter [{text}] in path"));
    let (name, value) = equality(text).ok_or_else(invalid)?;
    let part = attribute.part(name).ok_or_else(invalid)?;
    Ok(Condition { part, value })
}

/// Reads `name eq value`, the only comparison that the service knows; the value is written as in JSON.
pub fn equality(text: &str) -> Option<(&str, Value)> {
    let (name, rest) = text.trim().split_once(' ')?;
    let (operator, value) = rest.trim_start().split_once(' ')?;
    let value: Value = serde_json::from_str(value.trim()).ok()?;
    operator.eq_ignore_ascii_case("eq").then_some((name, value))
}
