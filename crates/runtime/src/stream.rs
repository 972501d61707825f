//! Listing and watching one kind, as one stream of events.
//!
//! ```text
//!             ┌── refused, or not understood: for good ──┐
//!   Unknown ──┴─> Streaming ──(end of list)──┐           └─> Paging ──(last page)──> From(version)
//!      ^              │                      v                                        │  ^
//!      └── it broke ──┘                  Watching <───────────────────────────────────┘  │ it broke
//!      └────────────────── 410 Gone ─────────┴──────────────────────────────────────────┘
//! ```
//!
//! One request does where the server can: a watch that begins with what exists and marks its end. No version is asked
//! for, which makes the server answer with what is true now, as for a list: here, what is not shown does not exist, and
//! a cache that lags must not make it so. Servers before 1.32 refuse this, and are asked for pages and then a watch.

use std::{collections::VecDeque, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use kube::{
    Client,
    core::{
        Status, WatchEvent,
        params::{ListParams, WatchParams},
        request::Request,
    },
};
use ramen_api::Resource;
use serde_json::Value;

/// How many objects a page holds.
const PAGE: u32 = 500;
/// How long a server may be silent before its list is complete. One that does not know what was asked of it sends what
/// exists and then nothing; one that does takes no more than three seconds to be sure that it shows all.
const LIST_SILENCE: Duration = Duration::from_secs(10);
/// How long a watch may last. Each end costs a request; that it still lives is told by bookmarks.
const WATCH_SECONDS: u32 = 30 * 60;
/// How long a watch may be silent before it is taken up again. API servers send a bookmark every minute.
const WATCH_SILENCE: Duration = Duration::from_secs(295);
/// How long a server may have us wait at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What a bookmark carries that ends a list.
const END_OF_LIST: &str = "k8s.io/initial-events-end";

/// What a kind's objects do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A list begins; what earlier ones showed is void.
    Started,
    /// The list shows an object, perhaps more than once: the last time counts.
    Listed(Value),
    /// The list is complete.
    Done,
    /// An object is new, or changed.
    Changed(Value),
    /// An object is gone. This may be told within a list, too, of an object that it has shown.
    Deleted(Value),
}

/// Why there is no event. The stream goes on after each: ask again, after a pause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A request failed.
    #[error("the API server could not be asked")]
    Ask(#[source] kube::Error),
    /// The server ended a watch.
    #[error("the API server ended the watch: {} ({} {})", .0.message, .0.code, .0.reason)]
    Told(Box<Status>),
    /// A list broke off.
    #[error("the connection ended before the list was complete")]
    Incomplete,
    /// A list has no version.
    #[error("the API server answered with a list that has no version: it cannot be watched")]
    NoVersion,
}

impl Error {
    /// What the API server said, if it was the API server that said something.
    pub(crate) fn status(&self) -> Option<&Status> {
        match self {
            Self::Ask(kube::Error::Api(status)) | Self::Told(status) => Some(status),
            _ => None,
        }
    }

    /// When to come back, if the server said so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.status()?.details.as_ref()?.retry_after_seconds;
        // Nothing that a server says may stop a watch for long.
        (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)).min(LONGEST_WAIT))
    }

    /// The HTTP code, if the server gave one.
    pub(crate) fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }
}

/// What to list and watch.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: String,
    labels: Option<String>,
    metadata_only: bool,
}

impl Source {
    /// The objects of a kind, everywhere or in a namespace, which a selector selects (all, if it is empty).
    pub(crate) fn new(resource: &Resource, namespace: Option<&str>, labels: &str) -> Self {
        let root = if resource.group.is_empty() { "api" } else { "apis" };
        let api = resource.api_version();
        let namespace = namespace.map(|name| format!("namespaces/{name}/")).unwrap_or_default();
        let path = format!("/{root}/{api}/{namespace}{}", resource.plural);
        Self { path, labels: Some(labels.to_owned()).filter(|labels| !labels.is_empty()), metadata_only: false }
    }

    /// Nothing of the objects but their metadata.
    pub(crate) fn metadata_only(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    fn list(&self, token: Option<String>) -> Built {
        let params = ListParams {
            label_selector: self.labels.clone(),
            limit: Some(PAGE),
            continue_token: token,
            ..ListParams::default()
        };
        let request = Request::new(self.path.as_str());
        if self.metadata_only { request.list_metadata(&params) } else { request.list(&params) }
    }

    /// A watch from a version on, or, without one, from what exists now on.
    fn watch(&self, version: Option<&str>) -> Built {
        let params = WatchParams {
            label_selector: self.labels.clone(),
            timeout: Some(WATCH_SECONDS),
            bookmarks: true,
            send_initial_events: version.is_none(),
            ..WatchParams::default()
        };
        let (request, version) = (Request::new(self.path.as_str()), version.unwrap_or_default());
        if self.metadata_only { request.watch_metadata(&params, version) } else { request.watch(&params, version) }
    }
}

type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;
type Events = BoxStream<'static, kube::Result<WatchEvent<Value>>>;

/// Where a stream stands.
enum State {
    /// Nothing is known.
    Unknown,
    /// A list was announced, but not asked for yet.
    Announced,
    /// The beginning of a watch is read, which is a list.
    Streaming(Events),
    /// Pages are read.
    Paging { token: Option<String>, page: VecDeque<Value>, version: Option<String> },
    /// Known up to a version, and not watched.
    From(String),
    /// Watched, and known up to a version.
    Watching(String, Events),
}

/// A kind that is followed.
pub(crate) struct Stream {
    client: Client,
    source: Source,
    state: State,
    /// Whether the server is believed to begin watches with lists.
    streams: bool,
}

impl Stream {
    /// Nothing is asked before the first event is wanted.
    pub(crate) fn new(client: Client, source: Source) -> Self {
        Self { client, source, state: State::Unknown, streams: true }
    }

    /// The next event. It never ends; after an error it goes on as well as it can.
    pub(crate) async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.step().await? {
                return Ok(event);
            }
        }
    }

    /// One step. A state is put back only when the step succeeds, so that an error leaves what it says below.
    async fn step(&mut self) -> Result<Option<Event>, Error> {
        match std::mem::replace(&mut self.state, State::Unknown) {
            // Announced before it is asked for: what writes are answered from here on may be too young for the list.
            State::Unknown => {
                self.state = State::Announced;
                Ok(Some(Event::Started))
            }
            State::Announced if self.streams => self.begin().await,
            State::Announced => {
                self.state = State::Paging { token: None, page: VecDeque::new(), version: None };
                Ok(None)
            }
            State::Streaming(events) => self.read_list(events).await,
            State::Paging { token, page, version } => self.read_page(token, page, version).await,
            State::From(version) => self.resume(version).await,
            State::Watching(version, events) => self.read(version, events).await,
        }
    }

    async fn begin(&mut self) -> Result<Option<Event>, Error> {
        let request = self.source.watch(None);
        match self.ask(request).await {
            Ok(events) => self.state = State::Streaming(events),
            // "Forbidden unless the feature is enabled", or the like.
            Err(err) if matches!(err.code(), Some(400 | 422)) => self.use_pages(),
            Err(err) => return self.list_failed(err),
        }
        Ok(None)
    }

    /// The list begins anew: what a stream has shown may be gone before the pages are read.
    fn use_pages(&mut self) {
        tracing::debug!(path = self.source.path, "the API server does not begin watches with lists; listing instead");
        self.streams = false;
        self.state = State::Unknown;
    }

    /// Whoever cannot answer such a watch, for whatever reason of its own, is asked for pages the next time.
    fn list_failed(&mut self, err: Error) -> Result<Option<Event>, Error> {
        if err.code().is_some_and(|code| !matches!(code, 401 | 403 | 404 | 410 | 429)) {
            self.use_pages();
        }
        Err(err)
    }

    async fn read_list(&mut self, mut events: Events) -> Result<Option<Event>, Error> {
        let Ok(event) = tokio::time::timeout(LIST_SILENCE, events.next()).await else {
            self.use_pages();
            return Ok(None);
        };
        let event = match event {
            None => return Err(Error::Incomplete),
            Some(Err(err)) => return Err(Error::Ask(err)),
            Some(Ok(WatchEvent::Error(status))) => return self.list_failed(Error::Told(status)),
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => Event::Listed(object),
            Some(Ok(WatchEvent::Deleted(object))) => Event::Deleted(object),
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                if bookmark.metadata.annotations.contains_key(END_OF_LIST) {
                    self.state = State::Watching(bookmark.metadata.resource_version, events);
                    return Ok(Some(Event::Done));
                }
                // A server that knows what was asked of it says nothing else before the end of the list.
                self.use_pages();
                return Ok(None);
            }
        };
        self.state = State::Streaming(events);
        Ok(Some(event))
    }

    async fn read_page(
        &mut self,
        token: Option<String>,
        mut page: VecDeque<Value>,
        version: Option<String>,
    ) -> Result<Option<Event>, Error> {
        if let Some(object) = page.pop_front() {
            self.state = State::Paging { token, page, version };
            return Ok(Some(Event::Listed(object)));
        }
        if let (None, Some(version)) = (&token, version) {
            self.state = State::From(version);
            return Ok(Some(Event::Done));
        }
        let request = built(self.source.list(token))?;
        let mut list = self.client.request::<Value>(request).await.map_err(Error::Ask)?;
        let text = |name| list["metadata"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let (token, version) = (text("continue"), text("resourceVersion"));
        if token.is_none() && version.is_none() {
            return Err(Error::NoVersion);
        }
        let page = match list["items"].take() {
            Value::Array(items) => items.into(),
            _ => VecDeque::new(),
        };
        self.state = State::Paging { token, page, version };
        Ok(None)
    }

    async fn resume(&mut self, version: String) -> Result<Option<Event>, Error> {
        let request = self.source.watch(Some(&version));
        match self.ask(request).await {
            Ok(events) => self.state = State::Watching(version, events),
            Err(err) => return self.broken(version, err),
        }
        Ok(None)
    }

    async fn read(&mut self, mut version: String, mut events: Events) -> Result<Option<Event>, Error> {
        let event = match tokio::time::timeout(WATCH_SILENCE, events.next()).await {
            Err(_) | Ok(None) => {
                self.state = State::From(version);
                return Ok(None);
            }
            Ok(Some(Err(err))) => return self.broken(version, Error::Ask(err)),
            Ok(Some(Ok(WatchEvent::Error(status)))) => return self.broken(version, Error::Told(status)),
            Ok(Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)))) => Some(Event::Changed(object)),
            Ok(Some(Ok(WatchEvent::Deleted(object)))) => Some(Event::Deleted(object)),
            Ok(Some(Ok(WatchEvent::Bookmark(bookmark)))) => {
                version = bookmark.metadata.resource_version;
                None
            }
        };
        if let Some(Event::Changed(object) | Event::Deleted(object)) = &event
            && let Some(newer) = object["metadata"]["resourceVersion"].as_str()
        {
            newer.clone_into(&mut version);
        }
        self.state = State::Watching(version, events);
        Ok(event)
    }

    /// After a watch broke: on from the same version, unless the server does not know it (any more).
    fn broken(&mut self, version: String, err: Error) -> Result<Option<Event>, Error> {
        self.state = if is_of_no_use(&err) { State::Unknown } else { State::From(version) };
        Err(err)
    }

    async fn ask(&mut self, request: Built) -> Result<Events, Error> {
        let events = self.client.request_events(built(request)?).await.map_err(Error::Ask)?;
        Ok(events.boxed())
    }
}

fn built(request: Built) -> Result<http::Request<Vec<u8>>, Error> {
    request.map_err(|err| Error::Ask(kube::Error::BuildRequest(err)))
}

/// Whether there is no going on from a version: it is too old, or, since the server's data was restored from a backup,
/// from a future that will not come.
fn is_of_no_use(err: &Error) -> bool {
    err.status().is_some_and(|status| {
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let from_the_future =
            causes.map(|cause| cause.reason.as_str()).any(|reason| reason == "ResourceVersionTooLarge")
                || status.message.contains("Too large resource version");
        status.code == 410 || from_the_future
    })
}

#[cfg(test)]
mod tests;
