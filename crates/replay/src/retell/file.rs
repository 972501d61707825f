//! A tale as a scenario file: text that `ramen-sim play` takes, with comments that say where each line comes from.

use std::fmt::Write as _;

use ramen_events::Time;
use ramen_trials::{
    happening::{Happening, StorageFault, StoreFault},
    span::Span,
    until::Until,
};
use serde_json::Value;

use super::{Tale, Told};

/// Happenings of one moment, and what is waited for before.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Moments that are waited for, one after the other.
    pub when: Vec<Until>,
    /// How long after the last of them, or after the entry before, in milliseconds.
    pub after: u64,
    /// After how long nobody waits any longer, in milliseconds.
    pub patience: u64,
    /// What is done.
    pub told: Vec<Told>,
    /// What a reader should know of it.
    pub comment: String,
}

/// The scenario: a head, a timeline, and nothing that must hold, which is for a person to add.
/// `seed` decides how long things take.
pub fn scenario(tale: &Tale, title: &str, seed: u64, entries: &[Entry], name: &dyn Fn(&Told) -> String) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# Retold by ramen-replay whatif; docs/scenarios.md describes every field.");
    let _ = writeln!(text, "title: {}", quoted(title));
    let _ = writeln!(text, "why: >-\n  What a log tells, played in the simulated world.");
    if !tale.assumed.is_empty() {
        let _ = writeln!(text, "# Assumed, since the log does not say:");
        for assumed in &tale.assumed {
            let _ = writeln!(text, "# - {assumed}");
        }
    }
    let names: Vec<String> = tale.clusters.iter().map(|name| quoted(name)).collect();
    let _ = writeln!(
        text,
        "world: {{ pairs: {}, names: [{}], interval: {} }}",
        tale.clusters.len() / 2,
        names.join(", "),
        quoted(&tale.interval)
    );
    if seed > 0 {
        let _ = writeln!(text, "seed: {seed}");
    }
    let _ = writeln!(text, "applications:");
    for application in &tale.applications {
        let (name, on) = (quoted(&application.name), quoted(&application.on));
        let protected = application.before;
        let _ =
            writeln!(text, "  - {{ name: {name}, claims: {}, on: {on}, protected: {protected} }}", application.claims);
    }
    let _ = writeln!(text, "timeline:");
    for entry in entries {
        let (last, before) = entry.when.split_last().map_or((None, &[][..]), |(last, before)| (Some(last), before));
        for when in before {
            let _ = writeln!(text, "  - when: {}", flow(when));
            let _ = writeln!(text, "    patience: {}", Span(entry.patience));
        }
        match last {
            Some(when) => {
                let _ = writeln!(text, "  - when: {}\n    patience: {}", flow(when), Span(entry.patience));
            }
            None => {
                let _ = writeln!(text, "  - when: now");
            }
        }
        let _ = writeln!(text, "    after: {}{}", Span(entry.after), comment(&entry.comment));
        if !entry.told.is_empty() {
            let _ = writeln!(text, "    do:");
        }
        for told in &entry.told {
            let _ = writeln!(text, "      - {}{}", flow(&told.what), comment(&name(told)));
        }
    }
    let _ =
        writeln!(text, "# As everything is then: nothing is mended, nobody does what conditions say.\nrests: false");
    text
}

fn comment(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("  # {text}") }
}

/// As YAML on one line: `{ failover: { app: shop, to: c2 } }`.
fn flow(value: &impl serde::Serialize) -> String {
    fn of(value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}: {}", of(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Value::String(text) => quoted(text),
            other => other.to_string(),
        }
    }
    serde_json::to_value(value).map(|value| of(&value)).unwrap_or_default()
}

/// Text as it has to be written in YAML.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// A happening in words.
pub fn words(what: &Happening) -> String {
    use Happening as H;
    match what {
        H::Deploy { app, on, .. } => format!("{app} is deployed on {on}"),
        H::Protect { app, on, .. } => format!("{app} is protected, on {on}"),
        H::Failover { app, to } => format!("failover of {app} to {to} is asked for"),
        H::Relocate { app, to } => format!("relocation of {app} to {to} is asked for"),
        H::Withdraw { app } => format!("the action of {app} is withdrawn"),
        H::Unprotect { app } => format!("the protection of {app} is deleted"),
        H::AddClaim { app } => format!("{app} gets one more claim"),
        H::DropClaim { app } => format!("{app} drops a claim"),
        H::Lose { cluster } => format!("{cluster} loses power"),
        H::BringBack { cluster } => format!("{cluster} has power again"),
        H::HubLink { cluster, works: false } => format!("{cluster} does not reach the hub"),
        H::HubLink { cluster, works: true } => format!("{cluster} reaches the hub again"),
        H::StoreLink { cluster, profile, works } => {
            let store = profile.as_ref().map_or_else(|| "the stores".to_owned(), |profile| format!("store {profile}"));
            let how = if *works { format!("reaches {store} again") } else { format!("does not reach {store}") };
            format!("{cluster} {how}")
        }
        H::StorageLink { works: false } => "the sites' storage does not reach each other".to_owned(),
        H::StorageLink { works: true } => "the sites' storage reaches each other again".to_owned(),
        H::Storage { cluster, fault: StorageFault::None } => format!("the storage of {cluster} works again"),
        H::Storage { cluster, .. } => format!("the storage of {cluster} breaks"),
        H::Store { profile, fault: StoreFault::None } => format!("store {profile} works again"),
        H::Store { profile, fault } => format!("store {profile} {}", fault_words(*fault)),
        H::Crash { operator, .. } => format!("the operator of {operator} dies and is started again"),
        H::Stubborn { app, on } => format!("a pod of {app} on {on} does not stop"),
        H::Evict { app, on } => format!("the pods of {app} on {on} are removed by force"),
        H::Attached { app, on } => format!("volumes of {app} on {on} stay attached to a node"),
        H::Detached { app, on } => format!("volumes of {app} on {on} are detached"),
        other => flow(other),
    }
}

fn fault_words(fault: StoreFault) -> &'static str {
    match fault {
        StoreFault::None => "works",
        StoreFault::Down => "is down",
        StoreFault::Slow => "is slow",
        StoreFault::Hanging => "does not answer in time",
        StoreFault::Erroring => "answers with errors",
        StoreFault::ReadOnly => "refuses writes",
    }
}

/// Happenings of one moment together.
pub fn moments(happenings: &[Told]) -> Vec<(Time, Vec<Told>)> {
    let mut moments: Vec<(Time, Vec<Told>)> = Vec::new();
    for told in happenings {
        match moments.last_mut() {
            Some((time, all)) if *time == told.time => all.push(told.clone()),
            _ => moments.push((told.time, vec![told.clone()])),
        }
    }
    moments
}
