//! What every element of the schema has to have.

use std::collections::BTreeMap;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use serde_json::Value;

use crate::graphql::{schema_sdl, types};

/// All there is to know of a schema, as its clients are told.
const INTROSPECTION: &str = "{ __schema {
    mutationType { name }
    types {
        name kind description
        fields(includeDeprecated: true) {
            name description isDeprecated deprecationReason
            type { ...Type }
            args { name description type { ...Type } }
        }
        inputFields { name description type { ...Type } }
        enumValues(includeDeprecated: true) { name description }
        possibleTypes { name }
    }
    directives { name description args { name description } }
} }
fragment Type on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}";

async fn introspect() -> Value {
    let response = types().finish().execute(INTROSPECTION).await;
    assert_eq!(response.errors, []);
    response.data.into_json().unwrap()["__schema"].take()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

/// Every element of a schema that says nothing about itself.
fn undescribed(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |element: &Value, path: String| {
        if element["description"]
            .as_str()
            .is_none_or(|text| text.trim().is_empty())
        {
            found.push(path);
        }
    };
    for of in list(schema, "types")
        .iter()
        .filter(|of| !name(of).starts_with("__"))
    {
        look(of, name(of).to_owned());
        for field in list(of, "fields") {
            look(field, format!("{}.{}", name(of), name(field)));
            for argument in list(field, "args") {
                look(
                    argument,
                    format!("{}.{}({})", name(of), name(field), name(argument)),
                );
            }
        }
        for part in list(of, "inputFields").iter().chain(list(of, "enumValues")) {
            look(part, format!("{}.{}", name(of), name(part)));
        }
    }
    for directive in list(schema, "directives") {
        look(directive, format!("@{}", name(directive)));
        for argument in list(directive, "args") {
            look(
                argument,
                format!("@{}({})", name(directive), name(argument)),
            );
        }
    }
    found
}

#[tokio::test]
async fn every_element_says_what_it_is() {
    assert_eq!(undescribed(&introspect().await), Vec::<String>::new());
}

#[tokio::test]
async fn an_element_that_says_nothing_is_found() {
    struct Bare;

    #[Object]
    impl Bare {
        async fn field(&self, argument: bool) -> bool {
            argument
        }
    }

    let schema = Schema::new(Bare, EmptyMutation, EmptySubscription);
    let bare = schema
        .execute(INTROSPECTION)
        .await
        .data
        .into_json()
        .unwrap();
    let found = undescribed(&bare["__schema"]);
    for path in ["Bare", "Bare.field", "Bare.field(argument)"] {
        assert!(
            found.iter().any(|found| found == path),
            "{path} in {found:?}"
        );
    }
}

/// A type as it is written: `[UserError!]!`.
fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => name(of).to_owned(),
    }
}

fn type_named<'a>(schema: &'a Value, wanted: &str) -> &'a Value {
    list(schema, "types")
        .iter()
        .find(|of| name(of) == wanted)
        .unwrap()
}

#[tokio::test]
async fn every_mutation_has_one_input_and_a_payload_with_user_errors() {
    let schema = introspect().await;
    let mutations = list(type_named(&schema, "Mutation"), "fields");
    let names: Vec<&str> = mutations.iter().map(name).collect();
    for expected in ["placeOrder", "signUp", "scheduleDeal"] {
        assert!(names.contains(&expected), "{expected} in {names:?}");
    }
    for mutation in mutations {
        let of = name(mutation);
        let capital = of[..1].to_uppercase() + &of[1..];
        let arguments: BTreeMap<&str, String> = list(mutation, "args")
            .iter()
            .map(|arg| (name(arg), written(&arg["type"])))
            .collect();
        assert_eq!(
            arguments,
            BTreeMap::from([("input", format!("{capital}Input!"))]),
            "{of}"
        );
        assert_eq!(written(&mutation["type"]), format!("{capital}Payload"));

        let payload = type_named(&schema, &format!("{capital}Payload"));
        let fields: BTreeMap<&str, String> = list(payload, "fields")
            .iter()
            .map(|field| (name(field), written(&field["type"])))
            .collect();
        assert_eq!(fields["userErrors"], "[UserError!]!", "{of}");
        assert_eq!(fields["serverTime"], "DateTime!", "{of}");
        let nullable: Vec<_> = fields.iter().filter(|(_, of)| !of.ends_with('!')).collect();
        assert_eq!(nullable.len(), 1, "{of} has one object: {nullable:?}");
    }
}

#[tokio::test]
async fn every_mutation_that_moves_stock_or_money_has_a_key() {
    let schema = introspect().await;
    for of in [
        "PlaceOrder",
        "PayOrder",
        "CancelOrder",
        "CreateItem",
        "RestockItem",
    ] {
        let input = type_named(&schema, &format!("{of}Input"));
        let fields = list(input, "inputFields");
        let key = fields
            .iter()
            .find(|field| name(field) == "idempotencyKey")
            .unwrap();
        assert_eq!(written(&key["type"]), "UUID!", "{of}");
        let payload = type_named(&schema, &format!("{of}Payload"));
        let replayed = list(payload, "fields")
            .iter()
            .find(|field| name(field) == "replayed");
        assert_eq!(written(&replayed.unwrap()["type"]), "Boolean!", "{of}");
    }
}

#[tokio::test]
async fn every_code_has_its_type() {
    let schema = introspect().await;
    let codes = list(type_named(&schema, "UserErrorCode"), "enumValues");
    let members = list(type_named(&schema, "UserError"), "possibleTypes");
    let mut expected: Vec<String> = codes
        .iter()
        .map(|code| name(code).replace('_', "").to_lowercase())
        .collect();
    let mut found: Vec<String> = members.iter().map(|of| name(of).to_lowercase()).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn the_schema_is_printed_the_same_every_time() {
    let sdl = schema_sdl();
    assert_eq!(sdl, schema_sdl());
    async_graphql::parser::parse_schema(&sdl).unwrap();
    assert!(sdl.contains("type Order implements Node"), "{sdl}");
    assert!(
        sdl.contains("type OutOfStock implements UserError"),
        "{sdl}"
    );
}
