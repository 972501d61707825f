//! Spans of time, as people write them: `30s`, `1m30s`, `250ms`.

/// In milliseconds.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no duration, such as 250ms, 30s, 5m, 1m30s or 2h");
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        total = number.checked_mul(ms).and_then(|span| total.checked_add(span)).ok_or_else(wrong)?;
        rest = tail;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let read = ["30s", "1m30s", "250ms", "2h", "1d"].map(|text| parse(text).ok());
        assert_eq!(read, [Some(30_000), Some(90_000), Some(250), Some(7_200_000), Some(86_400_000)]);
        for wrong in ["", "30", "s", "3x", "5m30", "99999999999999999999s", "-5s"] {
            assert!(parse(wrong).is_err_and(|err| err.contains("is no duration")), "{wrong}");
        }
    }
}
