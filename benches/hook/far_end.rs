//! What the router is measured against and in front of: a vendor that accepts, and a forwarder that only forwards.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

const ACCEPTED: &str =
    r#"{"sid":"SM00000000000000000000000000000001","status":"queued","num_segments":"1"}"#;

/// Accepts every message after so many milliseconds.
pub(crate) fn vendor(delay_ms: Option<&str>) {
    let delay = delay_ms.and_then(|d| d.parse().ok()).unwrap_or(0);
    let delay = Duration::from_millis(delay);
    serve(move |request: Request<Incoming>| async move {
        request.into_body().collect().await.expect("a body");
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut response = Response::new(Full::new(Bytes::from_static(ACCEPTED.as_bytes())));
        *response.status_mut() = http::StatusCode::CREATED;
        response
    });
}

/// Forwards every call to the vendor and the answer back.
pub(crate) fn forwarder(vendor: &str) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: http::Uri = format!("http://{vendor}/").parse().expect("an address");
    serve(move |request: Request<Incoming>| {
        let (client, uri) = (client.clone(), uri.clone());
        async move {
            let body = request.into_body().collect().await.expect("a body");
            let mut forwarded = Request::new(Full::new(body.to_bytes()));
            *forwarded.method_mut() = http::Method::POST;
            *forwarded.uri_mut() = uri;
            let answer = client
                .request(forwarded)
                .await
                .expect("the vendor's answer");
            let body = answer.into_body().collect().await.expect("a body");
            Response::new(Full::new(body.to_bytes()))
        }
    });
}

fn serve<F, R>(answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("its address"));
        std::io::stdout().flush().expect("standard output");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answering = answer(request);
                async move { Ok::<_, Infallible>(answering.await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}
