//! Plays the text of a scenario.

use std::path::Path;

use anyhow::{Context, Result};
use ramen_events::{
    ClusterName, Operator, Time,
    log::{MemoryLog, Owner},
};
use ramen_trials::{scenario, until::Until};

use crate::{merge::Merged, open::Log, retell::Tale};

/// What came of it.
pub struct Played {
    /// The logs that the operators left.
    pub merged: Merged,
    /// When each act was done, on the world's clock.
    pub acts: Vec<Time>,
    /// Where applications run at the end, by their names.
    pub runs: Vec<(String, Vec<String>)>,
    /// How many acknowledged writes are missing from the copies that serve, by application.
    pub lost: Vec<(String, u64)>,
    /// A rule that does not hold.
    pub violation: Option<String>,
}

/// Plays a scenario.
///
/// # Errors
/// When the text is none, which is an error of whoever wrote it.
pub fn play(text: &str, tale: &Tale) -> Result<Played> {
    let scenario = scenario::parse(text, Path::new("the retold scenario")).context("it is no scenario")?;
    let verdict = scenario::play_retold(&scenario).verdict;
    let mut logs = Vec::new();
    for (whose, disk) in verdict.logs() {
        let operator = if whose == "hub" { Operator::Hub } else { Operator::Spoke };
        let owner = Owner { operator, cluster: ClusterName(whose.clone()) };
        logs.push(Log::of(whose.into(), owner, Box::new(MemoryLog::open(&disk))));
    }
    logs.sort_by(|a, b| a.owner.cmp(&b.owner));
    let universe = &verdict.universe;
    let mut runs = Vec::new();
    let mut lost = Vec::new();
    for application in &tale.applications {
        let app = application.name.clone();
        let on = tale
            .clusters
            .iter()
            .filter(|cluster| Until::Runs { app: app.clone(), on: (*cluster).clone() }.holds(universe).is_ok());
        runs.push((app.clone(), on.cloned().collect()));
        let storage = universe.storage();
        let missing = storage.volumes_of(&app).map(|(handle, _)| storage.lost(handle)).sum();
        lost.push((app, missing));
    }
    Ok(Played {
        merged: Merged::read(logs)?,
        acts: verdict.acts.iter().map(|time| Time(time.millis())).collect(),
        runs,
        lost,
        violation: verdict.violation.as_ref().map(ToString::to_string),
    })
}
