//! Wanted times of recovery and points of recovery: from a file, from annotations, and from policies.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, anyhow};
use ramen_api::ramen::wire::annotation::{RPO_TARGET, RTO_TARGET};
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
    /// The record that shows it; none for what a file says.
    pub record: Option<String>,
}

/// Targets as annotations of an object give them.
#[derive(Clone, Debug, Default)]
pub struct Annotated {
    /// The object: `drpc/apps/app-1`, `policy gold`.
    pub object: String,
    /// The record that shows the annotations.
    pub record: String,
    /// `ramendr.openshift.io/rto-target`.
    pub rto: Option<String>,
    /// `ramendr.openshift.io/rpo-target`.
    pub rpo: Option<String>,
}

impl Annotated {
    /// Those among the annotations of an object; `None` when it gives no target.
    pub fn of(object: String, record: String, annotation: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let (rto, rpo) = (annotation(RTO_TARGET), annotation(RPO_TARGET));
        (rto.is_some() || rpo.is_some()).then_some(Self { object, record, rto, rpo })
    }

    /// The name of the annotation and its value.
    fn value(&self, measure: Measure) -> Option<(&'static str, &str)> {
        let (name, value) = if measure.is_rto() { (RTO_TARGET, &self.rto) } else { (RPO_TARGET, &self.rpo) };
        Some((name, value.as_deref()?))
    }

    /// Why an annotation is of no use, and what to do.
    fn complaint(&self, measure: Measure) -> Option<String> {
        let (name, value) = self.value(measure).filter(|(_, value)| milliseconds(value).is_none())?;
        Some(format!(
            "annotation {name} of {} is {value:?}, which is no duration, and does not count: write it like 30s, 5m, 1h30m \
             or 1d ({})",
            self.object, self.record
        ))
    }
}

/// What there is besides a file, the most special first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere<'a> {
    /// Annotations of the DRPlacementControl, then of its DRPolicy.
    pub annotated: &'a [Annotated],
    /// The policy's scheduling interval, and the record that shows it.
    pub interval: Option<&'a (String, String)>,
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

    /// The target for an application (`NAMESPACE/NAME`) under a policy, and what is wrong with annotations that were to
    /// give one. The file counts most, then the DRPlacementControl, then its policy; where none gives an RPO, the policy's
    /// scheduling interval is it.
    pub fn of(
        &self,
        measure: Measure,
        application: &str,
        policy: &str,
        elsewhere: Elsewhere<'_>,
    ) -> (Option<Target>, Vec<String>) {
        let Elsewhere { annotated, interval } = elsewhere;
        let complaints = annotated.iter().filter_map(|annotated| annotated.complaint(measure)).collect();
        let pick = |pair: &Pair| if measure.is_rto() { pair.rto.clone() } else { pair.rpo.clone() };
        let name = &self.name;
        let places = [
            (self.applications.get(application), format!("{name}, application {application}")),
            (self.policies.get(policy), format!("{name}, policy {policy}")),
            (Some(&self.all), name.clone()),
        ];
        let mut from_file = places.into_iter().filter_map(|(pair, from)| {
            let ms = milliseconds(&pick(pair?)?)?;
            Some(Target { ms, from, record: None })
        });
        let mut from_annotations = annotated.iter().filter_map(|annotated| {
            let (name, value) = annotated.value(measure)?;
            let from = format!("annotation {name} of {}", annotated.object);
            Some(Target { ms: milliseconds(value)?, from, record: Some(annotated.record.clone()) })
        });
        let from_interval = || {
            let (interval, record) = interval.filter(|_| !measure.is_rto())?;
            let ms = milliseconds(interval).filter(|ms| *ms > 0)?;
            Some(Target { ms, from: format!("scheduling interval of policy {policy}"), record: Some(record.clone()) })
        };
        let target = from_file.next().or_else(|| from_annotations.next()).or_else(from_interval);
        (target, complaints)
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
        let interval = ("15m".to_owned(), "hub#3".to_owned());
        let ms = |measure, application, policy| {
            let elsewhere = Elsewhere { annotated: &[], interval: Some(&interval) };
            targets.of(measure, application, policy, elsewhere).0.map(|target| target.ms)
        };
        assert_eq!(ms(Measure::RtoFromRequest, "apps/a", "gold"), Some(10_000));
        assert_eq!(ms(Measure::RtoFromRequest, "apps/b", "gold"), Some(60_000));
        assert_eq!(ms(Measure::RtoFromLoss, "apps/b", "silver"), Some(300_000));
        assert_eq!(ms(Measure::RpoOfVolume, "apps/a", "gold"), Some(120_000));
        assert_eq!(ms(Measure::RpoOfGroup, "apps/b", "gold"), Some(900_000));
    }
    #[test]
    fn annotations_count_less_than_the_file_and_a_bad_one_is_named() {
        let file: Targets = serde_norway::from_str("applications: {apps/a: {rto: 10s}}\n").unwrap();
        let of = |object: &str, rto: Option<&str>, rpo: Option<&str>| Annotated {
            object: object.to_owned(),
            record: "hub#7".to_owned(),
            rto: rto.map(str::to_owned),
            rpo: rpo.map(str::to_owned),
        };
        let annotated = [of("drpc/apps/a", Some("5m"), Some("soon")), of("policy gold", Some("1h"), Some("2h"))];
        let elsewhere = Elsewhere { annotated: &annotated, interval: None };
        let ask = |measure, application| {
            let (target, complaints) = file.of(measure, application, "gold", elsewhere);
            (target.map(|target| (target.ms, target.record)), complaints)
        };
        assert_eq!(ask(Measure::RtoFromRequest, "apps/a"), (Some((10_000, None)), vec![]));
        let record = || Some("hub#7".to_owned());
        assert_eq!(ask(Measure::RtoFromLoss, "apps/b"), (Some((300_000, record())), vec![]));
        let (target, complaints) = ask(Measure::RpoOfVolume, "apps/a");
        assert_eq!(target, Some((7_200_000, record())), "the policy's counts instead");
        let [complaint] = complaints.as_slice() else { panic!("{complaints:?}") };
        for word in ["ramendr.openshift.io/rpo-target", "drpc/apps/a", "\"soon\"", "5m", "hub#7"] {
            assert!(complaint.contains(word), "no {word} in {complaint}");
        }
    }
}
