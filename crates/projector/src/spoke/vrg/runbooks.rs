//! What a VRG does, as tables of steps.
//!
//! A book has two parts. `FIRST` is walked from the top: nothing after a shut gate is looked at. The steps of `TOGETHER`
//! are worked on side by side, since volumes and stores do not wait for each other; the first shut gate among them is
//! where the VRG stands.

pub mod deletion;
pub mod inspection;
pub mod placing;
pub mod primary;
pub mod release;
pub mod restore;
pub mod round;
pub mod secondary;
pub mod upload;
