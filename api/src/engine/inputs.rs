//! Input values against their types, by the specification's coercion rules.
//!
//! The library looks at variables only where an argument uses them, lets what is no object pass for
//! an input object, and finds a missing value or a number beyond 32 bits when the field already
//! runs. All of these are request errors: nothing may have run.

use std::fmt::Write as _;

use async_graphql::parser::types::VariableDefinition;
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Positioned, Value, Variables};

use axum::body::Bytes;

use crate::answer::{RequestError, RequestErrorCode};

/// A value that fits any type. No request can hold it: bytes come from uploads only, which are not
/// offered.
pub(super) const FITS_ANY_TYPE: Value = Value::Binary(Bytes::new());

/// What is wrong with a value, and where within it.
#[derive(Debug)]
pub(super) struct Misfit {
    /// From the outside in; each part as it is written after the name, `.quantity` or `[2]`.
    path: Vec<String>,
    problem: String,
}

impl Misfit {
    fn new(problem: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            problem: problem.into(),
        }
    }

    fn within(mut self, part: String) -> Self {
        self.path.insert(0, part);
        self
    }

    /// The sentence for the client.
    pub(super) fn describe(&self, what: &str) -> String {
        let mut text = what.to_owned();
        for part in &self.path {
            text.push_str(part);
        }
        // Writing to a string can't fail.
        let _ = write!(text, ": {}", self.problem);
        text
    }
}

/// Checks the values sent for an operation's variables.
pub(super) fn check_variables(
    registry: &Registry,
    definitions: &[Positioned<VariableDefinition>],
    sent: &Variables,
) -> Result<(), RequestError> {
    for definition in definitions {
        let variable = &definition.node;
        let (name, of) = (&variable.name.node, &variable.var_type.node);
        let problem = match sent.get(name) {
            Some(value) => match check(registry, &of.to_string(), value) {
                Ok(()) => continue,
                Err(misfit) => misfit.describe(&format!("The variable \"${name}\"")),
            },
            None if variable.default_value().is_some() => continue,
            None => format!("The variable \"${name}\" of type {of} has no value."),
        };
        return Err(RequestError::at(
            RequestErrorCode::BadUserInput,
            problem,
            definition.pos,
        ));
    }
    Ok(())
}

/// The values of all variables, with defaults and nulls for those that were not sent.
pub(super) fn filled(
    definitions: &[Positioned<VariableDefinition>],
    sent: &Variables,
) -> Variables {
    let mut filled = Variables::default();
    for variable in definitions.iter().map(|definition| &definition.node) {
        let name = &variable.name.node;
        if let Some(value) = sent.get(name).or_else(|| variable.default_value()) {
            filled.insert(name.clone(), value.clone());
        }
    }
    filled
}

/// Checks one value against a type as the schema writes it, `[OrderLineInput!]!` for instance.
pub(super) fn check(registry: &Registry, type_name: &str, value: &Value) -> Result<(), Misfit> {
    match (MetaTypeName::create(type_name), value) {
        (MetaTypeName::NonNull(_), Value::Null) => {
            Err(Misfit::new(format!("{type_name} can't be null.")))
        }
        (_, Value::Binary(_)) => Ok(()),
        (MetaTypeName::NonNull(inner), value) => check(registry, inner, value),
        (_, Value::Null) => Ok(()),
        (MetaTypeName::List(inner), Value::List(values)) => {
            for (index, value) in values.iter().enumerate() {
                check(registry, inner, value)
                    .map_err(|misfit| misfit.within(format!("[{index}]")))?;
            }
            Ok(())
        }
        // One value stands for a list of one.
        (MetaTypeName::List(inner), value) => check(registry, inner, value),
        (MetaTypeName::Named(name), value) => check_named(registry, name, value),
    }
}

fn check_named(registry: &Registry, name: &str, value: &Value) -> Result<(), Misfit> {
    match registry.types.get(name) {
        Some(MetaType::Scalar { is_valid, .. }) => {
            let valid = match name {
                "Int" => matches!(value, Value::Number(number)
                    if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())),
                "Float" => matches!(value, Value::Number(_)),
                "String" => matches!(value, Value::String(_)),
                "Boolean" => matches!(value, Value::Boolean(_)),
                "ID" => match value {
                    Value::String(_) => true,
                    Value::Number(number) => number.is_i64(),
                    _ => false,
                },
                _ => is_valid.as_ref().is_none_or(|is_valid| is_valid(value)),
            };
            valid.then_some(()).ok_or_else(|| expected(name, value))
        }
        Some(MetaType::Enum { enum_values, .. }) => match value {
            Value::Enum(word) if enum_values.contains_key(word.as_str()) => Ok(()),
            Value::String(word) if enum_values.contains_key(word.as_str()) => Ok(()),
            _ => Err(expected(name, value)),
        },
        Some(MetaType::InputObject {
            input_fields,
            oneof,
            ..
        }) => {
            let Value::Object(given) = value else {
                return Err(expected(name, value));
            };
            if let Some(unknown) = given
                .keys()
                .find(|key| !input_fields.contains_key(key.as_str()))
            {
                return Err(Misfit::new(format!("{name} has no field \"{unknown}\".")));
            }
            if *oneof && (given.len() != 1 || given.values().any(|value| *value == Value::Null)) {
                return Err(Misfit::new(format!(
                    "{name} takes exactly one field, not null."
                )));
            }
            for field in input_fields.values() {
                let required = field.ty.ends_with('!') && field.default_value.is_none();
                match given.get(field.name.as_str()) {
                    Some(value) => check(registry, &field.ty, value)
                        .map_err(|misfit| misfit.within(format!(".{}", field.name)))?,
                    None if required => {
                        let problem = format!("{name} needs the field \"{}\".", field.name);
                        return Err(Misfit::new(problem));
                    }
                    None => {}
                }
            }
            Ok(())
        }
        // No input type: validation says so.
        _ => Ok(()),
    }
}

fn expected(name: &str, value: &Value) -> Misfit {
    let found = match value {
        Value::Null => "null",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) if name == "Int" => "a number beyond 32 bits",
        Value::Number(_) => "a number",
        Value::String(_) if is_plain_kind(name) => "a string",
        Value::String(_) => "a string that is not one",
        Value::Boolean(_) => "a boolean",
        Value::Enum(_) => "a word that is not one",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
        Value::Binary(_) => "bytes",
    };
    Misfit::new(format!("expected {name}, found {found}."))
}

fn is_plain_kind(name: &str) -> bool {
    matches!(name, "Int" | "Float" | "Boolean")
}
