//! Names out of a log, the same everywhere: in facts, commands, keys, messages, and in the names that are made of names.
//!
//! Names are collected where the log says that something is one ([`names`]): objects, namespaces, clusters, stores and
//! their buckets and endpoints, volume handles, identities of storage, labels. Each gets a new one by what it names
//! (`cluster-1`, `ns-2`), numbered in the order of the old ones, so that what is sorted by name stays in order. Then every
//! text is gone through once, and wherever a whole name stands in it, the new one is put there. UUIDs, digests, addresses
//! and host names are replaced wherever they stand.
//!
//! Whole objects in blobs decide nothing: each becomes a stub.

mod names;
mod texts;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ramen_events::{BlobId, Record};
use serde_json::Value;

use crate::rerun::Decision;
use texts::Token;

pub use names::{Names, Patterns};

/// New names for old ones.
#[derive(Debug, Default)]
pub struct Anonymiser {
    names: BTreeMap<String, String>,
    /// Lengths of names, the longest first.
    lengths: Vec<usize>,
    found: BTreeMap<String, String>,
    uuids: usize,
    digests: usize,
    addresses: usize,
    hosts: usize,
}

impl Anonymiser {
    /// For these names.
    pub fn new(names: &Names) -> Self {
        let names = names.renamed();
        let mut lengths: Vec<usize> = names.keys().map(String::len).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        Self { names, lengths, ..Self::default() }
    }

    /// How many names it replaces.
    pub fn count(&self) -> usize {
        self.names.iter().filter(|(old, new)| old != new).count()
    }

    /// A record without its names.
    ///
    /// # Errors
    /// When it is none any more; a name that is also a word of ours may do that.
    pub fn record(&mut self, record: &Record) -> Result<Record> {
        let value = self.value(serde_json::to_value(record)?, false);
        serde_json::from_value(value)
            .with_context(|| format!("without its names, record {} cannot be read any more", record.seq))
    }

    /// Has a blob become a stub; tells the stub.
    pub fn blob(&mut self, id: BlobId) -> Vec<u8> {
        let number = self.found.len();
        let stub = format!("{{\"anonymised\":{number}}}").into_bytes();
        self.found.insert(id.to_string(), BlobId::of(&stub).to_string());
        stub
    }

    /// `keys`: the names of fields are names of the user's, such as labels.
    fn value(&mut self, value: Value, keys: bool) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(list) => list.into_iter().map(|value| self.value(value, keys)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let inner = names::has_user_keys(&name);
                    let name = if keys { self.text(&name) } else { name };
                    (name, self.value(value, inner))
                });
                Value::Object(fields.collect())
            }
            other => other,
        }
    }

    /// A text without its names.
    pub fn text(&mut self, text: &str) -> String {
        if let Some(new) = self.names.get(text) {
            return new.clone();
        }
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, new) = self.next(text, at).unwrap_or_else(|| {
                let length = texts::plain(rest);
                (length, rest.get(..length).unwrap_or(rest).to_owned())
            });
            result.push_str(&new);
            at += length;
        }
        result
    }

    /// What is to be replaced at this place of a text: how long it is, and what comes there.
    fn next(&mut self, text: &str, at: usize) -> Option<(usize, String)> {
        let rest = text.get(at..)?;
        if let Some(length) = texts::ours(rest) {
            return Some((length, rest.get(..length)?.to_owned()));
        }
        if let Some((length, new)) = self.name(rest) {
            return Some((length, new.to_owned()));
        }
        let (token, length) = texts::token(rest)?;
        let old = rest.get(..length)?;
        if let Some(new) = self.found.get(old) {
            return Some((length, new.clone()));
        }
        let new = match token {
            Token::Uuid => {
                self.uuids += 1;
                format!("00000000-0000-4000-8000-{:012x}", self.uuids)
            }
            Token::Digest => {
                self.digests += 1;
                BlobId::of(format!("digest {}", self.digests).as_bytes()).to_string()
            }
            Token::Address => {
                // Starts with a range for documentation.
                let (net, host) = (100 + self.addresses / 250 % 150, 1 + self.addresses % 250);
                self.addresses += 1;
                format!("198.51.{net}.{host}")
            }
            Token::Host => {
                self.hosts += 1;
                format!("host-{}.example.test", self.hosts)
            }
        };
        self.found.insert(old.to_owned(), new.clone());
        Some((length, new))
    }

    /// A condition about objects with new names: only whole names are replaced in it.
    pub fn condition(&self, text: &str) -> String {
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, new) =
                self.name(rest).unwrap_or_else(|| (texts::plain(rest), rest.get(..texts::plain(rest)).unwrap_or(rest)));
            result.push_str(new);
            at += length;
        }
        result
    }

    /// The name that a text starts with: how long it is, and the new one.
    fn name(&self, rest: &str) -> Option<(usize, &str)> {
        self.lengths.iter().find_map(|length| {
            let new = self.names.get(rest.get(..*length)?)?;
            texts::ends(rest, *length).then_some((*length, new.as_str()))
        })
    }

    /// Names that still stand in a text.
    pub fn left_in<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut left: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let length = texts::ours(rest).or_else(|| {
                let (length, new) = self.name(rest)?;
                left.extend(rest.get(..length).filter(|name| *name != new));
                Some(length)
            });
            at += length.unwrap_or_else(|| texts::plain(rest));
        }
        left
    }
}

/// Whether two decisions are the same, but for digests and UUIDs: some of these are made of names.
pub fn alike(a: &Decision, b: &Decision) -> bool {
    let masked = |(_, payload): &Decision| serde_json::to_string(payload).map(|text| texts::masked(&text)).ok();
    a.0 == b.0 && masked(a) == masked(b)
}

#[cfg(test)]
mod tests {
    use ramen_events::{
        Cause, ClusterName, Epoch, Fact, Operator, Origin, Payload, Seq, Stamp,
        hub::{self, DrpcFact, Meta},
    };

    use super::*;

    fn drpc(namespace: &str, name: &str, label: (&str, &str)) -> Record {
        let labels = [(label.0.to_owned(), label.1.to_owned())].into();
        let meta = Meta { namespace: namespace.into(), name: name.into(), labels, ..Meta::default() };
        let mut fact = DrpcFact { meta, ..DrpcFact::default() };
        fact.spec.preferred = "berlin".into();
        fact.status.phase = format!("{name} of {namespace} on berlin");
        Record {
            seq: Seq(1),
            stamp: Stamp::default(),
            origin: Origin { operator: Operator::Hub, cluster: ClusterName::from("hub"), epoch: Epoch(1) },
            aggregate: None,
            cause: Cause::Outside,
            payload: Payload::Observed(Fact::Hub(hub::Fact::Drpc(Box::new(fact)))),
        }
    }

    fn anonymiser(records: &[Record], keep: &[&str]) -> Anonymiser {
        let mut names = Names::new(Patterns(keep.iter().map(|&pattern| pattern.to_owned()).collect()));
        records.iter().for_each(|record| names.collect(record).expect("records are JSON"));
        Anonymiser::new(&names)
    }

    #[test]
    fn names_are_replaced_wherever_they_stand_whole() {
        let mut anonymiser = anonymiser(&[drpc("shop-ns", "shop", ("acme.com/team", "blue"))], &[]);
        let cases = [
            ("shop-shop-ns-vrg-mw", "name-1-ns-1-vrg-mw"),
            ("drpc/shop-ns/shop", "drpc/ns-1/name-1"),
            ("workshop, shops", "workshop, shops"),
            ("cluster berlin is down: dial 10.1.2.3:443", "cluster cluster-1 is down: dial 198.51.100.1:443"),
            ("again 10.1.2.3 and s3.acme.example", "again 198.51.100.1 and host-1.example.test"),
            ("acme.com/team: blue", "label-1/team: label-2"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("6f2c9f0e-71c5-4d57-9d0b-5a6d3c1b8e21", "00000000-0000-4000-8000-000000000001"),
        ];
        for (old, new) in cases {
            assert_eq!(anonymiser.text(old), new, "{old}");
            assert_eq!(anonymiser.left_in(new), Vec::<&str>::new(), "{old}");
        }
    }

    #[test]
    fn the_order_of_names_stays() {
        let names: Vec<String> = (0..12).map(|number| format!("app-{number:02}")).collect();
        let records: Vec<Record> = names.iter().map(|name| drpc("ns", name, ("a", "b"))).collect();
        let mut anonymiser = anonymiser(&records, &[]);
        let renamed: Vec<String> = names.iter().map(|name| anonymiser.text(name)).collect();
        assert!(renamed.is_sorted(), "{renamed:?}");
    }

    /// A new name that is an old one would make two names one.
    #[test]
    fn new_names_are_none_of_the_old_ones() {
        let mut anonymiser = anonymiser(&[drpc("x", "name-1", ("a", "b")), drpc("x", "z", ("a", "b"))], &[]);
        let (one, other) = (anonymiser.text("name-1"), anonymiser.text("z"));
        assert!(one != other && one != "name-1" && other != "name-1", "{one} {other}");
    }

    #[test]
    fn words_of_the_operators_and_kept_names_stay() {
        let record = drpc("prod-eu", "primary", ("tier", "True"));
        let mut anonymiser = anonymiser(std::slice::from_ref(&record), &["prod-*"]);
        assert_eq!(anonymiser.text("prod-eu/primary True"), "prod-eu/primary True");
        assert!(anonymiser.record(&record).is_ok());
    }
}
