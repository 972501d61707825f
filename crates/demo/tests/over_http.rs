//! An auditor takes captures of running operators in the middle of a failover, and has them explained.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clap::Parser;
use ramen_events::{capture::Reader, log::find_bytes};
use ramen_replay::{Arguments, Exit, plugin::Plugin};
use serde_json::{Value, json};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(180);

/// The demo, left running for people.
struct Demo {
    process: Child,
    out: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let out = tempfile::tempdir().expect("a folder for the demo's output");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ramen-demo"));
        command.arg("--keep").arg("--out").arg(out.path().join("demo")).stdin(Stdio::null());
        let log = fs::File::create(out.path().join("demo.log")).expect("a file for its words");
        let process = command.stdout(Stdio::null()).stderr(log).spawn().expect("ramen-demo starts");
        Self { process, out }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.out.path().join("demo").join(name)
    }

    /// Waits for a condition; the demo has to live.
    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let words = || fs::read_to_string(self.out.path().join("demo.log")).unwrap_or_default();
            let ended = self.process.try_wait().expect("the demo can be looked at");
            assert!(ended.is_none(), "the demo ended while this waited for {what}: {}", words());
            assert!(begun.elapsed() < LIMIT, "still waiting for {what}: {}", words());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The URL of a cluster's API server.
    fn server(&self, cluster: &str) -> String {
        let config = fs::read_to_string(self.file(&format!("{cluster}.kubeconfig"))).expect("its kubeconfig");
        let config: Value = serde_norway::from_str(&config).expect("a kubeconfig is YAML");
        config["clusters"][0]["cluster"]["server"].as_str().expect("it names a server").to_owned()
    }

    fn get(&self, cluster: &str, path: &str) -> Value {
        let text = ureq::get(format!("{}{path}", self.server(cluster))).call().expect("it answers").into_body();
        serde_json::from_str(&text.into_reader_text()).expect("JSON")
    }

    fn token(&self, cluster: &str) -> PathBuf {
        let path = "/api/v1/namespaces/ramen-system/serviceaccounts/auditor/token";
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let answer = ureq::post(format!("{}{path}", self.server(cluster)))
            .header("Content-Type", "application/json")
            .send(body.to_string())
            .expect("a token is given");
        let answer: Value = serde_json::from_str(&answer.into_body().into_reader_text()).expect("JSON");
        let file = self.file(&format!("{cluster}.token"));
        fs::write(&file, answer["status"]["token"].as_str().expect("a token")).expect("it is kept");
        file
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

trait Text {
    fn into_reader_text(self) -> String;
}

impl Text for ureq::Body {
    fn into_reader_text(mut self) -> String {
        self.read_to_string().expect("it is text")
    }
}

fn replay(words: &[&str]) -> anyhow::Result<(Exit, String)> {
    let arguments = Arguments::try_parse_from(std::iter::once("ramen-replay").chain(words.iter().copied()))?;
    let mut out = Vec::new();
    let exit = ramen_replay::run(&arguments, &mut out)?;
    Ok((exit, String::from_utf8(out)?))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of this test is text")
}

/// `kubectl ramen capture` takes all of them with a real kubectl, and `diff --live` asks the same clusters; tells the files.
fn all_at_once(demo: &Demo, running: &Value) -> Vec<PathBuf> {
    if Command::new("kubectl").args(["version", "--client"]).stdout(Stdio::null()).status().is_err() {
        // Written past the capture of tests' output: a check that did not happen has to be seen.
        let _ =
            writeln!(std::io::stderr(), "\n!! SKIPPED: kubectl ramen was not tried, since kubectl is not installed\n");
        return Vec::new();
    }
    let out = demo.file("all-at-once");
    let mut words = ["kubectl-ramen", "capture", "--drpolicy", "policy", "--json", "--out"].map(str::to_owned).to_vec();
    words.push(text(&out).to_owned());
    for cluster in ["hub", "c1", "c2"] {
        let address = running["captures"][cluster].as_str().expect("an address");
        let kubeconfig = demo.file(&format!("{cluster}.kubeconfig"));
        words.extend(["--endpoint".to_owned(), format!("{cluster}={address}")]);
        words.extend(["--kubeconfig".to_owned(), text(&kubeconfig).to_owned()]);
    }
    let plugin = |words: &[String]| {
        let mut told = Vec::new();
        let plugin = Plugin::try_parse_from(words).unwrap_or_else(|err| panic!("{words:?}: {err}"));
        let exit = ramen_replay::plugin::run(&plugin, &mut told);
        (exit, String::from_utf8(told).expect("text"))
    };
    let (exit, told) = plugin(&words);
    assert_eq!(exit.expect("captures"), Exit::Good, "{told}");
    let files: Vec<PathBuf> = ["hub", "c1", "c2"].map(|cluster| out.join(format!("{cluster}.ramenlog"))).to_vec();
    for (line, file) in told.lines().zip(&files) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let records = Reader::open(file).expect("a whole capture").header().records();
        assert_eq!((line["file"].as_str(), line["records"].as_u64()), (Some(text(file)), Some(records)), "{line}");
    }
    // An account that is not there is told in the API server's words; the hub's token comes first.
    words.extend(["--service-account", "nobody"].map(str::to_owned));
    let (exit, told) = plugin(&words);
    assert_eq!(exit.expect("an answer"), Exit::Unreadable, "{told}");
    assert!(told.contains("could not get a token of service account ramen-system/nobody"), "{told}");

    let kubeconfig = demo.file("hub.kubeconfig");
    let live =
        ["diff", text(&files[0]), "--live", "drpc/apps/app-000", "--kubeconfig", text(&kubeconfig), "-o", "json"];
    let (exit, told) = replay(&live).expect("the hub answers");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(exit, Exit::Good, "what the log was taken of moments ago is no contradiction: {told:#}");
    assert!(["same", "newer"].contains(&told["verdict"].as_str().unwrap_or_default()), "{told:#}");
    files
}

#[test]
fn a_failover_is_explained_while_it_runs() {
    let mut demo = Demo::start();
    let running = demo.until("the demo to be running", |demo| fs::read(demo.file("running.json")).ok());
    let running: Value = serde_json::from_slice(&running).expect("JSON");
    let address = |cluster: &str| running["captures"][cluster].as_str().expect("an address").to_owned();

    let refused = replay(&["capture", &address("hub"), text(&demo.file("no.ramenlog"))]);
    assert!(refused.unwrap_err().to_string().contains("--token-file"), "no token");
    fs::write(demo.file("wrong.token"), "made-up").unwrap();
    let wrong = demo.file("wrong.token");
    let refused = replay(&["capture", &address("hub"), text(&demo.file("no.ramenlog")), "--token-file", text(&wrong)]);
    assert!(refused.unwrap_err().to_string().contains("401"), "a made-up token");
    assert!(!demo.file("no.ramenlog").exists());

    let drpc = "/apis/ramendr.openshift.io/v1alpha1/namespaces/apps/drplacementcontrols/app-000";
    ureq::patch(format!("{}{drpc}", demo.server("hub")))
        .header("Content-Type", "application/merge-patch+json")
        .send(json!({ "spec": { "action": "Failover", "failoverCluster": "c2" } }).to_string())
        .expect("a failover is asked for");
    demo.until("the failover to begin", |demo| {
        let told = demo.get("hub", drpc)["status"]["phase"].as_str().unwrap_or_default().to_owned();
        ["FailingOver", "FailedOver"].contains(&told.as_str()).then_some(())
    });

    let mut files = Vec::new();
    for cluster in ["hub", "c1", "c2"] {
        let (token, file) = (demo.token(cluster), demo.file(&format!("{cluster}-now.ramenlog")));
        let (exit, said) =
            replay(&["capture", &address(cluster), text(&file), "--token-file", text(&token)]).expect("a capture");
        assert_eq!(exit, Exit::Good, "{said}");
        files.push(file);
    }
    let logs: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let with = |words: &[&'static str]| -> String {
        let words: Vec<&str> =
            words[..1].iter().copied().chain(logs.iter().copied()).chain(words[1..].iter().copied()).collect();
        let (exit, said) = replay(&words).unwrap_or_else(|err| panic!("{words:?}: {err:#}"));
        assert_eq!(exit, Exit::Good, "{words:?}: {said}");
        said
    };
    assert!(with(&["verify"]).contains("same"));
    let mut words = vec!["why", "apps/app-000"];
    words.extend(&logs);
    let (_, why) = replay(&words).unwrap_or_else(|err| panic!("{words:?}: {err:#}"));
    assert!(why.contains("ailover"), "{why}");
    assert!(with(&["audit"]).contains("failover from c1 to c2"));
    let page = demo.file("now.html");
    let mut words = vec!["timeline"];
    words.extend(&logs);
    words.extend(["--html", text(&page)]);
    replay(&words).unwrap_or_else(|err| panic!("{words:?}: {err:#}"));

    files.extend(all_at_once(&demo, &running));

    // Nothing of what gives access is in what an auditor carries home.
    let mut secrets: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for cluster in ["hub", "c1", "c2"] {
        secrets.insert(format!("the token of {cluster}"), fs::read(demo.file(&format!("{cluster}.token"))).unwrap());
        for secret in demo.get(cluster, "/api/v1/namespaces/ramen-system/secrets")["items"].as_array().unwrap() {
            for (key, value) in secret["data"].as_object().unwrap() {
                use base64::Engine as _;
                let value = base64::prelude::BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
                if key.contains("SECRET") {
                    secrets.insert(format!("{key} of {cluster}"), value);
                }
            }
        }
    }
    assert!(secrets.len() > 3, "the S3 keys are looked for: {:?}", secrets.keys());
    let page = fs::read(&page).unwrap();
    for (what, secret) in &secrets {
        assert!(!page.windows(secret.len()).any(|part| part == &secret[..]), "{what} is in the page");
        for file in &files {
            let found = find_bytes(&Reader::open(file).unwrap(), secret).unwrap();
            assert!(found.is_none(), "{what} is in {}: {found:?}", file.display());
        }
    }
}
