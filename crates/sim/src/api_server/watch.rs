//! Watches: a position in the history of one kind, read forward on demand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::ApiServer;
use super::kinds::TypeRef;
use super::object::{Object, meta_mut};
use super::refusal::Refusal;
use super::selector::{Fields, Labels};
use super::store::{Change, ChangeKind};
use super::view::View;

/// Which objects a list or a watch is about.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Resource.
    pub kind: TypeRef,
    /// Namespace; all when `None`.
    pub namespace: Option<String>,
    /// Label selector.
    pub labels: Labels,
    /// Field selector.
    pub fields: Fields,
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what exists, as additions; then maybe a bookmark that says so.
    List {
        /// Whether the bookmark is wanted.
        mark_end: bool,
    },
    /// After a version.
    After(u64),
}

/// A watch in progress. It holds no objects: each poll reads what happened since the last.
#[derive(Debug)]
pub struct Watch {
    view: View,
    filter: Filter,
    start: Option<Start>,
    position: u64,
    bookmarks: bool,
    timeout: Option<Duration>,
}

/// One event of a watch, not yet text.
#[derive(Debug, Clone)]
pub enum WatchEvent {
    /// A change of an object.
    Change(&'static str, Arc<Object>),
    /// Nothing but a newer version; `true` marks the end of the initial events.
    Bookmark(u64, bool),
    /// The watch is over.
    Error(Refusal),
}

/// How a watcher sees an object leave: as it selected it last, under the version of the change.
fn last_selected(change: &Change) -> Arc<Object> {
    match (&change.previous, change.kind) {
        (Some(previous), ChangeKind::Modified) => {
            let version = change.object.version();
            let mut value = previous.value().clone();
            meta_mut(&mut value).insert("resourceVersion".to_owned(), json!(version.to_string()));
            Arc::new(Object::new(value, previous.managers().clone(), version))
        }
        _ => change.object.clone(),
    }
}

impl Watch {
    pub(super) fn new(view: View, filter: Filter, start: Start, bookmarks: bool, timeout: Option<Duration>) -> Self {
        Self { view, filter, start: Some(start), position: 0, bookmarks, timeout }
    }

    /// A watch of everything of a resource, from what exists now on.
    #[must_use]
    pub fn everything(view: View) -> Self {
        let filter = Filter::all(&view.kind, None);
        Self::new(view, filter, Start::List { mark_end: false }, true, None)
    }

    /// A watch of what a filter selects, from what exists now on.
    #[must_use]
    pub fn selecting(view: View, filter: Filter) -> Self {
        Self::new(view, filter, Start::List { mark_end: false }, false, None)
    }

    /// The resource that is watched.
    #[must_use]
    pub fn kind(&self) -> &TypeRef {
        &self.filter.kind
    }

    /// How long the client wants it to last.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What happened since the last poll. After an error nothing more comes.
    pub fn poll(&mut self, server: &ApiServer) -> Vec<WatchEvent> {
        let mut events = Vec::new();
        match self.start.take() {
            Some(Start::List { mark_end }) => {
                self.position = server.store.version();
                let existing = server.select(&self.filter);
                events.extend(existing.into_iter().map(|object| WatchEvent::Change("ADDED", object)));
                if mark_end && self.bookmarks {
                    events.push(WatchEvent::Bookmark(self.position, true));
                }
                return events;
            }
            Some(Start::After(version)) => self.position = version,
            None => {}
        }
        match server.store.floor(self.filter.kind.stored()) {
            Some(floor) if floor <= self.position => {}
            Some(floor) => return vec![WatchEvent::Error(Refusal::expired(self.position, floor))],
            None => return vec![WatchEvent::Error(Refusal::no_such_path())],
        }
        for change in server.store.changes_since(self.filter.kind.stored(), self.position) {
            self.position = change.object.version();
            if !self.filter.concerns(change) {
                continue;
            }
            let was = change.previous.as_ref().is_some_and(|object| self.filter.matches(object.value()));
            let is = change.kind != ChangeKind::Deleted && self.filter.matches(change.object.value());
            match (was, is) {
                (false, true) => events.push(WatchEvent::Change("ADDED", change.object.clone())),
                (true, true) => events.push(WatchEvent::Change("MODIFIED", change.object.clone())),
                (true, false) => events.push(WatchEvent::Change("DELETED", last_selected(change))),
                (false, false) => {}
            }
        }
        events
    }

    /// A bookmark at the newest version, if the client wants bookmarks. To be called right after a poll that gave
    /// nothing, under the same lock.
    pub fn bookmark(&mut self, server: &ApiServer) -> Option<WatchEvent> {
        if !self.bookmarks {
            return None;
        }
        self.position = server.store.version();
        Some(WatchEvent::Bookmark(self.position, false))
    }

    /// The line of an event, as it goes over the wire.
    #[must_use]
    pub fn line(&self, event: &WatchEvent) -> Bytes {
        let (kind, object): (&str, Bytes) = match event {
            WatchEvent::Change(kind, object) => (kind, self.view.one(object)),
            WatchEvent::Bookmark(version, end) => ("BOOKMARK", self.view.bookmark(*version, *end).to_string().into()),
            WatchEvent::Error(refusal) => ("ERROR", refusal.to_status().to_string().into()),
        };
        let mut line = format!("{{\"type\":{},\"object\":", json!(kind)).into_bytes();
        line.extend_from_slice(&object);
        line.extend_from_slice(b"}\n");
        line.into()
    }
}
