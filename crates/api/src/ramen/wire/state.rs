//! Phases, progressions, actions and roles, as enums that keep words they do not know.

use crate::text_enum::text_enum;

text_enum! {
    /// What a user asks of a DRPC, and the hub of a VRG. Absent means deploy.
    listed enum Action {
        /// Bring the application up on the other cluster, without the first.
        Failover = "Failover",
        /// Move the application, without losing a write.
        Relocate = "Relocate",
    }
}

text_enum! {
    /// `status.phase` of a DRPC (spec drpc 0).
    open enum Phase {
        /// After a hub recovery: a person has to say how to go on.
        WaitForUser = "WaitForUser",
        /// An action begins.
        Initiating = "Initiating",
        /// The first deployment runs.
        Deploying = "Deploying",
        /// Deployed.
        Deployed = "Deployed",
        /// A failover runs.
        FailingOver = "FailingOver",
        /// Failed over.
        FailedOver = "FailedOver",
        /// A relocation runs.
        Relocating = "Relocating",
        /// Relocated.
        Relocated = "Relocated",
        /// The DRPC is being deleted.
        Deleting = "Deleting",
    }
}

text_enum! {
    /// `status.progression` of a DRPC: the step that its action is in (spec drpc 0).
    open enum Progression {
        /// Nothing is left to do.
        Completed = "Completed",
        /// Writes the VRG's ManifestWork.
        CreatingMw = "CreatingMW",
        /// Writes the placement decision.
        UpdatingPlRule = "UpdatingPlRule",
        /// Waits for the VRG to become ready.
        WaitForReadiness = "WaitForReadiness",
        /// Clean-up by the operator is prepared.
        CleanupReadiness = "CleanupReadiness",
        /// Clean-up of the old home (the blank is wire contract).
        CleaningUp = "Cleaning Up",
        /// Waits for a person to delete the workload.
        WaitOnUserToCleanUp = "WaitOnUserToCleanUp",
        /// Looks whether a failover may begin.
        CheckingFailoverPrerequisites = "CheckingFailoverPrerequisites",
        /// Promotes the target.
        FailingOverToCluster = "FailingOverToCluster",
        /// Waits for the old home to be fenced (Metro).
        WaitForFencing = "WaitForFencing",
        /// Waits for the storage to prepare for a failover.
        WaitForStorageMaintenanceActivation = "WaitForStorageMaintenanceActivation",
        /// Prepares the last synchronization.
        PreparingFinalSync = "PreparingFinalSync",
        /// Stops the workload by clearing its placement.
        ClearingPlacement = "ClearingPlacement",
        /// Runs the last synchronization.
        RunningFinalSync = "RunningFinalSync",
        /// The last synchronization is done.
        FinalSyncComplete = "FinalSyncComplete",
        /// Waits for all volumes to be secondary.
        EnsuringVolumesAreSecondary = "EnsuringVolumesAreSecondary",
        /// Waits for the other applications of a shared group.
        WaitOnGlobalAction = "WaitOnGlobalAction",
        /// Waits for volumes and objects to be restored.
        WaitingForResourceRestore = "WaitingForResourceRestore",
        /// The placement decision is written.
        UpdatedPlacement = "UpdatedPlacement",
        /// Sets up the peer.
        EnsuringVolSyncSetup = "EnsuringVolSyncSetup",
        /// Sets up VolSync's receivers on the peer.
        SettingUpVolSyncDest = "SettingUpVolSyncDest",
        /// Deletion runs.
        Deleting = "Deleting",
        /// Deleted.
        Deleted = "Deleted",
        /// A person has to decide.
        Paused = "Paused",
        /// A test failover runs.
        TestingFailover = "TestingFailover",
    }
}

text_enum! {
    /// The role wanted of a VRG, a VolumeReplication or a VolumeGroupReplication.
    open enum ReplicationState {
        /// Applications may write.
        Primary = "primary",
        /// Receives from the primary.
        Secondary = "secondary",
        /// csi-addons: throw away the volume's data and receive it anew; never asked for by us.
        Resync = "resync",
    }
}

text_enum! {
    /// The role that a VRG or VolumeReplication reports.
    open enum State {
        /// It is primary.
        Primary = "Primary",
        /// It is secondary.
        Secondary = "Secondary",
        /// It is neither, or not settled.
        Unknown = "Unknown",
    }
}

text_enum! {
    /// `spec.clusterFence` of a DRCluster.
    listed enum ClusterFence {
        /// Let the cluster use its storage again.
        Unfenced = "Unfenced",
        /// Cut the cluster off from its storage.
        Fenced = "Fenced",
        /// A person did it.
        ManuallyFenced = "ManuallyFenced",
        /// A person undid it.
        ManuallyUnfenced = "ManuallyUnfenced",
    }
}

text_enum! {
    /// `status.phase` of a DRCluster.
    open enum DrClusterPhase {
        /// First seen.
        Starting = "Starting",
        /// In use.
        Available = "Available",
        /// Fencing runs.
        Fencing = "Fencing",
        /// Fenced.
        Fenced = "Fenced",
        /// Unfencing runs.
        Unfencing = "Unfencing",
        /// Unfenced.
        Unfenced = "Unfenced",
    }
}

text_enum! {
    /// What a storage backend can be asked to prepare for.
    listed enum Mode {
        /// A failover to this cluster.
        Failover = "Failover",
    }
}

text_enum! {
    /// How far a MaintenanceMode is.
    listed enum MaintenanceState {
        /// Nothing is known.
        Unknown = "Unknown",
        /// It failed.
        Error = "Error",
        /// It runs.
        Progressing = "Progressing",
        /// It is done.
        Completed = "Completed",
    }
}
