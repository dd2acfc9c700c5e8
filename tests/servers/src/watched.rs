//! A server that never outlives its test.
//!
//! A small shell watches over it: when its standard input closes, because the test dropped the server, ended,
//! panicked or was killed with -9, the shell kills the server and removes its folder.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// The loop ends when whoever holds the other end of the pipe does. Only the server keeps standard error, so that
/// its end is seen; a Ctrl-C meant for the test is not for the shell.
const WATCH: &str = r#"
    trap '' INT TERM HUP
    dir=$1; end=$2; shift 2
    "$@" </dev/null >/dev/null & server=$!
    exec 2>/dev/null
    while read -r order; do
        case $order in
            stop) kill -$end $server; wait $server ;;
            start) "$@" </dev/null >/dev/null & server=$! ;;
            pause) kill -STOP $server; until case $(ps -o state= -p $server) in T*) ;; *) false ;; esac; do :; done ;;
            resume) kill -CONT $server ;;
        esac
        echo done
    done
    kill -$end $server; wait $server
    rm -rf "$dir"
"#;

/// The signal that ends a server as a crash would.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// Ends PostgreSQL with its children, without a checkpoint, and any program written in Go.
    Quit,
    /// Ends what is stopped, too.
    Kill,
}

#[derive(Debug)]
pub(crate) struct Watched {
    shell: Child,
    answers: Mutex<BufReader<ChildStdout>>,
    folder: PathBuf,
    log: String,
}

impl Watched {
    /// Starts a server that lives in `folder` alone, and returns once its log has said `ready`.
    pub(crate) fn start(folder: PathBuf, end: End, words: &[String], ready: &str) -> Self {
        let mut command = Command::new("sh");
        let end = match end {
            End::Quit => "QUIT",
            End::Kill => "KILL",
        };
        command.args(["-c", WATCH, "sh"]).arg(&folder).arg(end).args(words);
        let shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut shell = shell.expect("start a shell to watch over a server");
        let answers = Mutex::new(BufReader::new(shell.stdout.take().expect("standard output is piped")));
        let log = wait_until(ready, shell.stderr.take().expect("standard error is piped"));
        Self { shell, answers, folder, log }
    }

    /// The shell's, whose child the server is.
    pub(crate) fn id(&self) -> u32 {
        self.shell.id()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops the server as a crash would; returns once it has ended.
    pub(crate) fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again; does not wait until it is ready.
    pub(crate) fn start_again(&self) {
        self.order("start");
    }

    /// Stops it in the middle of whatever it does; returns once it stands still.
    pub(crate) fn pause(&self) {
        self.order("pause");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.order("resume");
    }

    fn order(&self, order: &str) {
        let mut answers = self.answers.lock().expect("nobody panics while it waits for an answer");
        let mut orders = self.shell.stdin.as_ref().expect("standard input is piped");
        writeln!(orders, "{order}").expect("the shell lives");
        let read = answers.read_line(&mut String::new()).expect("the shell answers");
        assert!(read > 0, "the shell that watches over a server ended");
    }

    /// What it wrote until it was ready.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It ends once the server has ended and the folder is gone.
        let _ = self.shell.wait();
    }
}

/// Reads the log until the server says it is ready; goes on reading it afterwards, so that it never blocks.
fn wait_until(ready: &str, stderr: ChildStderr) -> String {
    let mut log = BufReader::new(stderr);
    let mut seen = String::new();
    loop {
        let before = seen.len();
        let read = log.read_line(&mut seen).expect("read the log of a server");
        assert!(read > 0, "a server ended before it was ready:\n{seen}");
        if seen[before..].contains(ready) {
            break;
        }
    }
    thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    seen
}
