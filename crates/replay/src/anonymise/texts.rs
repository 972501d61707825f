//! What can be told from a text alone: words of ours, where a name ends, UUIDs, digests, addresses and host names.

/// What is replaced wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The identity of an object, or of a command.
    Uuid,
    /// A BLAKE3 digest, in hex.
    Digest,
    /// An IPv4 address.
    Address,
    /// A host name with dots.
    Host,
}

/// Domains of the APIs and products that the operators deal with: what belongs to them names nobody.
const DOMAINS: [&str; 14] = [
    "kubernetes.io",
    "k8s.io",
    "openshift.io",
    "open-cluster-management.io",
    "csiaddons.openshift.io",
    "ceph.com",
    "ceph.rook.io",
    "backube",
    "velero.io",
    "argoproj.io",
    "cncf.io",
    "ovn.org",
    "helm.sh",
    "example.test",
];

/// The length of the name of an API that a text starts with: a group, a label or annotation of a known domain, a driver.
pub fn ours(rest: &str) -> Option<usize> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c))).unwrap_or(rest.len());
    let host = rest.get(..end)?.trim_end_matches(['.', '-']);
    let known = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if !host.contains('.') || !DOMAINS.iter().any(|domain| known(domain)) {
        return None;
    }
    // The key after the domain belongs to it.
    let key = rest.get(host.len()..).and_then(|rest| rest.strip_prefix('/')).map_or(0, |rest| {
        1 + rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len())
    });
    Some(host.len() + key)
}

/// Whether a name of this length that a text starts with ends there.
pub fn ends(rest: &str, length: usize) -> bool {
    rest.get(length..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
}

/// How much of a text is to be copied before the next place where a name may begin.
pub fn plain(rest: &str) -> usize {
    let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    match rest.get(word..).and_then(|rest| rest.chars().next()) {
        Some(c) => word + c.len_utf8(),
        None => rest.len(),
    }
}

/// What a text starts with, and how long it is.
pub fn token(rest: &str) -> Option<(Token, usize)> {
    let run = |more: &str| rest.find(|c: char| !(c.is_ascii_alphanumeric() || more.contains(c))).unwrap_or(rest.len());
    let word = rest.get(..run(""))?;
    if word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some((Token::Digest, 64));
    }
    if rest.get(..36).is_some_and(is_uuid) && ends(rest, 36) {
        return Some((Token::Uuid, 36));
    }
    let dotted = rest.get(..run(".-"))?.trim_end_matches(['.', '-']);
    let labels: Vec<&str> = dotted.split('.').collect();
    if let [a, b, c, d] = labels.as_slice()
        && [a, b, c, d].iter().all(|number| number.parse::<u8>().is_ok())
    {
        return Some((Token::Address, dotted.len()));
    }
    // Fields of objects look like hosts, too.
    let is_field = matches!(labels.first(), Some(&("spec" | "status" | "metadata" | "data")));
    let is_label = |label: &&str| !label.is_empty() && !label.bytes().any(|b| b.is_ascii_uppercase());
    let is_top = |label: &&str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_lowercase());
    let is_host = labels.len() >= 3 && !is_field && labels.iter().all(is_label) && labels.last().is_some_and(is_top);
    is_host.then_some((Token::Host, dotted.len()))
}

/// A text without UUIDs and digests.
pub fn masked(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, kept) = match token(rest) {
            Some((Token::Uuid | Token::Digest, length)) => (length, "#"),
            _ => (plain(rest), rest.get(..plain(rest)).unwrap_or(rest)),
        };
        result.push_str(kept);
        at += length;
    }
    result
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::uuid("6f2c9f0e-71c5-4d57-9d0b-5a6d3c1b8e21.", Some((Token::Uuid, 36)))]
    #[case::address("10.0.0.12:443", Some((Token::Address, 9)))]
    #[case::range("10.0.0.0/24", Some((Token::Address, 8)))]
    #[case::host("s3.acme.com/x", Some((Token::Host, 11)))]
    #[case::sentence("done. Then", None)]
    #[case::fields("spec.action is", None)]
    #[case::field("spec.placement.name: x", None)]
    #[case::go_field("a.placementRef.name", None)]
    #[case::version("1.2.3", None)]
    #[case::word("app-000", None)]
    fn tokens_are_told_by_their_looks(#[case] text: &str, #[case] expected: Option<(Token, usize)>) {
        assert_eq!(token(text), expected);
    }

    #[test]
    fn names_of_apis_are_no_names() {
        assert_eq!(ours("app.kubernetes.io/name: x"), Some("app.kubernetes.io/name".len()));
        assert_eq!(ours("rbd.csi.ceph.com"), Some("rbd.csi.ceph.com".len()));
        assert_eq!(ours("notkubernetes.io/name"), None);
        assert_eq!(ours("acme.com/team"), None);
    }
}
