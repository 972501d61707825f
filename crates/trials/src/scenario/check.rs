//! Reads a scenario and refuses what cannot be meant.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_saphyr::{Location, Spanned};

use super::{Application, Entry, Scenario, bounds, names::Names, place::Wrong, words};
use crate::{happening::Happening, universe::Rebuilt};

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        err: std::io::Error,
    },
    /// It is not written as a scenario is, as a whole.
    #[error("{}: {what}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Something in it cannot be meant: it is not written so, names what the world does not have, or is too much.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Place {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: u64,
        /// Where.
        column: u64,
        /// What is wrong, and what can be written instead.
        what: String,
    },
}

/// Reads a scenario from a file.
///
/// # Errors
/// [`Error`].
pub fn read(path: &Path) -> Result<Scenario, Error> {
    if path.is_dir() {
        let what = format!("that is a folder: name its files, as {}/*.yaml does", path.display());
        return Err(Error::Form { path: path.to_owned(), what });
    }
    let text = std::fs::read_to_string(path).map_err(|err| Error::Read { path: path.to_owned(), err })?;
    parse(&text, path)
}

/// Reads a scenario from text; `path` is what it is called in errors.
///
/// # Errors
/// [`Error`].
pub fn parse(text: &str, path: &Path) -> Result<Scenario, Error> {
    let refused = |place: Option<(u64, u64)>, what| match place {
        Some((line, column)) => Error::Place { path: path.to_owned(), line, column, what },
        None => Error::Form { path: path.to_owned(), what },
    };
    let scenario: Scenario = serde_saphyr::from_str(text).map_err(|err| {
        let (place, what) = words::of(&err, text, path);
        refused(place, what)
    })?;
    check(&scenario).map_err(|wrong| refused(wrong.place(text), wrong.what))?;
    Ok(scenario)
}

/// What files call it.
pub(super) fn word(named: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(named).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn check(scenario: &Scenario) -> Result<(), Wrong> {
    if scenario.applications.is_empty() && scenario.timeline.is_empty() {
        let what = "nothing can happen: there are neither applications nor a timeline, write one of them";
        return Err(Wrong::at(Location::UNKNOWN, what));
    }
    // Bounds first: what names are checked against is counted out.
    bounds::world(&scenario.world)?;
    scenario.happenings().try_for_each(bounds::happening)?;
    applications(&scenario.applications)?;
    scenario.timeline.iter().try_for_each(|at| entry(&at.value))?;
    scenario.mishaps.iter().try_for_each(bounds::mishap)?;
    Names::of(scenario).check(scenario)?;
    order(scenario)?;
    backups(scenario)
}

fn applications(applications: &[Application]) -> Result<(), Wrong> {
    let mut others = BTreeSet::new();
    for application in applications {
        let name = &application.name;
        bounds::name("an application", &name.value, name.referenced)?;
        if !others.insert(&name.value) {
            let what = format!("there are two applications {:?}: give this one another name", name.value);
            return Err(Wrong::at(name.referenced, what));
        }
        let claims = &application.claims;
        bounds::number("claims", &claims.value, &bounds::CLAIMS, claims.referenced)?;
    }
    Ok(())
}

fn entry(entry: &Entry) -> Result<(), Wrong> {
    match (&entry.within, entry.patience) {
        (Some(within), Some(_)) => {
            let how = "within fails when the time is over, patience goes on";
            Err(Wrong::at(within.referenced, format!("within stands beside patience: {how}; leave one of them out")))
        }
        _ => Ok(()),
    }
}

/// Nothing is deployed twice by mistake, and the timeline does nothing with an application before it is deployed.
fn order(scenario: &Scenario) -> Result<(), Wrong> {
    let mut there: BTreeSet<&str> = scenario.applications.iter().map(|app| app.name.value.as_str()).collect();
    // When a fault strikes between two entries is not known: what it deploys may be there from the beginning.
    let timed = scenario.faults.iter().flat_map(|fault| &fault.what);
    let timed = timed.filter(|what| matches!(what.value, Happening::Deploy { .. }));
    for what in timed.chain(scenario.timeline.iter().flat_map(|entry| &entry.value.what)) {
        let Some(app) = what.value.app() else { continue };
        // Under a policy that is named it may come once more, with claims on the storage for that.
        let again = matches!(what.value, Happening::Deploy { under: Some(_), .. });
        let deploys = matches!(what.value, Happening::Deploy { .. });
        if deploys && !there.insert(app) && !again {
            let what_else =
                "give this one another name, or, for further claims on other storage, name a policy with under";
            return Err(Wrong::at(what.referenced, format!("{app} is deployed already: {what_else}")));
        }
        if !there.contains(app) {
            return Err(Wrong::at(
                what.referenced,
                format!("{app} is not there yet: its deploy comes later, put it before this"),
            ));
        }
    }
    Ok(())
}

/// The hub is rebuilt from a backup only after one was made. What faults and the timeline do of it has no order among each
/// other.
fn backups(scenario: &Scenario) -> Result<(), Wrong> {
    let mut faults: Vec<_> =
        scenario.faults.iter().flat_map(|fault| fault.what.iter().map(|what| (fault.at, what))).collect();
    faults.sort_by_key(|(at, _)| *at);
    let timed: Vec<_> = faults.into_iter().map(|(_, what)| what).collect();
    let told: Vec<_> = scenario.timeline.iter().flat_map(|entry| &entry.value.what).collect();
    let backs_up = |all: &[&Spanned<Happening>]| all.iter().any(|what| matches!(what.value, Happening::BackUpHub));
    for (these, others) in [(&told, &timed), (&timed, &told)] {
        let mut backed_up = backs_up(others);
        for what in these {
            match &what.value {
                Happening::BackUpHub => backed_up = true,
                Happening::RebuildHub { from: Rebuilt::Backup } if !backed_up => {
                    let why = "the hub is rebuilt from a backup before anything backs it up: do back-up-hub in an earlier entry";
                    return Err(Wrong::at(what.referenced, why));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
