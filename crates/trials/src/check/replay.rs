//! A log says all: folded from its beginning it gives what the operator knows (S15, HS13, VS19).

use super::violated;
use crate::{run::Violation, universe::Universe};

/// Folds the logs of all operators and compares.
pub(super) fn look(universe: &Universe) -> Result<(), Violation> {
    match universe.unlike_its_log() {
        None => Ok(()),
        Some(whose) => violated(
            "S15 a log says all",
            format!("the log of the operator of {whose}, folded anew, gives another state than it has"),
        ),
    }
}
