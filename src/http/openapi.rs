//! The audit API described by itself: OpenAPI 3.1 out of the code, and a page to read it on.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::audit;

const PAGE: &str = include_str!("docs.html");

#[derive(OpenApi)]
#[openapi(
    info(description = "Looking back at what bookwarden decided. Every call needs a bearer token, which opens one organization."),
    paths(
        audit::decisions::search,
        audit::decisions::read,
        audit::events::search,
        audit::follow::stream,
        audit::cases::read,
        audit::policies::as_of,
        audit::policies::history,
        audit::stats::count,
    ),
    modifiers(&Tokens, &AlwaysThere),
)]
struct Described;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Members that may be null are always there: what may be absent is never null. But for these two, which only the answer of one decision has.
struct AlwaysThere;

const ABSENT_OR_NULL: [(&str, &str); 2] =
    [("ExplainedPolicy", "row"), ("ExplainedPolicy", "change")];

impl Modify for AlwaysThere {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        for (name, schema) in &mut components.schemas {
            let RefOr::T(schema) = schema else { continue };
            for object in objects(schema) {
                let nullable = object.properties.iter().filter(|(property, schema)| {
                    is_nullable(schema)
                        && !ABSENT_OR_NULL.contains(&(name.as_str(), property.as_str()))
                });
                let nullable: Vec<_> = nullable.map(|(property, _)| property.clone()).collect();
                object.required.extend(nullable);
            }
        }
    }
}

/// Those that a schema is made of.
fn objects(schema: &mut Schema) -> Vec<&mut Object> {
    match schema {
        Schema::Object(object) => vec![object],
        Schema::AllOf(all) => (all.items.iter_mut())
            .filter_map(|item| match item {
                RefOr::T(Schema::Object(object)) => Some(object),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn is_nullable(schema: &RefOr<Schema>) -> bool {
    let has_null = |schema_type: &SchemaType| match schema_type {
        SchemaType::Type(only) => *only == Type::Null,
        SchemaType::Array(types) => types.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => has_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => has_null(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(is_nullable),
        _ => false,
    }
}

/// The description, as `openapi.json` at the repository's root has it.
pub(super) fn description() -> String {
    let mut text = Described::openapi()
        .to_pretty_json()
        .expect("a description is JSON");
    text.push('\n');
    text
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(description())
}

/// `GET /docs`: one page that fetches nothing but `/openapi.json`.
pub(super) async fn docs() -> HttpResponse {
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(PAGE)
}

#[cfg(test)]
mod tests {
    /// `BOOKWARDEN_GOLDEN=write cargo test openapi` after a wished change of the interface.
    #[test]
    fn the_golden_file_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let described = super::description();
        if option_env!("BOOKWARDEN_GOLDEN").is_some() {
            std::fs::write(path, &described).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap();
        assert_eq!(described, golden, "openapi.json is not what the code says");
        assert!(golden.contains("\"openapi\": \"3.1.0\""));
    }

    #[test]
    fn what_it_refers_to_is_in_it() {
        let description: serde_json::Value = serde_json::from_str(&super::description()).unwrap();
        let text = description.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_parameter_says_what_it_is() {
        let description: serde_json::Value = serde_json::from_str(&super::description()).unwrap();
        let paths = description["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap());
        let parameters = operations.flat_map(|(_, operation)| operation["parameters"].as_array());
        let mut parameters = parameters.flatten().peekable();
        assert!(parameters.peek().is_some());
        for parameter in parameters {
            let said = parameter["description"].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{}", parameter["name"]);
        }
    }
}
