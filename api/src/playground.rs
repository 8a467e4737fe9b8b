//! GraphiQL, from the binary itself: it works where there is no way out to the internet.
//!
//! The files are built from `api/playground/` and embedded compressed, as every browser takes them.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

/// Where the playground is.
pub const PATH: &str = "/playground";

struct Asset {
    path: &'static str,
    content_type: &'static str,
    gzip: &'static [u8],
}

macro_rules! asset {
    ($path:expr, $file:literal, $content_type:literal) => {
        Asset {
            path: $path,
            content_type: $content_type,
            gzip: include_bytes!(concat!("../playground/assets/", $file, ".gz")),
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!(PATH, "index.html", "text/html; charset=utf-8"),
    asset!(
        "/playground/playground.js",
        "playground.js",
        "text/javascript; charset=utf-8"
    ),
    asset!(
        "/playground/index.css",
        "index.css",
        "text/css; charset=utf-8"
    ),
    asset!("/playground/codicon.ttf", "codicon.ttf", "font/ttf"),
    asset!(
        "/playground/editor.worker.js",
        "editor.worker.js",
        "text/javascript; charset=utf-8"
    ),
    asset!(
        "/playground/graphql.worker.js",
        "graphql.worker.js",
        "text/javascript; charset=utf-8"
    ),
    asset!(
        "/playground/json.worker.js",
        "json.worker.js",
        "text/javascript; charset=utf-8"
    ),
];

/// A document that a new visitor finds open.
#[derive(Serialize)]
pub struct Tab {
    /// The document, with a word on how to use it.
    pub query: &'static str,
    /// Its variables, in JSON. `<a new UUID>` is replaced by one when the page is opened.
    pub variables: Option<&'static str>,
}

macro_rules! tab {
    ($name:literal) => {
        Tab {
            query: include_str!(concat!("../playground/tabs/", $name, ".graphql")),
            variables: None,
        }
    };
    ($name:literal with variables) => {
        Tab {
            variables: Some(include_str!(concat!("../playground/tabs/", $name, ".json"))),
            ..tab!($name)
        }
    };
}

/// The tabs, in the order of a first visit.
pub static TABS: &[Tab] = &[
    tab!("deals"),
    tab!("sign-up" with variables),
    tab!("sign-in" with variables),
    tab!("stock" with variables),
    tab!("place-order" with variables),
    tab!("wishlist" with variables),
    tab!("pay-order" with variables),
    tab!("order" with variables),
    tab!("take-back" with variables),
    tab!("me"),
];

/// Nothing but what the binary itself serves. The editor writes its colours into style elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The playground's routes; whoever comes to `/` is led to it.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let home = get(async || Redirect::temporary(PATH));
    let tabs = get(async || Json(TABS));
    let router = Router::new()
        .route("/", home)
        .route("/playground/tabs.json", tabs);
    ASSETS.iter().fold(router, |router, asset| {
        let tag = tag(asset);
        let serve = async move |headers: HeaderMap| respond(asset, &tag, &headers);
        router.route(asset.path, get(serve))
    })
}

/// Changes whenever the file does.
fn tag(asset: &Asset) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    asset.gzip.hash(&mut hasher);
    let text = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"\""))
}

fn respond(asset: &'static Asset, tag: &HeaderValue, headers: &HeaderMap) -> Response<Body> {
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(asset.gzip))
    };
    response.headers_mut().extend([
        (ETAG, tag.clone()),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]);
    response
}
