//! Strategic merge patch of built-in kinds: lists merge by their keys, `$patch` and its kin say more.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::shape::{Items, Shape};

/// Merges a patch into a value.
///
/// # Errors
/// When a list item lacks the field that tells it apart, or a directive is unknown.
pub fn merge(target: &mut Value, patch: &Value, shape: &Shape<'_>) -> Result<(), Refusal> {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(patch.iter().filter(|(name, _)| *name != "$patch").map(pair).collect());
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(Refusal::bad_request(format!("invalid value for $patch: {other}"))),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return Ok(()) };
    if let Some(keep) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|name, _| keep.iter().any(|kept| kept == name));
    }
    for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        if value.is_null() {
            map.remove(name);
            continue;
        }
        let below = shape.field(name);
        let order = patch.get(&format!("$setElementOrder/{name}")).and_then(Value::as_array);
        let slot = map.entry(name.clone()).or_insert(Value::Null);
        match value {
            Value::Array(items) => merge_list(slot, items, &below, order)?,
            _ => merge(slot, value, &below)?,
        }
    }
    for (directive, value) in patch {
        if let Some(name) = directive.strip_prefix("$deleteFromPrimitiveList/")
            && let (Some(list), Some(gone)) = (map.get_mut(name).and_then(Value::as_array_mut), value.as_array())
        {
            list.retain(|item| !gone.contains(item));
        }
        if let Some(name) = directive.strip_prefix("$setElementOrder/")
            && let (false, Some(Value::Array(list)), Some(order)) =
                (patch.contains_key(name), map.get_mut(name), value.as_array())
        {
            reorder(list, order, merge_key(&shape.field(name)).as_deref());
        }
    }
    Ok(())
}

fn pair((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// The one field by which the items of a list merge.
fn merge_key(shape: &Shape<'_>) -> Option<String> {
    match shape.items() {
        Items::Keyed(keys) => keys.into_iter().next(),
        _ => None,
    }
}

fn merge_list(slot: &mut Value, patch: &[Value], shape: &Shape<'_>, order: Option<&Vec<Value>>) -> Result<(), Refusal> {
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    let Some(list) = slot.as_array_mut() else { return Ok(()) };
    let key = match shape.items() {
        Items::Atomic => {
            *list = patch.to_vec();
            return Ok(());
        }
        Items::Set => {
            for item in patch {
                if !list.contains(item) {
                    list.push(item.clone());
                }
            }
            None
        }
        Items::Keyed(_) => merge_key(shape),
    };
    if let Some(key) = &key {
        if patch.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace")) {
            *list = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
            return Ok(());
        }
        for item in patch {
            let id = item.get(key).ok_or_else(|| {
                Refusal::bad_request(format!("map: {item} does not contain declared merge key: {key}"))
            })?;
            let at = list.iter().position(|known| known.get(key) == Some(id));
            match (item.get("$patch").and_then(Value::as_str), at) {
                (Some("delete"), Some(at)) => {
                    list.remove(at);
                }
                (Some("delete"), None) => {}
                (_, Some(at)) => merge(&mut list[at], item, &shape.item())?,
                (_, None) => {
                    let mut new = Value::Object(Map::new());
                    merge(&mut new, item, &shape.item())?;
                    list.push(new);
                }
            }
        }
    }
    if let Some(order) = order {
        reorder(list, order, key.as_deref());
    }
    Ok(())
}

/// Sorts the items that the order names into that order; the others keep their places behind their neighbours.
fn reorder(list: &mut [Value], order: &[Value], key: Option<&str>) {
    let id = |item: &Value| key.map_or_else(|| Some(item.clone()), |key| item.get(key).cloned());
    let rank = |item: &Value| {
        let wanted = id(item);
        order.iter().position(|entry| id(entry) == wanted)
    };
    let mut last = 0;
    let mut ranked: Vec<(usize, Value)> = Vec::new();
    for item in list.iter() {
        last = rank(item).unwrap_or(last);
        ranked.push((last, item.clone()));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    for (slot, (_, item)) in list.iter_mut().zip(ranked) {
        *slot = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::items_merge_by_key(
        json!({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}}),
        json!({"spec":{"containers":[{"name":"b","image":"3"}]}}),
        json!({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]}})
    )]
    #[case::an_item_is_deleted(
        json!({"spec":{"containers":[{"name":"a"},{"name":"b"}]}}),
        json!({"spec":{"containers":[{"name":"a","$patch":"delete"}]}}),
        json!({"spec":{"containers":[{"name":"b"}]}})
    )]
    #[case::order_is_set(
        json!({"spec":{"containers":[{"name":"a"}]}}),
        json!({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b"}]}}),
        json!({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})
    )]
    #[case::a_finalizer_leaves(
        json!({"metadata":{"finalizers":["x","y"]}}),
        json!({"metadata":{"$deleteFromPrimitiveList/finalizers":["x"]}}),
        json!({"metadata":{"finalizers":["y"]}})
    )]
    #[case::atomic_lists_are_replaced(
        json!({"spec":{"accessModes":["ReadWriteOnce"]}}),
        json!({"spec":{"accessModes":["ReadOnlyMany"]}}),
        json!({"spec":{"accessModes":["ReadOnlyMany"]}})
    )]
    #[case::null_removes(
        json!({"metadata":{"labels":{"a":"1","b":"2"}}}),
        json!({"metadata":{"labels":{"a":null}}}),
        json!({"metadata":{"labels":{"b":"2"}}})
    )]
    fn strategic(#[case] mut target: Value, #[case] patch: Value, #[case] expected: Value) {
        merge(&mut target, &patch, &Shape::Core { parent: "", field: "" }).unwrap();
        assert_eq!(target, expected);
    }
}
