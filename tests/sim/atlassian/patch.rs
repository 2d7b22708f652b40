//! PATCH: reading a `PatchOp` and applying it to a user (RFC 7644, 3.5.2).

use std::collections::BTreeSet;

use serde_json::Value;

use super::attribute::{Attribute, Kind, Mutability, Object, Schema};
use super::path::{Condition, Place, Target, parse};
use super::refusal::Refusal;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Adds values, or sets one.
    Add,
    /// Takes values away.
    Remove,
    /// Puts values in the place of others.
    Replace,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What it does.
    pub verb: Verb,
    /// To what; to the whole resource where it is absent.
    pub path: Option<String>,
    /// With what.
    pub value: Value,
}

/// Reads the operations of a PATCH body.
pub fn operations(body: &Object) -> Result<Vec<Operation>, Refusal> {
    // The examples of Atlassian's specification say `Operations`, its schema says `operations`; clients send both.
    let given = ["Operations", "operations"].iter().find_map(|name| body.get(*name)).and_then(Value::as_array);
    match given {
        Some(given) if !given.is_empty() => given.iter().map(operation).collect(),
        Some(_) | None => Err(Refusal::bad("invalidSyntax", "A patch needs at least one operation")),
    }
}

fn operation(given: &Value) -> Result<Operation, Refusal> {
    let word = given.get("op").and_then(Value::as_str).unwrap_or_default();
    // Generic Entra clients send `Add`, `Remove` and `Replace`.
    let verb = match word.to_ascii_lowercase().as_str() {
        "add" => Verb::Add,
        "remove" => Verb::Remove,
        "replace" => Verb::Replace,
        _ => return Err(Refusal::bad("invalidSyntax", format!("Unknown patch operation [{word}]"))),
    };
    let path = match given.get("path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.clone()),
        Some(_) => return Err(Refusal::bad("invalidPath", "A path must be a string")),
    };
    match (verb, &path, given.get("value")) {
        (Verb::Remove, None, _) => Err(Refusal::bad("noTarget", "A removal needs a path")),
        (Verb::Add | Verb::Replace, _, None) => Err(Refusal::value("This patch operation needs a value")),
        (_, _, value) => Ok(Operation { verb, path, value: value.cloned().unwrap_or_default() }),
    }
}

/// The pairs of path and value that an operation without a path stands for.
pub fn pairs(operation: &Operation) -> Result<Vec<(&str, &Value)>, Refusal> {
    match (&operation.path, &operation.value) {
        (Some(path), value) => Ok(vec![(path.as_str(), value)]),
        (None, Value::Object(given)) => Ok(given.iter().map(|(name, value)| (name.as_str(), value)).collect()),
        (None, _) => Err(Refusal::value("A patch operation without a path needs an object")),
    }
}

/// Applies an operation to what is stored of a resource, and notes which attributes it named.
pub fn apply(
    schema: &'static Schema,
    stored: &mut Object,
    operation: &Operation,
    named: &mut BTreeSet<&'static str>,
) -> Result<(), Refusal> {
    for (path, value) in pairs(operation)? {
        let change = Change { verb: operation.verb, value };
        match parse(schema, path) {
            Ok(Target::Attribute(place)) => {
                if place.attribute.mutability == Mutability::ReadOnly {
                    if operation.path.is_none() {
                        continue; // Without a path the object is a resource, whose read-only parts are ignored.
                    }
                    return Err(Refusal::bad("mutability", format!("Attribute {path} is read-only")));
                }
                named.insert(place.extension.map_or(place.attribute.name, |extension| extension.urn));
                change.at(stored, &place)?;
            }
            Ok(Target::Extension(extension)) => {
                named.insert(extension.urn);
                change.of_extension(stored, extension)?;
            }
            // Atlassian's `groups` and the like are known; what is not is tolerated as in a POST.
            Ok(Target::Unknown) => {}
            Err(_) if operation.path.is_none() => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

/// What is done at a place.
struct Change<'a> {
    verb: Verb,
    value: &'a Value,
}

impl Change<'_> {
    fn of_extension(&self, stored: &mut Object, extension: &'static Schema) -> Result<(), Refusal> {
        if extension.attributes.iter().all(|a| a.mutability == Mutability::ReadOnly) {
            return Err(Refusal::bad("mutability", format!("{} is read-only", extension.urn)));
        }
        match (self.verb, self.value) {
            (Verb::Remove, _) => {
                stored.remove(extension.urn);
                Ok(())
            }
            (Verb::Add | Verb::Replace, Value::Object(given)) => {
                for (name, value) in given {
                    if let Some(attribute) = extension.attribute(name) {
                        let place = Place { extension: Some(extension), attribute, condition: None, part: None };
                        Change { verb: self.verb, value }.at(stored, &place)?;
                    }
                }
                Ok(())
            }
            (Verb::Add | Verb::Replace, _) => Err(Refusal::value(format!("{} must be an object", extension.urn))),
        }
    }

    fn at(&self, stored: &mut Object, place: &Place) -> Result<(), Refusal> {
        match place.extension {
            None => self.within(stored, place),
            Some(extension) => {
                let mut inner = stored.remove(extension.urn).and_then(into_object).unwrap_or_default();
                let outcome = self.within(&mut inner, place);
                if !inner.is_empty() {
                    stored.insert(extension.urn.to_owned(), Value::Object(inner));
                }
                outcome
            }
        }
    }

    fn within(&self, holder: &mut Object, place: &Place) -> Result<(), Refusal> {
        let attribute = place.attribute;
        if attribute.multi {
            let items = match holder.remove(attribute.name) {
                Some(Value::Array(items)) => items,
                Some(_) | None => Vec::new(),
            };
            let items = self.among(items, place)?;
            if !items.is_empty() {
                holder.insert(attribute.name.to_owned(), Value::Array(items));
            }
            return Ok(());
        }
        let value = match place.part {
            None => self.merged(holder.get(attribute.name), attribute)?,
            Some(part) => {
                let mut inner = holder.get(attribute.name).cloned().and_then(into_object).unwrap_or_default();
                self.set(&mut inner, part)?;
                (!inner.is_empty()).then_some(Value::Object(inner))
            }
        };
        match value {
            Some(value) => holder.insert(attribute.name.to_owned(), value),
            None => holder.remove(attribute.name),
        };
        Ok(())
    }

    /// A single value after the change; objects keep the parts that the change does not name.
    fn merged(&self, held: Option<&Value>, attribute: &'static Attribute) -> Result<Option<Value>, Refusal> {
        if self.verb == Verb::Remove || self.value.is_null() {
            return Ok(None);
        }
        let value = attribute.checked_one(self.value)?;
        let mut merged = match (attribute.kind, held) {
            (Kind::Complex(_), Some(Value::Object(held))) => held.clone(),
            (Kind::Complex(_) | Kind::Text | Kind::Reference(_) | Kind::Boolean, _) => return Ok(Some(value)),
        };
        merged.extend(into_object(value).unwrap_or_default());
        Ok(Some(Value::Object(merged)))
    }

    fn set(&self, inner: &mut Object, part: &'static Attribute) -> Result<(), Refusal> {
        match self.verb {
            Verb::Add | Verb::Replace if !self.value.is_null() => {
                inner.insert(part.name.to_owned(), part.checked_one(self.value)?);
            }
            Verb::Add | Verb::Replace | Verb::Remove => {
                inner.remove(part.name);
            }
        }
        Ok(())
    }

    /// The values of a list after the change.
    fn among(&self, items: Vec<Value>, place: &Place) -> Result<Vec<Value>, Refusal> {
        match (&place.condition, place.part) {
            (None, None) => self.whole(items, place.attribute),
            (condition, part) => self.chosen(items, place.attribute, condition.as_ref(), part),
        }
    }

    fn whole(&self, mut items: Vec<Value>, attribute: &'static Attribute) -> Result<Vec<Value>, Refusal> {
        let given = match self.value {
            Value::Array(given) => given.as_slice(),
            Value::Null => &[],
            one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                std::slice::from_ref(one)
            }
        };
        let given = given.iter().map(|item| attribute.checked_one(item)).collect::<Result<Vec<_>, _>>();
        match self.verb {
            // A `value` beside it is not of the RFC and not read: everything goes.
            Verb::Remove => Ok(Vec::new()),
            Verb::Replace => given,
            Verb::Add => {
                for item in given? {
                    if !items.contains(&item) {
                        items.push(item);
                        let newest = items.len() - 1;
                        keep_one_primary(&mut items, &BTreeSet::from([newest]));
                    }
                }
                Ok(items)
            }
        }
    }

    fn chosen(
        &self,
        mut items: Vec<Value>,
        attribute: &'static Attribute,
        condition: Option<&Condition>,
        part: Option<&'static Attribute>,
    ) -> Result<Vec<Value>, Refusal> {
        let meant = |item: &Value| condition.is_none_or(|condition| condition.holds(item));
        if self.verb == Verb::Remove && part.is_none() {
            items.retain(|item| !meant(item));
            return Ok(items);
        }
        if !items.iter().any(meant) {
            match (self.verb, condition) {
                (Verb::Remove, _) => return Ok(items),
                // RFC 7644, 3.5.2.3: a replacement whose filter matches nothing fails.
                (Verb::Replace, _) | (Verb::Add, None) => {
                    return Err(Refusal::bad("noTarget", format!("No value of {} matches", attribute.name)));
                }
                (Verb::Add, Some(condition)) => {
                    let first = Object::from_iter([(condition.part.name.to_owned(), condition.value.clone())]);
                    items.push(Value::Object(first));
                }
            }
        }
        let mut touched = BTreeSet::new();
        for (index, item) in items.iter_mut().enumerate().filter(|(_, item)| meant(item)) {
            let mut inner = into_object(item.take()).unwrap_or_default();
            match part {
                Some(part) => self.set(&mut inner, part)?,
                None => inner.extend(into_object(attribute.checked_one(self.value)?).unwrap_or_default()),
            }
            *item = Value::Object(inner);
            touched.insert(index);
        }
        keep_one_primary(&mut items, &touched);
        items.retain(|item| item.as_object().is_none_or(|inner| !inner.is_empty()));
        Ok(items)
    }
}

/// A value that becomes the primary one takes that from the others (RFC 7644, 3.5.2).
fn keep_one_primary(items: &mut [Value], touched: &BTreeSet<usize>) {
    let primary = |item: &Value| item.get("primary") == Some(&Value::Bool(true));
    if !items.iter().enumerate().any(|(index, item)| touched.contains(&index) && primary(item)) {
        return;
    }
    for (index, item) in items.iter_mut().enumerate() {
        if !touched.contains(&index)
            && primary(item)
            && let Some(inner) = item.as_object_mut()
        {
            inner.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}

fn into_object(value: Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}
