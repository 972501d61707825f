//! Sizes as Kubernetes writes them: `1Gi`, `500M`, `1e3`.

/// A size in thousandths of a byte, so that all suffixes are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads a size; `None` when it is none, or too large to matter.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '+' && c != '-').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let thousandths = thousandths(number)?;
        let factor = match suffix {
            "" => 1_000,
            "m" => 1,
            "k" => 1_000 * 1_000,
            "M" => 1_000 * 1_000_i128.pow(2),
            "G" => 1_000 * 1_000_i128.pow(3),
            "T" => 1_000 * 1_000_i128.pow(4),
            "P" => 1_000 * 1_000_i128.pow(5),
            "E" => 1_000 * 1_000_i128.pow(6),
            "Ki" => 1_000 << 10,
            "Mi" => 1_000 << 20,
            "Gi" => 1_000 << 30,
            "Ti" => 1_000 << 40,
            "Pi" => 1_000 << 50,
            "Ei" => 1_000 << 60,
            exponent => {
                let power: u32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
                1_000_i128.checked_mul(10_i128.checked_pow(power)?)?
            }
        };
        Some(Self(thousandths.checked_mul(factor)? / 1_000))
    }
}

/// A decimal number in thousandths; further digits are cut.
fn thousandths(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    whole.checked_mul(1_000)?.checked_add(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_different_spellings_compare() {
        let of = |text| Quantity::parse(text).unwrap();
        assert_eq!(of("1Gi"), of("1024Mi"));
        assert_eq!(of("1.5Ki"), of("1536"));
        assert_eq!(of("1e3"), of("1k"));
        assert!(of("1G") < of("1Gi"));
        assert_eq!(Quantity::parse("much"), None);
    }
}
