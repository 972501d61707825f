//! The HTML page, in a real browser: what is on it, that it can be used, and that nothing is complained about.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{fixtures, multiply::multiply, replay};

/// Browsers that do, by the names under which they are installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser; `CHROMIUM` names another one.
fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Writes the page of these logs, opens it, runs `driver` in it, and hands back what that says.
fn drive(files: &[PathBuf], driver: &str) -> Option<Value> {
    let Some(browser) = browser() else {
        // Written past the capture of tests' output: a check that did not happen has to be seen.
        let _ = writeln!(
            io::stderr(),
            "\n!! SKIPPED: the page was not looked at, since no browser (chromium) is installed\n"
        );
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    write_page(files, &page);
    // A browser that only prints what a page holds draws no frames.
    let frames = "<body><script>requestAnimationFrame = draw => setTimeout(draw, 4)</script>";
    let mut html = fs::read_to_string(&page).expect("the page").replacen("<body>", frames, 1);
    html.push_str(&format!(
        "<script>addEventListener('load', async () => {{
           const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
           const say = verdict => {{ const pre = document.createElement('pre'); pre.id = 'verdict'; pre.textContent = JSON.stringify(verdict); document.body.append(pre); }};
           try {{ {driver} }} catch (error) {{ say({{ error: String(error && error.stack || error) }}); }}
         }});</script>"
    ));
    fs::write(&page, html).expect("the page can be written");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--window-size=1280,1000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .expect("the browser starts");
    let complaints: Vec<String> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect();
    assert!(complaints.is_empty(), "the console is not empty: {complaints:#?}");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let verdict = dom.rsplit_once("<pre id=\"verdict\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (verdict, _) = verdict.unwrap_or_else(|| panic!("the page said nothing: {}", complaint(&output)));
    let verdict = verdict.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let verdict: Value = serde_json::from_str(&verdict).expect("what the driver says is JSON");
    assert_eq!(verdict.get("error"), None, "the driver failed");
    Some(verdict)
}

fn complaint(output: &std::process::Output) -> String {
    support::complaint(output).chars().take(2_000).collect()
}

fn write_page(files: &[PathBuf], page: &Path) {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let output = replay(&format!("timeline {} --html {}", names.join(" "), page.display()));
    assert!(output.status.success(), "{}", support::complaint(&output));
}

#[test]
fn the_page_needs_no_network_and_its_tables_no_scripts() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    write_page(&fixtures("story"), &page);
    let html = fs::read_to_string(&page).expect("the page");
    for outside in ["src=\"", "url(", "@import", "fetch(", "XMLHttpRequest", "<link", "import("] {
        assert!(!html.contains(outside), "the page holds {outside:?}");
    }
    assert!(html.contains("default-src 'none'"), "a browser is told to load nothing");
    let before_scripts = html.split("<script").next().unwrap_or_default();
    for text in ["failover to c2", "relocate to c1", "volumes to become secondary on c1", "DemotingVolumes", "6.6 s"] {
        assert!(before_scripts.contains(text), "{text:?} is not in the tables");
    }
}

#[test]
fn the_page_is_read_and_operated() {
    let Some(verdict) = drive(
        &fixtures("story"),
        r##"
        const text = id => document.getElementById(id).innerText;
        const key = (target, key, more) => target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
        const bars = () => [...document.querySelectorAll('button.step')];
        const result = {};
        await frame();
        result.ready = document.documentElement.dataset.ready;
        result.actions = [...document.querySelectorAll('#actions tr')].map(row => row.cells[1].innerText);
        result.bars = bars().length;
        result.unnamed = bars().filter(bar => !bar.getAttribute('aria-label')).length;
        // The table leads to the chart.
        document.querySelectorAll('#actions tr')[3].click();
        await frame();
        result.relocate = bars().map(bar => bar.step.name);
        result.state = text('state');
        // Zoom and the cursor by keys.
        const chart = document.getElementById('chart');
        const before = view.to - view.from;
        key(chart, '+'); await frame();
        result.zoomed = (view.to - view.from) / before;
        const cursor = view.cursor;
        key(chart, 'ArrowRight'); await frame();
        result.moved = view.cursor > cursor;
        key(chart, '0'); await frame();
        // From step to step, and into one.
        document.querySelectorAll('#actions tr')[2].click(); await frame();
        const demoting = bars().find(bar => bar.step.name === 'DemotingVolumes');
        demoting.focus();
        key(demoting, 'ArrowRight'); await frame();
        result.next = document.activeElement.step.name;
        key(document.activeElement, 'ArrowLeft'); await frame();
        key(document.activeElement, 'Enter'); await frame();
        result.step = text('selected');
        result.events = text('count');
        result.rows = document.querySelectorAll('#rows .row').length;
        // From a command to its cause and its outcome.
        select({ event: E.find(e => e.kind === 'Commanded' && e.says.startsWith('ApplyVrgWork c1: be secondary for Failover')) }); await frame();
        result.command = text('selected');
        const outcome = [...document.querySelectorAll('#selected .list button')][0];
        outcome.click(); await frame();
        result.outcome = text('selected');
        // Filters.
        select(null); await frame();
        document.querySelectorAll('#clusters button')[1].click(); await frame();
        result.lanes = [...document.querySelectorAll('.lane')].filter(lane => lane.style.display !== 'none').length;
        result.without = text('count');
        document.querySelectorAll('#clusters button')[1].click(); await frame();
        const search = document.getElementById('search');
        search.value = 'final sync'; search.dispatchEvent(new Event('input')); await frame();
        result.found = [...document.querySelectorAll('#rows .says')].map(row => row.innerText);
        search.value = ''; search.dispatchEvent(new Event('input')); await frame();
        const events = document.getElementById('events');
        key(events, 'End'); await frame();
        result.last = events.getAttribute('aria-activedescendant') === `event-${E.length - 1}`;
        const outside = element => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.scroll, .track, #axis, #cursor');
        result.overflow = [...document.querySelectorAll('body *')].filter(outside).map(element => element.outerHTML.slice(0, 80));
        say(result);
        "##,
    ) else {
        return;
    };
    let holds = |field: &str, words: &[&str]| {
        let text = verdict[field].as_str().unwrap_or_default();
        for word in words {
            assert!(text.contains(word), "{field}: no {word:?} in: {text}");
        }
    };
    assert_eq!(verdict["ready"], "true");
    assert_eq!(
        verdict["actions"],
        serde_json::json!(["first contact", "deploy on c1", "failover to c2", "relocate to c1", "deletion"])
    );
    assert!(verdict["bars"].as_u64() > Some(5), "{verdict:#}");
    assert_eq!(verdict["unnamed"], 0, "bars have names for those who can't see them");
    assert!(verdict["relocate"].to_string().contains("EnsuringVolumesAreSecondary"), "{verdict:#}");
    holds("state", &["hub", "PreparingFinalSync", "waits for the final synchronization to be prepared on c2"]);
    assert_eq!((&verdict["zoomed"], &verdict["moved"]), (&serde_json::json!(0.5), &serde_json::json!(true)));
    assert_eq!(verdict["next"], "ReleasingVolumes");
    holds("step", &["DemotingVolumes", "last data to reach the other cluster", "3.0 s", "DeleteReplication"]);
    holds("events", &[" of 795"]);
    holds(
        "command",
        &["ApplyVrgWork", "Outcome", "\"secondary\"", "How it came to this", "spec.action: \"\" → Failover"],
    );
    holds("outcome", &["Finished", "ApplyVrgWork done"]);
    assert_eq!(verdict["lanes"], 2, "{verdict:#}");
    holds("without", &["543 of 795"]);
    assert!(verdict["found"].as_array().is_some_and(|found| !found.is_empty()), "{verdict:#}");
    assert_eq!(verdict["last"], true, "End goes to the last event");
    assert_eq!(verdict["overflow"], serde_json::json!([]), "nothing is wider than the page");
}

#[test]
fn ten_thousand_events_are_no_burden() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = multiply(&fixtures("story"), 13, folder.path());
    let Some(verdict) = drive(
        &files,
        r##"
        await frame();
        const start = performance.now();
        for (let i = 0; i < 20; i++) { zoom(0.8); await frame(); }
        fit(); await frame();
        say({ events: E.length, groups: D.groups.length, rows: document.querySelectorAll('#rows .row').length, ms: performance.now() - start, elements: document.querySelectorAll('*').length });
        "##,
    ) else {
        return;
    };
    assert!(verdict["events"].as_u64() >= Some(10_000), "{verdict:#}");
    assert_eq!(verdict["groups"], 13);
    assert!(verdict["rows"].as_u64() < Some(80), "only rows in sight exist: {verdict:#}");
    // Most of these are the static tables.
    assert!(verdict["elements"].as_u64() < Some(15_000), "{verdict:#}");
}
