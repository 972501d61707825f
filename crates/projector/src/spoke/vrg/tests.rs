//! Tables over single rules. Whole actions are told as stories in `ramen-spoke`, on simulated clusters.

mod checks;
mod classes;
mod gates;
mod lab;
mod restores;
mod rounds;
mod summaries;
mod unfinished;
