//! `[mapping]`: SCIM attribute = Duo attribute.

use super::problem::{Fault, shown};
use super::reader::{Reader, kind};
use super::spelling;
use crate::model::Attribute;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

const KEY: &str = "mapping";

/// What a person of Duo has, besides `custom_attributes.NAME`.
pub(super) const DUO_ATTRIBUTES: [&str; 17] = [
    "user_id",
    "username",
    "email",
    "realname",
    "firstname",
    "lastname",
    "notes",
    "status",
    "external_id",
    "alias1",
    "alias2",
    "alias3",
    "alias4",
    "alias5",
    "alias6",
    "alias7",
    "alias8",
];

/// Attributes without which Atlassian takes no user.
const REQUIRED: [(Attribute, &str); 2] = [(Attribute::UserName, "username"), (Attribute::Emails, "email")];

/// Reads the mapping. The user's replaces the default as a whole, so that an attribute can be left out.
pub(super) fn read(reader: &mut Reader<'_>) -> BTreeMap<Attribute, String> {
    let mut mapping = BTreeMap::new();
    let Some(table) = reader.table(KEY) else { return mapping };
    let is_given = reader.given(KEY).is_some();
    for (path, value, span) in flat(table, "") {
        if reader.is_full() {
            break;
        }
        let key = format!("{KEY}.{path}");
        let place = is_given.then_some(span);
        let attribute = path.parse::<Attribute>().map_err(|_| unknown_attribute(&path));
        match (attribute, source(value)) {
            (Ok(attribute), Ok(source)) => {
                if mapping.insert(attribute, source).is_some() {
                    reader.refuse_at(
                        &key,
                        place,
                        Fault::new("is there twice, with and without quotes", "keep one of the two lines"),
                    );
                }
            }
            (attribute, source) => {
                if let Ok(attribute) = attribute {
                    // The line is there; only what it says is wrong.
                    mapping.insert(attribute, String::new());
                }
                for fault in attribute.err().into_iter().chain(source.err()) {
                    reader.refuse_at(&key, place.clone(), fault);
                }
            }
        }
    }
    for (attribute, source) in REQUIRED {
        if !mapping.contains_key(&attribute) {
            let message = format!("has no `{attribute}`, without which Atlassian takes no user");
            reader.refuse(KEY, Fault::new(message, format!("add {attribute} = \"{source}\"")));
        }
    }
    mapping
}

/// No attribute has a longer path.
const PATH_LENGTH_MAX: usize = 200;

/// Every line with its path: `name.givenName` without quotes is the same as with them. Below a path that is too long
/// for an attribute nothing is looked for.
fn flat<'t>(table: &'t DeTable<'t>, prefix: &str) -> Vec<(String, &'t DeValue<'t>, Range<usize>)> {
    let mut lines = Vec::new();
    for (name, value) in table {
        let path = format!("{prefix}{}", name.get_ref());
        match value.get_ref().as_table() {
            Some(inner) if path.len() <= PATH_LENGTH_MAX => lines.extend(flat(inner, &format!("{path}."))),
            Some(_) | None => lines.push((path, value.get_ref(), name.span())),
        }
    }
    lines
}

fn source(value: &DeValue<'_>) -> Result<String, Fault> {
    let remedy = "write the name of a Duo attribute in quotes, such as \"email\"";
    let Some(text) = value.as_str() else {
        return Err(Fault::new(format!("must be a string, is {}", kind(value)), remedy));
    };
    let text = text.trim();
    let custom = text.strip_prefix("custom_attributes.");
    if DUO_ATTRIBUTES.contains(&text) || custom.is_some_and(|name| !name.is_empty()) {
        return Ok(text.to_owned());
    }
    let remedy = spelling::nearest(text, &DUO_ATTRIBUTES).map_or_else(
        || "write one of user_id, username, email, realname, firstname, lastname, notes, status, external_id, alias1 to alias8, \
            custom_attributes.NAME"
            .to_owned(),
        |near| format!("did you mean \"{near}\"?"),
    );
    Err(Fault::new(format!("{} is not an attribute of Duo", shown(text)), remedy))
}

fn unknown_attribute(path: &str) -> Fault {
    let known: Vec<&str> = Attribute::ALL.iter().map(|attribute| attribute.path()).collect();
    let remedy = spelling::nearest(path, &known)
        .map_or_else(|| format!("write one of {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    Fault::new("is not a SCIM attribute that Atlassian takes", remedy)
}
