//! What a failover needs of the storage of its target (spec drpc 5.3).

use std::collections::BTreeSet;

use ramen_api::ramen::wire::state::Action;
use ramen_events::{
    ClusterName,
    hub::{DrpcFact, ObjectRef, ProtectedPvc, ViewAnswer, ViewedObject},
};

use crate::hub::{modes::Pair, state::Hub};

use super::{gather, site::Site, vrg::Presence};

/// Claims of the last known primary: which of them want to be told of a failover to `target`.
pub fn claims<'a>(sites: &'a [Site], target: &'a str) -> impl Iterator<Item = &'a ProtectedPvc> {
    sites
        .iter()
        .filter(move |site| site.name.0 != target && site.vrg.is_asked_primary())
        .flat_map(protected)
        .filter(|pvc| pvc.failover_mode)
}

fn protected(site: &Site) -> &[ProtectedPvc] {
    let status = site.vrg.seen().and_then(|seen| seen.status.as_ref());
    status.map(|status| status.protected_pvcs.as_slice()).unwrap_or_default()
}

/// What one failover needs of the storage of the cluster that it goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Pairs that must be prepared before it goes on.
    pub required: BTreeSet<Pair>,
    /// Pairs that must not be withdrawn before it is through.
    pub kept: BTreeSet<Pair>,
    /// Nobody knows all that it uses: nothing may be withdrawn before it is through.
    pub unclear: bool,
}

/// What a DRPC that fails over to `cluster` needs there; `None` when it does not, or is through.
pub fn need(hub: &Hub, key: &ObjectRef, cluster: &ClusterName) -> Option<Need> {
    let fact = hub.drpcs.get(key).filter(|fact| target_of(fact) == Some(cluster.as_str()))?;
    let sites = gather::sites(hub, fact);
    let listed = hub.policies.get(&fact.spec.policy).map(|policy| policy.spec.clusters.as_slice()).unwrap_or_default();
    let sites: Vec<Site> = sites.into_iter().filter(|site| listed.contains(&site.name)).collect();
    let target = sites.iter().find(|site| site.name == *cluster);
    if target.is_some_and(Site::is_ready) {
        return None;
    }
    let used = sites.iter().flat_map(protected).map(Pair::of);
    let mut need = Need {
        required: BTreeSet::new(),
        kept: used.collect(),
        unclear: sites.iter().any(|site| site.vrg.seen().is_none() && site.vrg.presence != Presence::Absent),
    };
    // What came before the promotion is past: if its home of before can still be seen as one, that is out of date.
    if !target.is_some_and(Site::is_wished_primary) {
        need.required = claims(&sites, &cluster.0).map(Pair::of).collect();
    }
    Some(need)
}

/// The cluster that a DRPC asks to fail over to.
fn target_of(fact: &DrpcFact) -> Option<&str> {
    let asks = fact.spec.action == Action::Failover.as_str() && fact.meta.deleting.is_none();
    Some(fact.spec.failover.as_str()).filter(|target| asks && !target.is_empty())
}

/// The cluster whose storage wants to hear of a failover of this DRPC. Costs no more than its views.
pub fn who_hears<'a>(hub: &'a Hub, key: &ObjectRef) -> Option<&'a str> {
    let target = target_of(hub.drpcs.get(key)?)?;
    let views = hub.index.views_by_drpc.get(key).into_iter().flatten();
    let wants = |(cluster, view): &(ClusterName, String)| {
        let answer = hub.view(cluster, view).map(|known| &known.fact.answer);
        let Some(ViewAnswer::Found(ViewedObject::Vrg(seen))) = answer else { return false };
        seen.status.as_ref().is_some_and(|status| status.protected_pvcs.iter().any(|pvc| pvc.failover_mode))
    };
    views.into_iter().any(wants).then_some(target)
}
