//! How everything of a VRG stands: what gates look at, and what commands are at hand. Computed anew for each question.

use ramen_api::ramen::wire::{finalizer, label};
use ramen_events::{
    Command as AnyCommand, Kind, ObjectId, Time,
    spoke::{Command, Key},
};

use super::{
    runbooks::{
        restore::Outlook,
        upload::{Archive, VrgArchive},
    },
    verdict::Verdict,
    view::View,
};
use crate::domain::Wanted;

/// How a VRG stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// What is wrong with its spec, with field, value and remedy.
    pub invalid: Option<String>,
    /// Sets our finalizer; `None` when it is there.
    pub adopt: Option<Wanted>,
    /// How far the restore is; `None` when the role needs none.
    pub restore: Option<Outlook>,
    /// Its volumes.
    pub volumes: Vec<Judged>,
    /// How far its own copies are; `None` while they are not due.
    pub copy: Option<VrgArchive>,
    /// Stores that still hold copies of a VRG that is being deleted: what each waits for, and what deletes them.
    pub purges: Vec<(String, Option<Wanted>)>,
    /// Takes our finalizer off; `None` when it is off.
    pub farewell: Option<Wanted>,
}

/// How a volume stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The claim.
    pub key: Key,
    /// How far it is.
    pub stage: Stage,
    /// What its conditions say. Without this one it has no entry in the status.
    pub data_ready: Option<Verdict>,
    /// What its conditions say.
    pub data_protected: Option<Verdict>,
    /// How far its copies are.
    pub archive: Archive,
    /// Whether its handle on the other side is known; `None` when the storage does not speak of it.
    pub destination: Option<Verdict>,
    /// What brings it to the next stage.
    pub wants: Vec<Wanted>,
    /// What it waits for: words that follow "claim x: ".
    pub waits_for: String,
    /// When to look again.
    pub again: Option<Time>,
}

/// How far a volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its protection is being ended.
    Releasing,
    /// It is not protected yet.
    Unprotected,
    /// It is protected, and has not reached its role.
    Protected,
    /// It has reached its role.
    Settled,
    /// It is none of the VRG's business.
    Ignored,
}

impl Judged {
    /// A volume in a stage, about which nothing else is said yet.
    pub fn new(key: &Key, stage: Stage) -> Self {
        Self {
            key: key.clone(),
            stage,
            data_ready: None,
            data_protected: None,
            archive: Archive::default(),
            destination: None,
            wants: Vec::new(),
            waits_for: String::new(),
            again: None,
        }
    }

    /// It waits for something that will come by itself.
    #[must_use]
    pub fn waiting(mut self, what: impl Into<String>) -> Self {
        self.waits_for = what.into();
        self.data_ready = Some(Verdict::progressing(format!("waiting for {}", self.waits_for)));
        self
    }

    /// A person has to look.
    #[must_use]
    pub fn wrong(mut self, what: impl Into<String>) -> Self {
        self.waits_for = what.into();
        self.data_ready = Some(Verdict::error(self.waits_for.clone()));
        self
    }

    /// Wants this.
    #[must_use]
    pub fn wanting(mut self, want: Wanted) -> Self {
        self.wants.push(want);
        self
    }
}

/// The command that sets our finalizer on the VRG, if it is missing.
pub fn adopt(view: &View<'_>) -> Option<Wanted> {
    let vrg = view.vrg;
    if vrg.finalizers.iter().any(|name| name == finalizer::VRG) {
        return None;
    }
    let finalizers = vrg.finalizers.iter().cloned().chain([finalizer::VRG.to_owned()]).collect();
    Some(set_finalizers(view, finalizers))
}

/// The command that takes our finalizer off the VRG, if it is there.
pub fn farewell(view: &View<'_>) -> Option<Wanted> {
    let vrg = view.vrg;
    let others: Vec<String> = vrg.finalizers.iter().filter(|name| *name != finalizer::VRG).cloned().collect();
    (others.len() != vrg.finalizers.len()).then(|| set_finalizers(view, others))
}

fn set_finalizers(view: &View<'_>, finalizers: Vec<String>) -> Wanted {
    Wanted {
        slot: "finalizers".to_owned(),
        command: AnyCommand::Spoke(Command::SetFinalizers {
            object: ObjectId::new(Kind::Vrg, &view.vrg.key.namespace, &view.vrg.key.name),
            finalizers,
            resource_version: view.vrg.resource_version.clone(),
        }),
    }
}

/// Replications of this VRG whose claims are gone: they can only be deleted.
pub fn orphans(view: &View<'_>) -> Vec<Judged> {
    let first = Key::new(&view.vrg.key.namespace, "");
    view.state
        .replications
        .range(first..)
        .take_while(|(key, _)| key.namespace == view.vrg.key.namespace)
        .filter(|(key, vr)| vr.owner.as_ref() == Some(&view.vrg.key) && !view.state.pvcs.contains_key(key))
        .map(|(key, vr)| {
            let judged = Judged {
                waits_for: "VolumeReplication without claim to be gone".to_owned(),
                ..Judged::new(key, Stage::Releasing)
            };
            if vr.deleting {
                return judged;
            }
            judged.wanting(Wanted {
                slot: format!("replication/{key}"),
                command: AnyCommand::Spoke(Command::DeleteReplication { key: key.clone(), uid: vr.uid.clone() }),
            })
        })
        .collect()
}

/// What is wrong with the spec (spec vrg 2.1), with field, value and remedy.
pub fn invalid(view: &View<'_>) -> Option<String> {
    let spec = &view.vrg.spec;
    if spec.role.is_none() {
        return Some(format!(
            "spec.replicationState is {:?}: it must be primary or secondary; set it so",
            spec.role_text
        ));
    }
    if let Some((field, value)) = spec.unsupported.iter().find(|(field, _)| field != KUBE_OBJECTS) {
        return Some(format!("{field} is {value}, which is not supported yet: remove it"));
    }
    if spec.interval.is_none() {
        return Some("spec.async is missing: set it, with a schedulingInterval".to_owned());
    }
    if !spec.protected_namespaces.is_empty() {
        return Some(format!(
            "spec.protectedNamespaces is {:?}: other namespaces than the VRG's own are not supported yet; remove it",
            spec.protected_namespaces
        ));
    }
    if spec.dry_run {
        return Some("spec.dryRun is true: test failovers are not supported yet; remove it".to_owned());
    }
    None
}

/// The field that asks for copies of API objects. Volumes are protected without them; a condition tells.
pub const KUBE_OBJECTS: &str = "spec.kubeObjectProtection";

/// Owner labels of what belongs to a VRG.
pub fn owner_labels(vrg: &Key) -> [(&'static str, String); 2] {
    [(label::OWNER_NAMESPACE, vrg.namespace.clone()), (label::OWNER_NAME, vrg.name.clone())]
}
