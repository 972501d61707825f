//! Whether a replication class serves the volumes of a StorageClass: one rule for the hub, which pairs the classes of two
//! clusters, and for the clusters, which choose one of theirs (spec hub 2.2, H22; vrg 2.3, 2.5; spoke config C9).
//!
//! A class serves when it has the driver, the interval and the storage of the StorageClass, names a relation, and is one that
//! the policy selects. A StorageClass that names a relation admits no other.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::label;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// What volumes need of a class.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The StorageClass's driver.
    pub provisioner: &'a str,
    /// The StorageClass's labels.
    pub labels: &'a Labels,
    /// How often it is to synchronize. Compared as a text.
    pub interval: &'a str,
    /// Labels that the policy selects by (`replicationClassSelector.matchLabels`).
    pub selector: &'a Labels,
    /// The label that names the relation: of single volumes, or of groups.
    pub relation: &'static str,
}

/// What a class offers.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Its driver.
    pub provisioner: &'a str,
    /// Its labels.
    pub labels: &'a Labels,
    /// Parameter `schedulingInterval`; empty when it has none.
    pub interval: &'a str,
}

/// What is in the way. The later, the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// It is another driver's.
    Driver,
    /// It synchronizes at another interval.
    Interval,
    /// It is for another storage.
    Storage,
    /// It names no relation.
    Unnamed,
    /// It names another relation than the StorageClass.
    Relation,
    /// The policy does not select it.
    Selector,
}

impl Misfit {
    /// It would serve, if labels were corrected that only tell which of several classes to take.
    pub fn is_choice(self) -> bool {
        self >= Self::Relation
    }
}

/// A label's value; an empty one counts as absent.
pub fn text<'l>(labels: &'l Labels, key: &str) -> &'l str {
    labels.get(key).map_or("", String::as_str)
}

/// What is in the way of a class; `None` when it serves.
pub fn misfit(need: Need<'_>, offer: Offer<'_>) -> Option<Misfit> {
    let storage = text(need.labels, label::STORAGE_ID);
    let (asked, named) = (text(need.labels, need.relation), text(offer.labels, need.relation));
    let rows = [
        (Misfit::Driver, offer.provisioner == need.provisioner),
        (Misfit::Interval, offer.interval == need.interval),
        (Misfit::Storage, !storage.is_empty() && text(offer.labels, label::STORAGE_ID) == storage),
        (Misfit::Unnamed, !named.is_empty()),
        (Misfit::Relation, asked.is_empty() || named == asked),
        (Misfit::Selector, is_selected(need.selector, offer.labels)),
    ];
    rows.into_iter().find(|(_, fits)| !fits).map(|(misfit, _)| misfit)
}

/// Whether the labels are among those of a class.
pub fn is_selected(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// A selector as people write it: `tier=gold,zone=a`.
pub fn in_words(selector: &Labels) -> String {
    let words: Vec<String> = selector.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.join(",")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn labels(words: &str) -> Labels {
        let pairs = words.split_whitespace().filter_map(|word| word.split_once('='));
        let full = |key: &str| match key {
            "sid" => label::STORAGE_ID.to_owned(),
            "rid" => label::REPLICATION_ID.to_owned(),
            other => other.to_owned(),
        };
        pairs.map(|(key, value)| (full(key), value.to_owned())).collect()
    }

    #[rstest]
    #[case::serves("sid=a rid=r", "", ("csi", "1m", "sid=a rid=r"), None)]
    #[case::storage_class_names_no_relation("sid=a", "", ("csi", "1m", "sid=a rid=r"), None)]
    #[case::an_empty_label_names_none("sid=a rid=", "", ("csi", "1m", "sid=a rid=r"), None)]
    #[case::selected("sid=a", "tier=gold", ("csi", "1m", "sid=a rid=r tier=gold zone=b"), None)]
    #[case::other_driver("sid=a rid=r", "", ("other", "1m", "sid=a rid=r"), Some(Misfit::Driver))]
    #[case::other_interval("sid=a rid=r", "", ("csi", "60s", "sid=a rid=r"), Some(Misfit::Interval))]
    #[case::other_storage("sid=a rid=r", "", ("csi", "1m", "sid=b rid=r"), Some(Misfit::Storage))]
    #[case::no_storage_is_not_the_same("rid=r", "", ("csi", "1m", "rid=r"), Some(Misfit::Storage))]
    #[case::no_relation("sid=a", "", ("csi", "1m", "sid=a"), Some(Misfit::Unnamed))]
    #[case::c9_other_relation("sid=a rid=s", "", ("csi", "1m", "sid=a rid=r"), Some(Misfit::Relation))]
    #[case::h22_not_selected("sid=a rid=r", "tier=gold", ("csi", "1m", "sid=a rid=r tier=silver"), Some(Misfit::Selector))]
    #[case::the_first_counts("sid=a rid=s", "tier=gold", ("csi", "5m", "sid=a rid=r"), Some(Misfit::Interval))]
    fn what_is_in_the_way(
        #[case] storage: &str,
        #[case] selector: &str,
        #[case] class: (&str, &str, &str),
        #[case] wanted: Option<Misfit>,
    ) {
        let (storage, selector, own) = (labels(storage), labels(selector), labels(class.2));
        let need = Need {
            provisioner: "csi",
            labels: &storage,
            interval: "1m",
            selector: &selector,
            relation: label::REPLICATION_ID,
        };
        assert_eq!(misfit(need, Offer { provisioner: class.0, interval: class.1, labels: &own }), wanted);
    }
}
