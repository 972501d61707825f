//! Plays the disaster-recovery story with the real operators
