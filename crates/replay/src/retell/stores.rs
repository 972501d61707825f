//! Which stores failed whom, and how: read off what became of requests to them.

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::{Command, Fact, Outcome, Payload, Time, hub, spoke};
use ramen_trials::happening::{Happening, StoreFault};

use super::{Place, Tale, Telling, Told};
use crate::moment::clock_text;

/// How often a request has to fail in a row, so that the store is at fault and not the moment.
const LEAST: usize = 2;

/// A request to a store.
struct Request {
    log: usize,
    profile: String,
    /// When it was made.
    time: Time,
    /// Where its outcome is recorded.
    record: Place,
    fault: Option<StoreFault>,
}

/// A store failed a log's operator from one request on, to another.
struct Spell {
    log: usize,
    profile: String,
    from: Time,
    until: Option<(Time, Place)>,
    record: Place,
    last: Time,
    fault: StoreFault,
    count: usize,
}

/// Reads it.
pub(super) fn read(telling: &Telling<'_>, tale: &mut Tale) {
    let requests = requests(telling);
    let profiles = profiles(telling);
    let mut told: BTreeSet<(String, Time)> = BTreeSet::new();
    for spell in spells(&requests).into_iter().filter(|spell| spell.count >= LEAST) {
        let end = spell.until.as_ref().map_or_else(|| telling.end(), |(until, _)| *until);
        let during = |request: &&Request| request.time >= spell.from && request.time < end;
        let serves_others = requests
            .iter()
            .filter(during)
            .any(|request| request.profile == spell.profile && request.log != spell.log && request.fault.is_none());
        let name = telling.merged.logs.get(spell.log).map_or("?", crate::open::Log::name).to_owned();
        let mut add =
            |time, what, record| tale.happenings.push(Told { time, what, record: Some(record), changed: false });
        if serves_others {
            let all = requests.iter().filter(during).filter(|request| request.log == spell.log);
            if !told.insert((name.clone(), spell.from)) || all.clone().any(|request| request.fault.is_none()) {
                tale.assumed.push(format!(
                    "store {} serves {name}: that it failed it from {} on, while it served others, is not retold",
                    spell.profile,
                    clock_text(spell.from)
                ));
                continue;
            }
            add(spell.from, Happening::StoreLink { cluster: name.clone(), profile: None, works: false }, spell.record);
            if let Some((until, record)) = spell.until {
                add(until, Happening::StoreLink { cluster: name, profile: None, works: true }, record);
            }
            continue;
        }
        let Some(cluster) = profiles.get(&spell.profile).filter(|cluster| tale.clusters.contains(cluster)) else {
            tale.assumed.push(format!("store {} works: it is that of no cluster", spell.profile));
            continue;
        };
        let profile = format!("s3-{cluster}");
        // Several operators see the same failure.
        if !told.insert((profile.clone(), Time(0))) && overlaps(&tale.happenings, &profile, spell.from) {
            continue;
        }
        let mut add =
            |time, what, record| tale.happenings.push(Told { time, what, record: Some(record), changed: false });
        add(spell.from, Happening::Store { profile: profile.clone(), fault: spell.fault }, spell.record);
        if let Some((until, record)) = spell.until {
            add(until, Happening::Store { profile: profile.clone(), fault: StoreFault::None }, record);
        }
        tale.assumed.push(format!(
            "{profile} fails from the first request that failed ({}) to the next that did not (the last that failed was at {})",
            clock_text(spell.from),
            clock_text(spell.last)
        ));
    }
    for (profile, cluster) in profiles.iter().filter(|(_, cluster)| tale.clusters.contains(cluster)) {
        let called = format!("s3-{cluster}");
        if *profile != called {
            tale.assumed.push(format!("store {profile} is called {called}"));
        }
    }
}

/// Whether a store is broken at a time, by what is told so far.
fn overlaps(happenings: &[Told], profile: &str, time: Time) -> bool {
    let of = happenings.iter().filter(|told| told.time <= time).filter_map(|told| match &told.what {
        Happening::Store { profile: of, fault } if of == profile => Some((told.time, *fault)),
        _ => None,
    });
    of.max_by_key(|(time, _)| *time).is_some_and(|(_, fault)| fault != StoreFault::None)
}

fn spells(requests: &[Request]) -> Vec<Spell> {
    let mut open: BTreeMap<(usize, &str), Spell> = BTreeMap::new();
    let mut closed = Vec::new();
    for request in requests {
        let key = (request.log, request.profile.as_str());
        match request.fault {
            None => {
                if let Some(mut spell) = open.remove(&key) {
                    spell.until = Some((request.time, request.record));
                    closed.push(spell);
                }
            }
            Some(fault) => {
                let spell = open.entry(key).or_insert_with(|| Spell {
                    log: request.log,
                    profile: request.profile.clone(),
                    from: request.time,
                    until: None,
                    record: request.record,
                    last: request.time,
                    fault,
                    count: 0,
                });
                spell.count += 1;
                spell.last = request.time;
            }
        }
    }
    closed.extend(open.into_values());
    closed.sort_by_key(|spell| spell.from);
    closed
}

fn requests(telling: &Telling<'_>) -> Vec<Request> {
    let mut requests = Vec::new();
    for (_, entry) in telling.all() {
        let Payload::Finished { id, outcome, .. } = &entry.record.payload else { continue };
        let made = telling.merged.commanded(*id).and_then(|at| telling.merged.entries.get(at));
        let Some(made) = made else { continue };
        let Payload::Commanded { command, .. } = &made.record.payload else { continue };
        let Some((profile, writes)) = store(command) else { continue };
        let fault = match outcome {
            Outcome::Unreachable { .. } => Some(StoreFault::Down),
            Outcome::Unknown { .. } => Some(StoreFault::Hanging),
            Outcome::Refused { code: 500.., .. } => Some(StoreFault::Erroring),
            Outcome::Refused { code: 403, reason, .. } if writes && reason != spoke::fence::OVERTAKEN => {
                Some(StoreFault::ReadOnly)
            }
            _ => None,
        };
        let record = (entry.log, entry.record.seq);
        requests.push(Request { log: entry.log, profile: profile.to_owned(), time: made.time, record, fault });
    }
    requests.sort_by_key(|request| request.time);
    requests
}

/// The store that a command asks, and whether it writes there.
fn store(command: &Command) -> Option<(&str, bool)> {
    match command {
        Command::Hub(hub::Command::ProbeStore { profile, .. } | hub::Command::FetchStoredVrg { profile, .. }) => {
            Some((&profile.name, false))
        }
        Command::Hub(_) => None,
        Command::Spoke(command) => spokes(command),
    }
}

fn spokes(command: &spoke::Command) -> Option<(&str, bool)> {
    use spoke::Command as C;
    match command {
        C::Upload { store, .. }
        | C::UploadVrg { store, .. }
        | C::DeleteStored { store, .. }
        | C::DeleteAllStored { store, .. } => Some((&store.name, true)),
        C::FetchStored { store, .. } => Some((&store.name, false)),
        C::Fenced { command, .. } => spokes(command),
        _ => None,
    }
}

/// The cluster whose store a profile is.
fn profiles(telling: &Telling<'_>) -> BTreeMap<String, String> {
    let clusters = telling.of(telling.hub).filter_map(|(_, entry)| match &entry.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::DrCluster(cluster))) => {
            Some((cluster.profile.clone(), cluster.meta.name.clone()))
        }
        _ => None,
    });
    clusters.collect()
}
