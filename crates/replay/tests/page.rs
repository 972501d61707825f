//! The HTML pages, in a real browser: what is on them, that they can be used and read, and that nothing is complained about.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ramen_events::Time;
use ramen_replay::{Headline, Mark};
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

/// Says loudly that there was nothing to look with.
fn skipped() {
    // Written past the capture of tests' output: a check that did not happen has to be seen.
    let _ = writeln!(
        io::stderr(),
        "\n!! SKIPPED: the pages were not looked at, since no browser (chromium) is installed\n"
    );
}

/// Opens a page with more arguments; hands back what it prints. The console has to stay empty.
fn open(browser: &Path, page: &Path, profile: &Path, more: &[String]) -> String {
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000"])
        .args(more)
        .arg(format!("--user-data-dir={}", profile.display()))
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
    assert!(output.status.success(), "the browser failed: {}", complaint(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a page wrote into its verdict.
fn verdict(dom: &str) -> Value {
    let verdict = dom.rsplit_once("<pre id=\"verdict\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (verdict, _) = verdict.unwrap_or_else(|| panic!("the page said nothing"));
    let verdict = verdict.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let verdict: Value = serde_json::from_str(&verdict).expect("what the driver says is JSON");
    assert_eq!(verdict.get("error"), None, "the driver failed");
    verdict
}

/// A browser that only prints what a page holds draws no frames, or draws them when it likes: the page gets them by the clock.
const FRAMES: &str = "<body><script>requestAnimationFrame = draw => setTimeout(draw, 4)</script>";

/// Writes the page of these logs, opens it, runs `driver` in it, and hands back what that says.
fn drive(files: &[PathBuf], driver: &str) -> Option<Value> {
    drive_page(|page| write_page(files, page), driver)
}

/// The same for a page that `write` writes.
fn drive_page(write: impl FnOnce(&Path), driver: &str) -> Option<Value> {
    let Some(browser) = browser() else {
        skipped();
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    write(&page);
    let mut html = fs::read_to_string(&page).expect("the page").replacen("<body>", FRAMES, 1);
    html.push_str(&format!(
        "<script>addEventListener('load', async () => {{
           const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
           const say = verdict => {{ const pre = document.createElement('pre'); pre.id = 'verdict'; pre.textContent = JSON.stringify(verdict); document.body.append(pre); }};
           try {{ {driver} }} catch (error) {{ say({{ error: String(error && error.stack || error) }}); }}
         }});</script>"
    ));
    fs::write(&page, html).expect("the page can be written");
    let size = ["--window-size=1280,1000".to_owned(), "--dump-dom".to_owned()];
    Some(verdict(&open(&browser, &page, &folder.path().join("profile"), &size)))
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
        result.lanes = [...document.querySelectorAll('.lane')].filter(lane => !lane.hidden && lane.style.display !== 'none').length;
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

/// Looks at a page from inside: its text, what is too wide, what is hard to read, what was loaded.
const LOOK: &str = r##"
<script>addEventListener('load', () => setTimeout(() => {
  // Colours may be mixed in CSS: a canvas tells what comes of it.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const over = (top, below) => top.slice(0, 3).map((value, i) => value * top[3] / 255 + below[i] * (1 - top[3] / 255));
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) { const color = rgba(getComputedStyle(at).backgroundColor); if (color[3]) layers.push(color); if (color[3] === 255) break; }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = color => { const [r, g, b] = color.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const seen = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length;
  const faint = new Set(), cut = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !seen(element)) continue;
    const style = getComputedStyle(element), below = ground(element);
    const text = over(rgba(style.color), below);
    if (!element.disabled && contrast(text, below) < 4.5) faint.add(`${element.tagName} ${element.className}: ${style.color}, ${contrast(text, below).toFixed(1)}`);
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth + 1 && box.left >= 0 && !element.closest('.track, #axis, #cursor')) cut.push(element.outerHTML.slice(0, 80));
  }
  const verdict = {
    text: document.body.innerText, width: innerWidth, wide: document.documentElement.scrollWidth,
    dark: matchMedia('(prefers-color-scheme: dark)').matches, faint: [...faint], cut,
    loaded: performance.getEntriesByType('resource').map(entry => entry.name), height: document.documentElement.scrollHeight,
    ground: getComputedStyle(document.body).backgroundColor,
  };
  parent.postMessage(JSON.stringify(verdict), '*');
}, 200));</script>"##;

/// A page that shows another one in a frame: windows of browsers do not get as narrow as telephones.
fn framed(page: &str, width: u32, height: u32) -> String {
    format!(
        "<!doctype html><meta name=\"color-scheme\" content=\"light dark\"><body style=\"margin:0\"><pre id=\"verdict\" \
         hidden></pre><script>addEventListener('message', message => document.getElementById('verdict').textContent = \
         message.data)</script><iframe src=\"{page}\" style=\"border:0;display:block;width:{width}px;height:{height}px\">\
         </iframe></body>"
    )
}

/// Each page on a wide and on a narrow screen, light and dark. Pictures of them are in `target/ci/pages`.
#[test]
fn pages_can_be_read_on_any_screen() {
    let Some(browser) = browser() else { return skipped() };
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write_page(&fixtures("story"), &at("timeline.html"));
    let audit = replay(&format!("audit story-*.ramenlog --format html -o {}", at("audit.html").display()));
    assert!(audit.status.success(), "{}", support::complaint(&audit));
    let pictures = support::root().join("target/ci/pages");
    fs::create_dir_all(&pictures).expect("a folder for pictures");
    let mut wrong = Vec::new();
    for (name, words) in [
        (
            "timeline",
            &["failover to c2", "volumes to become secondary on c1", "Where this comes from", "ApplyVrgWork"][..],
        ),
        ("audit", &["failover from c1 to c2", "verified, first to last", "RTO from the request", "DemotingVolumes"]),
    ] {
        let html = fs::read_to_string(at(&format!("{name}.html"))).expect("the page");
        // Scripts of the check are let in; those of others are not.
        let looked = html.replacen("style-src", "script-src 'unsafe-inline'; style-src", usize::from(name == "audit"));
        let looked = looked.replacen("<body>", FRAMES, 1);
        fs::write(at("looked.html"), looked + LOOK).expect("a page can be written");
        for (width, scheme, dark) in
            [(1280, "light", false), (1280, "dark", true), (400, "light", false), (400, "dark", true)]
        {
            let which = format!("{name}-{width}-{scheme}");
            let colours = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
            let profile = at("profile");
            fs::write(at("frame.html"), framed("looked.html", width, 1000)).expect("a page can be written");
            let window = [format!("--window-size={width},1000"), colours.clone(), "--dump-dom".to_owned()];
            let seen = verdict(
                &open(&browser, &at("frame.html"), &profile, &window)
                    .replace("<pre id=\"verdict\" hidden=\"\">", "<pre id=\"verdict\">"),
            );
            for word in words {
                assert!(
                    seen["text"].as_str().is_some_and(|text| text.contains(word)),
                    "{which}: no {word:?}: {seen:#}"
                );
            }
            assert_eq!(
                (&seen["width"], &seen["dark"]),
                (&Value::from(width), &Value::from(dark)),
                "{which} is what it is called"
            );
            for (what, found) in [
                ("it is wider than the screen", seen["wide"] != seen["width"]),
                ("it loads something", seen["loaded"] != Value::Array(Vec::new())),
                ("text is hard to tell from its ground", seen["faint"] != Value::Array(Vec::new())),
                ("something ends outside the screen", seen["cut"] != Value::Array(Vec::new())),
            ] {
                if found {
                    let facts = ["wide", "loaded", "faint", "cut"].map(|field| format!("{field}: {}", seen[field]));
                    wrong.push(format!("{which}: {what}; {}", facts.join(", ")));
                }
            }
            let height = u32::try_from(seen["height"].as_u64().unwrap_or(1000)).unwrap_or(1000).clamp(1000, 6000);
            fs::write(at("frame.html"), framed(&format!("{name}.html"), width, height)).expect("a page can be written");
            let picture = pictures.join(format!("{which}.png"));
            let window =
                [format!("--window-size={width},{height}"), colours, format!("--screenshot={}", picture.display())];
            open(&browser, &at("frame.html"), &profile, &window);
            assert!(fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000), "{which}: there is no picture");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_people_did_and_what_befell_the_world_has_a_lane_of_its_own() {
    let mark = |until, words: &str, is_fault| Mark { from: Time(0), until, words: words.to_owned(), is_fault };
    let marks = vec![
        mark(None, "failover: { app: shop, to: c2 }", false),
        mark(Some(Time(u64::MAX)), "lose: { cluster: c1 } … bring-back", true),
    ];
    let write = |page: &Path| {
        let headline = Headline { title: "t".to_owned(), warnings: Vec::new(), marks: marks.clone() };
        ramen_replay::draw(fixtures("story"), headline, page, &mut io::sink()).expect("the page is drawn");
        let html = fs::read_to_string(page).expect("the page");
        assert!(html.contains("<span class=\"mark fault\">lose: &#123; cluster: c1 } … bring-back</span>"), "no table");
    };
    let driver = "await frame(); fit(); await frame();
        const boxes = [...document.querySelectorAll('#marks .marker')].map(one => one.getBoundingClientRect());
        say({ shown: boxes.length, words: $('marks').innerText, wide: boxes[1].width > boxes[0].width + 100,
              apart: boxes[1].top >= boxes[0].bottom });";
    let Some(said) = drive_page(write, driver) else { return };
    assert_eq!((&said["shown"], &said["wide"], &said["apart"]), (&2.into(), &true.into(), &true.into()), "{said}");
    assert!(said["words"].to_string().contains("lose: { cluster: c1 }"), "{said}");
}

#[test]
fn a_page_of_logs_alone_has_no_lane_for_what_they_do_not_tell() {
    let driver = "await frame(); say({ hidden: $('marks').hidden });";
    let Some(said) = drive(&fixtures("story"), driver) else { return };
    assert_eq!(said["hidden"], true);
}
