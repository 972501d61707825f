//! `kubectl` on a simulated cluster: the habits of people who look at one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail like tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ramen_sim::cluster::Cluster;
use ramen_sim::front::http::Front;
use serde_json::json;

/// A terminal: `kubectl` towards one cluster, with a home of its own.
struct Terminal {
    program: PathBuf,
    home: tempfile::TempDir,
    url: String,
}

impl Terminal {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--server").arg(&self.url).args(line.split_whitespace());
        command.env("HOME", self.home.path()).env_remove("KUBECONFIG").current_dir(self.home.path());
        command
    }

    /// Runs a command line with an input; its output and errors together.
    fn run(&self, line: &str, input: &str) -> String {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Runs a command line and expects words in what it prints, in this order.
    #[track_caller]
    fn says(&self, line: &str, input: &str, words: &[&str]) {
        let output = self.run(line, input);
        let mut rest = output.as_str();
        for word in words {
            let Some(at) = rest.find(word) else { panic!("kubectl {line}\nlacks '{word}' in:\n{output}") };
            rest = &rest[at + word.len()..];
        }
    }
}

/// `kubectl` beside the real servers, or a loud word that it is missing.
#[expect(clippy::explicit_write, reason = "eprintln is what the harness swallows")]
async fn terminal() -> Option<(Terminal, Front)> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let Some(program) = folder.map(|folder| folder.join("kubectl")).filter(|program| program.is_file()) else {
        writeln!(std::io::stderr(), "SKIPPED: KUBEBUILDER_ASSETS names no folder with kubectl").unwrap();
        return None;
    };
    let front = Front::serve(Cluster::in_real_time("c1", 1), ([127, 0, 0, 1], 0).into()).await.unwrap();
    Some((Terminal { program, home: tempfile::tempdir().unwrap(), url: front.url() }, front))
}

const CLAIM: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: demo, labels: {app: web}}
spec: {accessModes: [ReadWriteOnce], storageClassName: lab, resources: {requests: {storage: 1Gi}}}
";
const EVENT: &str = "
apiVersion: v1
kind: Event
metadata: {name: e1, namespace: demo}
involvedObject: {kind: PersistentVolumeClaim, name: data, namespace: demo, apiVersion: v1, uid: UID}
reason: Tested
message: it works
type: Normal
count: 2
lastTimestamp: 2026-11-23T21:30:00Z
";

#[tokio::test(flavor = "multi_thread")]
async fn people_look_and_change() {
    let Some((kubectl, _front)) = terminal().await else { return };
    let changed = CLAIM.replace("app: web", "app: shop");
    for (line, input, words) in [
        ("create ns demo", "", &["namespace/demo created"][..]),
        ("get ns demo", "", &["STATUS", "demo", "Active"]),
        ("create configmap -n demo a --from-literal=x=1", "", &["configmap/a created"]),
        ("create secret generic -n demo s --from-literal=p=q", "", &["secret/s created"]),
        ("get cm,secret -n demo", "", &["configmap/a", "1", "secret/s", "Opaque"]),
        ("label cm -n demo a app=web", "", &["labeled"]),
        ("annotate cm -n demo a note=hi", "", &["annotated"]),
        ("get cm -A -l app=web", "", &["NAMESPACE", "demo", "a"]),
        ("apply -f -", CLAIM, &["persistentvolumeclaim/data created"]),
        ("apply -f -", CLAIM, &["persistentvolumeclaim/data unchanged"]),
        ("apply -f -", &changed, &["persistentvolumeclaim/data configured"]),
        (
            "get pvc -n demo -o wide --show-labels",
            "",
            &["ACCESS MODES", "VOLUMEMODE", "Pending", "RWO", "lab", "app=shop"],
        ),
    ] {
        kubectl.says(line, input, words);
    }
    let event = EVENT.replace("UID", &kubectl.run("get pvc -n demo data -o jsonpath={.metadata.uid}", ""));
    for (line, input, words) in [
        ("create -f -", event.as_str(), &["event/e1 created"][..]),
        (
            "describe pvc -n demo data",
            "",
            &["Finalizers:", "kubernetes.io/pvc-protection", "Events:", "Tested", "it works"],
        ),
        ("get events -n demo", "", &["LAST SEEN", "Tested", "persistentvolumeclaim/data", "it works"]),
        ("events -n demo", "", &["(x2", "PersistentVolumeClaim/data"]),
        (
            "patch pvc -n demo data --type=json -p [{\"op\":\"remove\",\"path\":\"/metadata/finalizers\"}]",
            "",
            &["patched"],
        ),
        (
            "patch pvc -n demo data --subresource=status --type=merge -p {\"status\":{\"phase\":\"Bound\"}}",
            "",
            &["patched"],
        ),
        ("wait -n demo pvc/data --for=jsonpath={.status.phase}=Bound --timeout=5s", "", &["condition met"]),
        ("delete pvc -n demo data", "", &["\"data\" deleted"]),
        ("get pvc -n demo data", "", &["Error from server (NotFound): persistentvolumeclaims \"data\" not found"]),
        ("auth can-i create pods", "", &["yes"]),
        ("delete ns demo", "", &["\"demo\" deleted"]),
        ("get ns demo", "", &["namespaces \"demo\" not found"]),
        ("version", "", &["Server Version: v1.34"]),
    ] {
        kubectl.says(line, input, words);
    }
}

const POLICY: &str = "
apiVersion: ramendr.openshift.io/v1alpha1
kind: DRPolicy
metadata: {name: policy}
spec: {drClusters: [c1, c2], schedulingInterval: 1m}
";

#[tokio::test(flavor = "multi_thread")]
async fn custom_kinds_are_first_class() {
    let Some((kubectl, _front)) = terminal().await else { return };
    for definition in ramen_api::manifests::own_crds() {
        let definition = serde_json::to_string(&definition.crd).unwrap();
        kubectl.says("apply --server-side -f -", &definition, &["serverside-applied"]);
    }
    let bogus = POLICY.replace("1m}", "1m, bogus: 1}");
    let wrong = POLICY.replace("1m}", "soon}");
    let other = POLICY.replace("c2]", "c3]");
    for (line, input, words) in [
        ("api-resources --api-group=ramendr.openshift.io", "", &["drpc", "DRPlacementControl", "vrg"][..]),
        ("explain drpolicy.spec.schedulingInterval", "", &["KIND:", "DRPolicy", "FIELD: schedulingInterval <string>"]),
        ("apply -f -", &bogus, &["strict decoding error: unknown field \"spec.bogus\""]),
        (
            "apply -f -",
            &wrong,
            &["The DRPolicy \"policy\" is invalid: spec.schedulingInterval: Invalid value: \"soon\""],
        ),
        ("apply -f -", POLICY, &["drpolicy.ramendr.openshift.io/policy created"]),
        ("apply -f -", &other, &["spec.drClusters: Invalid value"]),
        ("describe drpolicy policy", "", &["Kind:", "DRPolicy", "Generation:", "1", "Scheduling Interval:", "1m"]),
        ("apply --server-side --field-manager=other -f -", POLICY, &["serverside-applied"]),
        ("get drpolicy policy -o yaml --show-managed-fields", "", &["manager: other", "operation: Apply"]),
        ("get drpc,vrg -A", "", &["No resources found"]),
        ("delete drpolicy policy --wait", "", &["deleted"]),
        ("delete crd drpolicies.ramendr.openshift.io", "", &["deleted"]),
        ("get drpolicy", "", &["the server could not find the requested resource"]),
    ] {
        kubectl.says(line, input, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_changes_an_object() {
    let Some((kubectl, _front)) = terminal().await else { return };
    kubectl.says("create configmap a --from-literal=x=old", "", &["created"]);
    let editor = "sed -i s/old/new/";
    let output = kubectl.command("edit configmap a").env("KUBE_EDITOR", editor).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "configmap/a edited\n");
    kubectl.says("get configmap a -o jsonpath={.data.x}", "", &["new"]);
    let output = kubectl.command("edit configmap a").env("KUBE_EDITOR", "true").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("no changes made"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_prints_as_things_happen() {
    let Some((kubectl, front)) = terminal().await else { return };
    kubectl.says("create configmap a", "", &["created"]);
    let mut watching = kubectl.command("get configmap --watch").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.next().unwrap().starts_with("NAME"));
    assert!(lines.next().unwrap().starts_with("a "));
    let patch = json!({"data": {"x": "1", "y": "2"}});
    kubectl.says(&format!("patch configmap a -p {patch}"), "", &["patched"]);
    let line = lines.next().unwrap();
    assert_eq!(line.split_whitespace().take(2).collect::<Vec<_>>(), ["a", "2"]);
    // The watch ends with its server.
    drop(front);
    watching.wait().unwrap();
}
