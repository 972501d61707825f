//! Durations as Go writes them: `1h2m3.5s`.

/// In nanoseconds; `None` when it cannot be read. An empty text is no time at all.
pub fn nanoseconds(duration: &str) -> Option<u128> {
    let mut total: u128 = 0;
    let mut rest = duration;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        rest = after;
        let unit: u128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        // What is finer than Go's own resolution says nothing.
        let part = part.get(..part.len().min(9))?;
        total = total.checked_add(whole.parse::<u128>().ok()?.checked_mul(unit)?)?;
        if !part.is_empty() {
            let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
            total = total.checked_add(part.parse::<u128>().ok()?.checked_mul(unit)? / scale)?;
        }
    }
    Some(total)
}
