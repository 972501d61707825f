//! Copies that a write of somebody else's may overtake, looks at what such writes left, and copies that can't be stored.

use ramen_api::ramen::wire::{annotation, condition};
use ramen_events::{
    BlobId, Command as AnyCommand, ConditionStatus, Kind, ObjectId, Outcome, Time,
    spoke::{Command, Fact, Fence, Role, StoredSet, Vrg, VrgStatus},
};

use super::{
    lab::{Lab, NOW, key, pv, replication, stored},
    unfinished::settled,
};
use crate::{
    DECIDER_VERSION,
    domain::{Change, Decision, Domain as _, Wanted},
    flights::Clearance,
};

/// What goes to stores, by slot.
fn stores(decision: &Decision) -> Vec<&Wanted> {
    decision.commands.iter().filter(|wanted| wanted.slot.starts_with("store/")).collect()
}

/// Carries out what goes to stores at a moment, and tells in which slots that was.
fn store(lab: &mut Lab, seconds: u64) -> Vec<String> {
    let decision = lab.decide_after(seconds, &lab.decide().position.expect("it stands somewhere"));
    for wanted in stores(&decision) {
        lab.fly(wanted, NOW.plus_seconds(seconds), &Outcome::Done);
    }
    stores(&decision).iter().map(|wanted| wanted.slot.clone()).collect()
}

/// All copies of a lab: of its claim and of its VRG, in two stores.
const ALL: [&str; 4] = ["store/s3-1/app/data", "store/s3-2/app/data", "store/s3-1/vrg", "store/s3-2/vrg"];

/// A primary whose claim is noted as stored, so that its VRG is stored with it.
fn noted() -> Lab {
    let mut lab = Lab::new(Role::Primary, "");
    lab.change_pvc(|pvc| {
        pvc.annotations.insert(annotation::ARCHIVED.into(), pvc.spec_hash.clone());
    });
    let mut noted = pv("data");
    noted.annotations.insert(annotation::ARCHIVED.into(), format!("archiveV1-{}", noted.generation));
    lab.learn(Fact::Pv(Box::new(noted)));
    lab
}

/// Stores everything for the first time: its claim, and then its VRG.
fn first(lab: &mut Lab) -> Vec<String> {
    let mut slots = store(lab, 0);
    slots.extend(store(lab, 0));
    sorted(slots)
}

fn sorted(mut slots: Vec<String>) -> Vec<String> {
    slots.sort();
    slots
}

fn all() -> Vec<String> {
    sorted(ALL.map(str::to_owned).to_vec())
}

#[test]
fn what_is_stored_right_after_a_start_is_stored_once_more() {
    let mut lab = Lab { started: NOW, ..noted() };
    assert_eq!(first(&mut lab), all());
    assert_eq!(store(&mut lab, 59), Vec::<String>::new());
    assert_eq!(sorted(store(&mut lab, 61)), all(), "a write of the process before may have come after it");
    assert_eq!(store(&mut lab, 62), Vec::<String>::new());
    // Another start finds what the one before stored twice: nothing is on its way.
    lab.flights = crate::Flights::default();
    lab.started = NOW.plus_seconds(70);
    assert_eq!(store(&mut lab, 140), Vec::<String>::new());
}

#[test]
fn what_is_stored_later_is_stored_once() {
    let mut lab = Lab { started: Time(NOW.0 - 120_000), ..noted() };
    assert_eq!(first(&mut lab), all());
    assert_eq!(store(&mut lab, 61), Vec::<String>::new());
}

#[test]
fn a_store_that_fails_at_the_second_time_is_asked_again() {
    let mut lab = Lab { started: NOW, ..noted() };
    first(&mut lab);
    let decision = lab.decide_after(61, &lab.decide().position.expect("it stands somewhere"));
    for wanted in stores(&decision) {
        let outcome = match wanted.slot.as_str() {
            "store/s3-1/vrg" => Outcome::Unreachable { message: "no route to host".into() },
            _ => Outcome::Done,
        };
        lab.fly(wanted, NOW.plus_seconds(61), &outcome);
    }
    assert_eq!(store(&mut lab, 90), ["store/s3-1/vrg"]);
    assert_eq!(store(&mut lab, 120), Vec::<String>::new());
}

#[test]
fn a_process_that_was_primary_before_stores_twice_after_a_failover_all_the_same() {
    let mut lab = Lab { started: Time(NOW.0 - 600_000), ..noted() };
    for slot in ALL {
        // Of the time when the VRG was primary last, right after the start.
        let wanted = Wanted { slot: slot.to_owned(), command: lab.decide().commands[0].command.clone() };
        lab.depart(&wanted, lab.started);
        let id = lab.flights.last(&lab.aggregate, slot).expect("it just became one").id;
        lab.flights.arrive(&lab.aggregate, slot, id, &Outcome::Done, lab.started);
    }
    let mut restored = lab.spoke.vrgs[&key("app")].status.clone();
    lab.change_fenced(|vrg| (vrg.spec.action, vrg.status) = ("Failover".into(), None));
    for profile in ["s3-1", "s3-2"] {
        // Nothing that would have to be restored. The status tells of that a moment later only.
        lab.learn(Fact::Stored(Box::new(StoredSet { copy: None, ..stored(profile, &[]) })));
    }
    let mut slots = store(&mut lab, 0);
    assert_eq!(sorted(slots.clone()), ALL[..2], "the claim is stored as soon as it is there");
    restored.iter_mut().flat_map(|status| &mut status.conditions).for_each(|told| told.since = NOW);
    lab.change_fenced(|vrg| vrg.status = restored);
    slots.extend(store(&mut lab, 1));
    slots.extend(store(&mut lab, 1));
    assert_eq!(sorted(slots), all());
    let mut again = store(&mut lab, 62);
    again.extend(store(&mut lab, 63));
    assert_eq!(sorted(again), all(), "the old home may have had writes on their way");
}

#[test]
fn a_primary_looks_at_its_stores_a_minute_after_it_became_one_and_after_each_start() {
    let mut lab = Lab { started: Time(NOW.0 - 600_000), ..settled() };
    lab.became_primary(NOW);
    let position = lab.decide().position.expect("it stands somewhere");
    assert_eq!(position.step, "", "{position:?}");
    let looks = |lab: &mut Lab, seconds: u64| {
        let decision = lab.decide_after(seconds, &position);
        let wanted: Vec<_> = decision.commands.iter().filter(|wanted| wanted.slot.starts_with("look/")).collect();
        wanted.iter().for_each(|wanted| lab.fly(wanted, NOW.plus_seconds(seconds), &Outcome::Done));
        wanted.len()
    };
    assert_eq!([0, 59, 61, 62, 900, 962].map(|at| looks(&mut lab, at)), [0, 0, 2, 0, 0, 2]);
    lab.flights = crate::Flights::default();
    lab.started = NOW.plus_seconds(5_000);
    assert_eq!([5_001, 5_059, 5_061, 5_062].map(|at| looks(&mut lab, at)), [0, 0, 2, 0]);
}

#[test]
fn a_copy_of_the_vrg_that_is_refused_stays_told_as_such_while_it_changes() {
    let mut lab = noted();
    store(&mut lab, 0);
    let refused = Outcome::Refused { code: 403, reason: "AccessDenied".into(), message: "no".into() };
    let upload = |decision: &Decision| {
        decision.commands.iter().find(|wanted| wanted.slot == "store/s3-1/vrg").cloned().expect("it is to be stored")
    };
    let decision = lab.decide();
    for wanted in stores(&decision) {
        lab.fly(wanted, NOW, if wanted.slot == "store/s3-1/vrg" { &refused } else { &Outcome::Done });
    }
    let wait = lab.wait();
    assert!(wait.contains("AccessDenied"), "{wait}");
    let position = lab.decide().position.expect("it stands somewhere");
    let told = lab.status_later();
    lab.change_vrg(|vrg| vrg.status = told);
    let before = upload(&lab.decide_after(1, &position));
    assert_eq!(upload(&lab.decide_after(3, &position)), before, "time alone makes no other copy");
    lab.change_vrg(|vrg| {
        if let Some(status) = &mut vrg.status {
            status.last_update = Some(NOW.plus_seconds(2));
        }
    });
    let changed = upload(&lab.decide_after(3, &position));
    assert_ne!(changed.command, before.command);
    let cleared = |milliseconds: u64| {
        let wanted = (&changed.command, BlobId::of(&changed.command.bytes()));
        lab.flights.clearance(&lab.aggregate, &changed.slot, wanted, (NOW.plus_ms(milliseconds), DECIDER_VERSION))
    };
    assert_eq!([cleared(249), cleared(250)], [Clearance::NotBefore(NOW.plus_ms(250)), Clearance::Go]);
    lab.depart(&changed, NOW.plus_seconds(3));
    let told = lab.decide_after(3, &position).position.and_then(|position| position.wait).map(|wait| wait.what);
    assert_eq!(told.as_deref(), Some(wait.as_str()), "it is tried again, and nothing is news");
}

#[test]
fn that_the_copy_is_stored_starts_no_new_wait_for_volumes() {
    let mut lab = noted();
    first(&mut lab);
    let mut failing = replication("data", Role::Primary);
    failing.conditions.iter_mut().for_each(|told| told.status = ConditionStatus::False);
    lab.learn(Fact::VolumeReplication(Box::new(failing)));
    let told = lab.status_later().expect("the volume fails");
    lab.change_vrg(|vrg| {
        let mut told = told.clone();
        told.conditions.iter_mut().for_each(|told| told.since = Time(NOW.0 - 20_000));
        vrg.status = Some(told);
    });
    let decision = lab.decide();
    for wanted in stores(&decision) {
        lab.fly(wanted, NOW, &Outcome::Done);
    }
    let protected = |status: &VrgStatus| status.condition(condition::CLUSTER_DATA_PROTECTED).map(|told| told.status);
    let told = lab.status_later().expect("its copy is stored as it is");
    assert_eq!(protected(&told), Some(ConditionStatus::True));
    lab.change_vrg(|vrg| {
        let before = vrg.status.replace(told.clone()).expect("it had one");
        let others = vrg.status.iter_mut().flat_map(|status| &mut status.conditions).zip(before.conditions);
        others
            .filter(|(told, _)| told.kind != condition::CLUSTER_DATA_PROTECTED)
            .for_each(|(told, old)| told.since = old.since);
    });
    assert_eq!(lab.status_later().as_ref().and_then(protected), None, "it is as it was told a moment ago");
}

/// What a status says of copies: whether all is stored, and in which words.
fn of_copies(told: Option<VrgStatus>) -> Option<(ConditionStatus, String)> {
    let told = told?.condition(condition::CLUSTER_DATA_PROTECTED)?.clone();
    Some((told.status, told.message))
}

#[test]
fn a_claim_that_waits_for_a_store_to_delete_its_copies_is_told_of() {
    let mut lab = noted();
    first(&mut lab);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    assert!(
        of_copies(lab.status_later()).is_none_or(|(status, _)| status == ConditionStatus::True),
        "nothing failed yet"
    );
    for wanted in stores(&lab.decide_later()).into_iter().filter(|wanted| wanted.command.name() == "DeleteStored") {
        let down = Outcome::Unreachable { message: "no route to host".into() };
        let outcome = if wanted.slot.contains("s3-2") { down } else { Outcome::Done };
        lab.fly(wanted, NOW.plus_seconds(60), &outcome);
    }
    let (status, told) = of_copies(lab.status_later()).expect("it is told");
    assert_eq!(status, ConditionStatus::False);
    assert!(
        told.contains("data: its copies are to be deleted before it may go: S3 profile \"s3-2\": no route"),
        "{told}"
    );
    assert!(!told.contains("s3-1"), "{told}");
}

#[test]
fn a_home_that_lost_the_secret_of_a_store_says_so_though_nothing_is_to_be_stored() {
    let mut lab = noted();
    first(&mut lab);
    assert!(of_copies(lab.status_later()).is_none_or(|(status, _)| status == ConditionStatus::True), "all is stored");
    lab.spoke.apply(NOW, Change::Gone(&ObjectId::new(Kind::Secret, "system", "s3-2")));
    let (status, told) = of_copies(lab.status_later()).expect("it is told");
    assert_eq!(status, ConditionStatus::False);
    assert!(told.contains("Secret system/s3-2 of S3 profile \"s3-2\" is missing: create it"), "{told}");
}

impl Lab {
    /// The VRG changes, and has an epoch.
    fn change_fenced(&mut self, change: impl FnOnce(&mut Vrg)) {
        let mut vrg = Box::new(self.spoke.vrgs[&key("app")].clone());
        change(&mut vrg);
        let fence = Fence { epoch: 1, cluster: "c2".into(), drpc_uid: "drpc-uid".into() };
        self.learn(Fact::FencedVrg { vrg, fence });
    }

    /// The status that is to be written a minute later.
    fn status_later(&self) -> Option<VrgStatus> {
        self.decide_later().commands.into_iter().find_map(|wanted| match wanted.command {
            AnyCommand::Spoke(Command::WriteVrgStatus { status, .. }) => Some(*status),
            _ => None,
        })
    }

    /// The VRG was restored at that moment.
    pub fn became_primary(&mut self, at: Time) {
        self.change_vrg(|vrg| {
            let told = vrg.status.iter_mut().flat_map(|status| &mut status.conditions);
            told.filter(|told| told.kind == condition::CLUSTER_DATA_READY).for_each(|told| told.since = at);
        });
    }
}
