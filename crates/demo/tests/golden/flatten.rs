//! Objects as lines that can be compared: volatile parts dropped, generated names replaced by what they stand for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use serde_json::{Map, Value};

/// Metadata that differs between any two runs.
const VOLATILE: [&str; 7] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "deletionGracePeriodSeconds",
    "lastPhaseTransitionTime",
];

/// Kinds whose status OCM's agents write.
const WRITTEN_BY_AGENTS: [&str; 2] = ["manifestworks", "managedclusterviews"];

/// All objects at one milestone, as lines.
#[derive(Debug)]
pub struct Snapshot(BTreeSet<Line>);

/// One fact about one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// `hub manifestworks c1/app-000-app-000-vrg-mw`
    pub object: String,
    /// `spec.workload.manifests[0].kind`
    pub path: String,
    /// The value as JSON.
    pub value: String,
}

/// A line that only one side has.
#[derive(Debug)]
pub struct Different {
    /// Whether it is ours; otherwise it is the recording's.
    pub ours: bool,
    /// The line.
    pub line: Line,
}

impl fmt::Display for Different {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.ours { '+' } else { '-' };
        write!(f, "{sign} {} | {} = {}", self.line.object, self.line.path, self.line.value)
    }
}

impl Snapshot {
    /// Reads `{cluster: {plural: {namespace/name: object}}}`.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        let all: Map<String, Value> = serde_json::from_str(&text).expect("a snapshot is JSON");
        let names = generated_names(&all);
        let mut lines = BTreeSet::new();
        for (cluster, kinds) in &all {
            for (kind, objects) in kinds.as_object().into_iter().flatten() {
                for (name, object) in objects.as_object().into_iter().flatten() {
                    if kind == "namespaces" && !name.starts_with("app-") {
                        continue;
                    }
                    let mut object = object.clone();
                    if WRITTEN_BY_AGENTS.contains(&kind.as_str()) {
                        object.as_object_mut().map(|object| object.remove("status"));
                    }
                    let object = &object;
                    let mut flat = Flat { names: &names, generation: generation(object), lines: Vec::new() };
                    flat.walk(&mut String::new(), object);
                    let object = replace(&format!("{cluster} {kind} {name}"), &names);
                    lines.extend(flat.lines.into_iter().map(|(path, value)| Line {
                        object: object.clone(),
                        path,
                        value,
                    }));
                }
            }
        }
        Self(lines)
    }

    /// Lines that only one of the two has.
    pub fn differences(&self, ours: &Self) -> Vec<Different> {
        let gone = self.0.difference(&ours.0).map(|line| Different { ours: false, line: line.clone() });
        let new = ours.0.difference(&self.0).map(|line| Different { ours: true, line: line.clone() });
        let mut all: Vec<_> = gone.chain(new).collect();
        all.sort_by(|a, b| (&a.line, a.ours).cmp(&(&b.line, b.ours)));
        all
    }
}

fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}

/// Uids and generated names, and what they stand for: a PV is the one of its claim.
fn generated_names(all: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut visit = |object: &Value| {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        if let Some(claim) = object.pointer("/spec/claimRef/name").and_then(Value::as_str) {
            names.insert(name.to_owned(), format!("<pv of {claim}>"));
            if let Some(uid) = name.strip_prefix("pvc-") {
                names.insert(uid.to_owned(), format!("<first uid of {claim}>"));
            }
        }
    };
    for kinds in all.values().filter_map(Value::as_object) {
        for objects in kinds.values().filter_map(Value::as_object) {
            objects.values().for_each(&mut visit);
        }
    }
    names
}

fn replace(text: &str, names: &BTreeMap<String, String>) -> String {
    // longest first, so that "pvc-<uid>" is replaced before "<uid>"
    let mut ordered: Vec<_> = names.iter().collect();
    ordered.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    ordered.into_iter().fold(text.to_owned(), |text, (name, stands_for)| text.replace(name.as_str(), stands_for))
}

struct Flat<'a> {
    names: &'a BTreeMap<String, String>,
    generation: Option<i64>,
    lines: Vec<(String, String)>,
}

impl Flat<'_> {
    fn walk(&mut self, path: &mut String, value: &Value) {
        match value {
            Value::Object(map) => {
                if map.is_empty() {
                    self.lines.push((path.clone(), "{}".to_owned()));
                }
                let outer = self.generation;
                if let Some(meta) = map.get("resourceMeta").and_then(|meta| meta.get("generation")) {
                    self.generation = meta.as_i64();
                }
                for (key, value) in map {
                    let volatile = VOLATILE.contains(&key.as_str()) || key == "message";
                    if !volatile {
                        let length = path.len();
                        if !path.is_empty() {
                            path.push('.');
                        }
                        path.push_str(key);
                        self.walk(path, value);
                        path.truncate(length);
                    }
                }
                self.generation = outer;
            }
            Value::Array(items) => {
                if path.ends_with("conditions") {
                    let order: Vec<_> = items.iter().map(|c| c["type"].as_str().unwrap_or_default()).collect();
                    self.lines.push((format!("{path}.order"), order.join(" ")));
                }
                if items.is_empty() {
                    self.lines.push((path.clone(), "[]".to_owned()));
                }
                let mut items: Vec<_> = items.iter().collect();
                if path.ends_with("protectedpvcs") {
                    // Ramen's order is that of its last removals.
                    items.sort_by_key(|name| name.as_str());
                }
                for (index, item) in items.into_iter().enumerate() {
                    let length = path.len();
                    let key = ["type", "name"].into_iter().find_map(|key| item.get(key)).and_then(Value::as_str);
                    path.push_str(&key.map_or_else(|| format!("[{index}]"), |key| format!("[{}]", self.text(key))));
                    self.walk(path, item);
                    path.truncate(length);
                }
            }
            leaf => {
                let text = self.leaf(path, leaf);
                self.lines.push((path.clone(), text));
            }
        }
    }

    fn leaf(&self, path: &str, value: &Value) -> String {
        if path.ends_with("observedGeneration") {
            return if value.as_i64() == self.generation { "current".to_owned() } else { format!("older {value}") };
        }
        let Value::String(text) = value else { return value.to_string() };
        if is_time(text) {
            return "<time>".to_owned();
        }
        if path.ends_with("actionDuration") {
            return "<duration>".to_owned();
        }
        self.text(text)
    }

    /// A text without what differs between any two runs.
    fn text(&self, text: &str) -> String {
        let text = replace(text, self.names);
        if is_uuid(&text) {
            return "<uid>".to_owned();
        }
        match text.split_once('-') {
            Some((hash, rest)) if hash.len() == 64 => format!("<hash>-{rest}"),
            None if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => "<hash>".to_owned(),
            _ => text,
        }
    }
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
