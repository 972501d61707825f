//! The story: protect, lose a cluster, fail over, heal, relocate, unprotect.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ramen_sim::{
    api::ApiError,
    apps::Application,
    kinds,
    look::{self, Drpc},
    time::Time,
};
use serde_json::{Value, json};

use crate::{
    chaos::Chaos,
    metrics::Figures,
    options::Options,
    processes::Operator,
    progress::Progress,
    report::{ActionReport, Report, StepReport, upstream},
    stage::Stage,
};

/// How long a step may take before the story has failed.
const STEP_LIMIT: Duration = Duration::from_secs(120);
/// How often conditions are looked at; reads are local and cheap.
const LOOK: Duration = Duration::from_millis(20);
/// How long applications write undisturbed before the cluster is lost, so that there is something to lose.
const QUIET: Duration = Duration::from_secs(3);

/// The story as it goes on.
pub struct Story<'a> {
    options: &'a Options,
    stage: Stage,
    operators: Vec<Operator>,
    chaos: Option<Chaos>,
    absent: Option<&'static str>,
    applications: Vec<Application>,
    progress: &'a mut Progress,
    /// What was found so far.
    pub report: Report,
    figures: Figures,
}

impl<'a> Story<'a> {
    /// A story on this stage, with operators that are not started yet.
    pub fn new(options: &'a Options, stage: Stage, operators: Vec<Operator>, progress: &'a mut Progress) -> Self {
        let applications =
            (0..usize::from(options.apps)).map(|number| Application::numbered(number, usize::from(options.pvcs)));
        let report = Report {
            apps: options.apps,
            pvcs: options.pvcs,
            api_servers: format!("{:?}", options.api_servers).to_lowercase(),
            chaos: options.chaos,
            ..Report::default()
        };
        Self {
            options,
            applications: applications.collect(),
            stage,
            operators,
            chaos: None,
            absent: None,
            progress,
            report,
            figures: Figures::default(),
        }
    }

    /// Up to applications that are protected.
    ///
    /// # Errors
    /// When a step does not get there.
    pub async fn protect(&mut self) -> Result<()> {
        self.begin("validate").await;
        for operator in &mut self.operators {
            operator.start()?;
        }
        self.until(|story| Ok(look::unvalidated(story.stage.api("hub"))?)).await?;
        self.end("clusters and policy are validated").await;

        self.begin("deploy").await;
        for application in &self.applications {
            self.stage.deploy(application, "c1")?;
        }
        self.all_run("c1").await?;
        self.end("applications run on c1").await;

        if let Some(seed) = self.options.chaos {
            self.chaos = Some(Chaos::new(seed, self.operators.len()));
        }
        self.begin("protect").await;
        for application in &self.applications {
            self.stage.protect(application)?;
        }
        self.all(|drpc| drpc.settled("Deployed")).await?;
        self.end("volumes replicate to c2, metadata is in both stores").await;
        self.milestone("protected").await
    }

    /// From the loss of c1 to applications that are not protected any more.
    ///
    /// # Errors
    /// When a step does not get there, or data is lost that must not be.
    pub async fn disaster(&mut self) -> Result<()> {
        if self.options.idle > 0 {
            self.begin(&format!("idle-{}s", self.options.idle)).await;
            self.rest(Duration::from_secs(self.options.idle.into())).await?;
            self.end("nothing happens but synchronizations").await;
        }
        self.rest(QUIET).await?;
        self.failover().await?;
        self.heal().await?;
        self.relocate().await?;
        self.unprotect().await
    }

    /// Lets applications write.
    async fn rest(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.until(|_| Ok((Instant::now() < end).then(|| "applications write".to_owned()))).await
    }

    async fn failover(&mut self) -> Result<()> {
        let handles = self.handles("c1")?;
        let written = self.acknowledged(&handles);
        self.absent = Some("c1");
        self.operator("c1")?.kill().await?;
        self.stage.lose("c1");
        let lost_at = Time::wall();
        self.progress.note(&format!("cluster c1 is lost, without warning, after {written} acknowledged writes"));

        self.begin("failover").await;
        let request = Instant::now();
        self.ask(&json!({"spec": {"action": "Failover", "failoverCluster": "c2"}}))?;
        self.all_run("c2").await?;
        let up = request.elapsed();
        self.all(|drpc| drpc.available("FailedOver")).await?;
        let completed = request.elapsed();
        self.end("applications run on c2").await;

        let (mut lost, mut oldest) = (0, Duration::ZERO);
        {
            let storage = self.stage.storage();
            for handle in &handles {
                lost += storage.lost(handle);
                let forced =
                    storage.forced(handle).last().with_context(|| format!("{handle} was not promoted on c2"))?;
                let synced =
                    forced.synced.with_context(|| format!("{handle} was promoted without ever being synced"))?;
                oldest = oldest.max(lost_at.since(synced));
            }
        }
        let interval = self.stage.scheduling_interval();
        if oldest > interval {
            bail!(
                "the failover went back {:.1} s, but the policy's interval is {} s",
                oldest.as_secs_f64(),
                interval.as_secs()
            );
        }
        self.action("failover", up, completed, lost, oldest);
        self.milestone("failed-over").await
    }

    async fn heal(&mut self) -> Result<()> {
        self.begin("heal").await;
        self.stage.bring_back("c1");
        self.absent = None;
        self.operator("c1")?.start()?;
        self.all(|drpc| drpc.settled("FailedOver")).await?;
        self.end("c1 is back, holds replicas again").await;
        self.milestone("healed").await
    }

    async fn relocate(&mut self) -> Result<()> {
        let handles = self.handles("c2")?;
        let lost_before: u64 = self.lost(&handles);
        self.begin("relocate").await;
        let request = Instant::now();
        self.ask(&json!({"spec": {"action": "Relocate", "preferredCluster": "c1"}}))?;
        self.all_run("c1").await?;
        let up = request.elapsed();
        self.all(|drpc| drpc.settled("Relocated")).await?;
        let completed = request.elapsed();
        self.end("applications run on c1 again").await;
        let lost = self.lost(&handles).saturating_sub(lost_before);
        if lost > 0 {
            bail!("the relocation lost {lost} acknowledged writes; it must not lose any");
        }
        self.action("relocate", up, completed, lost, Duration::ZERO);
        self.milestone("relocated").await
    }

    async fn unprotect(&mut self) -> Result<()> {
        self.begin("unprotect").await;
        for application in &self.applications {
            self.stage.unprotect(application)?;
        }
        self.until(|story| story.leftovers()).await?;
        self.all_run("c1").await?;
        self.end("nothing is left behind; applications run on").await;
        self.chaos = None;
        self.report.writes_acknowledged = self.acknowledged(&self.handles("c1")?);
        self.milestone("unprotected").await
    }

    /// What deletion has not removed yet.
    fn leftovers(&self) -> Result<Option<String>> {
        if let Some(drpc) = self.stage.api("hub").list(&kinds::DRPC, None, None)?.first() {
            return Ok(Some(format!("DRPC {}: {}", drpc["metadata"]["name"], drpc["status"]["progression"])));
        }
        for (cluster, kind) in [("c1", &kinds::VRG), ("c2", &kinds::VRG), ("c1", &kinds::VOLUME_REPLICATION)] {
            if let Some(object) = self.stage.api(cluster).list(kind, None, None)?.first() {
                return Ok(Some(format!("{} {} on {cluster}", kind.kind, object["metadata"]["name"])));
            }
        }
        let left =
            self.stage.stores().into_iter().find_map(|(store, objects)| Some((store, objects.into_keys().next()?)));
        Ok(left.map(|(store, key)| format!("{key} in store {store}")))
    }

    /// The operators.
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    /// Stops the operators, in order, and adds their figures to the report.
    ///
    /// # Errors
    /// When one does not stop as it should.
    pub async fn stop(&mut self) -> Result<()> {
        for operator in &mut self.operators {
            let stopped = operator.stop().await;
            let figures = operator.figures().await;
            self.report.operators.push(crate::report::OperatorReport {
                cluster: operator.cluster.clone(),
                starts: operator.starts,
                requests: figures.requests.into(),
                records: figures.records,
                peak_memory_kib: figures.peak_memory_kib,
            });
            stopped?;
        }
        Ok(())
    }

    /// The operators' data folders, by cluster.
    pub fn data_folders(&self) -> Vec<(String, std::path::PathBuf)> {
        self.operators.iter().map(|operator| (operator.cluster.clone(), operator.data().to_owned())).collect()
    }

    /// What the story stands on.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Shows that the step in progress has failed.
    pub fn failed(&mut self) {
        self.progress.failed();
    }

    fn operator(&mut self, cluster: &str) -> Result<&mut Operator> {
        self.operators
            .iter_mut()
            .find(|operator| operator.cluster == cluster)
            .with_context(|| format!("no operator of {cluster}"))
    }

    fn ask(&self, patch: &Value) -> Result<()> {
        for application in &self.applications {
            let namespace = Some(application.hub_namespace.as_str());
            self.stage.api("hub").merge_patch(&kinds::DRPC, namespace, &application.name, patch, None)?;
        }
        Ok(())
    }

    async fn all(&mut self, good: impl Fn(&Drpc) -> bool) -> Result<()> {
        self.until(|story| {
            for application in &story.applications {
                match Drpc::read(story.stage.api("hub"), &application.hub_namespace, &application.name)? {
                    Some(drpc) if good(&drpc) => {}
                    Some(drpc) => return Ok(Some(format!("{}: {}", application.name, drpc.line()))),
                    None => bail!("DRPC {} is gone", application.name),
                }
            }
            Ok(None)
        })
        .await
    }

    async fn all_run(&mut self, cluster: &str) -> Result<()> {
        self.until(|story| {
            for application in &story.applications {
                if !look::runs(story.stage.api(cluster), &application.name)? {
                    let drpc = Drpc::read(story.stage.api("hub"), &application.hub_namespace, &application.name)?
                        .map(|drpc| drpc.line());
                    return Ok(Some(format!("{} to run on {cluster}; {}", application.name, drpc.unwrap_or_default())));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Waits until `look` finds nothing more to wait for, showing what it waits for.
    async fn until(&mut self, look: impl Fn(&Self) -> Result<Option<String>>) -> Result<()> {
        let limit = Instant::now() + STEP_LIMIT;
        loop {
            let owes = self.chaos.as_ref().and_then(Chaos::owes);
            for (index, operator) in self.operators.iter_mut().enumerate() {
                if owes != Some(index) {
                    operator.check()?;
                }
            }
            if let Some(chaos) = &mut self.chaos
                && let Some(done) = chaos.poll(&mut self.operators, self.absent).await?
            {
                self.progress.note(&done);
            }
            let wait = match look(self) {
                Ok(None) => return Ok(()),
                Ok(Some(wait)) => wait,
                Err(err) => match err.downcast_ref::<ApiError>() {
                    Some(ApiError::Unreachable(why)) => format!("an API server: {why}"),
                    _ => return Err(err),
                },
            };
            if Instant::now() > limit {
                bail!("gave up after {} s, still waiting for {wait}", STEP_LIMIT.as_secs());
            }
            self.progress.waiting(&wait);
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn begin(&mut self, step: &str) {
        self.figures = self.sum().await;
        self.progress.begin(step);
    }

    async fn end(&mut self, what: &str) {
        let name = self.progress.step().to_owned();
        let took = self.progress.done(what);
        let requests = self.sum().await.since(&self.figures).requests;
        self.report.steps.push(StepReport {
            upstream: upstream(&name, self.options.apps),
            name,
            seconds: took.as_secs_f64(),
            requests: requests.into(),
        });
    }

    async fn sum(&self) -> Figures {
        let mut sum = Figures::default();
        for operator in &self.operators {
            let figures = operator.figures().await;
            sum = sum.plus(&figures, figures.peak_memory_kib);
        }
        sum
    }

    fn action(&mut self, name: &str, up: Duration, completed: Duration, writes_lost: u64, oldest: Duration) {
        self.report.actions.push(ActionReport {
            name: name.to_owned(),
            application_up_seconds: up.as_secs_f64(),
            completed_seconds: completed.as_secs_f64(),
            writes_lost,
            recovery_point_seconds: oldest.as_secs_f64(),
            scheduling_interval_seconds: self.stage.scheduling_interval().as_secs(),
            upstream_seconds: upstream(name, self.options.apps).map(|upstream| upstream.seconds),
        });
    }

    fn handles(&self, cluster: &str) -> Result<Vec<String>> {
        let mut handles = Vec::new();
        for application in &self.applications {
            handles.extend(look::handles(self.stage.api(cluster), application)?);
        }
        Ok(handles)
    }

    fn lost(&self, handles: &[String]) -> u64 {
        let storage = self.stage.storage();
        handles.iter().map(|handle| storage.lost(handle)).sum()
    }

    fn acknowledged(&self, handles: &[String]) -> u64 {
        let storage = self.stage.storage();
        handles.iter().map(|handle| storage.acknowledged(handle)).sum()
    }

    /// Keeps what there is now, once DRPCs show the conditions of their VRGs: those come by a view, which may be later
    /// than the feedback that ended the step.
    async fn milestone(&mut self, name: &str) -> Result<()> {
        self.until(|story| {
            for application in &story.applications {
                let drpc = Drpc::read(story.stage.api("hub"), &application.hub_namespace, &application.name)?;
                if drpc.is_some_and(|drpc| !drpc.mirrors_vrg()) {
                    return Ok(Some(format!("{}: the conditions of its VRG, which a view brings", application.name)));
                }
            }
            Ok(None)
        })
        .await?;
        let folder = self.options.out.join("milestones");
        std::fs::create_dir_all(&folder)?;
        let clusters: BTreeMap<_, _> =
            ["hub", "c1", "c2"].iter().map(|cluster| ((*cluster).to_owned(), self.stage.api(cluster))).collect();
        let reachable = clusters.into_iter().filter(|(cluster, _)| self.absent != Some(cluster.as_str())).collect();
        crate::milestones::save(&folder.join(format!("{name}.json")), &reachable, &self.stage.stores())
    }
}
