//! The parameters of a GraphQL-over-HTTP request, from a body and from a URL.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::answer::{RequestError, RequestErrorCode};
use crate::request::{DocumentId, Params};

fn bad(message: impl Into<String>) -> RequestError {
    RequestError::new(RequestErrorCode::BadRequest, message)
}

type Extensions = serde_json::Map<String, Json>;

/// Reads the parameters out of a JSON body with at most `most` brackets within brackets.
pub(crate) fn from_body(body: &[u8], most: usize) -> Result<Params, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        query: Option<String>,
        document_id: Option<String>,
        operation_name: Option<String>,
        variables: Option<Variables>,
        extensions: Option<Extensions>,
    }
    check_depth(body, most)?;
    let body: Body = serde_json::from_slice(body).map_err(|error| bad(explain(body, &error)))?;
    let document_id = name(body.document_id, body.extensions)?;
    Ok(Params {
        query: sent(
            body.query,
            document_id,
            "\"query\" has to be there, as a string.",
        )?,
        document_id,
        operation_name: body.operation_name,
        variables: body.variables.unwrap_or_default(),
    })
}

/// The document's text. An empty one beside a name is none: some protocols ask for the key.
fn sent(
    query: Option<String>,
    name: Option<DocumentId>,
    missing: &str,
) -> Result<Option<String>, RequestError> {
    match (query, name) {
        (Some(query), Some(_)) if query.is_empty() => Ok(None),
        (None, None) => Err(bad(missing)),
        (query, _) => Ok(query),
    }
}

/// What names the document, by `documentId` or as an automatic persisted query.
fn name(
    document_id: Option<String>,
    extensions: Option<Extensions>,
) -> Result<Option<DocumentId>, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PersistedQuery {
        version: i64,
        #[serde(default)]
        sha256_hash: String,
    }
    let document_id = document_id.map(|id| DocumentId::read(&id));
    let persisted = extensions.and_then(|mut extensions| extensions.remove("persistedQuery"));
    let Some(persisted) = persisted.filter(|persisted| !persisted.is_null()) else {
        return Ok(document_id);
    };
    let persisted = match serde_json::from_value(persisted) {
        Ok(PersistedQuery {
            version: 1,
            sha256_hash,
        }) => DocumentId::read(&sha256_hash),
        Ok(_) => DocumentId::Unsupported,
        Err(_) => {
            return Err(bad(
                "\"persistedQuery\" has to be an object of \"version\" and \"sha256Hash\".",
            ));
        }
    };
    match document_id {
        Some(document_id) if document_id != persisted => Err(bad(
            "\"documentId\" and \"persistedQuery\" name different documents.",
        )),
        _ => Ok(Some(persisted)),
    }
}

/// Refuses JSON with more brackets within brackets than `most`, before anything is made of it.
pub(crate) fn check_depth(json: &[u8], most: usize) -> Result<(), RequestError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    let message = format!("The JSON has more than {most} brackets open at once.");
                    return Err(bad(message));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
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
    if !is("query", |value| value.is_string() || value.is_null()) {
        "\"query\" has to be a string.".to_owned()
    } else if !is("documentId", |value| value.is_string() || value.is_null()) {
        "\"documentId\" has to be a string or null.".to_owned()
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

/// Reads the parameters out of a URL, whose JSON has at most `most` brackets within brackets.
pub(super) fn from_url(url: &Uri, most: usize) -> Result<Params, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Read {
        query: Option<String>,
        document_id: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let Query(read) = Query::<Read>::try_from_uri(url)
        .map_err(|_| bad("The URL's parameters can't be read, or one is there twice."))?;
    let variables = json("variables", read.variables, most)?;
    let document_id = name(read.document_id, json("extensions", read.extensions, most)?)?;
    Ok(Params {
        query: sent(read.query, document_id, "\"query\" has to be there.")?,
        document_id,
        operation_name: read.operation_name.filter(|name| !name.is_empty()),
        variables: variables.unwrap_or_default(),
    })
}

fn json<T: DeserializeOwned>(
    name: &str,
    text: Option<String>,
    most: usize,
) -> Result<Option<T>, RequestError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    check_depth(text.as_bytes(), most)?;
    serde_json::from_str(&text).map_err(|_| {
        bad(format!(
            "\"{name}\" has to be a JSON object, encoded for a URL."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 4;

    #[test]
    fn brackets_are_counted_where_they_are_brackets() {
        let nested = |depth: usize| format!("{}{}", "[{".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(check_depth(nested(4).as_bytes(), MOST).is_ok());
        assert!(check_depth(nested(6).as_bytes(), MOST).is_err());
        assert!(check_depth(br"[1,[2],[3],[4],[5],[6]]", 2).is_ok());
        assert!(check_depth(br#"{"a[[[[\"[[[":"\\","b":1}"#, 1).is_ok());
        assert!(check_depth(br#"["\\",[["x"]]]"#, 2).is_err());
        assert!(check_depth(b"]]]][", 1).is_ok());
    }

    fn refusal(body: &str) -> String {
        from_body(body.as_bytes(), MOST).unwrap_err().errors()[0]
            .message
            .clone()
    }

    #[test]
    fn a_body_is_read() {
        let params = from_body(
            br#"{"query":"{a}","operationName":"A","variables":{"n":[1,null]},"extensions":{},"x":1}"#,
            MOST,
        )
        .unwrap();
        assert_eq!(params.query.as_deref(), Some("{a}"));
        assert_eq!(params.document_id, None);
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.len(), 1);
        assert!(
            from_body(
                br#"{"query":"","variables":null,"operationName":null}"#,
                MOST
            )
            .is_ok()
        );
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
            ("{\"documentId\":1}", "\"documentId\""),
            (
                "{\"extensions\":{\"persistedQuery\":\"x\"}}",
                "\"persistedQuery\"",
            ),
            (
                "{\"documentId\":\"x\",\"extensions\":{\"persistedQuery\":{\"version\":2}}}",
                "different documents",
            ),
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
    fn a_document_may_be_named_instead_of_sent() {
        let hash = "ab".repeat(32);
        let id = DocumentId::Sha256([0xab; 32]);
        let apollo = |version: i64| {
            format!(r#"{{"persistedQuery":{{"version":{version},"sha256Hash":"{hash}"}}}}"#)
        };
        for (body, query, named) in [
            (format!(r#"{{"documentId":"sha256:{hash}"}}"#), None, id),
            (format!(r#"{{"query":"","documentId":"{hash}"}}"#), None, id),
            (format!(r#"{{"extensions":{}}}"#, apollo(1)), None, id),
            (
                format!(
                    r#"{{"query":"{{a}}","documentId":"{hash}","extensions":{}}}"#,
                    apollo(1)
                ),
                Some("{a}"),
                id,
            ),
            (
                format!(r#"{{"query":"{{a}}","extensions":{}}}"#, apollo(2)),
                Some("{a}"),
                DocumentId::Unsupported,
            ),
            (
                r#"{"documentId":"f00"}"#.to_owned(),
                None,
                DocumentId::Unknown,
            ),
        ] {
            let params = from_body(body.as_bytes(), MOST).unwrap();
            assert_eq!(params.query.as_deref(), query, "{body}");
            assert_eq!(params.document_id, Some(named), "{body}");
        }
        let url = format!("/graphql?documentId=sha256:{hash}&operationName=A");
        let params = from_url(&url.parse().unwrap(), MOST).unwrap();
        assert_eq!((params.query, params.document_id), (None, Some(id)));
        let nothing = r#"{"query":"{a}","extensions":{"persistedQuery":null,"other":{}}}"#;
        assert_eq!(
            from_body(nothing.as_bytes(), MOST).unwrap().document_id,
            None
        );
    }

    #[test]
    fn a_url_is_read() {
        let read =
            |parameters: &str| from_url(&format!("/graphql?{parameters}").parse().unwrap(), MOST);
        let params = read("query=%7Ba%7D&operationName=A&variables=%7B%22n%22%3A1%7D").unwrap();
        assert_eq!(params.query.as_deref(), Some("{a}"));
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.len(), 1);
        for parameters in [
            "",
            "variables=1",
            "query=a&variables=x",
            "query=a&extensions=1",
            "query=a&query=b",
            "documentId=a&documentId=b",
        ] {
            assert!(read(parameters).is_err(), "{parameters}");
        }
    }
}
