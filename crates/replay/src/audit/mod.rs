//! Evidence of drills and real actions: who asked for what, what was done, what was reached, and what proves it.
//!
//! ```text
//!   Merged, Story ──> actions.rs      each action with its steps and commands
//!                     request.rs      who asked for what, when
//!                     objectives.rs   RTO, RPO, against targets.rs
//!                     protection.rs   what was not protected
//!                     deviations.rs   what did not go as it should
//!                     integrity.rs    which logs, whole or not
//!                          │
//!                          v
//!                       Report ──> csv.rs, html.rs, attest.rs, or JSON
//! ```
//!
//! Nothing is guessed: what no record says is "not known".

mod actions;
pub mod attest;
mod before;
pub mod csv;
mod deviations;
pub mod html;
mod index;
mod integrity;
mod objectives;
mod protection;
pub mod report;
mod request;
pub mod targets;

use anyhow::{Result, bail};
use ramen_events::Time;

use crate::{anchors::Anchors, merge::Merged, open::Log, open::Usage, story::Story};

pub use integrity::sha256;
use report::{FORM, Head, Report, When};
use targets::Targets;

/// What an audit is asked to be about.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// One application: part of its name, such as `apps/app-1`.
    pub application: Option<String>,
    /// One policy, by name.
    pub policy: Option<String>,
    /// From when on; actions that end earlier are left out.
    pub since: Option<Time>,
    /// Until when; actions that are asked for later are left out.
    pub until: Option<Time>,
}

/// The report.
///
/// # Errors
/// [`Usage`] when the hub's log is missing, or nothing is about what was asked; when a file can't be read.
pub fn report(merged: &Merged, scope: &Scope, targets: &Targets, anchors: Option<&Anchors>) -> Result<Report> {
    if !merged.logs.iter().any(Log::is_hub) {
        bail!(Usage("an audit is about what the hub was asked: give the hub's log, too".to_owned()));
    }
    let story = Story::of(merged, scope.application.as_deref())?;
    let mut actions = actions::all(merged, &story, targets, before::Before::of(merged).as_ref());
    if let Some(policy) = &scope.policy {
        if !actions.iter().any(|action| action.policy == *policy) {
            let mut policies: Vec<&str> = actions.iter().map(|action| action.policy.as_str()).collect();
            policies.sort_unstable();
            policies.dedup();
            bail!(Usage(format!("no action is of policy {policy:?}; there is {}", policies.join(", "))));
        }
        actions.retain(|action| action.policy == *policy);
    }
    actions.retain(|action| {
        let ended = action.ended.as_ref().map(|ended| ended.when.0);
        scope.since.is_none_or(|since| ended.is_none_or(|ended| ended >= since))
            && scope.until.is_none_or(|until| action.request.when.0 <= until)
    });
    let logs = integrity::logs(merged, anchors)?;
    let gaps = integrity::gaps(merged, &logs, &actions);
    let head = Head {
        form: FORM.to_owned(),
        written_by: format!("ramen-replay {}", env!("CARGO_PKG_VERSION")),
        application: scope.application.clone(),
        policy: scope.policy.clone(),
        since: scope.since.map(When),
        until: scope.until.map(When),
        logs_begin: When(story.start),
        logs_end: When(story.end),
        clocks: merged.clocks(),
        gaps,
    };
    Ok(Report { head, logs, actions })
}

#[cfg(test)]
mod tests {
    use schemars::{SchemaGenerator, generate::SchemaSettings};

    use super::report::{Line, Report};

    /// `UPDATE_DOCS=1 cargo test -p ramen-replay` writes it anew.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.schema.json");
        let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
        // What a signed report holds; it is named beside the lines.
        generator.subschema_for::<Report>();
        let mut schema = generator.into_root_schema_for::<Line<'_>>();
        schema.insert("title".to_owned(), "A line of `ramen-replay audit --format jsonl`".into());
        let fresh = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), fresh, "docs/audit.schema.json is not current");
    }
}
