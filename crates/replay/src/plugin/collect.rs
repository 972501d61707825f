//! Asks all at once, and tells who gave what.

use std::{fs, io::Write, path::Path, thread, time::Duration};

use anyhow::{Context, Result, anyhow};
use ramen_events::{Seq, Stamp};
use serde_json::json;

use super::{
    Capture,
    plan::{self, HUB, Policy, Target, TokenFrom, Way, Wishes},
};
use crate::{
    Exit,
    kubectl::{DRPCS, Kubectl},
    open::{Log, Usage},
    remote::{self, Token},
    slice::Wanted,
    table::{BAD, DIM, NAME, Table},
};

/// DRPolicies, as kubectl knows them.
const POLICIES: &str = "drpolicies.ramendr.openshift.io";

/// What became of one.
enum Taken {
    /// It is in this file.
    File { file: String, records: u64, from: Stamp, to: Stamp },
    /// The log holds nothing of what was asked for.
    Nothing,
}

/// Runs it.
pub(super) fn run(capture: &Capture, out: &mut dyn Write) -> Result<Exit> {
    let kubectl = Kubectl::new(&capture.kubeconfigs, Duration::from_secs(capture.timeout));
    let wishes = wishes(capture)?;
    let clusters = clusters(capture, &kubectl, &wishes)?;
    let contexts = kubectl.contexts()?;
    let planned = plan::plan(&clusters, &contexts, &wishes)?;
    fs::create_dir_all(&capture.out).with_context(|| format!("could not make {}", capture.out.display()))?;
    let results = thread::scope(|scope| {
        let kubectl = &kubectl;
        let asked: Vec<_> = planned
            .into_iter()
            .map(|(cluster, target)| (cluster, scope.spawn(move || take(capture, kubectl, target))))
            .collect();
        let joined = asked.into_iter().map(|(cluster, thread)| {
            (cluster, thread.join().unwrap_or_else(|_| Err(anyhow!("this program broke down; please report it"))))
        });
        joined.collect::<Vec<_>>()
    });
    if capture.json {
        print_json(&results, out)?
    } else {
        print(&results, out)?
    }
    let failed = results.iter().filter(|(_, taken)| taken.is_err()).count();
    Ok(match failed {
        0 => Exit::Good,
        all if all == results.len() => Exit::Unreadable,
        _ => Exit::Diverged,
    })
}

fn wishes(capture: &Capture) -> Result<Wishes, Usage> {
    for (_, address) in &capture.endpoints {
        remote::local(address).map_err(|err| Usage(format!("--endpoint {err:#}")))?;
    }
    let mut wishes = Wishes {
        hub_context: capture.hub_context.clone(),
        contexts: capture.contexts.iter().cloned().collect(),
        endpoints: capture.endpoints.iter().cloned().collect(),
        ..Wishes::default()
    };
    for text in &capture.token_files {
        match text.split_once('=') {
            Some((cluster, file)) if !Path::new(text).exists() => {
                wishes.token_files.insert(cluster.to_owned(), file.into());
            }
            _ => wishes.token_file = Some(text.into()),
        }
    }
    Ok(wishes)
}

/// The clusters of the policy. While the hub can't be asked, those that the command line names.
fn clusters(capture: &Capture, kubectl: &Kubectl, wishes: &Wishes) -> Result<Vec<String>> {
    let policies = kubectl.get(capture.hub_context.as_deref(), &[POLICIES]);
    let named: Vec<String> =
        wishes.contexts.keys().chain(wishes.endpoints.keys()).filter(|cluster| *cluster != HUB).cloned().collect();
    let policies = match policies {
        Ok(policies) => Policy::all(&policies),
        Err(err) if named.is_empty() => {
            return Err(err.context(
                "the hub can't be asked for its DRPolicies; to take captures of clusters all the same, name them: \
                 --context CLUSTER=CONTEXT",
            ));
        }
        Err(err) => {
            eprintln!("kubectl ramen: the hub can't be asked for its DRPolicies: {err:#}");
            let mut named = named;
            named.sort_unstable();
            named.dedup();
            return Ok(named);
        }
    };
    let of_drpc = match (&capture.drpolicy, &capture.drpc) {
        (None, Some(drpc)) => {
            let object = kubectl
                .get(capture.hub_context.as_deref(), &[DRPCS, "-n", &drpc.namespace, &drpc.name])
                .with_context(|| format!("could not look up the policy of {drpc}"))?;
            object.pointer("/spec/drPolicyRef/name").and_then(serde_json::Value::as_str).map(str::to_owned)
        }
        (named, _) => named.clone(),
    };
    let policy = plan::choose(policies, of_drpc.as_deref())?;
    eprintln!("kubectl ramen: policy {}: hub, {}", policy.name, policy.clusters.join(", "));
    Ok(policy.clusters)
}

/// Takes one capture.
fn take(capture: &Capture, kubectl: &Kubectl, target: Result<Target, String>) -> Result<Taken> {
    let target = target.map_err(|why| anyhow!(why))?;
    let token = match &target.token {
        TokenFrom::File(file) => Token::read(Some(file))?,
        TokenFrom::Account(context) => {
            kubectl.token(context.as_deref(), &capture.namespace, &capture.service_account)?
        }
    };
    let deployment = if target.cluster == HUB { &capture.hub_deployment } else { &capture.cluster_deployment };
    let fetched = match &target.way {
        Way::Endpoint(address) => remote::fetch(address, &token)?,
        Way::Forward(context) => {
            let forward = kubectl.forward(context.as_deref(), &capture.namespace, deployment, capture.port)?;
            remote::fetch(&forward.address(), &token)?
        }
    };
    let log = Log::open(fetched.path(), false)?;
    let wanted = Wanted { drpc: capture.drpc.clone(), since: capture.since.clone(), ..Wanted::default() };
    let file = capture.out.join(format!("{}.ramenlog", target.cluster));
    let Some(header) = wanted.write(&log, &file)? else { return Ok(Taken::Nothing) };
    let stamp = |seq: Seq| -> Result<Stamp> {
        let first = log.history.scan(seq).next().transpose()?;
        Ok(first.map(|(record, _)| record.stamp).unwrap_or_default())
    };
    Ok(Taken::File {
        file: file.display().to_string(),
        records: header.records(),
        from: stamp(header.first)?,
        to: stamp(header.last)?,
    })
}

fn print(results: &[(String, Result<Taken>)], out: &mut dyn Write) -> Result<()> {
    let plain = anstyle::Style::new();
    let mut table = Table::new(&["CLUSTER", "RECORDS", "FROM", "TO", "FILE"]);
    let text = |text: &str, style| (text.to_owned(), style);
    for (cluster, taken) in results {
        table.row(match taken {
            Ok(Taken::File { file, records, from, to }) => vec![
                text(cluster, NAME),
                (records.to_string(), plain),
                (from.time.rfc3339(), DIM),
                (to.time.rfc3339(), DIM),
                (file.clone(), plain),
            ],
            Ok(Taken::Nothing) => {
                let none = || text("—", DIM);
                vec![text(cluster, NAME), text("0", plain), none(), none(), text("nothing of that in its log", DIM)]
            }
            Err(err) => {
                let none = || text("—", DIM);
                vec![text(cluster, NAME), none(), none(), none(), (format!("not taken: {err:#}"), BAD)]
            }
        });
    }
    table.print(out)?;
    Ok(())
}

fn print_json(results: &[(String, Result<Taken>)], out: &mut dyn Write) -> Result<()> {
    for (cluster, taken) in results {
        let value = match taken {
            Ok(Taken::File { file, records, from, to }) => json!({
                "cluster": cluster, "records": records, "from": from.to_string(), "to": to.to_string(), "file": file,
            }),
            Ok(Taken::Nothing) => json!({"cluster": cluster, "records": 0}),
            Err(err) => json!({"cluster": cluster, "error": format!("{err:#}")}),
        };
        writeln!(out, "{value}")?;
    }
    Ok(())
}
