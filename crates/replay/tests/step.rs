//! `step` in a terminal of its own: it starts, takes keys, and leaves the terminal as it was.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use support::{complaint, replay};

/// How long the program may take to show something.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn it_starts_in_a_terminal_and_gives_it_back() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("it can be opened");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("text");
    let open = || File::options().read(true).write(true).open(&name).expect("it can be opened");
    let size = Winsize { ws_row: 40, ws_col: 140, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).expect("it has a size");
    let before = tcgetattr(&terminal).expect("its modes").local_modes;
    let mut program = Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .args(["step", "story-hub.ramenlog", "story-c1.ramenlog", "story-c2.ramenlog", "--at", "hub#221"])
        .current_dir(support::root().join("replay-fixtures/v1"))
        .stdin(Stdio::from(open()))
        .stdout(Stdio::from(open()))
        .stderr(Stdio::from(open()))
        .spawn()
        .expect("it starts");
    let mut keys = File::from(terminal.try_clone().expect("another handle"));
    let mut screen = File::from(terminal.try_clone().expect("another handle"));
    let (sender, shown) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read) = screen.read(&mut bytes) {
            if sender.send(bytes.get(..read).unwrap_or_default().to_vec()).is_err() {
                break;
            }
        }
    });
    let mut all = String::new();
    let mut until = |text: &str| {
        while !all.contains(text) {
            let more = shown.recv_timeout(LIMIT);
            assert!(more.is_ok(), "no {text:?} within {LIMIT:?}: {all}");
            all.push_str(&String::from_utf8_lossy(&more.unwrap_or_default()));
        }
        std::mem::take(&mut all)
    };
    let first = until("? help");
    assert!(first.contains("\u{1b}[?1049h"), "it draws on a screen of its own");
    assert!(first.contains("Cleaning Up"), "{first}");
    assert!(!tcgetattr(&terminal).expect("its modes").local_modes.contains(LocalModes::ICANON), "keys come one by one");
    keys.write_all(b"?").expect("a key");
    until("this help");
    keys.write_all(b"qq").expect("keys");
    until("\u{1b}[?1049l");
    assert_eq!(program.wait().expect("it ends").code(), Some(0));
    assert_eq!(tcgetattr(&terminal).expect("its modes").local_modes, before, "the terminal is as before");
}

#[test]
fn without_a_terminal_it_names_what_prints_the_same() {
    let output = replay("step story-*.ramenlog");
    assert_eq!(output.status.code(), Some(64));
    assert!(complaint(&output).contains("ramen-replay show"), "{}", complaint(&output));
    let help = String::from_utf8(replay("step --help").stdout).expect("text");
    for words in ["drpc/app.status.phase", "the next command, the one before", "Exit codes: 0 left"] {
        assert!(help.contains(words), "no {words:?} in: {help}");
    }
}
