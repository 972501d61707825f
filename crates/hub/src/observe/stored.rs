//! Answers of stores.

use ramen_events::{
    Command,
    hub::{self, Fact, StoredVrgAnswer, StoredVrgFact},
};
use ramen_ports::{Answer, Observation, StoreAnswer};

use super::{observation, vrg};

/// What the answers to a command tell. Failures are folded from the command's outcome.
pub fn answers(command: &Command, answers: &[Answer]) -> Vec<Observation> {
    let Command::Hub(hub::Command::FetchStoredVrg { profile, key }) = command else { return Vec::new() };
    let told = answers.iter().find_map(|answer| match answer {
        Answer::Store(StoreAnswer::Absent) => Some(StoredVrgAnswer::Absent),
        Answer::Store(StoreAnswer::Object(object)) => {
            Some(vrg::stored(object).map_or_else(unreadable, StoredVrgAnswer::Found))
        }
        _ => None,
    });
    let fact = |answer| Fact::StoredVrg(StoredVrgFact { profile: profile.name.clone(), key: key.clone(), answer });
    told.map(fact).map(observation).into_iter().collect()
}

/// What is no VRG does not tell that there is none.
fn unreadable() -> StoredVrgAnswer {
    StoredVrgAnswer::Unknown { message: "what is stored is not a VolumeReplicationGroup".to_owned() }
}
