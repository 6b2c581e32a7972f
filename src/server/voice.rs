//! What calls are to say, for vendors that fetch it from us.

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::sync::Semaphore;

use crate::dispatch::{ScriptRequest, Scripted, TellsScripts};
use crate::server::reply::{Response, empty, neither_get_nor_post, read_body, refusal};

/// The path begins so; a reference follows.
pub(crate) const VOICE_PATH: &str = "/voice/";
/// What a vendor tells of its call when it comes for the script, at most.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Requests for scripts at a time: 16 MiB at most. More are told to come again.
static ROOM: Semaphore = Semaphore::const_new(256);

/// Answers with what a call is to say.
pub(crate) async fn voice(scripts: &impl TellsScripts, request: Request<Incoming>) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = neither_get_nor_post(&head.method) {
        return refused;
    }
    let path = head.uri.path();
    let reference = path.strip_prefix(VOICE_PATH).unwrap_or_default();
    if !scripts.is_script(reference) {
        return not_ours();
    }
    let Ok(_room) = ROOM.try_acquire() else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "come again later");
    };
    let body = match read_body(body, REQUEST_BYTES_MAX).await {
        Ok(body) => body,
        Err(fault) => return fault.refusal(),
    };
    let asked = ScriptRequest {
        reference: reference.to_owned(),
        path: head
            .uri
            .path_and_query()
            .map_or(path, |p| p.as_str())
            .to_owned(),
        method: head.method,
        headers: head.headers,
        body,
    };
    answer(scripts.tell_script(asked).await)
}

fn answer(told: Scripted) -> Response {
    let mut response = match told {
        Scripted::Told(spoken) => {
            let mut response = empty(StatusCode::OK);
            let kind = spoken.content_type;
            response.headers_mut().insert(CONTENT_TYPE, kind);
            *response.body_mut() = spoken.body.expose().to_owned().into();
            response
        }
        Scripted::NotOurs => not_ours(),
        Scripted::Unproven => refusal(StatusCode::FORBIDDEN, "it is not proven to be the vendor"),
        Scripted::Gone => refusal(StatusCode::GONE, "there is nothing to say any more"),
        Scripted::NotNow => refusal(StatusCode::SERVICE_UNAVAILABLE, "come again later"),
    };
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, never);
    response
}

fn not_ours() -> Response {
    refusal(StatusCode::NOT_FOUND, "there is nothing here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_stored_whatever_the_answer() {
        for (told, expected) in [
            (Scripted::NotOurs, 404),
            (Scripted::Unproven, 403),
            (Scripted::Gone, 410),
            (Scripted::NotNow, 503),
        ] {
            let response = answer(told);
            assert_eq!(response.status().as_u16(), expected);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }
    }
}
