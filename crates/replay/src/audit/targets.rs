//! Wanted times of recovery and points of recovery: from a file, and from policies.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use crate::audit::report::Measure;

/// Targets as a file gives them. The most special one counts: of the application, of its policy, of all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Of all.
    #[serde(flatten)]
    all: Pair,
    /// By name of the policy.
    #[serde(default)]
    policies: BTreeMap<String, Pair>,
    /// By `NAMESPACE/NAME` of the DRPlacementControl.
    #[serde(default)]
    applications: BTreeMap<String, Pair>,
    /// What the file is called.
    #[serde(skip)]
    name: String,
}

/// The two targets of something.
#[derive(Clone, Debug, Default, Deserialize)]
struct Pair {
    rto: Option<String>,
    rpo: Option<String>,
}

/// A target, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// At most this many milliseconds.
    pub ms: u64,
    /// Where it comes from.
    pub from: String,
}

impl Targets {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read, or says something that is no target, with its name.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read the targets in {name}"))?;
        let mut targets: Self = serde_norway::from_str(&text)
            .with_context(|| format!("{name} does not hold targets as they are written"))?;
        let pairs = [&targets.all].into_iter().chain(targets.policies.values()).chain(targets.applications.values());
        for text in pairs.flat_map(|pair| pair.rto.iter().chain(&pair.rpo)) {
            milliseconds(text)
                .ok_or_else(|| anyhow!("{name}: {text:?} is no duration; write it like 30s, 5m, 1h30m or 1d"))?;
        }
        targets.name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(targets)
    }

    /// The target for an application (`NAMESPACE/NAME`) under a policy. `interval` is the policy's scheduling interval:
    /// the RPO where the file says none.
    pub fn of(&self, measure: Measure, application: &str, policy: &str, interval: Option<&str>) -> Option<Target> {
        let pick = |pair: &Pair| if measure.is_rto() { pair.rto.clone() } else { pair.rpo.clone() };
        let name = &self.name;
        let places = [
            (self.applications.get(application), format!("{name}, application {application}")),
            (self.policies.get(policy), format!("{name}, policy {policy}")),
            (Some(&self.all), name.clone()),
        ];
        let from_file = places.into_iter().find_map(|(pair, from)| {
            let ms = milliseconds(&pick(pair?)?)?;
            Some(Target { ms, from })
        });
        from_file.or_else(|| {
            let ms = interval.filter(|_| !measure.is_rto()).and_then(milliseconds).filter(|ms| *ms > 0)?;
            Some(Target { ms, from: format!("scheduling interval of policy {policy}") })
        })
    }
}

/// `1d2h3m4s`, in milliseconds; `None` for anything else.
pub fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let unit = match unit {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(milliseconds("1d2h"), Some(93_600_000));
        assert_eq!(milliseconds("90s"), Some(90_000));
        assert!(milliseconds("soon").is_none() && milliseconds("5").is_none() && milliseconds("").is_none());
    }

    #[test]
    fn the_most_special_target_counts_and_the_interval_is_the_last_resort() {
        let targets: Targets = serde_norway::from_str(
            "rto: 5m\npolicies: {gold: {rto: 1m}}\napplications: {apps/a: {rto: 10s, rpo: 2m}}\n",
        )
        .unwrap();
        let ms = |measure, application, policy| {
            targets.of(measure, application, policy, Some("15m")).map(|target| target.ms)
        };
        assert_eq!(ms(Measure::RtoFromRequest, "apps/a", "gold"), Some(10_000));
        assert_eq!(ms(Measure::RtoFromRequest, "apps/b", "gold"), Some(60_000));
        assert_eq!(ms(Measure::RtoFromLoss, "apps/b", "silver"), Some(300_000));
        assert_eq!(ms(Measure::RpoOfVolume, "apps/a", "gold"), Some(120_000));
        assert_eq!(ms(Measure::RpoOfGroup, "apps/b", "gold"), Some(900_000));
    }
}
