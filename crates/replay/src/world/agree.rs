//! Whether a world tells the story of a log.

use ramen_events::Time;

use super::course::{Course, Stage};
use crate::moment::{clock_text, span_text};

/// Steps that last less than this may be missed by either, in milliseconds: they are passed in the time of a few calls.
pub const PASSING: u64 = 2_000;
/// A step may take this much longer in one than in the other, in milliseconds …
const SLACK: u64 = 60_000;
/// … or so many times as long.
const TIMES: u64 = 3;

/// A step of the one, of the other, or of both.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// In the log.
    pub log: Option<&'a Stage>,
    /// In the world.
    pub world: Option<&'a Stage>,
}

impl Row<'_> {
    /// Whether it says that the two are different.
    pub fn differs(&self, end: Time) -> bool {
        match (self.log, self.world) {
            (Some(log), Some(world)) => is_far(lasted(log, end), lasted(world, end)),
            (Some(one), None) | (None, Some(one)) => lasted(one, end) >= PASSING,
            (None, None) => false,
        }
    }
}

/// How long a stay lasted, up to `end` while it lasts.
pub fn lasted(stage: &Stage, end: Time) -> u64 {
    stage.until.unwrap_or(end).ms_since(stage.from)
}

fn is_far(one: u64, other: u64) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    more - less > SLACK && more > less.saturating_mul(TIMES)
}

/// The steps of both, side by side: as many as possible that are the same.
pub fn rows<'a>(log: &'a [Stage], world: &'a [Stage]) -> Vec<Row<'a>> {
    let same = |a: &Stage, b: &Stage| a.action == b.action && a.name == b.name;
    // Lengths of the longest common parts of what is left of each.
    let mut lengths = vec![vec![0_usize; world.len() + 1]; log.len() + 1];
    let at =
        |lengths: &Vec<Vec<usize>>, i: usize, j: usize| lengths.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    for (i, a) in log.iter().enumerate().rev() {
        for (j, b) in world.iter().enumerate().rev() {
            let length = if same(a, b) {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::new();
    loop {
        let row = match (log.get(i), world.get(j)) {
            (Some(a), Some(b)) if same(a, b) => Row { log: Some(a), world: Some(b) },
            (Some(a), Some(b)) => {
                let (without_a, without_b) = (at(&lengths, i + 1, j), at(&lengths, i, j + 1));
                if without_a > without_b || without_a == without_b && a.from <= b.from {
                    Row { log: Some(a), world: None }
                } else {
                    Row { log: None, world: Some(b) }
                }
            }
            (log, world) if log.is_some() || world.is_some() => Row { log, world },
            _ => break,
        };
        i += usize::from(row.log.is_some());
        j += usize::from(row.world.is_some());
        rows.push(row);
    }
    rows
}

/// What differs between log and world, in words; up to a moment, or all of it and the end.
pub fn differences(name: &str, log: &Course, world: &Course, upto: Option<Time>, end: Time) -> Vec<String> {
    let end = upto.unwrap_or(end);
    let cut = |course: &Course| -> Vec<Stage> {
        let before = course.stages.iter().filter(|stage| stage.from < end);
        before.map(|stage| Stage { until: stage.until.filter(|until| *until < end), ..stage.clone() }).collect()
    };
    let (was, is) = (cut(log), cut(world));
    let mut told = Vec::new();
    for row in rows(&was, &is).into_iter().filter(|row| row.differs(end)) {
        told.push(match (row.log, row.world) {
            (Some(log), Some(world)) => format!(
                "{name}: {} stays at {} for {} in the log, and for {} in the world",
                log.action,
                log.name,
                span_text(lasted(log, end)),
                span_text(lasted(world, end))
            ),
            (Some(log), _) => format!(
                "{name}: {} stays at {} for {} in the log ({}), and does not come there in the world",
                log.action,
                log.name,
                span_text(lasted(log, end)),
                clock_text(log.from)
            ),
            (None, Some(world)) => format!(
                "{name}: {} stays at {} for {} in the world ({}), and does not come there in the log",
                world.action,
                world.name,
                span_text(lasted(world, end)),
                clock_text(world.from)
            ),
            (None, None) => continue,
        });
    }
    if upto.is_none() {
        told.extend(ends(name, log, world));
    }
    told
}

/// How the ends differ; nothing when the log ends in the middle of something.
fn ends(name: &str, log: &Course, world: &Course) -> Option<String> {
    let (was, is) = (&log.standing, &world.standing);
    if was == is || was.protected && was.progression != "Completed" {
        return None;
    }
    Some(format!("{name}: in the end it is {} in the log, and {} in the world", was.words(), is.words()))
}

impl super::course::Standing {
    /// In words.
    pub fn words(&self) -> String {
        let home = self.home.as_ref().map_or_else(|| "placed nowhere".to_owned(), |home| format!("placed on {home}"));
        if self.protected {
            format!("{}, {}, {home}", self.phase, self.progression)
        } else {
            format!("unprotected, {home}")
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::world::course::Standing;

    /// A course of one action: steps with their seconds, one after the other.
    fn course(steps: &[(&str, u64)]) -> Course {
        let mut from = Time(1_000_000);
        let stages = steps.iter().map(|(name, seconds)| {
            let until = from.plus_ms(seconds * 1000);
            Stage {
                action: "failover-c2".to_owned(),
                name: (*name).to_owned(),
                from: std::mem::replace(&mut from, until),
                until: Some(until),
                wait: None,
            }
        });
        Course { stages: stages.collect(), standing: Standing::default(), waits: Vec::new() }
    }

    #[rstest]
    #[case::the_same(&[("Restore", 3), ("Cleaning Up", 9)], None)]
    #[case::a_little_slower(&[("Restore", 3), ("Cleaning Up", 40)], None)]
    #[case::a_passing_step_more(&[("Checking", 1), ("Restore", 3), ("Cleaning Up", 9)], None)]
    #[case::a_lasting_step_more(&[("Checking", 5), ("Restore", 3), ("Cleaning Up", 9)], Some("stays at Checking for 5.0 s in the world"))]
    #[case::a_step_less(&[("Restore", 3)], Some("stays at Cleaning Up for 9.0 s in the log"))]
    #[case::held_up(&[("Restore", 3), ("Cleaning Up", 300)], Some("for 9.0 s in the log, and for 5 min 0 s in the world"))]
    fn a_difference_is_what_lasts(#[case] world: &[(&str, u64)], #[case] told: Option<&str>) {
        let log = course(&[("Restore", 3), ("Cleaning Up", 9)]);
        let found = differences("app", &log, &course(world), None, Time(9_000_000));
        match told {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(told) => assert!(found.len() == 1 && found.iter().all(|found| found.contains(told)), "{found:?}"),
        }
    }

    #[test]
    fn what_comes_after_the_change_is_no_difference() {
        let (log, world) = (course(&[("Restore", 3), ("Cleaning Up", 9)]), course(&[("Restore", 3), ("Waiting", 900)]));
        let end = Time(9_000_000);
        assert!(differences("app", &log, &world, Some(Time(1_003_000)), end).is_empty());
        assert!(!differences("app", &log, &world, Some(Time(1_009_000)), end).is_empty());
    }
}
