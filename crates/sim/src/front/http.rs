//! Serves one cluster over plain HTTP on loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::api_server::{Body, Method, Request, Watch, WatchEvent};
use crate::cluster::Cluster;
use crate::front::counts::{Counts, What};

/// Largest body that is read; real servers allow 3 MiB.
const BODY_LIMIT: usize = 3 << 20;
/// Pause between bookmarks of an idle watch.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How long a watch lasts whose client sets no limit; real servers choose something between half an hour and an hour.
const WATCH_LIMIT: Duration = Duration::from_secs(45 * 60);

/// A cluster's endpoint; it closes when this is dropped.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Front {
    /// Serves a cluster at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn serve(cluster: Cluster, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let task = tokio::spawn(accept(listener, cluster, counts.clone()));
        Ok(Self { address, counts, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A kubeconfig for a cluster's endpoint.
#[must_use]
pub fn kubeconfig(name: &str, url: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters:\n- name: {name}\n  cluster:\n    server: {url}\n\
         contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n\
         users:\n- name: {name}\n  user: {{}}\n"
    )
}

async fn accept(listener: TcpListener, cluster: Cluster, counts: Arc<Counts>) {
    // Dropped with this task: every connection ends with the front.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                if cluster.is_reachable() {
                    connections.spawn(connection(stream, cluster.clone(), counts.clone()));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, cluster: Cluster, counts: Arc<Counts>) {
    // Small answers must not wait for each other.
    let _ = stream.set_nodelay(true);
    let mut reachable = cluster.reachability();
    let service = service_fn(|request| {
        let (cluster, counts) = (cluster.clone(), counts.clone());
        async move { Ok::<_, Infallible>(answer(&cluster, &counts, request).await) }
    });
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that hangs up is no news.
        _ = serving => {}
        _ = reachable.wait_for(|reachable| !reachable) => {}
    }
}

async fn answer(cluster: &Cluster, counts: &Counts, request: hyper::Request<Incoming>) -> hyper::Response<Stream> {
    let request = match read(request).await {
        Ok(request) => request,
        Err((code, message)) => return plain(code, message),
    };
    counts.add(what(&request));
    let answer = cluster.with(|server, now| server.handle(now, &request));
    let response = answer.render();
    let mut builder = hyper::Response::builder().status(response.code).header("content-type", response.content_type);
    for warning in &response.warnings {
        builder =
            builder.header("warning", format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    let body = match response.body {
        Body::Whole(text) => Stream::Whole(Full::new(text)),
        Body::Stream(watch) => Stream::Watch(follow(cluster.clone(), watch)),
    };
    builder.body(body).unwrap_or_else(|_| plain(500, "the answer has a header that cannot be sent"))
}

fn plain(code: u16, message: &'static str) -> hyper::Response<Stream> {
    let mut response = hyper::Response::new(Stream::Whole(Full::new(Bytes::from_static(message.as_bytes()))));
    *response.status_mut() = hyper::StatusCode::from_u16(code).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, (u16, &'static str)> {
    let (head, body) = request.into_parts();
    let method = match head.method {
        hyper::Method::GET | hyper::Method::HEAD => Method::Get,
        hyper::Method::POST => Method::Post,
        hyper::Method::PUT => Method::Put,
        hyper::Method::PATCH => Method::Patch,
        hyper::Method::DELETE => Method::Delete,
        _ => return Err((405, "method not allowed")),
    };
    let header = |name: &str| {
        let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(",")
    };
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
    let (accept, content_type, agent) = (header("accept"), header("content-type"), header("user-agent"));
    let query = query.into_owned().collect();
    let body =
        Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| (413, "the body is too large or broke off"))?;
    Ok(Request { method, path, query, accept, content_type, agent, body: body.to_bytes() })
}

fn what(request: &Request) -> What {
    let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => &[],
    };
    let rest = match rest {
        ["namespaces", _, "status" | "finalize"] => rest,
        ["namespaces", _, below @ ..] if !below.is_empty() => below,
        _ => rest,
    };
    let named = rest.len() > 1;
    let resource = match rest {
        [] => parts.first().copied().unwrap_or_default().to_owned(),
        [plural, _, subresource, ..] => format!("{plural}/{subresource}"),
        [plural, ..] => (*plural).to_owned(),
    };
    let verb = match request.method {
        Method::Get if named || rest.is_empty() => "get",
        Method::Get if request.flag("watch") => "watch",
        Method::Get => "list",
        Method::Post => "create",
        Method::Put => "update",
        Method::Patch if request.content_type.starts_with("application/apply-patch") => "apply",
        Method::Patch => "patch",
        Method::Delete if named => "delete",
        Method::Delete => "deletecollection",
    };
    let agent = request.agent.split(['/', ' ']).next().unwrap_or_default().to_owned();
    What { agent, verb, resource }
}

/// Body of an answer.
enum Stream {
    Whole(Full<Bytes>),
    Watch(BoxStream<'static, Bytes>),
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Watch(chunks) => {
                chunks.as_mut().poll_next(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Watch(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Watch(_) => SizeHint::default(),
        }
    }
}

/// A watch that a client follows; it lives and ends with the response's body.
struct Following {
    cluster: Cluster,
    watch: Watch,
    news: tokio::sync::watch::Receiver<u64>,
    end: Instant,
    over: bool,
}

fn follow(cluster: Cluster, watch: Watch) -> BoxStream<'static, Bytes> {
    let news = cluster.changed(watch.kind().stored());
    let end = Instant::now() + watch.timeout().unwrap_or(WATCH_LIMIT);
    let following = Following { cluster, watch, news, end, over: false };
    let chunks = futures::stream::unfold(following, async |mut following| {
        let chunk = following.next().await?;
        Some((chunk, following))
    });
    Box::pin(chunks)
}

impl Following {
    /// What happened since, in one chunk; `None` at the end of the watch.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            self.news.borrow_and_update();
            let events = self.cluster.with(|server, _| self.watch.poll(server));
            if !events.is_empty() {
                return Some(self.lines(&events));
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.end) => return None,
                () = tokio::time::sleep(BOOKMARKS) => {
                    // A bookmark vouches that nothing came before it.
                    let events = self.cluster.with(|server, _| {
                        let late = self.watch.poll(server);
                        if late.is_empty() { self.watch.bookmark(server).into_iter().collect() } else { late }
                    });
                    if !events.is_empty() {
                        return Some(self.lines(&events));
                    }
                }
            }
        }
        None
    }

    fn lines(&mut self, events: &[WatchEvent]) -> Bytes {
        let mut chunk = Vec::new();
        for event in events {
            chunk.extend_from_slice(&self.watch.line(event));
            self.over |= matches!(event, WatchEvent::Error(_));
        }
        chunk.into()
    }
}
