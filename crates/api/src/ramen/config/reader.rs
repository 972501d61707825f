//! Reads configuration YAML as upstream's decoder does: key names match without regard to case, unknown keys are
//! ignored, `null` counts as absent, and a value of the wrong type fails the whole configuration.

use serde_norway::Value;

use super::ConfigError;

/// Longest piece of a wrong value that an error repeats.
const SHOWN: usize = 60;

/// A mapping of the configuration and where it stands.
pub(super) struct Section<'a> {
    path: String,
    /// `None` where the section is absent: every key is then absent too.
    entries: Option<&'a serde_norway::Mapping>,
}

impl<'a> Section<'a> {
    pub(super) fn root(document: &'a Value) -> Result<Self, ConfigError> {
        Self::of(String::new(), Some(document))
    }

    fn of(path: String, value: Option<&'a Value>) -> Result<Self, ConfigError> {
        match value {
            None | Some(Value::Null) => Ok(Self { path, entries: None }),
            Some(Value::Mapping(entries)) => Ok(Self { path, entries: Some(entries) }),
            Some(other) => Err(wrong(&path, "a mapping", other)),
        }
    }

    /// The value of a key: the exact spelling first, else one that differs in case only.
    fn get(&self, key: &str) -> Option<&'a Value> {
        let entries = self.entries?;
        let found = entries.get(key).or_else(|| {
            entries.iter().find(|(k, _)| k.as_str().is_some_and(|k| k.eq_ignore_ascii_case(key))).map(|(_, v)| v)
        });
        found.filter(|value| !value.is_null())
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn section(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        Self::of(self.path_of(key), self.get(key))
    }

    pub(super) fn sections(&self, key: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Sequence(items)) => items
                .iter()
                .enumerate()
                .map(|(i, item)| Self::of(format!("{}[{i}]", self.path_of(key)), Some(item)))
                .collect(),
            Some(other) => Err(wrong(&self.path_of(key), "a list", other)),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong(&self.path_of(key), "a text", other)),
        }
    }

    /// A text for which empty means the same as absent.
    pub(super) fn filled_text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.text(key)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(&self.path_of(key), "true or false", other)),
        }
    }

    pub(super) fn count(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(wrong(&self.path_of(key), "a whole number that is not negative", value)),
        }
    }
}

/// Keys below which a misplaced value could be a credential: the error names its type instead of repeating it.
fn may_be_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.contains("secret") || key.contains("cacertificates")
}

fn wrong(key: &str, wanted: &'static str, value: &Value) -> ConfigError {
    ConfigError::WrongType { key: key.to_owned(), wanted, value: shown(key, value) }
}

fn shown(key: &str, value: &Value) -> String {
    let kind = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a tagged value",
    };
    match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) if !may_be_secret(key) => {
            let text = match value {
                Value::String(text) => format!("{text:?}"),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                _ => String::new(),
            };
            if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
        }
        _ => kind.to_owned(),
    }
}
