//! The attributes that Atlassian takes: one table, from which values are checked and the schema documents are written.
//!
//! The names are those of `ScimUser` and `ScimGroup` in Atlassian's specification; `photos` and `basedIn` are those of
//! its support pages about profile photos and about syncing user attributes.

use super::refusal::Refusal;
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// The core schema of users.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core schema of groups.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Organization and department, which Atlassian has at the core level too.
pub const ENTERPRISE_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Where the account id is told.
pub const EXTERNAL_URN: &str = "urn:scim:schemas:extension:atlassian-external:1.0";
/// Where a location is told.
pub const CUSTOM_URN: &str = "urn:scim:schemas:extension:atlassian-custom:1.0:Attributes";

/// What an attribute holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// The address of another resource, of one of these types.
    Reference(&'static [&'static str]),
    /// `true` or `false`, never a string.
    Boolean,
    /// An object.
    Complex(&'static [Attribute]),
}

/// Who may write an attribute; spelled as in RFC 7643.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// The client.
    ReadWrite,
    /// Only the service.
    ReadOnly,
    /// The client, once.
    Immutable,
}

/// Who keeps the values of an attribute apart; spelled as in RFC 7643.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// Nobody.
    None,
    /// The service.
    Server,
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether case counts in comparisons.
    pub case_exact: bool,
    /// Whether the service keeps it unique.
    pub uniqueness: Uniqueness,
    /// Who may write it.
    pub mutability: Mutability,
}

/// A schema: a core one or an extension.
#[derive(Debug)]
pub struct Schema {
    /// Its name in JSON.
    pub urn: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it describes.
    pub about: &'static str,
    /// What it consists of.
    pub attributes: &'static [Attribute],
}

const fn text(name: &'static str, about: &'static str) -> Attribute {
    Attribute {
        name,
        about,
        kind: Kind::Text,
        multi: false,
        required: false,
        case_exact: false,
        uniqueness: Uniqueness::None,
        mutability: Mutability::ReadWrite,
    }
}

const fn told(attribute: Attribute) -> Attribute {
    Attribute { mutability: Mutability::ReadOnly, ..attribute }
}

const fn list(name: &'static str, about: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute { kind: Kind::Complex(parts), multi: true, ..text(name, about) }
}

const PRIMARY: Attribute = Attribute { kind: Kind::Boolean, ..text("primary", "Whether it is the preferred one.") };

const CONTACT: &[Attribute] =
    &[text("value", "The address or number."), text("type", "Its use, for example `work`."), PRIMARY];

const EMAIL: &[Attribute] = &[
    Attribute { required: true, ..text("value", "The address.") },
    text("type", "Its use, for example `work` or `personal`."),
    PRIMARY,
];

const NAME: &[Attribute] = &[
    text("formatted", "The whole name."),
    text("familyName", "The family name."),
    text("givenName", "The given name."),
    text("middleName", "The middle names."),
    text("honorificPrefix", "What stands before the name."),
    text("honorificSuffix", "What stands after the name."),
];

const IN_GROUP: &[Attribute] = &[
    told(text("type", "How the user belongs to it.")),
    told(Attribute { case_exact: true, ..text("value", "The group's id.") }),
    told(text("display", "The group's name.")),
    told(Attribute { kind: Kind::Reference(&["Group"]), case_exact: true, ..text("$ref", "The group's address.") }),
];

const MEMBER: &[Attribute] = &[
    told(text("type", "Always `User`: groups do not nest.")),
    Attribute { case_exact: true, mutability: Mutability::Immutable, ..text("value", "The user's id.") },
    told(text("display", "The user's name.")),
    Attribute {
        kind: Kind::Reference(&["User"]),
        case_exact: true,
        mutability: Mutability::Immutable,
        ..text("$ref", "The user's address.")
    },
];

/// What every resource has. No schema document lists these (RFC 7643, 3.1). Atlassian's specification calls
/// `externalId` read-only, yet Entra sends it and the filter works on it.
const COMMON: &[Attribute] = &[
    Attribute { case_exact: true, ..text("externalId", "The client's own id.") },
    told(Attribute { case_exact: true, ..text("id", "The service's id.") }),
    told(Attribute { multi: true, ..text("schemas", "The schemas of the resource.") }),
    told(Attribute { kind: Kind::Complex(META), ..text("meta", "About the resource.") }),
];

const META: &[Attribute] = &[
    told(text("resourceType", "The type of the resource.")),
    told(text("location", "Its address.")),
    told(text("created", "When it was created.")),
    told(text("lastModified", "When it was changed last.")),
];

/// Users.
pub const USER: Schema = Schema {
    urn: USER_URN,
    name: "User",
    about: "User Account",
    attributes: &[
        Attribute {
            required: true,
            uniqueness: Uniqueness::Server,
            ..text("userName", "The unique name that the client chose.")
        },
        Attribute { kind: Kind::Complex(NAME), ..text("name", "The parts of the name.") },
        text("displayName", "The full name."),
        text("nickName", "The public name."),
        text("title", "The job title."),
        text("preferredLanguage", "The preferred language."),
        text("department", "The department."),
        text("organization", "The organization."),
        text("timezone", "The time zone, for example `America/Los_Angeles`."),
        Attribute { kind: Kind::Boolean, ..text("active", "Whether the account may be used.") },
        Attribute { required: true, ..list("emails", "The addresses, one of them primary.", EMAIL) },
        list("phoneNumbers", "The phone numbers.", CONTACT),
        list("photos", "Where pictures can be fetched.", CONTACT),
        told(list("groups", "The groups of the user.", IN_GROUP)),
    ],
};

/// Groups.
pub const GROUP: Schema = Schema {
    urn: GROUP_URN,
    name: "Group",
    about: "Group",
    attributes: &[
        // "This field is immutable, required, and read-only": Atlassian's specification.
        Attribute {
            required: true,
            uniqueness: Uniqueness::Server,
            mutability: Mutability::Immutable,
            ..text("displayName", "The name, unique in the organization.")
        },
        list("members", "The users that belong to it.", MEMBER),
    ],
};

/// The enterprise extension: only these two of the RFC's attributes.
pub const ENTERPRISE: Schema = Schema {
    urn: ENTERPRISE_URN,
    name: "EnterpriseUser",
    about: "Enterprise User",
    attributes: &[text("organization", "The organization."), text("department", "The department.")],
};

/// The extension with the location.
pub const CUSTOM: Schema = Schema {
    urn: CUSTOM_URN,
    name: "AtlassianCustomAttributes",
    about: "Atlassian's own attributes of a user",
    attributes: &[text("basedIn", "The location.")],
};

/// The extension with the account id.
pub const EXTERNAL: Schema = Schema {
    urn: EXTERNAL_URN,
    name: "AtlassianExternal",
    about: "The Atlassian account of a user",
    attributes: &[told(Attribute { case_exact: true, ..text("atlassianAccountId", "The account's id.") })],
};

/// The extensions of users.
pub const EXTENSIONS: [&Schema; 3] = [&ENTERPRISE, &CUSTOM, &EXTERNAL];

impl Schema {
    /// The extensions of this core schema.
    pub fn extensions(&self) -> &'static [&'static Self] {
        if self.urn == USER_URN { const { &EXTENSIONS } } else { &[] }
    }

    /// The attribute of this name, in whatever case (RFC 7643, 2.1).
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        let core = self.urn == USER_URN || self.urn == GROUP_URN;
        find(self.attributes, name).or_else(|| find(if core { COMMON } else { &[] }, name))
    }
}

impl Attribute {
    /// The sub-attribute of this name.
    pub fn part(&self, name: &str) -> Option<&'static Attribute> {
        match self.kind {
            Kind::Complex(parts) => find(parts, name),
            Kind::Text | Kind::Reference(_) | Kind::Boolean => None,
        }
    }

    /// The value as it is stored, or `None` where it means "unassigned".
    pub fn checked(&self, value: &Value) -> Result<Option<Value>, Refusal> {
        if value.is_null() {
            return Ok(None);
        }
        if !self.multi {
            return self.checked_one(value).map(Some);
        }
        let Some(items) = value.as_array() else {
            return Err(Refusal::value(format!("Attribute {} must be an array", self.name)));
        };
        let items = items.iter().map(|item| self.checked_one(item)).collect::<Result<Vec<_>, _>>()?;
        Ok((!items.is_empty()).then_some(Value::Array(items)))
    }

    /// One value of the attribute as it is stored.
    pub fn checked_one(&self, value: &Value) -> Result<Value, Refusal> {
        match (self.kind, value) {
            (Kind::Text | Kind::Reference(_), Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (Kind::Complex(parts), Value::Object(given)) => Ok(Value::Object(checked_parts(parts, given)?)),
            // Entra's generic client sends `"False"` for `active`; nothing says that Atlassian takes it.
            (Kind::Boolean, _) => Err(Refusal::value(format!("Attribute {} must be a JSON boolean", self.name))),
            (Kind::Text | Kind::Reference(_), _) => {
                Err(Refusal::value(format!("Attribute {} must be a string", self.name)))
            }
            (Kind::Complex(_), _) => Err(Refusal::value(format!("Attribute {} must be an object", self.name))),
        }
    }
}

/// A resource as it is stored: known attributes in their own spelling; the others are tolerated and forgotten, and so
/// is what only the service writes.
pub fn checked(schema: &Schema, body: &Object) -> Result<Object, Refusal> {
    let mut kept = Object::new();
    for (name, value) in body {
        if let Some(extension) = schema.extensions().iter().find(|s| s.urn.eq_ignore_ascii_case(name)) {
            if let Some(given) = value.as_object() {
                let parts = checked_parts(extension.attributes, given)?;
                if !parts.is_empty() {
                    kept.insert(extension.urn.to_owned(), Value::Object(parts));
                }
            }
        } else if let Some(attribute) = schema.attribute(name).filter(|a| a.mutability != Mutability::ReadOnly)
            && let Some(value) = attribute.checked(value)?
        {
            kept.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(kept)
}

fn checked_parts(parts: &'static [Attribute], given: &Object) -> Result<Object, Refusal> {
    let mut kept = Object::new();
    for (name, value) in given {
        if let Some(part) = find(parts, name).filter(|a| a.mutability != Mutability::ReadOnly)
            && let Some(value) = part.checked(value)?
        {
            kept.insert(part.name.to_owned(), value);
        }
    }
    Ok(kept)
}

fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|a| a.name.eq_ignore_ascii_case(name))
}
