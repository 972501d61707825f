//! `kubectl ramen capture`, with a `kubectl` that says what a test wants it to say, and an operator that gives captures.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use ramen_events::capture::Reader;
use serde_json::{Value, json};
use support::{complaint, fixture};

/// What the fake operators take for a token.
const TOKEN: &str = "token-of-the-auditor";

/// An operator that gives the capture in `file` to whoever has the token; tells its port.
fn operator(file: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &file)));
    port
}

fn answer(mut stream: TcpStream, file: &Path) {
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone().expect("a stream"));
    while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let allowed = head.contains(&format!("Bearer {TOKEN}")) && head.starts_with("GET /capture ");
    let (status, body) =
        if allowed { ("200 OK", fs::read(file).expect("a capture")) } else { ("403 Forbidden", b"not you".to_vec()) };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// A folder with a `kubectl`, which notes how it is called and by which processes it forwards.
struct World {
    folder: tempfile::TempDir,
}

/// Answers with files: `get-KIND`, `ports/CONTEXT`; a context without a port does not forward.
const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
context=current
[ "$1" = --context ] && { context=$2; shift 2; }
case "$1" in --request-timeout=*) shift ;; esac
case "$1 $2" in
  "config get-contexts") cat "$here/contexts" ;;
  "get "*) if [ -e "$here/get-$2" ]; then cat "$here/get-$2"; else echo "error: the server is not there" >&2; exit 1; fi ;;
  "create token") if [ "$context" = denied ]; then echo 'error: serviceaccounts "auditor" not found' >&2; exit 1; fi
    echo TOKEN ;;
  "port-forward "*)
    if [ ! -e "$here/ports/$context" ]; then echo "Unable to connect to the server: dial tcp: i/o timeout" >&2; exit 1; fi
    echo $$ >> "$here/forwards"
    echo "Forwarding from 127.0.0.1:$(cat "$here/ports/$context") -> 8082"
    exec sleep 1000 ;;
  *) echo "unexpected: $*" >&2; exit 3 ;;
esac
"#;

impl World {
    fn new(policies: &[&str]) -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        world.put("kubectl", &KUBECTL.replace("TOKEN", TOKEN));
        let permissions = fs::Permissions::from_mode(0o755);
        fs::set_permissions(world.path("kubectl"), permissions).expect("it can be made a program");
        let policy = |name: &&str| json!({"metadata": {"name": name}, "spec": {"drClusters": ["c1", "c2"]}});
        let list = json!({"items": policies.iter().map(policy).collect::<Vec<_>>()});
        world.put("get-drpolicies.ramendr.openshift.io", &list.to_string());
        world.put("contexts", "current\nc1\nc2\n");
        fs::create_dir(world.path("ports")).expect("a folder");
        for (context, log) in [("current", "story-hub"), ("c1", "story-c1"), ("c2", "story-c2")] {
            world.put(&format!("ports/{context}"), &operator(fixture(log)).to_string());
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file can be written");
    }

    fn command(&self, words: &str) -> Command {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.folder.path().to_owned()].into_iter().chain(env::split_paths(&path)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-ramen"));
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        command.env("PATH", path.expect("a path")).env_remove("COLUMNS").env_remove("KUBECONFIG");
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().expect("kubectl-ramen starts")
    }

    /// Whether processes that forwarded are still there.
    fn forwards(&self) -> usize {
        let pids = fs::read_to_string(self.path("forwards")).unwrap_or_default();
        let lives = |pid: &&str| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        pids.lines().filter(lives).count()
    }

    fn records(&self, name: &str) -> u64 {
        Reader::open(&self.path(name)).expect("a whole capture").header().records()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn all_captures_of_a_policy_are_taken() {
    let world = World::new(&["gold"]);
    let output = world.run("capture -o out");
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    insta::assert_snapshot!("all_captures", said(&output));
    assert_eq!(["hub", "c1", "c2"].map(|name| world.records(&format!("out/{name}.ramenlog"))), [350, 252, 193]);
    assert_eq!(world.forwards(), 0, "no child is left");
    let calls = fs::read_to_string(world.path("calls")).expect("what was called");
    assert!(calls.contains("--context c1 port-forward --address 127.0.0.1 -n ramen-system"), "{calls}");
    assert!(
        calls.contains("deploy/ramen-dr-cluster-operator :8082") && calls.contains("deploy/ramen-hub-operator :8082")
    );
    for text in [said(&output), complaint(&output)] {
        assert!(!text.contains(TOKEN), "the token is printed: {text}");
    }
}

#[test]
fn what_could_not_be_reached_is_named_with_the_reason() {
    let world = World::new(&["gold"]);
    fs::remove_file(world.path("ports/c1")).expect("it was there");
    let output = world.run("capture -o out --context c2=denied");
    assert_eq!(output.status.code(), Some(1), "{}", complaint(&output));
    insta::assert_snapshot!("some_captures", said(&output));
    assert!(world.path("out/hub.ramenlog").exists() && !world.path("out/c1.ramenlog").exists());
    assert_eq!(world.forwards(), 0);
}

#[test]
fn a_refusal_of_an_operator_is_told_in_its_words() {
    let world = World::new(&["gold"]);
    world.put("wrong", "another-token");
    let output = world.run("capture -o out --token-file c1=wrong --json");
    assert_eq!(output.status.code(), Some(1), "{}", complaint(&output));
    let lines: Vec<Value> = said(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["records"], 350);
    assert!(lines[1]["error"].as_str().is_some_and(|text| text.contains("403 Forbidden: not you")), "{}", lines[1]);
}

#[test]
fn without_anybody_it_says_so_and_while_the_hub_is_lost_clusters_can_be_named() {
    let world = World::new(&["gold"]);
    fs::remove_file(world.path("get-drpolicies.ramendr.openshift.io")).expect("it was there");
    fs::remove_file(world.path("ports/current")).expect("it was there");
    let output = world.run("capture -o out");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("name them: --context CLUSTER=CONTEXT"), "{}", complaint(&output));
    assert!(complaint(&output).contains("the server is not there"), "{}", complaint(&output));
    let output = world.run("capture -o out --context c1=c1 --context c2=c2");
    assert_eq!(output.status.code(), Some(1), "{}", complaint(&output));
    assert_eq!((world.records("out/c1.ramenlog"), world.records("out/c2.ramenlog")), (252, 193));
    assert!(
        said(&output).contains("not taken: could not forward a port to deploy/ramen-hub-operator"),
        "{}",
        said(&output)
    );
}

#[test]
fn wrong_usage_is_told_apart_and_says_what_there_is() {
    for (policies, words, expected) in [
        (&["gold", "silver"][..], "", "several DRPolicies: choose with --drpolicy one of gold, silver"),
        (&["gold"], "--drpolicy iron", "no DRPolicy iron; there is gold"),
        (&[], "", "the hub has no DRPolicy: is this its context?"),
        (&["gold"], "--context c7=x", "the policy has no such cluster; it has c1, c2"),
        (&["gold"], "--endpoint c1=http://10.0.0.1:1", "a token is sent to this machine only"),
        (&["gold"], "--since 120", "give a time"),
        (&["gold"], "--context c1", "CLUSTER=VALUE"),
        (&["gold"], "--drpc app", "NAMESPACE/NAME"),
    ] {
        let output = World::new(policies).run(&format!("capture -o out {words}"));
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(64), "{words}: {said}");
        assert!(said.contains(expected), "{words}: no {expected:?} in: {said}");
    }
}

#[test]
fn slices_are_cut_where_they_are_asked_for() {
    let world = World::new(&["gold", "silver"]);
    let drpc = json!({"spec": {"drPolicyRef": {"name": "gold"}}});
    world.put("get-drplacementcontrols.ramendr.openshift.io", &drpc.to_string());
    let output = world.run("capture -o out --drpc apps/app-000 --since 23:46:34");
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let names = ["hub", "c1", "c2"].map(|name| format!("{name}.ramenlog"));
    for name in &names {
        assert!((1..250).contains(&world.records(&format!("out/{name}"))), "{}", said(&output));
    }
    let verified = Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .arg("verify")
        .args(names.map(|name| world.path("out").join(name)))
        .output()
        .expect("ramen-replay starts");
    assert!(verified.status.success(), "{}", complaint(&verified));
    // Of what nobody knows there is nothing, which is no failure.
    let output = world.run("capture -o nothing --drpolicy gold --drpc apps/nobody");
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(said(&output).contains("nothing of that in its log"), "{}", said(&output));
}

/// Not even when it is killed in the middle of it.
#[test]
fn no_child_is_left_running() {
    let world = World::new(&["gold"]);
    // An operator that accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    world.put("ports/c1", &silent.local_addr().expect("its address").port().to_string());
    let mut plugin =
        world.command("capture -o out").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let (mut asked, _) = silent.accept().expect("it asks");
    let _ = asked.read(&mut [0; 16]);
    assert!(world.forwards() >= 1, "it forwards while it waits");
    plugin.kill().expect("it can be killed");
    plugin.wait().expect("it ends");
    let begun = Instant::now();
    while world.forwards() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "a forward goes on");
        thread::yield_now();
    }
}

#[test]
fn without_kubectl_it_says_what_is_missing() {
    let world = World::new(&["gold"]);
    let output = world.command("capture -o out").env("PATH", "/nowhere").output().expect("kubectl-ramen starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("kubectl could not be started"), "{}", complaint(&output));
}

/// `diff --live` asks the same `kubectl`.
#[test]
fn a_log_is_compared_with_the_cluster() {
    let world = World::new(&["gold"]);
    let replay = |words: &str| {
        let command = world.command("");
        let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path).expect("a path");
        Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
            .args(words.split_whitespace())
            .current_dir(support::root().join("replay-fixtures/v1"))
            .env("PATH", path)
            .env_remove("COLUMNS")
            .output()
            .expect("ramen-replay starts")
    };
    let known = replay("state story-hub.ramenlog --at 230 drpc/apps/app-000 -o json");
    let known: Value = serde_json::from_slice(&known.stdout).expect("JSON");
    let kind = "get-drplacementcontrols.ramendr.openshift.io";
    world.put(kind, &known.to_string());
    let same = replay("diff story-hub.ramenlog@230 --live app-000 --context hub");
    assert_eq!(same.status.code(), Some(0), "{}", complaint(&same));
    assert!(said(&same).contains("is in the cluster as the log has it"), "{}", said(&same));
    let older = replay("diff story-hub.ramenlog@200 --live --context hub --about status.p");
    assert_eq!(older.status.code(), Some(0), "{}", complaint(&older));
    insta::assert_snapshot!("live_is_newer", said(&older));
    let newer = replay("diff story-hub.ramenlog@300 --live drpc/apps/app-000 -o json --about status.phase");
    assert_eq!(newer.status.code(), Some(1), "{}", complaint(&newer));
    let newer: Value = serde_json::from_slice(&newer.stdout).expect("JSON");
    assert_eq!((&newer["verdict"], &newer["changes"][0]["path"]), (&json!("contradicts"), &json!("status.phase")));
    world.put(kind, "");
    let gone = replay("diff story-hub.ramenlog@300 --live");
    assert!(said(&gone).contains("is not in the cluster now"), "{}", said(&gone));
    fs::remove_file(world.path(kind)).expect("it was there");
    let unreachable = replay("diff story-hub.ramenlog@300 --live");
    assert_eq!(unreachable.status.code(), Some(2), "{}", complaint(&unreachable));
    assert!(
        complaint(&unreachable)
            .contains("the cluster can't be asked for drpc/apps/app-000: error: the server is not there")
    );
    for (words, expected) in [
        ("diff story-hub.ramenlog@300", "required"),
        ("diff story-hub.ramenlog@300 @310 --live", "cannot be used with"),
        ("diff story-hub.ramenlog --live nobody", "drpolicy/policy"),
        ("diff story-hub.ramenlog@3 --live", "no DRPC and no VRG"),
        ("diff story-hub.ramenlog @3 --context x", "--live"),
    ] {
        let output = replay(words);
        assert_eq!(output.status.code(), Some(64), "{words}: {}", complaint(&output));
        assert!(complaint(&output).contains(expected), "{words}: {}", complaint(&output));
    }
}
