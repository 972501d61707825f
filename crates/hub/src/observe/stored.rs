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
        Answer::Store(StoreAnswer::Object(object)) => Some(StoredVrgAnswer::Found(vrg::stored(object))),
        _ => None,
    });
    let fact = |answer| Fact::StoredVrg(StoredVrgFact { profile: profile.name.clone(), key: key.clone(), answer });
    told.map(fact).map(observation).into_iter().collect()
}
