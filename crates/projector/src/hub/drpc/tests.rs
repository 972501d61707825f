//! Stories and tables of the DRPC; rows name their section of the spec.

mod bad_input;
mod deletion;
mod deploy;
mod epochs;
mod failover;
mod first_contact;
mod half_way;
mod mid_flight;
mod protected;
mod recovery;
mod relocate;
mod reporting;
mod storage;
mod walks;
mod wanted;
