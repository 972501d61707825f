//! What must hold for the data itself, as the storage counts it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ramen_api::ramen::wire::label;
use ramen_sim::{
    agents::object::label as label_of,
    api_server::{kinds::TypeName, object},
    apps::Application,
    kinds,
    storage::{Line, Role, Storage},
    time::Time,
};
use serde_json::Value;

use super::{
    all, handle_of, one,
    placed::{homes, vrg_of},
    text, type_name, violated, vrg,
};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// What was seen of each volume last.
#[derive(Default)]
pub(super) struct Data {
    volumes: BTreeMap<String, Seen>,
    /// Where a failover asks for a primary, by cluster and namespace; once it does not any more, until when it did.
    failovers: BTreeMap<(String, String), Option<Time>>,
    /// Where each application is asked to fail over to, once the hub has asked that cluster.
    returns: BTreeMap<String, String>,
    /// Since when a VRG asks for a primary, by cluster and namespace; once it does not any more, until when it did.
    primaries: BTreeMap<(String, String), (Time, Option<Time>)>,
    /// How often the hub had forgotten where applications run, at the last look.
    forgot: u32,
}

/// How long a promotion that a failover asked for may still be on its way when something else is asked.
const UNDER_WAY: Duration = Duration::from_secs(10);

#[derive(Default, Clone)]
struct Seen {
    forced: usize,
    /// Its claim was taken out of the application: its data are the users' to throw away, also when they take in a claim of
    /// the same name again.
    given_up: bool,
    /// The hub was rebuilt without its placement decisions while nothing protected the volume, nor has since: nobody could
    /// tell where its application ran.
    forgotten: bool,
    /// A copy of it once was replicated.
    replicated: bool,
    /// It never was replicated when a failover took its application elsewhere: a failover gives up what nobody copied.
    passed_by: bool,
    /// Where it is primary, and since when.
    primary: BTreeMap<String, Time>,
    /// Writes of earlier lines that the winner of the last promotion by force held: these must stay.
    kept: BTreeMap<Line, u64>,
    /// A failover went back there, where its copy was primary all along: that one counts, although another copy was promoted by
    /// force since.
    returned: Option<String>,
}

impl Seen {
    /// Notes where the volume is primary; whether any copy of it is replicated, or replicates.
    fn note_roles(&mut self, storage: &Storage, universe: &Universe, handle: &str) -> bool {
        let mut replicated = false;
        for site in universe.managed() {
            let role = storage.peek(site, handle).map(|(role, _)| role);
            replicated |= role.is_some_and(|role| role != Role::Plain);
            if role != Some(Role::Primary) {
                self.primary.remove(site);
            } else if !self.primary.contains_key(site) {
                self.primary.insert(site.to_owned(), universe.now());
            }
        }
        replicated
    }
}

impl Data {
    pub(super) fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        self.note_failovers(universe, turn);
        self.note_returns(universe, turn);
        // Only agents touch the storage.
        if turn.ran.is_none() {
            return Ok(());
        }
        let mut forced = Vec::new();
        {
            let (storage, applications) = (universe.storage(), universe.applications());
            for handle in storage.handles() {
                if !self.volumes.contains_key(handle) {
                    self.volumes.insert(handle.to_owned(), Seen::default());
                }
                let Some(seen) = self.volumes.get_mut(handle) else { continue };
                let replicated = seen.note_roles(&storage, universe, handle);
                let promotions = storage.forced(handle);
                if promotions.len() > seen.forced {
                    // One that had handed all over, and whose peer is out of reach: nothing is given up, nobody else is primary.
                    let is_only_one = |site: &str| storage.writable_on(handle).iter().all(|other| *other == site);
                    let new = promotions.iter().skip(seen.forced);
                    forced.extend(new.filter(|promotion| promotion.lost > 0 || !is_only_one(&promotion.site)).map(
                        |promotion| (handle.to_owned(), storage.claim(handle).to_owned(), promotion.site.clone()),
                    ));
                    seen.forced = promotions.len();
                    seen.returned = None;
                    let lines = storage.acknowledged_by_line(handle);
                    seen.kept = lines.map(|(line, _)| (line, storage.held_by_serving(handle, line))).collect();
                }
                seen.replicated |= replicated;
                seen.passed_by |= !seen.replicated && passed_by(&self.failovers, &storage, handle);
                seen.given_up = seen.given_up || !wanted(&applications, &storage, handle);
                seen.forgotten = !replicated && (seen.forgotten || universe.hub_forgot > self.forgot);
                if !seen.forgotten && !seen.passed_by {
                    nothing_is_lost(&storage, handle, seen)?;
                }
                one_writer(&storage, handle)?;
            }
        }
        self.forgot = universe.hub_forgot;
        forced.iter().try_for_each(|(handle, claim, site)| self.only_a_failover_forces(universe, handle, claim, site))
    }

    /// What runs at rest writes to the volumes that it had, there to the copy that serves, not to fresh ones beside them.
    pub(super) fn at_rest(&self, universe: &Universe) -> Result<(), Violation> {
        let storage = universe.storage();
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let app = text(drpc.value(), "/metadata/name");
            let Some(home) = homes(universe, app).into_iter().next() else { continue };
            for claim in all(universe, &home, &kinds::PVC, Some(app)) {
                let name = text(claim.value(), "/metadata/name");
                let of_claim = |handle: &&String| storage.claim(handle) == format!("{app}/{name}");
                let counts = |seen: &Seen| seen.replicated && !seen.given_up && !seen.forgotten && !seen.passed_by;
                let had = self.volumes.iter().filter(|(handle, seen)| of_claim(handle) && counts(seen));
                let had: Vec<&str> =
                    had.map(|(handle, _)| handle.as_str()).filter(|handle| storage.acknowledged(handle) > 0).collect();
                let mounted = handle_of(universe, &home, claim.value()).unwrap_or_default();
                let returned = self.volumes.get(&mounted).and_then(|seen| seen.returned.as_ref()) == Some(&home);
                let has_them = had.contains(&mounted.as_str()) && (returned || storage.serves(&home, &mounted));
                if !had.is_empty() && !has_them {
                    return violated(
                        "D3 an application keeps its data",
                        format!(
                            "claim {app}/{name} on {home} is on volume {mounted:?}, and its data are on {}",
                            had.join(", ")
                        ),
                    );
                }
            }
        }
        Ok(())
    }

    fn note_failovers(&mut self, universe: &Universe, turn: &Turn) {
        for (cluster, kinds) in &turn.touched {
            if cluster == HUB || !kinds.contains(&type_name(&kinds::VRG)) {
                continue;
            }
            let vrgs = all(universe, cluster, &kinds::VRG, None);
            let is_there =
                |namespace: &str| vrgs.iter().any(|vrg| text(vrg.value(), "/metadata/namespace") == namespace);
            for ((_, _), until) in self.failovers.iter_mut().filter(|((on, of), _)| on == cluster && !is_there(of)) {
                until.get_or_insert(universe.now());
            }
            for vrg in &vrgs {
                let key = (cluster.clone(), text(vrg.value(), "/metadata/namespace").to_owned());
                if text(vrg.value(), "/metadata/name") != key.1 {
                    continue; // of another application in the same namespace
                }
                if text(vrg.value(), "/spec/replicationState") == "primary" {
                    let asked = self.primaries.entry(key.clone()).or_insert((universe.now(), None));
                    if asked.1.is_some() {
                        *asked = (universe.now(), None);
                    }
                } else if let Some((_, until)) = self.primaries.get_mut(&key) {
                    until.get_or_insert(universe.now());
                }
                if asks_for_failover(vrg.value()) {
                    self.failovers.insert(key, None);
                } else if let Some(until) = self.failovers.get_mut(&key) {
                    until.get_or_insert(universe.now());
                }
            }
        }
    }

    /// A failover back to a cluster that never heard that it lost its application promotes nothing there, and gives up what was
    /// written elsewhere since: once the hub has asked that cluster.
    fn note_returns(&mut self, universe: &Universe, turn: &Turn) {
        let asks = |kinds: &BTreeSet<TypeName>| {
            [kinds::DRPC, kinds::MANIFEST_WORK].iter().any(|kind| kinds.contains(&type_name(kind)))
        };
        if !turn.touched.iter().any(|(home, kinds)| home == HUB && asks(kinds)) {
            return;
        }
        let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let app = text(drpc.value(), "/metadata/name");
            let fails_over = text(drpc.value(), "/spec/action") == "Failover";
            let to = if fails_over { text(drpc.value(), "/spec/failoverCluster") } else { "" };
            let is_asked = |work: &Value| {
                let vrg = vrg_of(work).filter(|vrg| text(vrg, "/metadata/name") == app);
                text(work, "/metadata/namespace") == to && vrg.is_some_and(asks_for_failover)
            };
            if !works.iter().any(|work| is_asked(work.value())) {
                self.returns.remove(app);
                continue;
            }
            if self.returns.insert(app.to_owned(), to.to_owned()).is_some_and(|before| before == to) {
                continue;
            }
            let storage = universe.storage();
            let of_app = |handle: &&String| storage.claim(handle).split('/').next() == Some(app);
            let handles: Vec<String> = self.volumes.keys().filter(of_app).cloned().collect();
            for handle in handles {
                if let (Some(seen), Some(left)) = (self.volumes.get_mut(&handle), storage.left_on_primary(to, &handle))
                {
                    seen.kept.extend(left);
                    seen.returned = Some(to.to_owned());
                }
            }
        }
    }

    /// Promotion by force gives up what the other side may hold: only a failover may (VS14).
    fn only_a_failover_forces(
        &self,
        universe: &Universe,
        handle: &str,
        claim: &str,
        site: &str,
    ) -> Result<(), Violation> {
        let namespace = claim.split('/').next().unwrap_or_default();
        // Of several VRGs of the namespace, the one that the claim says it belongs to.
        let name = claim.split('/').nth(1).unwrap_or_default();
        let owner = one(universe, site, &kinds::PVC, namespace, name);
        let owner = owner.map(|claim| label_of(claim.value(), label::OWNER_NAME).to_owned());
        let owner = owner.and_then(|owner| one(universe, site, &kinds::VRG, namespace, &owner));
        let vrg = owner.or_else(|| vrg(universe, namespace, site));
        let Some(vrg) = vrg else {
            return violated(
                "VS14 force is for failovers",
                format!("volume {handle} ({claim}) was promoted by force on {site}, where there is no VRG"),
            );
        };
        if asks_for_failover(vrg.value()) {
            return Ok(());
        }
        // What the failover asked for was on its way when the VRG moved on.
        let until = self.failovers.get(&(site.to_owned(), namespace.to_owned())).copied().flatten();
        if until.is_some_and(|until| universe.now().since(until) < UNDER_WAY) {
            return Ok(());
        }
        // It was asked for in good order before a failover made another copy primary: storage that was on its way tells no
        // difference. Nobody can stop it from there.
        let under_way = |until: Time| universe.now().since(until) < UNDER_WAY;
        let asked = self.primaries.get(&(site.to_owned(), namespace.to_owned()));
        let asked = asked.filter(|(_, until)| until.is_none_or(under_way)).map(|(since, _)| since);
        let primary = self.volumes.get(handle).into_iter().flat_map(|seen| &seen.primary);
        let elsewhere = primary.filter(|(on, _)| *on != site).map(|(_, since)| since).min();
        if asked.zip(elsewhere).is_some_and(|(asked, elsewhere)| elsewhere > asked) {
            return Ok(());
        }
        // A failover that went there and was not let go on: whatever followed it, the deletion as a rule, has to end it. Not one
        // after which another cluster was asked to be primary.
        let deleting =
            one(universe, HUB, &kinds::DRPC, "apps", namespace).is_some_and(|drpc| object::is_deleting(drpc.value()));
        if let Some(ended) = self.failovers.get(&(site.to_owned(), namespace.to_owned())).filter(|_| deleting) {
            let elsewhere = self.primaries.iter().filter(|((on, of), _)| of == namespace && on != site);
            let mut later = elsewhere.filter(|(_, (since, _))| ended.is_some_and(|ended| *since > ended));
            if later.next().is_none() {
                return Ok(());
            }
        }
        let (action, role) = (text(vrg.value(), "/spec/action"), text(vrg.value(), "/spec/replicationState"));
        violated(
            "VS14 force is for failovers",
            format!(
                "volume {handle} ({claim}) was promoted by force on {site}, where the VRG is {role} for action \
                 {action:?}"
            ),
        )
    }
}

fn asks_for_failover(vrg: &Value) -> bool {
    text(vrg, "/spec/action") == "Failover" && text(vrg, "/spec/replicationState") == "primary"
}

/// What was acknowledged since the last promotion by force is there, and what survived that promotion still is.
fn nothing_is_lost(storage: &Storage, handle: &str, seen: &Seen) -> Result<(), Violation> {
    for (line, acknowledged) in storage.acknowledged_by_line(handle) {
        let expected = seen.kept.get(&line).copied().unwrap_or(acknowledged);
        let held = storage.held_by_serving(handle, line);
        if held < expected && !seen.given_up {
            let claim = storage.claim(handle);
            let lost = expected - held;
            return violated(
                "D1 no write is lost but by a failover",
                format!("{lost} acknowledged writes of volume {handle} ({claim}) are gone"),
            );
        }
    }
    Ok(())
}

/// Whether a failover takes the application of a volume to a cluster that does not have the volume.
fn passed_by(failovers: &BTreeMap<(String, String), Option<Time>>, storage: &Storage, handle: &str) -> bool {
    let namespace = storage.claim(handle).split('/').next().unwrap_or_default();
    let running = failovers.iter().filter(|((_, of), until)| of == namespace && until.is_none());
    running.map(|((cluster, _), _)| cluster).any(|cluster| storage.peek(cluster, handle).is_none())
}

/// Whether the volume's claim is still one of its application: users may throw their data away.
fn wanted(applications: &[Application], storage: &Storage, handle: &str) -> bool {
    let Some((namespace, claim)) = storage.claim(handle).split_once('/') else { return false };
    applications.iter().any(|app| app.namespace() == namespace && app.claims.iter().any(|name| name == claim))
}

/// Applications never write to two copies at the same time, unless the one was promoted by force while the other could
/// not be asked to stop.
fn one_writer(storage: &Storage, handle: &str) -> Result<(), Violation> {
    let writers = storage.attached_writers(handle);
    if writers.len() < 2 || storage.diverged(handle) {
        return Ok(());
    }
    violated("D2 one writer", format!("applications write to volume {handle} on {}", writers.join(" and ")))
}
