//! The client of an API server, with every request counted.

use std::task::{Context, Poll};

use http::{HeaderValue, Method, Request, header};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig},
};
use tower::{Layer, Service};

use crate::{Error, metrics::Metrics, settings::Connect};

/// How long a connection may take to be made.
const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a watch may be silent before its connection is taken for dead. API servers send a bookmark every minute.
const SILENCE_LIMIT: std::time::Duration = std::time::Duration::from_secs(150);

/// Finds out how to reach the API server.
pub(crate) async fn configure(connect: &Connect) -> Result<Config, Error> {
    let failed = |err: Box<dyn std::error::Error + Send + Sync>| Error::Kubeconfig(err);
    match connect {
        Connect::Config(config) => Ok((**config).clone()),
        Connect::Kubeconfig { path: None, context: None } => Config::infer().await.map_err(|err| failed(err.into())),
        Connect::Kubeconfig { path, context } => {
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            let config = match path {
                Some(path) => {
                    let file = Kubeconfig::read_from(path).map_err(|err| failed(err.into()))?;
                    Config::from_custom_kubeconfig(file, &options).await
                }
                None => Config::from_kubeconfig(&options).await,
            };
            config.map_err(|err| failed(err.into()))
        }
    }
}

/// Makes the client. Requests are not repeated by it: what failed is an outcome, and the pipeline decides anew.
pub(crate) fn client(mut config: Config, user_agent: &str, metrics: &Metrics) -> Result<Client, Error> {
    let url = config.cluster_url.to_string();
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_LIMIT);
    config.read_timeout = Some(SILENCE_LIMIT);
    config.reset_reader_on_write = true;
    if let Ok(agent) = HeaderValue::from_str(user_agent) {
        config.headers.push((header::USER_AGENT, agent));
    }
    let builder = ClientBuilder::try_from(config).map_err(|err| Error::Client { url, err: Box::new(err) })?;
    Ok(builder.with_layer(&Counting { metrics: metrics.clone() }).build())
}

/// Counts requests by verb and resource.
#[derive(Clone)]
struct Counting {
    metrics: Metrics,
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, metrics: self.metrics.clone() }
    }
}

#[derive(Clone)]
struct Counted<S> {
    inner: S,
    metrics: Metrics,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let (verb, resource) = verb_and_resource(&request);
        self.metrics.api_request(verb, resource);
        self.inner.call(request)
    }
}

/// What an API server would call the request in its audit log; `apply` is told from other patches.
fn verb_and_resource<B>(request: &Request<B>) -> (&'static str, &str) {
    let mut parts = request.uri().path().split('/').filter(|part| !part.is_empty());
    match parts.next() {
        Some("apis") => drop((parts.next(), parts.next())),
        _ => drop(parts.next()),
    }
    let parts: Vec<&str> = parts.collect();
    let (resource, named) = match parts.as_slice() {
        ["namespaces", _, resource, rest @ ..] => (*resource, !rest.is_empty()),
        [resource, rest @ ..] => (*resource, !rest.is_empty()),
        [] => ("", false),
    };
    let query = request.uri().query().unwrap_or_default();
    let applies = || {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/apply-patch"))
    };
    let verb = match *request.method() {
        Method::GET if query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1")) => "watch",
        Method::GET if named => "get",
        Method::GET => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::DELETE => "delete",
        Method::PATCH if applies() => "apply",
        Method::PATCH => "patch",
        _ => "other",
    };
    (verb, resource)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::core("GET", "/api/v1/pods?limit=500", ("list", "pods"))]
    #[case::watching("GET", "/api/v1/namespaces/ns/pods?&watch=true&resourceVersion=1", ("watch", "pods"))]
    #[case::one("GET", "/api/v1/namespaces/ns/pods/x", ("get", "pods"))]
    #[case::a_namespace("GET", "/api/v1/namespaces/ns", ("get", "namespaces"))]
    #[case::group("PATCH", "/apis/ramendr.openshift.io/v1alpha1/drpolicies/p/status?", ("patch", "drpolicies"))]
    #[case::create("POST", "/apis/g/v1/namespaces/ns/leases?", ("create", "leases"))]
    fn requests_are_counted_by_what_they_do(#[case] method: &str, #[case] uri: &str, #[case] expected: (&str, &str)) {
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        assert_eq!(verb_and_resource(&request), expected);
    }
}
