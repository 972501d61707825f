//! The pure core: folds events into state and decides what to do next.
//!
//! ```text
//!  Record ──> World::apply ──> which aggregates are touched
//!                                   │
//!                                   v
//!             World::decide ──> Commanded, Moved (records to append), and when to ask again
//! ```
//!
//! No clock, no client, no lock, no I/O: `now` is the stamp of the record that caused the question. The same records
//! give the same decisions, here, in `ramen-replay` and in the simulation.
//!
//! - [`domain`] is what a set of controllers brings: its state, how facts fold into it, how it decides.
//! - [`world`] is the part that all share: readiness, commands in flight, back-off, positions in runbooks.
//! - [`runbook`] is how ordered work is written: steps with a gate, commands and a progression.
//! - [`hub`] and [`spoke`] hold one folder per controller.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::float_arithmetic, clippy::iter_over_hash_type)]

pub mod domain;
pub mod flights;
mod go_duration;
pub mod hub;
mod json;
mod replication_class;
pub mod runbook;
pub mod spoke;
pub mod world;

pub use domain::{Again, Ask, Change, Decision, Domain, Gauge, Ground, Wanted};
pub use flights::{Attempt, Flights};
pub use world::{Decided, World};

/// Version of the deciders. It rises when a decision changes for the same state; logs tell which version decided.
///
/// | version | what changed |
/// |---|---|
/// | 1 | |
/// | 2 | the hub gives epochs with the VRG |
/// | 3 | actions that were changed half way end; nothing is stored of a volume that was never synchronized; stores are checked now and then; fewer writes: statuses are held back longer, restored claims are noted as stored from the start |
/// | 4 | a step of a DRPC's action is told once it has lasted 1.5 s; a called-back move is no first deployment; a failed request for a namespace is made again; what stays behind is told; copies of a claim added after a failover wait; claims and replicas that nobody would let go are; nobody is promoted while a request to another cluster may still turn up; a placement that names nothing names the home before it is cleared; a failover calls back a cluster to which the application never came; a rebuilt hub takes the later of two primaries; a stopped primary hears of the failover in between; times of an action that ended stand; stores that had nothing are asked again; what to do about a lost volume is told on a primary, too; clusters are looked at before a DRPC is deleted, which is held on to while its policy is looked at; a home whose final synchronization is only prepared is placed, too; a hub of before a failover leaves the application where it went; forced promotions are told of however they were covered up; a VRG that is deleted lets go of volumes that its storage lost; a claim that is being restored is left alone by a secondary; what to do about a first synchronization that does not come is told; storage that wants to be told of a failover is asked to prepare, and let go afterwards |
/// | 5 | the source of a relocation lets go of restored volumes, and keeps them, when nothing will ever tell that they were handed over |
/// | 6 | halves of copies that a replaced primary left in stores are deleted, for which stores are looked at a minute after a failover, too; a restored claim that was deleted before its replication was looked at is restored again; a DRPC says that it is being deleted before anything is withdrawn, and a hub that lost its log believes that; who uses a claim that was deleted is told; a relocation stops where a claim is gone whose volume did not step down; the old home of a failover is cleaned up although a claim joined the new one that can't be protected |
/// | 7 | a claim that lost csi-addons' finalizer on its way out is told of; what to do about a kept volume that is in the way of replication is told; works that belong to another DRPC of the same name are left to it; a valid policy stays so while one of its clusters claims no id; no protection begins under a policy whose classes were all withdrawn |
/// | 8 | an application whose cluster was not asked for its VRG yet is protected there before an action moves it; a placement that may have been cleared before an attempt met a conflict, or no API server, counts as such |
/// | 9 | a VRG that says that claims of others are in the application's way is told of whichever cluster it is on; a relocation does not begin while one on its target says so, and says what can be done when its source is lost; a policy and its clusters choose replication classes by one rule: a StorageClass that names a relation admits no other, one that names none admits all, and the policy's selector counts on the hub, too; a policy all of whose clusters have no store is not valid; after a failover a store that was out then gets everything once more a minute after it got the first |
/// | 10 | an action that replaces another waits for what is known of the placement that the other asked for; nobody steps down for a home that may have been asked to step down; what only one of several stores of one home holds is restored, too; a volume that follows the other side is waited for in the words of its condition |
/// | 11 | what a process stores in the minute after its start is stored once more a minute after it, since a write of the process before may have come later; stores are looked at a minute after every start and every change of role, not only after failovers; a VRG's copy that can't be stored is tried again with pauses, and told of without a break, however its status changes meanwhile; a volume that lost a failover and finds none to follow goes with its VRG; a home hears that stores are its own before it is deleted; a cluster that was asked for nothing is not waited for when a person chose a home |
/// | 12 | a relocation whose source does not get to hand over says what can be done, and a failover back to it takes its data as they are; a claim of before that synchronizes on a primary, with nobody to follow, is promoted before it is let go; what to do about one whose volume is gone on the other side is told; a claim that is deleted while its restored primary was asked anew is let go no sooner than on any primary |
/// | 13 | what others put into the work of the agent's rights stays on a cluster that leaves; a DRPC that is deleted while nobody is asked to be primary brings its application home first, wherever that seems to be placed; a claim that waits for a store to delete its copies is told of, and a home that does not know how to reach a store of its copies; a status that could not be written is tried again with pauses, whatever it says by then; what to do about a replication that does not go says that its storage may have been cut off |
/// | 14 | words only, and an Event: a DRPC says when synchronizations stay away, and that no claim is selected; a relocation whose source does not hand over repeats what its VRG waits for; a DRCluster that is being deleted says which work is waited for, and what to do; a store's Secret in another namespace is told apart from a missing one; a replication whose class is missing is not called lost |
pub const DECIDER_VERSION: u32 = 14;

/// The first version that holds statuses back until they have something to say that lasts, and notes at once on what it
/// restores that all stores hold it.
pub(crate) const FEWER_WRITES: u32 = 3;

/// The first version that chooses replication classes by one rule on the hub and on clusters.
pub(crate) const ONE_RULE: u32 = 9;

/// The earliest version whose decisions are still made as it made them: each question tells which version is asked
/// ([`Ask::decider`]), so logs of these versions can be verified decision by decision.
pub const OLDEST_DECIDER: u32 = 1;
