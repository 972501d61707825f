//! Domain events and commands, and the durable log that holds them
