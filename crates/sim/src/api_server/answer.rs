//! Answers of the core, and their rendering, which needs no lock.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::object::Object;
use super::refusal::Refusal;
use super::view::View;
use super::watch::Watch;

/// The answer to a request, not yet text.
#[derive(Debug)]
pub struct Answer {
    code: u16,
    content: Content,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Content {
    Document(Value),
    Typed(Value, &'static str),
    Plain(&'static str),
    One(View, Arc<Object>),
    List(View, Vec<Arc<Object>>, u64),
    Watch(Watch),
}

/// Body of a response.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// Events as they happen.
    Stream(Watch),
}

/// A response ready to be sent.
#[derive(Debug)]
pub struct Response {
    /// HTTP status code.
    pub code: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
    /// Body.
    pub body: Body,
}

impl Answer {
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::document(refusal.code, refusal.to_status())
    }

    pub(super) fn document(code: u16, value: Value) -> Self {
        Self { code, content: Content::Document(value), warnings: Vec::new() }
    }

    pub(super) fn typed(value: Value, content_type: &'static str) -> Self {
        Self { code: 200, content: Content::Typed(value, content_type), warnings: Vec::new() }
    }

    pub(super) fn plain(text: &'static str) -> Self {
        Self { code: 200, content: Content::Plain(text), warnings: Vec::new() }
    }

    pub(super) fn one(code: u16, view: View, object: Arc<Object>) -> Self {
        Self { code, content: Content::One(view, object), warnings: Vec::new() }
    }

    pub(super) fn list(view: View, objects: Vec<Arc<Object>>, version: u64) -> Self {
        Self { code: 200, content: Content::List(view, objects, version), warnings: Vec::new() }
    }

    pub(super) fn watch(watch: Watch) -> Self {
        Self { code: 200, content: Content::Watch(watch), warnings: Vec::new() }
    }

    pub(super) fn warn(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Makes the text.
    #[must_use]
    pub fn render(self) -> Response {
        let (body, content_type) = match self.content {
            Content::Document(value) => (Body::Whole(value.to_string().into()), "application/json"),
            Content::Typed(value, content_type) => (Body::Whole(value.to_string().into()), content_type),
            Content::Plain(text) => (Body::Whole(Bytes::from_static(text.as_bytes())), "text/plain; charset=utf-8"),
            Content::One(view, object) => (Body::Whole(view.one(&object)), "application/json"),
            Content::List(view, objects, version) => {
                (Body::Whole(view.list(objects.iter().map(AsRef::as_ref), version)), "application/json")
            }
            Content::Watch(watch) => (Body::Stream(watch), "application/json"),
        };
        Response { code: self.code, content_type, warnings: self.warnings, body }
    }
}
