//! Requests, answers and receipts as the documents that contracts describe.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use serde_json::{Map, Value as Json, json};

/// `{method, scheme, host, path, query, headers}`, and `form`, `json` or `"body": null`.
pub(crate) fn of_request(request: &Request<Bytes>) -> Json {
    let uri = request.uri();
    let mut document = of_receipt(request);
    document["scheme"] = uri.scheme_str().into();
    document["host"] = uri.authority().map(|a| a.as_str()).into();
    document["path"] = uri.path().into();
    if request.body().is_empty() {
        document["body"] = Json::Null;
    }
    document
}

/// `{method, query, headers}`, and `form`, `json` or neither.
pub(crate) fn of_receipt(request: &Request<Bytes>) -> Json {
    let query = request.uri().query().unwrap_or_default();
    let mut document = json!({
        "method": request.method().as_str(),
        "query": pairs(query.as_bytes()),
        "headers": headers(request.headers()),
    });
    let (body, content_type) = (request.body(), content_type(request.headers()));
    if content_type.contains("form") {
        document["form"] = pairs(body);
    } else if !body.is_empty() {
        // Some say that it is plain text.
        document["json"] = serde_json::from_slice(body).expect("JSON");
    }
    document
}

/// `{status, headers}`, and `json`, `text` or neither.
pub(crate) fn of_answer(response: &Response<Bytes>) -> Json {
    let mut document = json!({
        "status": response.status().as_u16(),
        "headers": headers(response.headers()),
    });
    let body = response.body();
    let read = match content_type(response.headers()).starts_with("text/") {
        true => None,
        false => serde_json::from_slice::<Json>(body).ok(),
    };
    match read {
        Some(read) => document["json"] = read,
        None if body.is_empty() => {}
        None => document["text"] = std::str::from_utf8(body).expect("a text").into(),
    }
    document
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(CONTENT_TYPE)
        .map(|v| v.to_str().expect("a type"));
    value.unwrap_or_default()
}

fn headers(headers: &HeaderMap) -> Json {
    let named = headers.iter().map(|(name, value)| {
        let value = value.to_str().expect("a header that can be read");
        (name.as_str().to_owned(), Json::from(value))
    });
    Json::Object(named.collect())
}

/// A name that comes more than once has a list.
fn pairs(text: &[u8]) -> Json {
    let mut fields: Map<String, Json> = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        let value = Json::from(value);
        match fields.get_mut(&*name) {
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::from(vec![first.take(), value]),
            None => {
                fields.insert(name.into_owned(), value);
            }
        }
    }
    Json::Object(fields)
}
