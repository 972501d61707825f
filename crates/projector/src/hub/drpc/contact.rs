//! First contact: before a new DRPC acts, or one whose hub lost its memory, each cluster is asked what it has (spec
//! drpc 7). An answer that is missing is never taken for "nothing there" (10, P14 and P16; S11).

use ramen_events::{
    ActionId, Command, Position, Time, Wait,
    hub::{self, StoredVrg, StoredVrgAnswer},
};

use crate::domain::Decision;

use super::{
    Drpc,
    action::Action,
    adoption, epoch,
    gather::copy_key,
    report::{Shut, Stage},
    site::Site,
    status, views,
};

/// Name of what comes before the runbooks, in positions.
const CONTACT: &str = "contact";
/// How long a cluster may take to answer, in seconds, before it counts as out of reach.
const PATIENCE: u64 = 30;
/// Pause before a store that could not be read is asked again, in seconds.
const STORE_PAUSE: u64 = 30;

/// The first version of the deciders that knows that VRGs keep the action of a DRPC whose action was cleared.
const KEPT_SINCE: u32 = 3;

/// The first version that tells by the epochs which of two primaries has the application.
const LATER_SINCE: u32 = 4;

/// The first version that asks clusters before a DRPC is deleted of which it knows nothing.
const BEFORE_DELETION_SINCE: u32 = 4;

/// What follows from the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Act.
    Continue,
    /// A failover may be asked for; nothing is done by itself.
    AllowFailover(String),
    /// A person has to look.
    Stop(String),
    /// Stores have to be asked first.
    AskStores,
}

/// Whether the DRPC may act; `None` when it may.
pub fn check(drpc: &Drpc, decision: &mut Decision) -> Option<Stage> {
    if !is_needed(drpc) {
        return None;
    }
    let silent: Vec<&Site> = drpc.listed_sites().iter().filter(|site| !site.has_answered()).collect();
    let mut position = position(drpc);
    let since = drpc.since(&position);
    let deadline = since.plus_seconds(PATIENCE);
    let all_silent = silent.len() == drpc.listed_sites().len();
    let hopeful = silent.iter().any(|site| !site.lost) && drpc.now < deadline;
    if all_silent || hopeful {
        if hopeful {
            decision.ask_again(deadline, "clusters that have not answered count as out of reach");
        }
        let wait = waiting_for(&silent);
        let sentence = wait.sentence(since) + &drpc.last_failure();
        position.wait = Some(wait);
        decision.position = Some(position);
        return Some(Stage::Contacting(Shut { progression: "", sentence, since }));
    }
    let verdict = judge(drpc, &silent, since);
    let wait = |what: &str, remedy: &str| Some(Wait { what: what.into(), on: None, remedy: remedy.into() });
    let stage = match verdict {
        Verdict::Continue => return None,
        Verdict::AskStores => {
            ask_stores(drpc, since, decision);
            position.wait = wait("the stores to tell which cluster had the application", "");
            let sentence = position.wait.as_ref().map(|wait| wait.sentence(since)).unwrap_or_default();
            Stage::Contacting(Shut { progression: "", sentence, since })
        }
        Verdict::AllowFailover(why) => {
            position.wait = wait("a person to decide", &why);
            Stage::Paused { failover_allowed: true, why }
        }
        Verdict::Stop(why) => {
            position.wait = wait("a person to decide", &why);
            retry_stores(drpc, decision);
            Stage::Paused { failover_allowed: false, why }
        }
    };
    decision.position = Some(position);
    Some(stage)
}

/// What clusters have of a DRPC that is to be deleted is found out first, as before it acts: a hub that was rebuilt knows of
/// nothing that would have to go, and volumes and copies would be left to whoever finds them. A cluster that OCM lost is
/// waited for, as it is where the hub knows of a VRG there. `None` when the deletion may go on.
pub fn before_deletion(drpc: &Drpc, decision: &mut Decision) -> Option<Stage> {
    // Once it began, works and views go. The log may have lost that; then the DRPC says it.
    let is_told = drpc.decider >= status::TOLD_SINCE && status::takes_apart(&drpc.fact.status);
    let has_begun = is_told || drpc.position.as_ref().is_some_and(|position| position.runbook == "deletion");
    // What clusters have under its name belongs to another one, if there is one: it has nothing of its own.
    if drpc.decider < BEFORE_DELETION_SINCE || has_begun || drpc.namesake.is_some() {
        return None;
    }
    let mut position = position(drpc);
    let since = drpc.since(&position);
    views::ensure(drpc, decision);
    // What a cluster said before it was lost still holds: only this hub gives it a VRG.
    let is_known = |site: &Site| site.work.is_some() || site.vrg.is_told_of();
    let is_silent = |site: &&Site| site.has_cluster && site.is_managed && !is_known(site);
    let silent: Vec<&Site> = drpc.listed_sites().iter().filter(is_silent).collect();
    let wait = if !silent.is_empty() {
        let mut wait = waiting_for(&silent);
        wait.remedy += "; if it is gone for good, delete its ManagedCluster";
        wait
    } else if adoption::adopt(drpc, decision) {
        let remedy = "look whether the hub may write ManifestWorks";
        Wait { what: "VolumeReplicationGroups of before to be taken over".into(), on: None, remedy: remedy.into() }
    } else {
        return None;
    };
    let sentence = wait.sentence(since) + &drpc.last_failure();
    position.wait = Some(wait);
    decision.position = Some(position);
    Some(Stage::Deleting(Some(Shut { progression: "", sentence, since })))
}

/// Where a DRPC stands while clusters are asked.
fn position(drpc: &Drpc) -> Position {
    Position {
        runbook: CONTACT.into(),
        // Asking for another action does not make silent clusters speak.
        action: ActionId(CONTACT.into()),
        step: "FirstContact".into(),
        wait: None,
        since: drpc.now,
    }
}

/// Nothing was reported yet, or a person was asked; and no runbook was begun.
pub fn is_needed(drpc: &Drpc) -> bool {
    let phase = drpc.fact.status.phase.as_str();
    let begun = drpc.position.as_ref().is_some_and(|p| !matches!(p.runbook.as_str(), CONTACT | "deletion"));
    matches!(phase, "" | "WaitForUser") && !begun
}

fn waiting_for(silent: &[&Site]) -> Wait {
    let on = match silent {
        [one] => Some(one.name.clone()),
        _ => None,
    };
    let lost: Vec<&str> = silent.iter().filter(|site| site.lost).map(|site| site.name.as_str()).collect();
    let remedy = if lost.is_empty() {
        "look whether the cluster's agents run".to_owned()
    } else {
        format!("bring back {}", lost.join(", "))
    };
    Wait { what: "each cluster to tell whether it has a VolumeReplicationGroup".into(), on, remedy }
}

/// The rules, in order; the first that matches wins.
pub fn judge(drpc: &Drpc, silent: &[&Site], since: Time) -> Verdict {
    let action = drpc.fact.spec.action.as_str();
    let destination = match drpc.action() {
        Action::Failover => drpc.fact.spec.failover.as_str(),
        Action::Deploy => drpc.found_home().unwrap_or(&drpc.fact.spec.preferred),
        Action::Relocate => drpc.fact.spec.preferred.as_str(),
    };
    let failed = silent.first().map(|site| site.name.as_str());
    let reachable = failed != Some(destination);
    if drpc.fact.status.phase == "WaitForUser" && drpc.action() == Action::Failover && reachable {
        return Verdict::Continue; // 3
    }
    let seen: Vec<&Site> = drpc.listed_sites().iter().filter(|site| site.vrg.is_present()).collect();
    let primaries = || seen.iter().filter(|site| site.vrg.is_asked_primary());
    // Of two, the later one has the application.
    let primary =
        if drpc.decider >= LATER_SINCE { epoch::latest(primaries().copied()) } else { primaries().next().copied() };
    let Some(picked) = primary.or(seen.first().copied()) else {
        return match failed {
            None => Verdict::Continue,                                                 // 2
            Some(failed) => judge_copies(drpc, destination, failed, reachable, since), // 4, 5, 6
        };
    };
    let told = picked.vrg.seen().map(|seen| seen.manifest.spec.action.as_str()).unwrap_or_default();
    // A VRG keeps its action when that of the DRPC is cleared: the application stays where it is.
    let cleared = action.is_empty() && primaries().count() == 1 && failed.is_none() && drpc.decider >= KEPT_SINCE;
    let same_action = told == action || cleared;
    let at = &picked.name;
    match failed {
        Some(failed) if primary.is_some() && at.0 == destination => {
            if same_action {
                return Verdict::Continue; // 7
            }
            Verdict::Stop(format!(
                "cluster {failed} does not answer, and cluster {at} runs the application for action \"{told}\" rather \
                 than \"{action}\"; bring {failed} back, or set spec.action to \"{told}\""
            ))
        }
        Some(failed) => Verdict::AllowFailover(format!(
            "cluster {failed} does not answer and may run the application; bring it back, or set spec.action to \
             Failover and spec.failoverCluster to a cluster that answers"
        )), // 8
        // A failover names the cluster to go on with; nothing else tells which one that is.
        None if primary.is_none() && seen.len() > 1 && drpc.action() == Action::Failover => Verdict::Continue,
        None if primary.is_none() && seen.len() > 1 => Verdict::Stop(
            "all clusters are secondary, so a move was under way when the hub lost its memory; set spec.action to \
             Failover and spec.failoverCluster to the cluster with the newer data"
                .into(),
        ), // 9
        // What was under way goes on from where it stands: the runbooks read off how far it got.
        None if same_action => Verdict::Continue, // 10
        None if told.is_empty() && drpc.decider >= KEPT_SINCE => Verdict::AllowFailover(format!(
            "cluster {at} runs the application for no action rather than for \"{action}\"; clear spec.action, or set \
             spec.action to Failover and spec.failoverCluster to the cluster to run it"
        )),
        None if drpc.decider >= LATER_SINCE && !told.is_empty() => {
            let field = if told == "Relocate" { "spec.preferredCluster" } else { "spec.failoverCluster" };
            Verdict::AllowFailover(format!(
                "cluster {at} runs the application for action \"{told}\" rather than \"{action}\"; to leave it there, \
                 set spec.action to {told} and {field} to {at}"
            ))
        }
        None => Verdict::AllowFailover(format!(
            "cluster {at} runs the application for action \"{told}\" rather than \"{action}\"; set spec.action to \
             \"{told}\", or to Failover with spec.failoverCluster"
        )),
    }
}

/// No VRG was seen, and a cluster did not answer: stores may know whether it had one.
fn judge_copies(drpc: &Drpc, destination: &str, failed: &str, reachable: bool, since: Time) -> Verdict {
    if drpc.copies.iter().any(|(_, copy)| copy.as_ref().is_none_or(|copy| copy.at < since)) {
        return Verdict::AskStores;
    }
    let answers: Vec<&StoredVrgAnswer> =
        drpc.copies.iter().filter_map(|(_, copy)| copy.as_ref()).map(|copy| &copy.fact.answer).collect();
    let found = answers.iter().filter_map(|answer| match answer {
        StoredVrgAnswer::Found(copy) if copy.state == "primary" => Some(copy),
        _ => None,
    });
    if let Some(copy) = found.max_by_key(|copy| copy.last_update) {
        return judge_copy(drpc, copy, destination, failed, reachable);
    }
    let answered = answers.iter().any(|answer| !matches!(answer, StoredVrgAnswer::Unknown { .. }));
    if !answered {
        return Verdict::Stop(format!(
            "cluster {failed} does not answer and no store could be read, so nobody knows whether it runs the \
             application; bring {failed} or a store back"
        ));
    }
    if reachable {
        return Verdict::Continue;
    }
    Verdict::Stop(format!("cluster {failed}, where the application is to run, does not answer; bring it back"))
}

fn judge_copy(drpc: &Drpc, copy: &StoredVrg, destination: &str, failed: &str, reachable: bool) -> Verdict {
    if copy.action == drpc.fact.spec.action && copy.destination == destination && reachable {
        return Verdict::Continue;
    }
    let home = &copy.destination;
    Verdict::AllowFailover(format!(
        "cluster {failed} does not answer, and the newest copy in a store says that the application ran on {home}; \
         bring {failed} back, or set spec.action to Failover and spec.failoverCluster to a cluster that answers"
    ))
}

/// Asks each store that has not answered since contact began.
fn ask_stores(drpc: &Drpc, since: Time, decision: &mut Decision) {
    for (profile, copy) in &drpc.copies {
        if copy.as_ref().is_none_or(|copy| copy.at < since) {
            decision.want(format!("copy/{}", profile.name), fetch(drpc, profile));
        }
    }
}

/// Asks stores that could not be read again, now and then.
fn retry_stores(drpc: &Drpc, decision: &mut Decision) {
    for (profile, copy) in &drpc.copies {
        let Some(copy) = copy.as_ref().filter(|c| matches!(c.fact.answer, StoredVrgAnswer::Unknown { .. })) else {
            continue;
        };
        let due = copy.at.plus_seconds(STORE_PAUSE);
        if due <= drpc.now {
            decision.want(format!("copy/{}", profile.name), fetch(drpc, profile));
        } else {
            decision.ask_again(due, format!("store {} could not be read", profile.name));
        }
    }
}

fn fetch(drpc: &Drpc, profile: &hub::Profile) -> Command {
    let key = copy_key(&drpc.vrg_namespace, &drpc.key.name);
    Command::Hub(hub::Command::FetchStoredVrg { profile: profile.clone(), key })
}
