use std::path::PathBuf;

use ramen_events::{Payload, Seq};
use ramen_projector::DECIDER_VERSION;
use rstest::rstest;

use super::*;
use crate::{Verifier, open::Log};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../replay-fixtures/v1").join(format!("{name}.ramenlog"))
}

fn baseline(name: &str) -> Baseline {
    let log = Log::open(&fixture(name), false).expect("a recorded log");
    let records = log.history.scan(Seq(1)).map(|record| record.expect("a whole log").0);
    Baseline::new(State::empty(log.owner.operator), records).expect("deciders that are known")
}

/// What a run writes is what an operator would have written: it verifies.
fn check(baseline: &Baseline, run: &Rerun, what: &str) {
    match &baseline.start {
        State::Hub(world) => verify((**world).clone(), run, what),
        State::Spoke(world) => verify((**world).clone(), run, what),
    }
}

fn verify<D: Domain>(world: World<D>, run: &Rerun, what: &str) {
    let mut verifier = Verifier::new(world);
    for (index, line) in run.lines.iter().enumerate() {
        assert_eq!(line.record.seq, Seq(index as u64 + 1), "{what}: numbers have no gaps");
        verifier.next(&line.record).unwrap_or_else(|divergence| panic!("{what}: {divergence:?}"));
    }
}

#[rstest]
fn every_recorded_log_run_again_is_the_same(
    #[values("story-hub", "story-c1", "story-c2", "chaos-5-hub", "chaos-5-c1", "chaos-5-c2")] name: &str,
) {
    let baseline = baseline(name);
    let run = &baseline.again;
    assert!(run.split.is_none(), "{:?}", run.split);
    assert_eq!(run.tally, Tally::default());
    assert_eq!(run.state.json().ok(), fold(&baseline.start, &baseline.recorded).json().ok());
    let records = |lines: &[Line]| lines.iter().map(|line| line.record.clone()).collect::<Vec<_>>();
    assert!(records(&run.lines) == records(&baseline.recorded), "byte for byte");
    // The same as if everything could have been changed: facts are judged for news, lost tails are recognised.
    let mut script = baseline.script();
    let first = script.input(Seq(1)).expect("a start");
    first.part = Part::Altered;
    let run = baseline.run(script);
    assert!(run.split.is_none(), "{:?}", run.split);
    assert_eq!(run.tally, Tally::default());
}

/// Each input is left out, one at a time: nothing panics, and what the run writes follows from its inputs. Debug builds,
/// which are slow, try some 30 inputs spread over each log; release builds, and any with `DROP_EVERY=1`, try all.
#[rstest]
fn every_recorded_log_without_any_one_of_its_inputs_is_a_log(
    #[values("story-hub", "story-c1", "story-c2", "chaos-5-hub", "chaos-5-c1", "chaos-5-c2")] name: &str,
) {
    let baseline = baseline(name);
    let inputs: Vec<Seq> =
        baseline.recorded.iter().filter(|line| line.record.payload.is_input()).filter_map(|line| line.from).collect();
    let asked = std::env::var("DROP_EVERY").ok().and_then(|step| step.parse().ok());
    let step: usize = asked.unwrap_or(if cfg!(debug_assertions) { inputs.len() / 30 + 1 } else { 1 });
    let mut differ = 0;
    for seq in inputs.iter().step_by(step) {
        let mut script = baseline.script();
        script.leave(*seq);
        let run = baseline.run(script);
        differ += usize::from(run.split.is_some());
        check(&baseline, &run, &format!("{name} without record {seq}"));
        assert!(run.lines.iter().all(|line| line.from != Some(*seq)), "{name}: record {seq} is still there");
    }
    assert!(differ > 0, "{name}: no input matters at all");
}

/// A slice goes on from the state before it: outcomes of commands that were decided before it still count.
#[rstest]
fn a_slice_of_a_log_run_again_is_the_same(#[values("story-hub", "story-c1", "chaos-5-hub", "chaos-5-c2")] name: &str) {
    let whole = baseline(name);
    for part in 1..6 {
        let middle = whole.recorded.len() * part / 6;
        let cut = whole.recorded.iter().skip(middle).position(|line| line.record.payload.is_input());
        let (before, after) = whole.recorded.split_at(middle + cut.expect("there are inputs to the end"));
        let start = fold(&whole.start, before);
        let slice = Baseline::new(start, after.iter().map(|line| line.record.clone())).expect("known deciders");
        assert!(slice.again.split.is_none(), "{name} from {middle}: {:?}", slice.again.split);
        let mut script = slice.script();
        let first = after.first().and_then(|line| line.from).expect("a record");
        script.input(first).expect("an input").part = Part::Altered;
        let run = slice.run(script);
        assert!(run.split.is_none(), "{name} from {middle}: {:?}", run.split);
        assert_eq!(run.tally, Tally::default(), "{name} from {middle}");
    }
}

/// The later outcome of a command is not lost when the command itself comes later.
#[test]
fn what_became_of_a_command_follows_it() {
    let baseline = baseline("story-hub");
    let first = |payload: fn(&Payload) -> bool| {
        let found = baseline.recorded.iter().position(|line| payload(&line.record.payload));
        found.and_then(|index| baseline.recorded.get(index)?.from).expect("there is one")
    };
    let asked = first(|payload| {
        matches!(payload, Payload::Observed(ramen_events::Fact::Hub(ramen_events::hub::Fact::Drpc(fact)))
            if fact.spec.action == "Failover")
    });
    let mut script = baseline.script();
    script.delay(asked, 60_000);
    let run = baseline.run(script);
    check(&baseline, &run, "a failover that is asked for a minute later");
    let split = run.split.expect("decisions come later");
    assert_eq!((split.input, split.now.is_none()), (Some(asked), true));
    assert!(run.tally.outcomes_moved > 0, "{:?}", run.tally);
}

#[test]
fn deciders_of_both_versions_decide() {
    for name in ["story-hub", "story-c1"] {
        let baseline = baseline(name);
        for version in 1..=DECIDER_VERSION {
            let run = baseline.run_as(version, baseline.script());
            check(&baseline, &run, name);
        }
    }
}
