//! Metrics and health over HTTP; captures have an address of their own.
//!
//! - `/metrics`: what Prometheus scrapes.
//! - `/healthz`: the process runs.
//! - `/readyz`: it leads and every watched kind was listed; else 503 with what is missing.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{Error, captures::Captures, gauges::Asking, metrics::Metrics};

/// The form in which metrics are given.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Takes the address, so that a wrong one is an error before anything else happens.
pub(crate) async fn listen(addr: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(addr).await.map_err(|err| Error::Listen { addr, err })
}

/// Serves metrics and health until `stop`.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, asking: Asking, stop: CancellationToken) {
    let shared = Arc::new((metrics, asking));
    let each = move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&request, &shared.0, &shared.1).await }
    };
    serve_with(listener, each, stop).await;
}

/// Serves captures until `stop`.
pub(crate) async fn serve_captures(listener: TcpListener, captures: Captures, stop: CancellationToken) {
    let captures = Arc::new(captures);
    let each = move |request| {
        let captures = Arc::clone(&captures);
        async move { captures.answer(&request).await }
    };
    serve_with(listener, each, stop).await;
}

async fn serve_with<F, A, B>(listener: TcpListener, each: F, stop: CancellationToken)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<B>> + Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: leave time for some to be closed.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let each = each.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = each(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A client that goes away is no error of ours.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: &Request<Incoming>, metrics: &Metrics, asking: &Asking) -> Response<Full<Bytes>> {
    let text = "text/plain; charset=utf-8";
    match request.uri().path() {
        "/metrics" => reply(StatusCode::OK, OPEN_METRICS, metrics.render(&asking.gauges().await)),
        "/healthz" => reply(StatusCode::OK, text, "ok\n".to_owned()),
        "/readyz" => match missing(metrics) {
            None => reply(StatusCode::OK, text, "ok\n".to_owned()),
            Some(missing) => reply(StatusCode::SERVICE_UNAVAILABLE, text, format!("{missing}\n")),
        },
        _ => reply(StatusCode::NOT_FOUND, text, "there are /metrics, /healthz and /readyz\n".to_owned()),
    }
}

fn missing(metrics: &Metrics) -> Option<&'static str> {
    if metrics.leading.get() == 0 {
        Some("waiting to become leader")
    } else if metrics.synced.get() == 0 {
        Some("waiting for the first lists of all watched kinds")
    } else {
        None
    }
}

fn reply(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
