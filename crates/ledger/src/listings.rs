//! What each watch has shown, so that a fresh list also tells what is gone.
//!
//! A list reports no deletions: what the state knows of a kind and no watch of that kind shows is gone. Objects that
//! answers to our own writes told of while the list was being read may be missing in it; those are looked up.

use std::collections::BTreeSet;

use ramen_api::path::At as _;
use ramen_events::{Kind, ObjectId};
use ramen_ports::Watch;

/// What follows from a complete list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Not there any more.
    pub gone: Vec<ObjectId>,
    /// Perhaps too young for the list: ask for each.
    pub unsure: Vec<ObjectId>,
}

/// The watches and what they have shown.
#[derive(Debug)]
pub struct Listings {
    watches: Vec<Listing>,
}

#[derive(Debug)]
struct Listing {
    kind: Kind,
    namespace: Option<String>,
    labels: String,
    /// It was listed once, or the API server said that it does not serve the kind.
    settled: bool,
    /// What the list that is being read has shown so far.
    reading: Option<BTreeSet<ObjectId>>,
    shown: BTreeSet<ObjectId>,
    /// Learned from answers while a list was being read.
    answered: BTreeSet<ObjectId>,
}

impl Listings {
    pub fn new(watches: &[Watch]) -> Self {
        let watches = watches.iter().map(|watch| Listing {
            kind: watch.kind,
            namespace: watch.namespace.clone(),
            labels: watch.labels.clone(),
            settled: false,
            reading: None,
            shown: BTreeSet::new(),
            answered: BTreeSet::new(),
        });
        Self { watches: watches.collect() }
    }

    /// Whether every watch was listed since the start.
    pub fn settled(&self) -> bool {
        self.watches.iter().all(|watch| watch.settled)
    }

    /// The watches that were not listed yet.
    pub fn unsettled(&self) -> impl Iterator<Item = Kind> {
        self.watches.iter().filter(|watch| !watch.settled).map(|watch| watch.kind)
    }

    /// A list starts to be read.
    pub fn started(&mut self, watch: usize) {
        if let Some(watch) = self.watches.get_mut(watch) {
            watch.reading = Some(BTreeSet::new());
            watch.answered.clear();
        }
    }

    /// A watch shows an object, in a list or as a change.
    pub fn shows(&mut self, watch: usize, id: &ObjectId) {
        if let Some(watch) = self.watches.get_mut(watch) {
            match &mut watch.reading {
                Some(reading) => reading.insert(id.clone()),
                None => watch.shown.insert(id.clone()),
            };
        }
    }

    /// A watch saw an object go. Whether another watch of its kind still shows it.
    pub fn hides(&mut self, watch: usize, id: &ObjectId) -> bool {
        if let Some(watch) = self.watches.get_mut(watch) {
            watch.shown.remove(id);
            watch.answered.remove(id);
            // A list that comes as a stream may take back what it showed.
            if let Some(reading) = &mut watch.reading {
                reading.remove(id);
            }
        }
        self.watches.iter().any(|watch| watch.kind == id.kind && watch.shown.contains(id))
    }

    /// An answer to a write, or a look, told of an object.
    pub fn answered(&mut self, id: &ObjectId) {
        for watch in self.watches.iter_mut().filter(|watch| watch.kind == id.kind && watch.reading.is_some()) {
            watch.answered.insert(id.clone());
        }
    }

    /// Whether a watch will tell of changes to this object, so that what an answer tells of it may be kept.
    pub fn covers(&self, id: &ObjectId, object: &serde_json::Value) -> bool {
        self.watches.iter().any(|watch| {
            watch.kind == id.kind
                && watch.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
                && selects(&watch.labels, object)
        })
    }

    /// A list is complete, or the kind is not served, which is the same as an empty list. `known` are the objects of
    /// the watch's kind that the state holds facts of.
    pub fn complete(&mut self, watch: usize, known: &BTreeSet<ObjectId>) -> Missing {
        let Some(listing) = self.watches.get_mut(watch) else { return Missing::default() };
        listing.settled = true;
        listing.shown = listing.reading.take().unwrap_or_default();
        let answered = std::mem::take(&mut listing.answered);
        let kind = listing.kind;
        let mut missing = Missing::default();
        let siblings = || self.watches.iter().filter(|watch| watch.kind == kind);
        if !siblings().all(|watch| watch.settled) {
            return missing;
        }
        for id in known {
            if siblings()
                .any(|watch| watch.shown.contains(id) || watch.reading.as_ref().is_some_and(|r| r.contains(id)))
            {
                continue;
            }
            if answered.contains(id) { &mut missing.unsure } else { &mut missing.gone }.push(id.clone());
        }
        missing
    }

    /// The kind that a watch watches.
    pub fn kind(&self, watch: usize) -> Option<Kind> {
        self.watches.get(watch).map(|watch| watch.kind)
    }
}

/// Whether a label selector selects an object. Requirements that are not equalities count as met: then a change to the
/// object is looked at once too often.
fn selects(selector: &str, object: &serde_json::Value) -> bool {
    let label = |key: &str| object.at("/metadata/labels")?.get(key)?.as_str();
    if selector.contains('(') {
        return true;
    }
    selector.split(',').map(str::trim).filter(|requirement| !requirement.is_empty()).all(|requirement| {
        if let Some((key, value)) = requirement.split_once("!=") {
            label(key.trim()) != Some(value.trim())
        } else if let Some((key, value)) = requirement.split_once('=') {
            label(key.trim()) == Some(value.trim_start_matches('=').trim())
        } else if let Some(key) = requirement.strip_prefix('!') {
            label(key.trim()).is_none()
        } else {
            label(requirement).is_some()
        }
    })
}

#[cfg(test)]
mod tests {
    use ramen_api::kinds::CONFIG_MAP;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn id(namespace: &str, name: &str) -> ObjectId {
        ObjectId::new(Kind::ConfigMap, namespace, name)
    }

    #[test]
    fn a_relist_tells_what_is_gone_and_spares_what_is_too_young_for_it() {
        let mut listings = Listings::new(&[Watch::all(Kind::ConfigMap, &CONFIG_MAP)]);
        assert!(!listings.settled());
        listings.started(0);
        listings.shows(0, &id("ns", "stays"));
        listings.answered(&id("ns", "young"));
        let known = [id("ns", "stays"), id("ns", "young"), id("ns", "lost")].into();
        let missing = listings.complete(0, &known);
        assert_eq!(missing.gone, [id("ns", "lost")]);
        assert_eq!(missing.unsure, [id("ns", "young")]);
        assert!(listings.settled());
    }

    #[test]
    fn a_list_that_takes_back_what_it_showed_does_not_show_it() {
        let mut listings = Listings::new(&[Watch::all(Kind::ConfigMap, &CONFIG_MAP)]);
        listings.started(0);
        listings.shows(0, &id("ns", "went"));
        listings.hides(0, &id("ns", "went"));
        assert_eq!(listings.complete(0, &[id("ns", "went")].into()).gone, [id("ns", "went")]);
    }

    #[test]
    fn two_watches_of_a_kind_judge_together() {
        let watch = |namespace| Watch::all(Kind::ConfigMap, &CONFIG_MAP).in_namespace(namespace);
        let mut listings = Listings::new(&[watch("a"), watch("b")]);
        let known = [id("a", "x"), id("b", "x"), id("b", "lost")].into();
        listings.started(0);
        listings.shows(0, &id("a", "x"));
        assert_eq!(listings.complete(0, &known), Missing::default(), "the other one was not listed yet");
        listings.started(1);
        listings.shows(1, &id("b", "x"));
        assert_eq!(listings.complete(1, &known).gone, [id("b", "lost")]);
    }

    #[rstest]
    #[case::no_selector("", true)]
    #[case::equal("app=a", true)]
    #[case::double_equal("app==a,tier", true)]
    #[case::other_value("app=b", false)]
    #[case::absent("!app", false)]
    #[case::unequal("app!=b", true)]
    #[case::sets_are_not_judged("app in (b)", true)]
    fn selectors_of_watches_are_understood(#[case] selector: &str, #[case] selected: bool) {
        let object = json!({ "metadata": { "labels": { "app": "a", "tier": "1" } } });
        assert_eq!(selects(selector, &object), selected);
    }
}
