//! Opens captured logs: verifies, replays and explains them
