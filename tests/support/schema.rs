//! Any mutation of the schema, with an input that is right but for whose it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Caller, fresh_key};

const SCHEMA: &str = "{ __schema {
    mutationType { fields { name args { type { ...Type } } } }
    types { name kind inputFields { name defaultValue type { ...Type } } enumValues { name } } } }
    fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name } } } } }";

/// What can be done, as the endpoint says of itself.
pub struct Mutations {
    /// The type of each one's input.
    inputs: BTreeMap<String, String>,
    types: BTreeMap<String, Value>,
}

impl Mutations {
    pub async fn of(caller: &Caller) -> Self {
        let mut answer = caller.ask(SCHEMA, json!({})).await;
        let schema = &mut answer["__schema"];
        let fields = schema["mutationType"]["fields"].as_array().unwrap();
        let inputs = fields.iter().map(|field| {
            let name = field["name"].as_str().unwrap().to_owned();
            (name, named(&field["args"][0]["type"]).to_owned())
        });
        let inputs = inputs.collect();
        let types = schema["types"].as_array_mut().unwrap().drain(..);
        let types = types.map(|kind| (kind["name"].as_str().unwrap().to_owned(), kind));
        Self {
            inputs,
            types: types.collect(),
        }
    }

    pub fn names(&self) -> BTreeSet<&str> {
        self.inputs.keys().map(String::as_str).collect()
    }

    /// The fields of a mutation's input that name something, those of lists and of inputs within it
    /// included.
    pub fn ids_in(&self, mutation: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.collect_ids(&self.inputs[mutation], &mut found);
        found
    }

    fn collect_ids(&self, input: &str, found: &mut BTreeSet<String>) {
        for field in self.fields(input) {
            let kind = named(&field["type"]);
            if kind == "ID" {
                found.insert(field["name"].as_str().unwrap().to_owned());
            } else if self.types[kind]["kind"] == "INPUT_OBJECT" {
                self.collect_ids(kind, found);
            }
        }
    }

    fn fields(&self, input: &str) -> &[Value] {
        self.types[input]["inputFields"].as_array().unwrap()
    }

    /// What a mutation answers when every id in its input is what `ids` says by the field's name.
    pub async fn send(
        &self,
        caller: &Caller,
        mutation: &str,
        ids: &dyn Fn(&str) -> Value,
    ) -> Value {
        let input = &self.inputs[mutation];
        let document = format!(
            "mutation($input: {input}!) {{ {mutation}(input: $input) {{
                userErrors {{ code field }} }} }}"
        );
        let input = self.example(input, ids);
        caller.post(&document, json!({ "input": input })).await
    }

    /// An input with everything that it needs, and every id that it may have.
    fn example(&self, input: &str, ids: &dyn Fn(&str) -> Value) -> Value {
        let mut example = Map::new();
        for field in self.fields(input) {
            let (name, kind) = (field["name"].as_str().unwrap(), &field["type"]);
            let of = named(kind);
            let is_needed = kind["kind"] == "NON_NULL" && field["defaultValue"].is_null();
            let value = match of {
                "ID" => ids(name),
                _ if !is_needed && !self.names_something(of) => continue,
                "UUID" => json!(fresh_key()),
                "Int" | "Version" => json!(1),
                "Boolean" => json!(true),
                "Decimal" => json!("1"),
                "DateTime" => json!("2099-01-01T00:00:00Z"),
                "String" if name.to_lowercase().contains("email") => json!("one@example.com"),
                "String" => json!("a text that is long enough"),
                _ => match self.types[of]["enumValues"].as_array() {
                    Some(values) => values[0]["name"].clone(),
                    None => self.example(of, ids),
                },
            };
            // Of fields that exclude each other `ids` leaves all but one out.
            if value.is_null() {
                continue;
            }
            let value = if is_list(kind) { json!([value]) } else { value };
            example.insert(name.to_owned(), value);
        }
        Value::Object(example)
    }

    fn names_something(&self, kind: &str) -> bool {
        if self.types[kind]["kind"] != "INPUT_OBJECT" {
            return false;
        }
        let mut found = BTreeSet::new();
        self.collect_ids(kind, &mut found);
        !found.is_empty()
    }
}

/// The codes of what a mutation was refused with; none when it was done.
pub fn refused_with(answer: &Value) -> Vec<&str> {
    let payload = answer["data"]
        .as_object()
        .and_then(|data| data.values().next());
    let errors = payload.and_then(|payload| payload["userErrors"].as_array());
    let errors = errors.unwrap_or_else(|| panic!("no payload: {answer}"));
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

fn named(kind: &Value) -> &str {
    match kind["name"].as_str() {
        Some(name) => name,
        None => named(&kind["ofType"]),
    }
}

fn is_list(kind: &Value) -> bool {
    match kind["kind"].as_str() {
        Some("LIST") => true,
        Some("NON_NULL") => is_list(&kind["ofType"]),
        _ => false,
    }
}
