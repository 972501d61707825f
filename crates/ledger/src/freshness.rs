//! Which version of each object was seen last, so that the past never overwrites the present.
//!
//! What a write answers is newer than what a slower watch still has to deliver. Versions of one object are compared
//! as numbers; where they are none, everything counts as newer.

use std::collections::{BTreeMap, VecDeque};

use ramen_api::path::At as _;
use ramen_events::{ObjectId, Seq};
use serde_json::Value;

/// How many deletions are remembered, to recognize late news of what was deleted.
const GRAVES: usize = 4096;

/// What was seen of one object.
#[derive(Clone, Debug, Default)]
struct Known {
    version: Option<u64>,
    generation: Option<i64>,
    uid: String,
    /// The log's head when an object of this uid was seen first.
    since: Seq,
    /// It is gone for good: nothing with this uid ever comes back.
    dead: bool,
}

impl Known {
    fn of(object: &Value) -> Self {
        Self {
            version: version_of(object),
            generation: object.at("/metadata/generation").and_then(Value::as_i64),
            uid: uid_of(object).to_owned(),
            since: Seq::default(),
            dead: false,
        }
    }
}

/// The last seen version of each object.
#[derive(Debug, Default)]
pub struct Freshness {
    objects: BTreeMap<ObjectId, Known>,
    /// Each with the number of its burial.
    graves: BTreeMap<ObjectId, (u64, Known)>,
    /// The last burials. Whoever rose again, or was buried anew, has an earlier one here that is not its grave's.
    buried: VecDeque<(u64, ObjectId)>,
    burials: u64,
}

/// How a sighting compares with what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It tells something newer.
    Newer,
    /// It is what was seen last.
    Same,
    /// It is older than what was seen last.
    Older,
}

impl Freshness {
    /// Compares a sighting with what is known and remembers it if it is newer. `head` is the log's.
    pub fn see(&mut self, id: &ObjectId, object: &Value, head: Seq) -> Age {
        let (seen, uid) = (version_of(object), uid_of(object));
        let known = self.objects.get(id).or_else(|| self.graves.get(id).map(|(_, known)| known));
        if let Some(known) = known {
            if known.dead && known.uid == uid {
                return Age::Older;
            }
            if let (Some(seen), Some(last)) = (seen, known.version) {
                match seen.cmp(&last) {
                    std::cmp::Ordering::Less => return Age::Older,
                    std::cmp::Ordering::Equal if self.objects.contains_key(id) => return Age::Same,
                    std::cmp::Ordering::Equal => return Age::Older,
                    std::cmp::Ordering::Greater => {}
                }
            }
        }
        self.remember(id, object, head);
        Age::Newer
    }

    /// Takes a sighting over whatever its version is: somebody found out that it is the present.
    pub fn remember(&mut self, id: &ObjectId, object: &Value, head: Seq) {
        self.graves.remove(id);
        let same = self.objects.get(id).filter(|before| before.uid == uid_of(object));
        let known = Known { since: same.map_or(head, |before| before.since), ..Known::of(object) };
        self.objects.insert(id.clone(), known);
    }

    /// A watch saw the object go, at that version. Whether that is news.
    pub fn went(&mut self, id: &ObjectId, object: &Value) -> bool {
        let at = version_of(object);
        if let (Some(at), Some(known)) = (at, self.objects.get(id))
            && known.version.is_some_and(|last| at < last)
        {
            return false;
        }
        self.objects.remove(id);
        self.bury(id, Known::of(object));
        true
    }

    /// The object is gone for good: a list does not show it, or the API server said so.
    pub fn is_gone(&mut self, id: &ObjectId) {
        if let Some(known) = self.objects.remove(id) {
            let dead = !known.uid.is_empty();
            self.bury(id, Known { dead, ..known });
        }
    }

    /// The version seen last, to notice later whether it still is.
    pub fn version(&self, id: &ObjectId) -> Option<u64> {
        self.objects.get(id).and_then(|known| known.version)
    }

    /// Uid and generation of what was seen last; `None` when the object was not seen, or is gone.
    pub fn uid_and_generation(&self, id: &ObjectId) -> Option<(&str, Option<i64>)> {
        self.objects.get(id).map(|known| (known.uid.as_str(), known.generation))
    }

    /// Whether what is there now was seen for the first time after that record.
    pub fn came_after(&self, id: &ObjectId, seq: Seq) -> bool {
        self.objects.get(id).is_some_and(|known| known.since >= seq)
    }

    fn bury(&mut self, id: &ObjectId, known: Known) {
        self.burials += 1;
        self.graves.insert(id.clone(), (self.burials, known));
        self.buried.push_back((self.burials, id.clone()));
        while self.buried.len() > GRAVES {
            if let Some((number, oldest)) = self.buried.pop_front()
                && self.graves.get(&oldest).is_some_and(|(burial, _)| *burial == number)
            {
                self.graves.remove(&oldest);
            }
        }
    }
}

fn version_of(object: &Value) -> Option<u64> {
    object.at("/metadata/resourceVersion")?.as_str()?.parse().ok()
}

fn uid_of(object: &Value) -> &str {
    object.at("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ramen_events::Kind;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn object(version: &str, uid: &str) -> Value {
        json!({ "metadata": { "name": "x", "resourceVersion": version, "uid": uid } })
    }

    fn id() -> ObjectId {
        ObjectId::new(Kind::ConfigMap, "ns", "x")
    }

    fn see(seen: &mut Freshness, version: &str, uid: &str) -> Age {
        seen.see(&id(), &object(version, uid), Seq(1))
    }

    #[rstest]
    #[case::later("11", Age::Newer)]
    #[case::more_digits_are_later("100", Age::Newer)]
    #[case::same("10", Age::Same)]
    #[case::a_slow_watch("9", Age::Older)]
    #[case::not_a_number("v11", Age::Newer)]
    fn versions_are_compared_as_numbers(#[case] version: &str, #[case] age: Age) {
        let mut seen = Freshness::default();
        assert_eq!(see(&mut seen, "10", "u"), Age::Newer);
        assert_eq!(see(&mut seen, version, "u"), age);
    }

    #[test]
    fn the_end_of_an_earlier_object_is_no_news_of_its_successor() {
        let mut seen = Freshness::default();
        see(&mut seen, "20", "second");
        assert!(!seen.went(&id(), &object("15", "first")));
        assert!(seen.went(&id(), &object("25", "second")));
    }

    #[test]
    fn a_late_update_does_not_revive_a_deleted_object() {
        let mut seen = Freshness::default();
        see(&mut seen, "10", "first");
        seen.is_gone(&id());
        assert_eq!(see(&mut seen, "12", "first"), Age::Older, "the watch is behind the deletion");
        assert_eq!(see(&mut seen, "13", "second"), Age::Newer, "made anew");
    }

    #[test]
    fn a_name_that_comes_and_goes_is_remembered_as_long_as_any_other() {
        let mut seen = Freshness::default();
        see(&mut seen, "10", "first");
        seen.is_gone(&id());
        for number in 1..GRAVES {
            bury_another(&mut seen, number);
        }
        see(&mut seen, "13", "second");
        seen.is_gone(&id());
        bury_another(&mut seen, GRAVES);
        assert_eq!(see(&mut seen, "14", "second"), Age::Older, "the place of its first grave is not its own");
    }

    #[test]
    fn what_is_remembered_of_deleted_objects_is_bounded() {
        let mut seen = Freshness::default();
        for version in 1..3 * GRAVES {
            see(&mut seen, &version.to_string(), &format!("{version}"));
            seen.is_gone(&id());
            bury_another(&mut seen, version);
        }
        assert!(seen.graves.len() <= GRAVES && seen.buried.len() <= GRAVES, "{}", seen.buried.len());
    }

    fn bury_another(seen: &mut Freshness, number: usize) {
        let id = ObjectId::new(Kind::ConfigMap, "ns", format!("another-{number}"));
        seen.see(&id, &object("1", "u"), Seq(1));
        seen.is_gone(&id);
    }

    #[test]
    fn an_object_that_left_a_selector_may_come_back() {
        let mut seen = Freshness::default();
        see(&mut seen, "10", "u");
        assert!(seen.went(&id(), &object("12", "u")));
        assert_eq!(see(&mut seen, "11", "u"), Age::Older);
        assert_eq!(see(&mut seen, "14", "u"), Age::Newer);
    }
}
