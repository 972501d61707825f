//! Delta debugging: which parts of a thing can be left out while it still shows what it is to show.

/// Takes away as many of `parts` as it can, in ever smaller chunks, while `holds` still says yes to what is left. Stops
/// early when `go_on` says no, with what it has by then. `go_on` is told how many parts are left.
pub fn minimise<T: Clone>(
    mut parts: Vec<T>,
    mut holds: impl FnMut(&[T]) -> bool,
    mut go_on: impl FnMut(usize) -> bool,
) -> Vec<T> {
    let mut chunk = parts.len().div_ceil(2);
    while chunk > 0 {
        let mut taken = false;
        // From the end: what comes last is rarely the cause of anything.
        let mut end = parts.len();
        while end > 0 {
            if !go_on(parts.len()) {
                return parts;
            }
            let start = end.saturating_sub(chunk);
            let mut left = parts.clone();
            left.drain(start..end);
            if holds(&left) {
                parts = left;
                taken = true;
            }
            end = start;
        }
        // With single parts, once more until nothing goes: what was needed for one that went may go now.
        chunk = if chunk > 1 { chunk / 2 } else { usize::from(taken) };
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_stays() {
        let needed = [3, 40, 77];
        let holds = |left: &[u32]| needed.iter().all(|part| left.contains(part));
        assert_eq!(minimise((0..100).collect(), holds, |_| true), needed);
    }

    /// 2 needs 1, and either of 5 and 6 will do.
    #[test]
    fn nothing_more_can_go_in_the_end() {
        let holds = |left: &[u32]| left.contains(&2) && left.contains(&1) && (left.contains(&5) || left.contains(&6));
        let left = minimise((0..10).collect(), holds, |_| true);
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(holds(&left));
    }

    #[test]
    fn it_ends_when_the_time_is_up_with_something_that_holds() {
        let mut rounds = 0;
        let left = minimise(
            (0..100).collect(),
            |left: &[u32]| left.contains(&50),
            |_| {
                rounds += 1;
                rounds < 4
            },
        );
        assert!(left.contains(&50) && left.len() > 1 && left.len() < 100, "{left:?}");
    }
}
