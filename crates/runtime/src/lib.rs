//! The shell around the pure core: the only place with sockets, clocks and tasks
