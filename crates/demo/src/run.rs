//! One run of the demo, from an empty folder to the closing tables.

use std::{collections::BTreeMap, fs, io, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    auditors, captures,
    options::{ApiServers, Options},
    processes::{self, Operator},
    progress::Progress,
    stage::Stage,
    story::Story,
};

/// Left in the folder of a run, so that the next run may empty it.
const MARK: &str = ".ramen-demo";

/// Plays the story. Returns the closing tables.
///
/// # Errors
/// When the story does not end as it should; whatever was started is stopped all the same.
pub async fn run(mut options: Options) -> Result<String> {
    options.out = std::path::absolute(&options.out)?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        told = play(&options) => told,
        _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        _ = terminate.recv() => bail!("terminated; everything is stopped"),
    }
}

async fn play(options: &Options) -> Result<String> {
    empty(&options.out)?;
    let mut progress = Progress::new();
    progress.begin("build");
    let binaries = processes::binaries(options.bin_dir.as_deref()).await?;
    progress.done("operators are built");

    let started = Instant::now();
    progress.begin("start");
    let stage = match options.api_servers {
        ApiServers::Embedded => Stage::embedded(&options.out).await?,
        ApiServers::Real => Stage::real(&options.out).await?,
    };
    let operators = ["hub", "c1", "c2"]
        .into_iter()
        .map(|cluster| Operator::new(cluster, &binaries, stage.kubeconfig(cluster).to_owned(), &options.out))
        .collect::<Result<Vec<_>>>()?;
    progress.done("hub and two managed clusters, with storage, S3 and OCM's agents");

    let mut story = Story::new(options, stage, operators, &mut progress);
    let played = match story.protect().await {
        Ok(()) if options.keep => keep(options, &story).await,
        Ok(()) => story.disaster().await,
        Err(err) => Err(err),
    };
    if played.is_err() {
        story.failed();
    }
    story.report.seconds = started.elapsed().as_secs_f64();
    let stopped = story.stop().await;
    captures::export(&story.data_folders(), story.stage().secrets(), &options.out)?;
    story.report.save(&options.out.join("summary.json"))?;
    let table = story.report.table();
    played.with_context(|| format!("the story did not end as it should; see {}", options.out.display()))?;
    stopped?;
    Ok(table)
}

/// Leaves everything running until Ctrl-C.
async fn keep(options: &Options, story: &Story<'_>) -> Result<()> {
    let mut captures = BTreeMap::new();
    for operator in story.operators() {
        auditors::admit(story.stage().api(&operator.cluster))?;
        captures.insert(operator.cluster.as_str(), format!("http://{}", operator.captures));
    }
    let running = serde_json::to_string_pretty(&json!({ "captures": captures }))?;
    fs::write(options.out.join("running.json"), running + "\n").context("could not write into the output folder")?;
    let at = |cluster: &str| story.stage().kubeconfig(cluster).display().to_string();
    eprintln!(
        "\nEverything is running. Try, in another terminal:\n\n\
         \x20 kubectl --kubeconfig {hub} get drpc -A -o wide\n\
         \x20 kubectl --kubeconfig {c1} get vrg,vr,pvc,pv -A\n\
         \x20 kubectl --kubeconfig {hub} -n apps patch drpc app-000 --type merge -p \\\n\
         \x20   '{{\"spec\":{{\"action\":\"Failover\",\"failoverCluster\":\"c2\"}}}}'\n\
         \x20 kubectl --kubeconfig {hub} -n apps get drpc -w\n\
         \x20 kubectl --kubeconfig {c2} get vrg,vr,pvc,pv -A\n\n\
         What the hub has done so far, as its auditor may have it:\n\n\
         \x20 kubectl --kubeconfig {hub} -n ramen-system create token {auditor} | \\\n\
         \x20   ramen-replay capture {captured} {out}/hub-now.ramenlog --token-file -\n\n\
         Logs are in {out}. Ctrl-C stops everything.",
        hub = at("hub"),
        c1 = at("c1"),
        c2 = at("c2"),
        out = options.out.display(),
        auditor = auditors::AUDITOR,
        captured = captures["hub"],
    );
    std::future::pending().await
}

/// Makes the folder, or empties it if an earlier run of the demo left it.
fn empty(out: &Path) -> Result<()> {
    let mark = out.join(MARK);
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() && !mark.exists() {
                bail!("{} holds files that are not of the demo: give another folder with --out", out.display());
            }
            fs::remove_dir_all(out).with_context(|| format!("could not empty {}", out.display()))?;
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        Err(err) => return Err(err).with_context(|| format!("could not look into {}", out.display())),
    }
    fs::create_dir_all(out).with_context(|| format!("could not make {}", out.display()))?;
    fs::write(mark, "").context("could not write into the output folder")
}
