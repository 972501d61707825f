//! An embedded Kubernetes API server: the part that holds objects and obeys the rules of their writes.
//!
//! ```text
//!   Request ──> route ──> read │ write │ patch │ apply │ delete ──> Store ──> changes ──> watches
//!                              (schema, managed fields)             │
//!                                                          garbage collection
//! ```
//!
//! Pure of I/O, of clocks and of threads: [`ApiServer::handle`] takes the time and a request and gives an [`Answer`];
//! sockets are in [`crate::front`], sharing in [`crate::cluster`]. Rules are those of kube-apiserver 1.34; a conformance
//! test runs against both.

pub mod answer;
pub mod builtin;
pub mod delete;
pub mod kinds;
pub mod object;
pub mod patch;
pub mod refusal;
pub mod request;
pub mod selector;
pub mod store;
pub mod view;
pub mod watch;

mod access;
mod apply;
mod cel;
mod cel_parse;
mod columns;
mod crd;
mod defaults;
mod discovery;
mod events;
mod fields;
mod gc;
mod guard;
mod jsonpath;
mod managed;
mod openapi;
mod place;
mod protobuf;
mod read;
mod rules;
mod schema;
mod shape;
mod strategic;
mod table;
mod typed;
mod validate;
mod write;

use std::sync::Arc;

use serde_json::json;

pub use self::answer::{Answer, Body, Response};
pub use self::object::Object;
pub use self::refusal::Refusal;
pub use self::request::{Method, Request};
pub use self::watch::{Watch, WatchEvent};
pub use self::write::Write;

use self::kinds::{Registry, TypeRef};
use self::request::{Route, Target};
use self::store::Store;
use crate::time::Time;

/// One cluster's API server. A clone is a copy of all its content, as a backup would be.
#[derive(Debug, Clone)]
pub struct ApiServer {
    registry: Registry,
    store: Store,
    /// State of the generator of uids and name suffixes.
    random: u64,
    /// Tokens that were given to service accounts.
    tokens: Vec<access::Token>,
}

impl ApiServer {
    /// A server with the built-in kinds and the namespaces of every cluster; the seed decides its uids.
    #[must_use]
    pub fn new(seed: u64, now: Time) -> Self {
        let mut server =
            Self { registry: builtin::registry(), store: Store::default(), random: seed, tokens: Vec::new() };
        let names: Vec<_> = server.registry.all().map(|kind| kind.stored_as.clone()).collect();
        for name in &names {
            server.store.open(name);
        }
        if let Some(kind) = server.registry.find("", "v1", "namespaces") {
            for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
                let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
                // A fresh store refuses none of these four.
                let _ = server.create(&kind, None, namespace, &mut Write::new(now, "kube-apiserver"));
            }
        }
        server
    }

    /// The resources that are served.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The objects.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The objects, for a driver that takes changes or makes watchers list again.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Answers one request. A watch is answered with where it stands; its changes are read with [`Watch::poll`].
    pub fn handle(&mut self, now: Time, request: &Request) -> Answer {
        self.try_handle(now, request).unwrap_or_else(Answer::refused)
    }

    fn try_handle(&mut self, now: Time, request: &Request) -> Result<Answer, Refusal> {
        match request::route(&self.registry, &request.path)? {
            Route::Resource(target) => self.resource(now, request, &target),
            Route::Other(parts) => {
                if request.method != Method::Get {
                    return Err(Refusal::method_not_allowed());
                }
                discovery::answer(&self.registry, &parts, request)
            }
        }
    }

    fn resource(&mut self, now: Time, request: &Request, target: &Target) -> Result<Answer, Refusal> {
        if target.kind.kind.create_only {
            return if request.method == Method::Post {
                self.review(now, &target.kind, request)
            } else {
                Err(Refusal::method_not_allowed())
            };
        }
        match (request.method, &target.name) {
            (Method::Get, _) => self.read(now, request, target),
            (Method::Post, Some(_)) if target.subresource.as_deref() == Some("token") => {
                self.give_token(now, request, target)
            }
            (Method::Post, None) => self.http_create(now, request, target),
            (Method::Put, Some(name)) => self.http_update(now, request, target, name),
            (Method::Patch, Some(name)) => self.http_patch(now, request, target, name),
            (Method::Delete, Some(name)) if target.subresource.is_none() => {
                self.http_delete(now, request, target, name)
            }
            (Method::Delete, None) => self.http_delete_collection(now, request, target),
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    /// The next 64 bits (splitmix64): same seed, same uids.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn next_uid(&mut self) -> String {
        let (high, low) = (self.next_random(), self.next_random());
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// Five characters for `generateName`, from the alphabet that real servers use.
    fn next_suffix(&mut self) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut bits = self.next_random();
        let mut text = String::new();
        for _ in 0..5 {
            let at = usize::try_from(bits % ALPHABET.len() as u64).unwrap_or(0);
            text.push(char::from(ALPHABET[at]));
            bits /= ALPHABET.len() as u64;
        }
        text
    }

    /// Key of an object of a resource.
    fn key(kind: &TypeRef, namespace: Option<&str>, name: &str) -> store::Key {
        let namespace = if kind.kind.namespaced { namespace.unwrap_or_default() } else { "" };
        store::Key { kind: kind.stored().clone(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Reads one object.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn get(&self, kind: &TypeRef, namespace: Option<&str>, name: &str) -> Result<Arc<Object>, Refusal> {
        let namespace = if kind.kind.namespaced { namespace.unwrap_or_default() } else { "" };
        let found = self.store.find(kind.stored(), namespace, name);
        found.cloned().ok_or_else(|| Refusal::not_found(&kind.kind, name))
    }

    /// Gives the generator of uids another seed: copies of one server must not give the same uids.
    pub fn reseed(&mut self, seed: u64) {
        self.random = seed;
    }
}
