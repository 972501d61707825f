//! Keys of the objects in a VRG's S3 buckets: part of the wire contract (spec s3 5).
//!
//! A key is `<vrg namespace>/<vrg name>/<type>/<suffix>`. The type is the Go type name of the object, the last part of its
//! package and its kind, which is why the group kinds carry `v1alpha1` too. A prefix always ends in `/`, so that of
//! two names one of which starts with the other neither lists the other's objects.

/// Suffix under which the one VRG copy, and the one fence, is stored.
const VRG_SUFFIX: &str = "a";

/// Where the objects of one VRG lie in each of its buckets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VrgKeys {
    prefix: String,
}

/// The kinds of objects that are stored one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stored {
    /// The VRG itself.
    Vrg,
    /// A PersistentVolume.
    Pv,
    /// A PersistentVolumeClaim.
    Pvc,
    /// A VolumeGroupReplication.
    Vgr,
    /// A VolumeGroupReplicationContent.
    VgrContent,
    /// Who may write: not Ramen's. Its readers list the types above one by one, so they never meet it; with the prefix of
    /// everything it is deleted like the rest.
    Fence,
}

impl Stored {
    /// The type's part of a key.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Vrg => "v1alpha1.VolumeReplicationGroup",
            Self::Pv => "v1.PersistentVolume",
            Self::Pvc => "v1.PersistentVolumeClaim",
            Self::Vgr => "v1alpha1.VolumeGroupReplication",
            Self::VgrContent => "v1alpha1.VolumeGroupReplicationContent",
            Self::Fence => "v1alpha1.StoreFence",
        }
    }
}

impl VrgKeys {
    /// Keys of the VRG of that namespace and name.
    #[must_use]
    pub fn new(vrg_namespace: &str, vrg_name: &str) -> Self {
        Self { prefix: format!("{vrg_namespace}/{vrg_name}/") }
    }

    /// The prefix of everything; deleted when a primary VRG is deleted.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The prefix of all objects of one kind.
    #[must_use]
    pub fn prefix_of(&self, kind: Stored) -> String {
        format!("{}{}/", self.prefix, kind.type_name())
    }

    /// The VRG's copy.
    #[must_use]
    pub fn vrg(&self) -> String {
        self.prefix_of(Stored::Vrg) + VRG_SUFFIX
    }

    /// A PersistentVolume's copy.
    #[must_use]
    pub fn pv(&self, name: &str) -> String {
        self.prefix_of(Stored::Pv) + name
    }

    /// A claim's copy.
    #[must_use]
    pub fn pvc(&self, namespace: &str, name: &str) -> String {
        format!("{}{namespace}/{name}", self.prefix_of(Stored::Pvc))
    }

    /// The key that older versions used for claims in the VRG's own namespace: still listed at restore, and still
    /// deleted with the claim.
    #[must_use]
    pub fn pvc_old_form(&self, name: &str) -> String {
        self.prefix_of(Stored::Pvc) + name
    }

    /// A VolumeGroupReplication's copy.
    #[must_use]
    pub fn vgr(&self, namespace: &str, name: &str) -> String {
        format!("{}{namespace}/{name}", self.prefix_of(Stored::Vgr))
    }

    /// A VolumeGroupReplicationContent's copy.
    #[must_use]
    pub fn vgr_content(&self, name: &str) -> String {
        self.prefix_of(Stored::VgrContent) + name
    }

    /// The fence: who may write under the prefix.
    #[must_use]
    pub fn fence(&self) -> String {
        self.prefix_of(Stored::Fence) + VRG_SUFFIX
    }

    /// Where Velero keeps one capture of the application's objects: the prefix of its storage location. Captures
    /// alternate between the numbers 0 and 1.
    #[must_use]
    pub fn capture(&self, number: u8) -> String {
        format!("{}kube-objects/{number}/velero/", self.prefix)
    }

    /// What has to be deleted before a capture number is used again.
    #[must_use]
    pub fn capture_backups(&self, number: u8) -> String {
        self.capture(number) + "backups/"
    }
}

/// The VRG namespace and name that a key belongs to; `None` for a key of a foreign form.
#[must_use]
pub fn owner_of(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(namespace), Some(name), Some(_)) if !namespace.is_empty() && !name.is_empty() => Some((namespace, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_in_existing_buckets() {
        let keys = VrgKeys::new("app-000", "drpc");
        let of = |kind| keys.prefix_of(kind);
        assert_eq!(keys.vrg(), "app-000/drpc/v1alpha1.VolumeReplicationGroup/a");
        assert_eq!(keys.pv("pvc-1"), "app-000/drpc/v1.PersistentVolume/pvc-1");
        assert_eq!(keys.pvc("app-000", "data"), "app-000/drpc/v1.PersistentVolumeClaim/app-000/data");
        assert_eq!(keys.pvc_old_form("data"), "app-000/drpc/v1.PersistentVolumeClaim/data");
        assert_eq!(keys.vgr("ns", "g"), "app-000/drpc/v1alpha1.VolumeGroupReplication/ns/g");
        assert_eq!(keys.vgr_content("g"), "app-000/drpc/v1alpha1.VolumeGroupReplicationContent/g");
        assert_eq!(keys.capture_backups(1), "app-000/drpc/kube-objects/1/velero/backups/");
        assert_eq!(keys.fence(), "app-000/drpc/v1alpha1.StoreFence/a");
        let read = [Stored::Vrg, Stored::Pv, Stored::Pvc, Stored::Vgr, Stored::VgrContent];
        assert!(read.iter().all(|kind| !keys.fence().starts_with(&of(*kind))), "no reader of another type lists it");
        assert!(!of(Stored::VgrContent).starts_with(&of(Stored::Vgr)), "one list must not return the other kind");
    }

    #[test]
    fn a_key_names_its_vrg() {
        assert_eq!(owner_of("ns/vrg/v1.PersistentVolume/pv"), Some(("ns", "vrg")));
        assert_eq!(owner_of("ns/vrg"), None);
        assert_eq!(owner_of("//x"), None);
    }
}
