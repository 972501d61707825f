//! The story of the demo again and again, each time with one thing going wrong at the next point where it can.

use crate::{
    hazards::{Frequency, Mishap, Point, Rule},
    plan::{self, Plan},
    run,
};

/// Seed of the story whose points are counted.
const SEED: u64 = 1;

/// One variant of the story.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What goes wrong, and at which point.
    pub name: String,
    /// The plan.
    pub plan: Plan,
}

/// All variants of the story with so many claims, on storage that behaves as recorded or as csi-addons does: each mishap at
/// each point at which it can happen.
pub fn variants(claims: usize, csi_addons: bool) -> Vec<Variant> {
    let mut story = plan::canonical(SEED, claims);
    story.outline.csi_addons = csi_addons;
    let counted = run::run(&story, &mut []).universe;
    let met = counted.points_met();
    let mut variants = Vec::new();
    for mishap in Mishap::ALL {
        for point in mishap.tried_at() {
            let count = met.get(&point).copied().unwrap_or_default();
            variants.extend((0..count).map(|n| variant(&story, *mishap, point, n)));
        }
    }
    variants
}

fn variant(story: &Plan, mishap: Mishap, point: Point, n: u64) -> Variant {
    let rule = Rule { at: None, point, mishap, frequency: Frequency::Nth(n), from: 0, until: u64::MAX };
    let plan = Plan { rules: vec![rule], ..strict(story.clone()) };
    Variant { name: format!("{mishap:?} at {point:?} {n}"), plan }
}

/// How long a moment of the story may be waited for, in milliseconds.
const WITHIN: u64 = 600_000;

/// A story each moment of which has to come: a mishap may make it longer, but never ends it.
fn strict(mut story: Plan) -> Plan {
    story.story.iter_mut().for_each(|act| act.within = Some(WITHIN));
    story
}

/// A story in which nobody waits for ever for a moment that has become impossible: what must be true at the end still
/// must.
pub fn patient(mut story: Plan) -> Plan {
    story.story = story.story.into_iter().map(|act| act.patience(WITHIN)).collect();
    story
}
