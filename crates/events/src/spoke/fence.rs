//! Who may write to the stores of a VRG.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The reason of a refusal because somebody with a higher epoch writes to a store now. It is a word of an outcome, so it
/// is part of the stored form.
pub const OVERTAKEN: &str = "Overtaken";

/// A primary, as it shows itself to stores: as writer, and as holder of the fence that it left in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Fence {
    /// Rises from one home of the application to the next; 0 for a primary that was given none.
    pub epoch: u64,
    /// The cluster; empty when it was not told.
    pub cluster: String,
    /// Identity of the DRPC. Told to people, not compared: a recovered hub gives the same application a new one.
    pub drpc_uid: String,
}
