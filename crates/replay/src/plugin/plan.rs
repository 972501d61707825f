//! Who is asked, and by which way. Pure.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;

use crate::open::Usage;

/// What the hub is called in the command line and in names of files.
pub const HUB: &str = "hub";

/// What was wished for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The hub's context.
    pub hub_context: Option<String>,
    /// Contexts of clusters.
    pub contexts: BTreeMap<String, String>,
    /// Addresses of operators that are no pods.
    pub endpoints: BTreeMap<String, String>,
    /// A file with a token for all.
    pub token_file: Option<PathBuf>,
    /// Files with tokens for some.
    pub token_files: BTreeMap<String, PathBuf>,
}

/// One operator, and how to get its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `hub`, or the name of the cluster.
    pub cluster: String,
    /// Where it is.
    pub way: Way,
    /// What it is shown.
    pub token: TokenFrom,
}

/// How an operator is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// At this address.
    Endpoint(String),
    /// Through a port-forward in this context; `None` is the current one.
    Forward(Option<String>),
}

/// Where a token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    /// A file.
    File(PathBuf),
    /// A service account, asked for in this context; `None` is the current one.
    Account(Option<String>),
}

/// A cluster, and how to get its log, or why that can't be.
pub type Planned = (String, Result<Target, String>);

/// Plans for the hub and for clusters; `known` are the contexts of the kubeconfig.
///
/// # Errors
/// When a wish is about a cluster that the policy does not have.
pub fn plan(clusters: &[String], known: &[String], wishes: &Wishes) -> Result<Vec<Planned>, Usage> {
    if clusters.iter().any(|cluster| cluster == HUB) {
        return Err(Usage(format!("a managed cluster is called {HUB}, as the hub is here: capture it by itself")));
    }
    let contexts = wishes.contexts.keys().map(|cluster| ("--context", cluster));
    let endpoints = wishes.endpoints.keys().map(|cluster| ("--endpoint", cluster));
    let tokens = wishes.token_files.keys().map(|cluster| ("--token-file", cluster));
    for (flag, cluster) in contexts.chain(endpoints).chain(tokens) {
        if cluster == HUB && flag == "--context" {
            return Err(Usage("the hub's context is given with --hub-context".to_owned()));
        }
        if cluster != HUB && !clusters.contains(cluster) {
            let names = clusters.join(", ");
            return Err(Usage(format!("{flag} {cluster}=…: the policy has no such cluster; it has {names}")));
        }
    }
    let hub = Ok(target(HUB, Some(wishes.hub_context.clone()), wishes));
    let of_cluster = |cluster: &String| {
        let asked = wishes.contexts.get(cluster);
        // Whether a context that was asked for exists, kubectl will say.
        let context = asked.or_else(|| known.iter().find(|context| *context == cluster)).cloned().map(Some);
        let target = target(cluster, context, wishes);
        (cluster.clone(), target.ok_or_else(|| no_context(cluster, known)))
    };
    let hub = hub.and_then(|target| target.ok_or_else(|| no_context(HUB, known)));
    Ok([(HUB.to_owned(), hub)].into_iter().chain(clusters.iter().map(of_cluster)).collect())
}

/// `None` when a context is needed, and there is none.
#[expect(clippy::option_option, reason = "no context at all is not the current context")]
fn target(cluster: &str, context: Option<Option<String>>, wishes: &Wishes) -> Option<Target> {
    let file = wishes.token_files.get(cluster).or(wishes.token_file.as_ref());
    let way = match wishes.endpoints.get(cluster) {
        Some(address) => Way::Endpoint(address.clone()),
        None => Way::Forward(context.clone()?),
    };
    let token = match file {
        Some(file) => TokenFrom::File(file.clone()),
        None => TokenFrom::Account(context?),
    };
    Some(Target { cluster: cluster.to_owned(), way, token })
}

fn no_context(cluster: &str, known: &[String]) -> String {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("the kubeconfig has no context {cluster}: give --context {cluster}=CONTEXT; there is {known}")
}

/// A policy and its clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its clusters.
    pub clusters: Vec<String>,
}

impl Policy {
    /// All of a list, as `kubectl get -o json` prints it.
    pub fn all(list: &Value) -> Vec<Self> {
        let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let policy = |item: &Value| {
            let name = item.pointer("/metadata/name")?.as_str()?.to_owned();
            let clusters = item.pointer("/spec/drClusters").and_then(Value::as_array).into_iter().flatten();
            Some(Self { name, clusters: clusters.filter_map(Value::as_str).map(str::to_owned).collect() })
        };
        items.filter_map(policy).collect()
    }
}

/// The policy that is meant.
///
/// # Errors
/// [`Usage`] with those that there are.
pub fn choose(mut policies: Vec<Policy>, wanted: Option<&str>) -> Result<Policy, Usage> {
    let names = policies.iter().map(|policy| policy.name.clone()).collect::<Vec<_>>().join(", ");
    match wanted {
        Some(wanted) => policies.into_iter().find(|policy| policy.name == wanted).ok_or_else(|| {
            let there = if names.is_empty() { "there is none at all".to_owned() } else { format!("there is {names}") };
            Usage(format!("the hub has no DRPolicy {wanted}; {there}"))
        }),
        None if policies.len() == 1 => Ok(policies.remove(0)),
        None if policies.is_empty() => {
            Err(Usage("the hub has no DRPolicy: is this its context? --hub-context names it".to_owned()))
        }
        None => Err(Usage(format!("the hub has several DRPolicies: choose with --drpolicy one of {names}"))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn words(planned: &Planned) -> String {
        let context = |context: &Option<String>| context.clone().unwrap_or_else(|| "the current one".to_owned());
        let (cluster, target) = planned;
        match target {
            Err(wrong) => format!("{cluster}: {wrong}"),
            Ok(target) => {
                let way = match &target.way {
                    Way::Endpoint(address) => format!("at {address}"),
                    Way::Forward(of) => format!("forward in {}", context(of)),
                };
                let token = match &target.token {
                    TokenFrom::File(file) => format!("token in {}", file.display()),
                    TokenFrom::Account(of) => format!("token from {}", context(of)),
                };
                format!("{cluster}: {way}, {token}")
            }
        }
    }

    #[rstest]
    #[case::contexts_are_called_like_clusters(
        Wishes::default(),
        ["hub: forward in the current one, token from the current one", "c1: forward in c1, token from c1",
         "c2: forward in c2, token from c2"]
    )]
    #[case::contexts_are_given(
        Wishes { hub_context: Some("h".into()), contexts: map(&[("c2", "west")]), ..Wishes::default() },
        ["hub: forward in h, token from h", "c1: forward in c1, token from c1", "c2: forward in west, token from west"]
    )]
    #[case::an_operator_is_no_pod(
        Wishes { endpoints: map(&[("hub", "http://127.0.0.1:1"), ("c1", "http://127.0.0.1:2")]), ..Wishes::default() },
        ["hub: at http://127.0.0.1:1, token from the current one", "c1: at http://127.0.0.1:2, token from c1",
         "c2: forward in c2, token from c2"]
    )]
    #[case::tokens_are_in_files(
        Wishes { token_file: Some("all".into()), token_files: [("c1".to_owned(), PathBuf::from("one"))].into(),
                 ..Wishes::default() },
        ["hub: forward in the current one, token in all", "c1: forward in c1, token in one",
         "c2: forward in c2, token in all"]
    )]
    fn ways(#[case] wishes: Wishes, #[case] expected: [&str; 3]) {
        let known = ["c1", "c2", "other"].map(str::to_owned);
        let planned = plan(&["c1", "c2"].map(str::to_owned), &known, &wishes).expect("a plan");
        assert_eq!(planned.iter().map(words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_cluster_without_a_context_is_told_and_the_others_are_asked() {
        let clusters = ["c1", "c2", "c3"].map(str::to_owned);
        let wishes = Wishes {
            endpoints: map(&[("c2", "http://127.0.0.1:2"), ("c3", "http://127.0.0.1:3")]),
            token_files: [("c3".to_owned(), PathBuf::from("t"))].into(),
            ..Wishes::default()
        };
        let planned = plan(&clusters, &["east".to_owned()], &wishes).expect("a plan");
        assert_eq!(
            planned.iter().map(words).collect::<Vec<_>>(),
            [
                "hub: forward in the current one, token from the current one",
                "c1: the kubeconfig has no context c1: give --context c1=CONTEXT; there is east",
                // Its token needs one, too.
                "c2: the kubeconfig has no context c2: give --context c2=CONTEXT; there is east",
                "c3: at http://127.0.0.1:3, token in t",
            ]
        );
    }

    #[rstest]
    #[case::of_a_stranger(
        Wishes { contexts: map(&[("c9", "x")]), ..Wishes::default() },
        "--context c9=…: the policy has no such cluster; it has c1, c2"
    )]
    #[case::of_the_hub(Wishes { contexts: map(&[("hub", "x")]), ..Wishes::default() }, "--hub-context")]
    #[case::an_endpoint(Wishes { endpoints: map(&[("c3", "x")]), ..Wishes::default() }, "--endpoint c3=…")]
    fn wishes_about_nobody_are_refused(#[case] wishes: Wishes, #[case] expected: &str) {
        let wrong = plan(&["c1", "c2"].map(str::to_owned), &[], &wishes).expect_err("it is wrong");
        assert!(wrong.0.contains(expected), "{wrong}");
    }

    #[test]
    fn a_cluster_that_is_called_like_the_hub_is_refused() {
        assert!(plan(&["hub".to_owned()], &[], &Wishes::default()).is_err());
    }

    #[rstest]
    #[case::the_only_one(&["gold"], None, Ok("gold"))]
    #[case::by_name(&["gold", "silver"], Some("silver"), Ok("silver"))]
    #[case::one_of_several(&["gold", "silver"], None, Err("several DRPolicies: choose with --drpolicy one of gold, silver"))]
    #[case::unknown(&["gold"], Some("iron"), Err("the hub has no DRPolicy iron; there is gold"))]
    #[case::unknown_and_none(&[], Some("iron"), Err("there is none at all"))]
    #[case::none(&[], None, Err("the hub has no DRPolicy: is this its context? --hub-context names it"))]
    fn policies(#[case] names: &[&str], #[case] wanted: Option<&str>, #[case] expected: Result<&str, &str>) {
        let item = |name: &&str| json!({"metadata": {"name": name}, "spec": {"drClusters": ["c1", "c2"]}});
        let list = json!({"items": names.iter().map(item).collect::<Vec<_>>()});
        match (choose(Policy::all(&list), wanted), expected) {
            (Ok(policy), Ok(name)) => {
                assert_eq!((policy.name.as_str(), policy.clusters), (name, vec!["c1".to_owned(), "c2".to_owned()]));
            }
            (Err(wrong), Err(words)) => assert!(wrong.0.contains(words), "{wrong}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }
}
