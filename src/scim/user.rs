//! The user resource: what is sent, and what is read from an answer.

use super::atlassian;
use super::patch::Operation;
use super::schema;
use super::schema::ParseResourceError;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::ObservedAccount;
use crate::model::ScimId;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// `active: true`. Memberships that were kept come back with it (Atlassian community article 2349197, third party).
    Active,
    /// `active: false`. The record and its memberships stay (the same article).
    Inactive,
}

/// Where an attribute stands in a body.
enum Place {
    /// A text of the resource itself.
    Plain,
    /// A text inside an object, such as `name.givenName`.
    Within { parent: &'static str, child: &'static str },
    /// A list of which there is one value, `work` and primary.
    OneWorkValue,
    /// A text of the enterprise extension.
    Enterprise(&'static str),
}

fn place(attribute: Attribute) -> Place {
    let path = attribute.path();
    match attribute {
        Attribute::UserName
        | Attribute::DisplayName
        | Attribute::NickName
        | Attribute::Title
        | Attribute::Timezone
        | Attribute::PreferredLanguage
        | Attribute::Department
        | Attribute::Organization => Place::Plain,
        Attribute::NameFormatted | Attribute::NameGivenName | Attribute::NameFamilyName | Attribute::NameMiddleName => {
            let (parent, child) = path.split_once('.').unwrap_or((path, ""));
            Place::Within { parent, child }
        }
        Attribute::Emails | Attribute::PhoneNumbers => Place::OneWorkValue,
        Attribute::EnterpriseDepartment | Attribute::EnterpriseOrganization => {
            Place::Enterprise(path.rsplit_once(':').map_or("", |(_, name)| name))
        }
    }
}

fn one_work_value(value: &str) -> Value {
    json!([{ "value": value, "type": "work", "primary": true }])
}

/// The body of a POST.
///
/// `schemas` names the enterprise extension only if something of it is sent: an extension that a service does not know
/// can be a 400. `active` is always there, although Atlassian's specification says that it defaults to true (S11).
/// `externalId` is marked read-only in that specification, but the filter works on it and Entra sends it.
pub(super) fn create_body(external_id: &str, attributes: &Attributes) -> Value {
    let mut schemas = vec![schema::USER];
    let mut body = Map::new();
    body.insert("externalId".to_owned(), external_id.into());
    body.insert("active".to_owned(), true.into());
    for (attribute, value) in attributes.iter() {
        match place(attribute) {
            Place::Plain => drop(body.insert(attribute.path().to_owned(), value.into())),
            Place::OneWorkValue => drop(body.insert(attribute.path().to_owned(), one_work_value(value))),
            Place::Within { parent, child } => put_within(&mut body, parent, child, value),
            Place::Enterprise(name) => {
                if !schemas.contains(&schema::ENTERPRISE_USER) {
                    schemas.push(schema::ENTERPRISE_USER);
                }
                put_within(&mut body, schema::ENTERPRISE_USER, name, value);
            }
        }
    }
    body.insert("schemas".to_owned(), schemas.into());
    Value::Object(body)
}

fn put_within(body: &mut Map<String, Value>, parent: &str, child: &str, value: &str) {
    let object = body.entry(parent).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(object) = object {
        object.insert(child.to_owned(), value.into());
    }
}

/// The operations of a PATCH that sets these attributes and no other, in the order of [`Attribute::ALL`].
///
/// `replace` with a plain path each: so go-atlassian's examples (third party). The path of the enterprise extension is
/// its URN, as RFC 7644 section 3.10 has it and Entra's mapping table for Atlassian too.
pub(super) fn changes(changed: &Attributes) -> Vec<Operation> {
    let replace = |(attribute, value): (Attribute, &str)| {
        let value = match place(attribute) {
            Place::Plain | Place::Within { .. } | Place::Enterprise(_) => value.into(),
            Place::OneWorkValue => one_work_value(value),
        };
        Operation::Replace { path: attribute.path(), value }
    };
    changed.iter().map(replace).collect()
}

/// The operation of a PATCH that sets `active`: a JSON boolean, never a text.
pub(super) fn set_activity(activity: Activity) -> Operation {
    Operation::Replace { path: "active", value: Value::Bool(activity == Activity::Active) }
}

/// Reads a user. All that is needed is an `id`; what is not known is passed over, and what is not there is not known.
pub(super) fn parse(resource: &Value) -> Result<(ScimId, ObservedAccount), ParseResourceError> {
    let object = resource.as_object().ok_or(ParseResourceError::NotAnObject)?;
    let id = schema::id(resource).ok_or(ParseResourceError::NoId)?;
    let mut attributes = Attributes::new();
    for attribute in Attribute::ALL {
        if let Some(value) = value(object, *attribute) {
            attributes.set(*attribute, &value);
        }
    }
    let link = schema::field(object, atlassian::EXTERNAL_EXTENSION).and_then(Value::as_object);
    let meta = schema::field(object, "meta").and_then(Value::as_object);
    let account = ObservedAccount {
        external_id: schema::text(object, "externalId").map(str::to_owned),
        attributes,
        active: schema::truth(object, "active"),
        atlassian_account_id: link.and_then(|link| schema::text(link, "atlassianAccountId")).map(str::to_owned),
        created_at: meta.and_then(|meta| schema::text(meta, "created")).and_then(|text| text.parse().ok()),
    };
    Ok((id, account))
}

fn value(object: &Map<String, Value>, attribute: Attribute) -> Option<String> {
    let within = |parent: &str, child: &str| {
        let parent = schema::field(object, parent)?.as_object()?;
        schema::text(parent, child).map(str::to_owned)
    };
    match place(attribute) {
        Place::Plain => schema::text(object, attribute.path()).map(str::to_owned),
        Place::Within { parent, child } => within(parent, child),
        Place::Enterprise(name) => within(schema::ENTERPRISE_USER, name),
        Place::OneWorkValue => {
            let value = primary(schema::list(object, attribute.path()))?;
            Some(if attribute == Attribute::Emails { value.to_lowercase() } else { value.to_owned() })
        }
    }
}

/// The primary value of a list, or else the first.
fn primary(values: &[Value]) -> Option<&str> {
    let text = |value: &'_ Value| value.as_object().and_then(|object| schema::text(object, "value")).is_some();
    let is_primary =
        |value: &&Value| value.as_object().and_then(|object| schema::truth(object, "primary")) == Some(true);
    let with_text = || values.iter().filter(|value| text(value));
    let chosen = with_text().find(is_primary).or_else(|| with_text().next())?;
    schema::text(chosen.as_object()?, "value")
}

#[cfg(test)]
mod tests {
    use super::{Activity, changes, create_body, parse, set_activity};
    use crate::model::Attribute;
    use crate::model::Attributes;
    use crate::scim::patch;
    use crate::scim::schema::ParseResourceError;
    use serde_json::json;

    fn attributes(values: &[(Attribute, &str)]) -> Attributes {
        values.iter().copied().collect()
    }

    fn pretty(value: &serde_json::Value) -> String {
        serde_json::to_string_pretty(value).unwrap()
    }

    #[test]
    fn the_least_that_is_posted() {
        let body = create_body(
            "DUA1",
            &attributes(&[(Attribute::UserName, "ana@example.com"), (Attribute::Emails, "ana@example.com")]),
        );
        insta::assert_snapshot!(pretty(&body), @r#"
        {
          "active": true,
          "emails": [
            {
              "primary": true,
              "type": "work",
              "value": "ana@example.com"
            }
          ],
          "externalId": "DUA1",
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User"
          ],
          "userName": "ana@example.com"
        }
        "#);
    }

    #[test]
    fn everything_that_is_posted_is_read_back() {
        let all: Attributes = Attribute::ALL.iter().map(|a| (*a, format!("v{}", *a as usize))).collect();
        let mut body = create_body("DUA1", &all);
        insta::assert_snapshot!(pretty(&body), @r#"
        {
          "active": true,
          "department": "v11",
          "displayName": "v2",
          "emails": [
            {
              "primary": true,
              "type": "work",
              "value": "v1"
            }
          ],
          "externalId": "DUA1",
          "name": {
            "familyName": "v5",
            "formatted": "v3",
            "givenName": "v4",
            "middleName": "v6"
          },
          "nickName": "v7",
          "organization": "v12",
          "phoneNumbers": [
            {
              "primary": true,
              "type": "work",
              "value": "v13"
            }
          ],
          "preferredLanguage": "v10",
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
          ],
          "timezone": "v9",
          "title": "v8",
          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "v14",
            "organization": "v15"
          },
          "userName": "v0"
        }
        "#);
        body["id"] = json!("1");
        let (_, account) = parse(&body).unwrap();
        assert_eq!((account.attributes, account.active), (all, Some(true)));
        assert_eq!(account.external_id.as_deref(), Some("DUA1"));
    }

    #[test]
    fn a_patch_has_exactly_what_changed() {
        let mut operations = changes(&attributes(&[
            (Attribute::EnterpriseDepartment, "R&D"),
            (Attribute::NameGivenName, "Ana"),
            (Attribute::Emails, "ana@example.com"),
            (Attribute::PhoneNumbers, "+351 1"),
        ]));
        operations.push(set_activity(Activity::Inactive));
        insta::assert_snapshot!(pretty(&patch::body(operations)), @r#"
        {
          "Operations": [
            {
              "op": "replace",
              "path": "emails",
              "value": [
                {
                  "primary": true,
                  "type": "work",
                  "value": "ana@example.com"
                }
              ]
            },
            {
              "op": "replace",
              "path": "name.givenName",
              "value": "Ana"
            },
            {
              "op": "replace",
              "path": "phoneNumbers",
              "value": [
                {
                  "primary": true,
                  "type": "work",
                  "value": "+351 1"
                }
              ]
            },
            {
              "op": "replace",
              "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
              "value": "R&D"
            },
            {
              "op": "replace",
              "path": "active",
              "value": false
            }
          ],
          "schemas": [
            "urn:ietf:params:scim:api:messages:2.0:PatchOp"
          ]
        }
        "#);
    }

    /// As captured by a third party in 2021, with the mail domain changed.
    #[test]
    fn a_captured_answer_is_read() {
        let captured = json!({
            "schemas": ["urn:scim:schemas:extension:atlassian-external:1.0",
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName": "testatlas@example.com",
            "emails": [{"value": "TestAtlas@example.com", "type": "work", "primary": true}],
            "meta": {"resourceType": "User", "location": "https://api.atlassian.com/scim/directory/d/Users/247b915a",
                "lastModified": "2021-02-16T15:05:41.185473Z", "created": "2021-02-16T15:05:41.185473Z"},
            "groups": [],
            "urn:scim:schemas:extension:atlassian-external:1.0": {"atlassianAccountId": "602bdf457b23f40068547c25"},
            "id": "247b915a-9d6c-4cd5-b5a5-071b1b3abc2e",
            "active": true
        });
        let (id, account) = parse(&captured).unwrap();
        assert_eq!(id.as_str(), "247b915a-9d6c-4cd5-b5a5-071b1b3abc2e");
        assert_eq!(account.atlassian_account_id.as_deref(), Some("602bdf457b23f40068547c25"));
        assert_eq!(account.active, Some(true));
        assert_eq!(account.external_id, None);
        let expected = [(Attribute::UserName, "testatlas@example.com"), (Attribute::Emails, "testatlas@example.com")];
        assert_eq!(account.attributes, attributes(&expected));
    }

    #[test]
    fn odd_forms_of_a_user_are_read() {
        let read = |value: serde_json::Value| parse(&value).unwrap().1;
        assert_eq!(read(json!({"id": "1"})), crate::model::ObservedAccount::default());
        assert_eq!(read(json!({"ID": "1", "Active": "False"})).active, Some(false));
        assert_eq!(read(json!({"id": "1", "active": "perhaps"})).active, None);
        let email = |emails: serde_json::Value| {
            let account = read(json!({"id": "1", "emails": emails}));
            account.attributes.value(Attribute::Emails).map(str::to_owned)
        };
        assert_eq!(email(json!([{"value": "a@x.y"}, {"value": "B@x.y", "primary": true}])).as_deref(), Some("b@x.y"));
        assert_eq!(email(json!([{"value": ""}, {"value": "A@x.y"}])).as_deref(), Some("a@x.y"));
        assert_eq!(email(json!("a@x.y")), None);
        assert_eq!(email(json!([])), None);
        let link = "urn:scim:schemas:extension:atlassian-external:1.0";
        assert_eq!(read(json!({"id": "1", (link): null})).atlassian_account_id, None);
        assert_eq!(read(json!({"id": "1", (link): {"atlassianAccountId": null}})).atlassian_account_id, None);
    }

    #[test]
    fn what_has_no_id_is_not_a_user() {
        assert_eq!(parse(&json!([])).unwrap_err(), ParseResourceError::NotAnObject);
        assert_eq!(parse(&json!({"id": "", "userName": "ana"})).unwrap_err(), ParseResourceError::NoId);
    }
}
