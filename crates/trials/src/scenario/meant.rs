//! Which of the known words may be meant by one that is not known.

/// How alike two words have to be, 1 for the same.
const ALIKE: f64 = 0.7;

/// The known word that is most like this one, if any is like it at all.
fn meant<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let like = |known: &str| strsim::normalized_damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase());
    let best = known.iter().map(|known| (like(known), *known)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(alike, _)| *alike >= ALIKE).map(|(_, known)| known)
}

/// What may be meant, and what there is; not all of it, if one of many is meant.
pub(super) fn choice(word: &str, known: &[&str]) -> String {
    /// More words than these are not read.
    const MANY: usize = 12;
    match meant(word, known) {
        Some(meant) if known.len() > MANY => format!(": is `{meant}` meant?"),
        Some(meant) => format!(": is `{meant}` meant? There are {}", known.join(", ")),
        None => format!(", only {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case::a_letter_too_many("loose", Some("lose"))]
    #[case::letters_swapped("psot", None)]
    #[case::a_plural("persistentvolumeclaims", Some("PersistentVolumeClaim"))]
    #[case::a_beginning("Cleaning", Some("Cleaning Up"))]
    #[case::nothing_like_it("reboot", None)]
    fn what_is_nearest_is_meant(#[case] word: &str, #[case] told: Option<&str>) {
        assert_eq!(super::meant(word, &["lose", "Cleaning Up", "PersistentVolumeClaim", "patch"]), told);
    }
}
