//! Who wrote what a DRPlacementControl asks for.

use ramen_api::path::At as _;
use ramen_events::hub::{Author, AuthorsFact, Fact, ObjectRef};
use serde_json::Value;

use crate::fields::{list, text, time};

/// The fields of the spec that say what to do, and how `fieldsV1` spells them.
const FIELDS: [(&str, &str); 3] =
    [("action", "f:action"), ("failoverCluster", "f:failoverCluster"), ("preferredCluster", "f:preferredCluster")];

/// The field managers of what a DRPlacementControl asks for; `None` when the object came without them.
pub fn of_drpc(object: &Value) -> Option<Fact> {
    object.at("/metadata/managedFields")?;
    let mut authors: Vec<Author> = list(object, "/metadata/managedFields").iter().filter_map(author).collect();
    authors.sort_by(|one, other| (one.at, &one.manager).cmp(&(other.at, &other.manager)));
    let drpc = ObjectRef::new(text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    Some(Fact::Authors(AuthorsFact { drpc, uid: text(object, "/metadata/uid"), authors }))
}

fn author(entry: &Value) -> Option<Author> {
    let spec = entry.at("/fieldsV1/f:spec")?;
    let owned = FIELDS.iter().filter(|(_, spelled)| spec.get(spelled).is_some());
    let fields: Vec<String> = owned.map(|(field, _)| (*field).to_owned()).collect();
    (!fields.is_empty()).then(|| Author {
        manager: text(entry, "/manager"),
        operation: text(entry, "/operation"),
        at: time(entry, "/time"),
        fields,
    })
}
