//! The SCIM attributes that a mapping can fill, and an account's values for them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $path:literal),+ $(,)?) => {
        /// One SCIM attribute of a user that Atlassian takes.
        ///
        /// To map one more: a line here, its place in a body in `scim::user`, a line in `config/README.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute { $($(#[$doc])* $name),+ }

        impl Attribute {
            /// Every attribute, in the order in which plans list them.
            pub const ALL: &[Attribute] = &[$(Attribute::$name),+];

            /// The attribute's path as RFC 7643 spells it.
            pub const fn path(self) -> &'static str {
                match self { $(Attribute::$name => $path),+ }
            }
        }
    };
}

attributes! {
    /// The name one signs in with; unique in the directory. Required.
    UserName = "userName",
    /// The one primary work address. Required.
    Emails = "emails",
    /// The full name shown in Atlassian.
    DisplayName = "displayName",
    /// The whole name, formatted.
    NameFormatted = "name.formatted",
    /// Given name.
    NameGivenName = "name.givenName",
    /// Family name.
    NameFamilyName = "name.familyName",
    /// Middle name.
    NameMiddleName = "name.middleName",
    /// Becomes Atlassian's public name.
    NickName = "nickName",
    /// Job title.
    Title = "title",
    /// IANA time zone such as `Europe/Lisbon`.
    Timezone = "timezone",
    /// Language tag such as `pt-PT`.
    PreferredLanguage = "preferredLanguage",
    /// Department, at the core level as Atlassian's schema has it.
    Department = "department",
    /// Organization, at the core level as Atlassian's schema has it.
    Organization = "organization",
    /// One work number.
    PhoneNumbers = "phoneNumbers",
    /// Department of the enterprise extension.
    EnterpriseDepartment = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    /// Organization of the enterprise extension.
    EnterpriseOrganization = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization",
}

impl Attribute {
    /// Whether the attribute identifies the account: unique in the directory, and compared without case (RFC 7643
    /// section 4.1.1 for `userName`; addresses are in lower case on our side).
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::UserName | Self::Emails)
    }

    /// Whether two values mean the same.
    pub fn is_same(self, one: &str, other: &str) -> bool {
        one == other || (self.is_identity() && one.to_lowercase() == other.to_lowercase())
    }
}

/// The text names no attribute that Atlassian takes.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a SCIM attribute that Atlassian takes")]
pub struct ParseAttributeError(String);

impl FromStr for Attribute {
    type Err = ParseAttributeError;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|attribute| attribute.path() == path);
        known.copied().ok_or_else(|| ParseAttributeError(path.to_owned()))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

impl Serialize for Attribute {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.path())
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The values of one account, sorted by attribute. Never an empty value: what is not there is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes(Vec<(Attribute, Box<str>)>);

impl Attributes {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one value; an empty one removes it.
    pub fn set(&mut self, attribute: Attribute, value: &str) {
        match self.0.binary_search_by_key(&attribute, |(a, _)| *a) {
            Ok(at) if value.is_empty() => drop(self.0.remove(at)),
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value.into();
                }
            }
            Err(_) if value.is_empty() => {}
            Err(at) => self.0.insert(at, (attribute, value.into())),
        }
    }

    /// One value.
    pub fn value(&self, attribute: Attribute) -> Option<&str> {
        let at = self.0.binary_search_by_key(&attribute, |(a, _)| *a).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// All values, sorted by attribute.
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &str)> {
        self.0.iter().map(|(attribute, value)| (*attribute, &**value))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: AsRef<str>> FromIterator<(Attribute, S)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Attribute, S)>>(values: I) -> Self {
        let mut attributes = Self::new();
        for (attribute, value) in values {
            attributes.set(attribute, value.as_ref());
        }
        attributes
    }
}

impl Serialize for Attributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = std::collections::BTreeMap::<Attribute, String>::deserialize(deserializer)?;
        Ok(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Attributes};

    #[test]
    fn every_attribute_is_found_by_its_own_path() {
        for attribute in Attribute::ALL {
            assert_eq!(attribute.path().parse::<Attribute>().unwrap(), *attribute);
        }
        assert!("username".parse::<Attribute>().is_err(), "names are case-exact in a mapping");
    }

    #[test]
    fn values_are_sorted_and_an_empty_one_is_none() {
        let mut values: Attributes =
            [(Attribute::Title, "Engineer"), (Attribute::UserName, "ana")].into_iter().collect();
        values.set(Attribute::Title, "");
        values.set(Attribute::Emails, "ana@example.com");
        let all: Vec<_> = values.iter().collect();
        assert_eq!(all, [(Attribute::UserName, "ana"), (Attribute::Emails, "ana@example.com")]);
        assert_eq!(values.value(Attribute::Title), None);
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), values);
    }
}
