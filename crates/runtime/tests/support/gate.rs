//! A proxy that can hold back what the watch of one namespace tells: a watch that lags.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, BodyStream, StreamBody, combinators::UnsyncBoxBody};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// The proxy; it ends when dropped.
pub struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
    _stop: DropGuard,
}

impl Gate {
    /// In front of `upstream`; it holds back watches whose path contains `path` while it is closed.
    pub async fn before(upstream: String, path: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, is_open) = watch::channel(true);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped.run_until_cancelled(accept(listener, upstream, path, is_open)).await;
        });
        Self { address, open, _stop: stop.drop_guard() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn close(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

async fn accept(listener: TcpListener, upstream: String, path: &'static str, open: watch::Receiver<bool>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (client, upstream, open) = (client.clone(), upstream.clone(), open.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let passed = pass(client.clone(), upstream.clone(), path, open.clone(), request);
                async move { Ok::<_, Infallible>(passed.await.unwrap_or_else(|_| broken())) }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn pass(
    client: Client<HttpConnector, Incoming>,
    upstream: String,
    path: &str,
    open: watch::Receiver<bool>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Error> {
    let uri = request.uri();
    let asks = |what: &str| uri.query().is_some_and(|query| query.contains(what));
    let gated = uri.path().contains(path) && asks("watch=true");
    // What exists comes in the first frame, and is a list.
    let listed = usize::from(asks("sendInitialEvents=true"));
    *request.uri_mut() = format!("{upstream}{uri}").parse().unwrap();
    let response = client.request(request).await?;
    Ok(response.map(|body| {
        if !gated {
            return body.boxed_unsync();
        }
        let frames = BodyStream::new(body).enumerate().then(move |(number, frame)| {
            let mut open = open.clone();
            async move {
                if number >= listed {
                    let _ = open.wait_for(|open| *open).await;
                }
                frame
            }
        });
        StreamBody::new(frames.into_stream()).boxed_unsync()
    }))
}

fn broken() -> Response<Body> {
    let body = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(502).body(body).unwrap()
}
