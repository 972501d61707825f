//! What an operator does that was replaced, and goes on with what it saw before.

use ramen_ports::Effect;

use crate::defect::{Defect, SOUND};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "roles by what was seen long ago",
        what: "the hub gives clusters their roles, and places applications, whatever was changed since it decided that",
        rules: &[
            "S1 one primary",
            "S6 the workload goes after the VRG has accepted that",
            "CS7 nothing is left in stores",
            "L1 every action ends",
        ],
        ground: |grounds| grounds.clear(),
        ..SOUND
    },
    Defect {
        name: "copies and marks for a VRG that is gone",
        what: "operators of clusters store, mark and replicate without asking whether the VRG is still there",
        rules: &["CS7 nothing is left in stores", "VS7 nothing is left on claims"],
        act: |done| done.effects.retain(|effect| !matches!(effect, Effect::Require(_))),
        ..SOUND
    },
];
