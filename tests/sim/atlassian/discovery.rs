//! `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`.
//!
//! No captured answer of Atlassian's was found. These are what its documentation implies, in the RFC's form.

use serde_json::{Value, json};

use super::attribute::{Attribute, CUSTOM, ENTERPRISE, EXTERNAL, GROUP, Kind, Mutability, Schema, USER, Uniqueness};
use super::query::PAGE_MAX;
use super::refusal::Refusal;
use super::render::location;
use super::setting::{AtlassianSettings, Extensions};

/// The schemas, also those of Atlassian's extensions: its answers name them, so a reader must be able to look them up.
const SCHEMAS: [&Schema; 5] = [&USER, &GROUP, &ENTERPRISE, &CUSTOM, &EXTERNAL];

/// `/ServiceProviderConfig`.
pub fn service_provider_config(settings: &AtlassianSettings) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://developer.atlassian.com/cloud/admin/user-provisioning/rest/intro/",
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication with the API key of the directory",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": location(settings, "ServiceProviderConfig"),
        },
    })
}

/// `/ResourceTypes` or one of them.
pub fn resource_types(settings: &AtlassianSettings, name: Option<&str>) -> Result<Value, Refusal> {
    one_or_all(
        "ResourceType",
        name,
        [&USER, &GROUP].map(|schema| (schema.name, resource_type(settings, schema))).into(),
    )
}

/// `/Schemas` or one of them.
pub fn schemas(settings: &AtlassianSettings, urn: Option<&str>) -> Result<Value, Refusal> {
    let named = SCHEMAS.into_iter().filter(|schema| is_named(settings, schema));
    one_or_all("Schema", urn, named.map(|schema| (schema.urn, document(settings, schema))).collect())
}

fn one_or_all(kind: &str, name: Option<&str>, known: Vec<(&'static str, Value)>) -> Result<Value, Refusal> {
    let Some(name) = name else {
        let resources: Vec<Value> = known.into_iter().map(|(_, value)| value).collect();
        let total = resources.len();
        return Ok(json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": 1,
            "itemsPerPage": total,
            "Resources": resources,
        }));
    };
    let found = known.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    found.ok_or_else(|| Refusal::missing(format!("{kind} [{name}] not found")))
}

/// Whether this schema is told of.
fn is_named(settings: &AtlassianSettings, schema: &Schema) -> bool {
    settings.extensions == Extensions::Atlassian || schema.urn.starts_with("urn:ietf:")
}

fn resource_type(settings: &AtlassianSettings, schema: &Schema) -> Value {
    let extensions = schema.extensions().iter().filter(|extension| is_named(settings, extension));
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": schema.name,
        "name": schema.name,
        "description": schema.about,
        "endpoint": format!("/{}s", schema.name),
        "schema": schema.urn,
        "schemaExtensions": extensions.map(|e| json!({ "schema": e.urn, "required": false })).collect::<Value>(),
        "meta": {
            "resourceType": "ResourceType",
            "location": location(settings, &format!("ResourceTypes/{}", schema.name)),
        },
    })
}

fn document(settings: &AtlassianSettings, schema: &Schema) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.about,
        "attributes": schema.attributes.iter().map(described).collect::<Value>(),
        "meta": { "resourceType": "Schema", "location": location(settings, &format!("Schemas/{}", schema.urn)) },
    })
}

fn described(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": match attribute.kind {
            Kind::Text => "string",
            Kind::Reference(_) => "reference",
            Kind::Boolean => "boolean",
            Kind::Complex(_) => "complex",
        },
        "multiValued": attribute.multi,
        "description": attribute.about,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": match attribute.mutability {
            Mutability::ReadWrite => "readWrite",
            Mutability::ReadOnly => "readOnly",
            Mutability::Immutable => "immutable",
        },
        "returned": "default",
        "uniqueness": match attribute.uniqueness {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
        },
    });
    if let Some(described) = described.as_object_mut() {
        match attribute.kind {
            Kind::Complex(parts) => {
                described.insert("subAttributes".to_owned(), parts.iter().map(self::described).collect());
            }
            Kind::Reference(types) => {
                described.insert("referenceTypes".to_owned(), json!(types));
            }
            Kind::Text | Kind::Boolean => {}
        }
    }
    described
}
