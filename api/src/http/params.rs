//! The parameters of a GraphQL-over-HTTP request, from a body and from a URL.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::answer::{RequestError, RequestErrorCode};
use crate::request::Params;

fn bad(message: impl Into<String>) -> RequestError {
    RequestError::new(RequestErrorCode::BadRequest, message)
}

/// Reads the parameters out of a JSON body.
pub(crate) fn from_body(body: &[u8]) -> Result<Params, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        query: String,
        operation_name: Option<String>,
        variables: Option<Variables>,
        #[serde(rename = "extensions")]
        _extensions: Option<serde_json::Map<String, Json>>,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body {
            query,
            operation_name,
            variables,
            ..
        }) => Ok(Params {
            query,
            operation_name,
            variables: variables.unwrap_or_default(),
        }),
        Err(error) => Err(bad(explain(body, &error))),
    }
}

/// Says what is wrong with a body that could not be read, in a sentence of ours.
fn explain(body: &[u8], error: &serde_json::Error) -> String {
    let object = match serde_json::from_slice::<Json>(body) {
        Ok(Json::Object(object)) => object,
        Ok(Json::Array(_)) => {
            return "Batches are not offered: send one request at a time.".to_owned();
        }
        Ok(_) => return "The body has to be a JSON object.".to_owned(),
        Err(_) if body.is_empty() => return "The body is empty.".to_owned(),
        Err(_) => {
            let (line, column) = (error.line(), error.column());
            return format!("The body is not valid JSON (line {line}, column {column}).");
        }
    };
    let is = |name: &str, fits: fn(&Json) -> bool| object.get(name).is_none_or(fits);
    if !object.get("query").is_some_and(Json::is_string) {
        "\"query\" has to be there, as a string.".to_owned()
    } else if !is("operationName", |value| {
        value.is_string() || value.is_null()
    }) {
        "\"operationName\" has to be a string or null.".to_owned()
    } else if !is("variables", |value| value.is_object() || value.is_null()) {
        "\"variables\" has to be an object or null.".to_owned()
    } else if !is("extensions", |value| value.is_object() || value.is_null()) {
        "\"extensions\" has to be an object or null.".to_owned()
    } else {
        "A parameter is there twice.".to_owned()
    }
}

/// Reads the parameters out of a URL.
pub(super) fn from_url(url: &Uri) -> Result<Params, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Read {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let Query(read) = Query::<Read>::try_from_uri(url)
        .map_err(|_| bad("The URL's parameters can't be read, or one is there twice."))?;
    let query = read
        .query
        .ok_or_else(|| bad("\"query\" has to be there."))?;
    let variables = json("variables", read.variables)?;
    let _: Option<serde_json::Map<String, Json>> = json("extensions", read.extensions)?;
    Ok(Params {
        query,
        operation_name: read.operation_name.filter(|name| !name.is_empty()),
        variables: variables.unwrap_or_default(),
    })
}

fn json<T: DeserializeOwned>(name: &str, text: Option<String>) -> Result<Option<T>, RequestError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    serde_json::from_str(&text).map_err(|_| {
        bad(format!(
            "\"{name}\" has to be a JSON object, encoded for a URL."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        from_body(body.as_bytes()).unwrap_err().errors()[0]
            .message
            .clone()
    }

    #[test]
    fn a_body_is_read() {
        let params = from_body(
            br#"{"query":"{a}","operationName":"A","variables":{"n":[1,null]},"extensions":{},"x":1}"#,
        )
        .unwrap();
        assert_eq!(params.query, "{a}");
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.len(), 1);
        assert!(from_body(br#"{"query":"","variables":null,"operationName":null}"#).is_ok());
    }

    #[test]
    fn each_malformed_body_is_told_what_is_wrong() {
        for (body, part) in [
            ("", "empty"),
            ("{\"query\":", "not valid JSON (line 1, column 9)"),
            ("[{\"query\":\"{a}\"}]", "Batches"),
            ("\"{a}\"", "JSON object"),
            ("{}", "\"query\""),
            ("{\"query\":null}", "\"query\""),
            ("{\"query\":1}", "\"query\""),
            (
                "{\"query\":\"{a}\",\"operationName\":1}",
                "\"operationName\"",
            ),
            ("{\"query\":\"{a}\",\"variables\":[]}", "\"variables\""),
            ("{\"query\":\"{a}\",\"extensions\":\"x\"}", "\"extensions\""),
            ("{\"query\":\"{a}\",\"query\":\"{b}\"}", "twice"),
        ] {
            assert!(refusal(body).contains(part), "{body}: {}", refusal(body));
        }
        assert!(refusal(&format!("{{\"query\":{}", "[".repeat(100_000))).contains("JSON"));
    }

    #[test]
    fn a_url_is_read() {
        let read = |parameters: &str| from_url(&format!("/graphql?{parameters}").parse().unwrap());
        let params = read("query=%7Ba%7D&operationName=A&variables=%7B%22n%22%3A1%7D").unwrap();
        assert_eq!(params.query, "{a}");
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.len(), 1);
        for parameters in [
            "",
            "variables=1",
            "query=a&variables=x",
            "query=a&extensions=1",
            "query=a&query=b",
        ] {
            assert!(read(parameters).is_err(), "{parameters}");
        }
    }
}
