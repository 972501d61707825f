//! Reading what lies deep in an object whose type is not at hand.
//!
//! `serde_json` reads JSON pointers too, but makes two texts for each of their steps; objects are read by the million.

use serde_json::Value;

/// What lies at a JSON pointer.
pub trait At {
    /// The value at `pointer`, as [`Value::pointer`] finds it.
    fn at(&self, pointer: &str) -> Option<&Value>;
}

impl At for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer.contains('~') {
            return self.pointer(pointer); // escaped names are rare
        }
        let Some(steps) = pointer.strip_prefix('/') else {
            return pointer.is_empty().then_some(self);
        };
        steps.split('/').try_fold(self, |value, step| match value {
            Self::Object(fields) => fields.get(step),
            Self::Array(items) => items.get(index(step)?),
            _ => None,
        })
    }
}

/// The place in a list that a step names: digits without needless zeros.
fn index(step: &str) -> Option<usize> {
    let padded = step.starts_with('0') && step.len() > 1;
    if padded || step.starts_with('+') { None } else { step.parse().ok() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_where_a_json_pointer_finds_them() {
        let object = json!({"a": {"b/c": 1, "": {"d": 2}}, "list": [{"x": 3}, 4], "01": 5});
        for pointer in [
            "",
            "/",
            "/a",
            "/a/b~1c",
            "/a//d",
            "/list/0/x",
            "/list/1",
            "/list/2",
            "/list/01",
            "/list/+1",
            "/list/x",
            "/01",
            "/a/none/at/all",
            "a",
            "/list/1/x",
        ] {
            assert_eq!(object.at(pointer), object.pointer(pointer), "{pointer:?}");
        }
    }
}
