//! How long lists among arguments and variables may be.

use async_graphql::Value;

use crate::answer::{RequestError, RequestErrorCode};

/// Refuses values with a list in them of more than `most` entries.
pub(super) fn check_lists<'v>(
    values: impl IntoIterator<Item = &'v Value>,
    most: usize,
) -> Result<(), RequestError> {
    let mut open: Vec<&Value> = values.into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::List(entries) if entries.len() > most => {
                let length = entries.len();
                let message = format!("A list has {length} entries; at most {most} are taken.");
                return Err(RequestError::new(RequestErrorCode::LimitExceeded, message));
            }
            Value::List(entries) => open.extend(entries),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    Ok(())
}
