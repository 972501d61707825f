//! Conditions over what was known, as people write them:
//! `drpc/app.status.progression == "WaitForReadiness" for 5m`.
//!
//! ```text
//! condition  =  any ["for" DURATION]
//! any        =  all {"or" all}
//! all        =  one {"and" one}
//! one        =  "not" one  |  "(" any ")"  |  field [("==" | "!=") value]  |  field "exists"
//! field      =  OBJECT path                 drpc/app.status.phase, vrg/ns/name.status.conditions[DataReady].status
//! value      =  "text" | 'text' | word | number | true | false | null
//! ```
//!
//! A field alone holds if something other than `false` stands there.

mod object;
mod parse;

use ramen_events::Record;
use serde_json::Value;

use crate::{field::Path, state::State};

pub use object::{Object, View};
pub use parse::parse;

/// A condition, and how long it has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// What has to hold.
    pub test: Test,
    /// For how long without a break, in milliseconds; 0 for at all.
    pub lasting: u64,
}

/// What has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// One of both.
    Or(Box<Test>, Box<Test>),
    /// Both.
    And(Box<Test>, Box<Test>),
    /// The opposite.
    Not(Box<Test>),
    /// Something stands there.
    Exists(Field),
    /// This stands there; nothing is `null`.
    Is(Field, Value),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which object.
    pub object: Object,
    /// Which field; `None` for the object itself.
    pub path: Option<Path>,
}

impl Predicate {
    /// The objects that it is about.
    pub fn objects(&self) -> Vec<&Object> {
        let mut objects = Vec::new();
        self.test.objects(&mut objects);
        objects
    }
}

impl Test {
    fn objects<'a>(&'a self, objects: &mut Vec<&'a Object>) {
        match self {
            Self::Or(one, other) | Self::And(one, other) => {
                one.objects(objects);
                other.objects(objects);
            }
            Self::Not(test) => test.objects(objects),
            Self::Exists(field) | Self::Is(field, _) => objects.push(&field.object),
        }
    }

    fn holds(&self, watch: &Watch<'_>) -> bool {
        match self {
            Self::Or(one, other) => one.holds(watch) || other.holds(watch),
            Self::And(one, other) => one.holds(watch) && other.holds(watch),
            Self::Not(test) => !test.holds(watch),
            Self::Exists(field) => !matches!(watch.get(field), Value::Null | Value::Bool(false)),
            Self::Is(field, value) => alike(&watch.get(field), value),
        }
    }
}

/// Numbers and truth values may be written as words.
fn alike(found: &Value, wanted: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    found == wanted || text(found).is_some() && text(found) == text(wanted)
}

/// Follows a log, and tells whether a test holds.
pub struct Watch<'a> {
    test: &'a Test,
    views: Vec<(&'a Object, View)>,
    holds: bool,
}

impl<'a> Watch<'a> {
    /// From a state on.
    pub fn new(test: &'a Test, state: &State) -> Self {
        let mut objects = Vec::new();
        test.objects(&mut objects);
        let views = objects.into_iter().map(|object| (object, View::new(object, state))).collect();
        let mut watch = Self { test, views, holds: false };
        watch.holds = test.holds(&watch);
        watch
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// Whether any of its objects was ever there.
    pub fn unseen(&self) -> Vec<&'a Object> {
        self.views.iter().filter(|(_, view)| !view.was_there).map(|(object, _)| *object).collect()
    }

    /// Takes a record that was just folded into the state; tells whether the test holds after it.
    pub fn follow(&mut self, record: &Record, state: &State) -> bool {
        let mut news = false;
        for (object, view) in &mut self.views {
            news |= view.follow(object, record, state);
        }
        if news {
            self.holds = self.test.holds(self);
        }
        self.holds
    }

    fn get(&self, field: &Field) -> Value {
        let view = self.views.iter().find(|(object, _)| **object == field.object);
        let value = view.map(|(_, view)| &view.value);
        let found = match &field.path {
            None => value,
            Some(path) => value.and_then(|value| path.get(value)),
        };
        found.cloned().unwrap_or_default()
    }
}
