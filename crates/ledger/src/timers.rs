//! When to ask an aggregate again: one moment per aggregate, the one its latest decision named.
//!
//! A later decision replaces what an earlier one asked for, so a timer never fires for a wish that was overtaken.

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::{Aggregate, Seq, Time};

/// A moment at which an aggregate wants to be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// When.
    pub at: Time,
    /// Why, for the log.
    pub why: String,
    /// The record whose decision asked for it.
    pub asked_by: Seq,
}

/// The moments asked for.
#[derive(Debug, Default)]
pub struct Timers {
    wishes: BTreeMap<Aggregate, Wish>,
    order: BTreeSet<(Time, Aggregate)>,
}

impl Timers {
    /// Takes over what the latest decision about `aggregate` asked for; `None` asks for nothing.
    pub fn set(&mut self, aggregate: &Aggregate, wish: Option<Wish>) {
        if let Some(old) = self.wishes.remove(aggregate) {
            self.order.remove(&(old.at, aggregate.clone()));
        }
        if let Some(wish) = wish {
            self.order.insert((wish.at, aggregate.clone()));
            self.wishes.insert(aggregate.clone(), wish);
        }
    }

    /// The next moment at which something is due.
    pub fn next(&self) -> Option<Time> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out one wish whose moment has come.
    pub fn due(&mut self, now: Time) -> Option<(Aggregate, Wish)> {
        if self.next()? > now {
            return None;
        }
        let (_, aggregate) = self.order.pop_first()?;
        let wish = self.wishes.remove(&aggregate)?;
        Some((aggregate, wish))
    }

    /// How many aggregates asked to be asked again.
    pub fn count(&self) -> usize {
        self.wishes.len()
    }
}

#[cfg(test)]
mod tests {
    use ramen_events::Controller;

    use super::*;

    #[test]
    fn a_later_decision_overtakes_an_earlier_wish() {
        let (app, other) =
            (Aggregate::new(Controller::Drpc, "apps", "app"), Aggregate::new(Controller::Drpc, "apps", "b"));
        let wish = |at, why: &str| Wish { at: Time(at), why: why.to_owned(), asked_by: Seq(1) };
        let mut timers = Timers::default();
        timers.set(&app, Some(wish(10, "retry")));
        timers.set(&other, Some(wish(20, "look")));
        timers.set(&app, Some(wish(30, "sync")));
        assert_eq!(timers.next(), Some(Time(20)));
        assert_eq!(timers.due(Time(15)), None);
        assert_eq!(timers.due(Time(40)), Some((other, wish(20, "look"))));
        timers.set(&app, None);
        assert_eq!((timers.due(Time(40)), timers.count()), (None, 0));
    }
}
