//! Anchors: what the hash of a log's last record was at a moment, noted where whoever can write the log can't write.
//!
//! A hash chain proves order and completeness to whoever knows its end. Operators note that end in the archive's store and
//! on their Lease; a log that was cut off or rewritten later does not agree with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ChainHash, ClusterName, Operator, Seq, Time,
    log::{Error, History, Owner},
};

/// Annotation on an operator's Lease that holds an [`Anchor`] as JSON.
pub const ANNOTATION: &str = "ramendr.openshift.io/log-anchor";

/// What `kind` says in an anchor's JSON.
const KIND: &str = "LogAnchor";

/// Identity of a log: the hash of its first record. A log that is begun anew, on an empty volume, has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub ChainHash);

impl LogId {
    /// Of a log that holds its first record; `None` for one that does not, or has none yet.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(log: &dyn History) -> Result<Option<Self>, Error> {
        if log.base().seq > Seq(0) {
            return Ok(None);
        }
        Ok(log.stored(Seq(1)).next().transpose()?.map(|stored| Self(stored.hash)))
    }

    /// The first digits, for names of folders and for people.
    pub fn short(&self) -> String {
        self.0.to_string().chars().take(SHORT).collect()
    }
}

/// How many hex digits stand for a hash in names.
pub(crate) const SHORT: usize = 16;

/// The end of a log at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub struct Anchor {
    /// Whose log.
    pub owner: Owner,
    /// Which log of theirs.
    pub log: LogId,
    /// Its last durable record.
    pub seq: Seq,
    /// The hash of that record.
    pub hash: ChainHash,
    /// When this was noted, by the clock of whoever noted it; whole seconds.
    pub time: Time,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, seq, time, .. } = self;
        write!(f, "record {seq} of {owner}, noted {time}")
    }
}

/// An anchor's JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Form {
    kind: String,
    operator: String,
    cluster: String,
    log: LogId,
    seq: Seq,
    hash: ChainHash,
    time: String,
}

impl From<Anchor> for Form {
    fn from(anchor: Anchor) -> Self {
        let Anchor { owner, log, seq, hash, time } = anchor;
        let operator = word(owner.operator).to_owned();
        Self { kind: KIND.to_owned(), operator, cluster: owner.cluster.0, log, seq, hash, time: time.rfc3339() }
    }
}

impl TryFrom<Form> for Anchor {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let Form { kind, operator, cluster, log, seq, hash, time } = form;
        if kind != KIND {
            return Err(format!("kind is {kind:?}, not {KIND}"));
        }
        let operator = match operator.as_str() {
            "hub" => Operator::Hub,
            "spoke" => Operator::Spoke,
            _ => return Err(format!("operator is {operator:?}, neither hub nor spoke")),
        };
        let time = Time::parse(&time).ok_or_else(|| format!("time is {time:?}, not as RFC 3339 writes it"))?;
        Ok(Self { owner: Owner { operator, cluster: ClusterName(cluster) }, log, seq, hash, time })
    }
}

/// An operator in one word.
pub(crate) fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Hub => "hub",
        Operator::Spoke => "spoke",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_what_documents_say_and_nothing_else_is_taken() {
        let text = format!(
            r#"{{"kind":"LogAnchor","operator":"spoke","cluster":"c1","log":"{}","seq":7,"hash":"{}","time":"2026-11-23T23:46:13Z"}}"#,
            "1".repeat(64),
            "2".repeat(64)
        );
        let anchor: Anchor = serde_json::from_str(&text).unwrap();
        assert_eq!((anchor.seq, anchor.log.short()), (Seq(7), "1".repeat(16)));
        assert_eq!(serde_json::to_string(&anchor).unwrap(), text);
        for (from, to) in [("LogAnchor", "Lease"), ("spoke", "nobody"), ("2026-11-23T23:46:13Z", "soon"), ("222", "")] {
            assert!(serde_json::from_str::<Anchor>(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
