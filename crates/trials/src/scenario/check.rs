//! Reads a scenario and refuses what cannot be meant.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_saphyr::Location;

use super::{Application, Entry, Scenario, bounds, names::Names, words};
use crate::happening::Happening;

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
    let text = std::fs::read_to_string(path).map_err(|err| Error::Read { path: path.to_owned(), err })?;
    parse(&text, path)
}

/// Reads a scenario from text; `path` is what it is called in errors.
///
/// # Errors
/// [`Error`].
pub fn parse(text: &str, path: &Path) -> Result<Scenario, Error> {
    let refused = |place: Option<Location>, what| match place {
        Some(at) => Error::Place { path: path.to_owned(), line: at.line(), column: at.column(), what },
        None => Error::Form { path: path.to_owned(), what },
    };
    let scenario: Scenario = serde_saphyr::from_str(text).map_err(|err| {
        let (place, what) = words::of(&err, path);
        refused(place, what)
    })?;
    check(&scenario).map_err(|(at, what)| refused(Some(at), what))?;
    Ok(scenario)
}

/// Where something cannot be meant, and why.
pub(super) type Wrong = (Location, String);

/// What files call it.
pub(super) fn word(named: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(named).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn check(scenario: &Scenario) -> Result<(), Wrong> {
    // Bounds first: what names are checked against is counted out.
    bounds::world(&scenario.world)?;
    scenario.happenings().try_for_each(bounds::happening)?;
    applications(&scenario.applications)?;
    scenario.timeline.iter().try_for_each(|at| entry(&at.value))?;
    scenario.mishaps.iter().try_for_each(bounds::mishap)?;
    Names::of(scenario).check(scenario)?;
    order(scenario)
}

fn applications(applications: &[Application]) -> Result<(), Wrong> {
    let mut others = BTreeSet::new();
    for application in applications {
        let name = &application.name;
        bounds::name("an application", &name.value, name.referenced)?;
        if !others.insert(&name.value) {
            return Err((name.referenced, format!("there are two applications {:?}", name.value)));
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
            Err((within.referenced, format!("within stands beside patience: {how}; leave one of them out")))
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
            return Err((what.referenced, format!("{app} is deployed already: {what_else}")));
        }
        if !there.contains(app) {
            return Err((
                what.referenced,
                format!("{app} is not there yet: its deploy comes later, put it before this"),
            ));
        }
    }
    Ok(())
}
