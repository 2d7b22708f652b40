//! A running daemon and its notification socket.

use super::super::sim::stage::{Ran, Stage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// A message that has not come after this will not come; then the test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where its log lines go, with everything there is to say.
pub(super) const LOG: &str = "daemon.log";

/// What a test says to its own listener.
const MARK: &str = "MARK";

/// Both simulators and a configuration.
pub(super) struct Setting {
    pub(super) stage: Stage,
    schedule: String,
    folder: TempDir,
}

impl Setting {
    /// People, each as `"ana in eng"`; a cycle every second, and keys for `[schedule]`.
    pub(super) fn with(people: &[&str], schedule: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = vec![env!("CARGO_BIN_EXE_duo-atlassian-sync").to_owned()];
        let stage = Stage::set(folder.path(), program).expect("a stage");
        for line in people {
            let (name, group) = line.split_once(" in ").expect("a name and a group");
            stage.duo.with(|duo| {
                let known = duo.world.find_group(group).map(|group| group.group_id.clone());
                let group = known.unwrap_or_else(|| duo.world.add_group(group));
                let person = duo.world.add_person(name, &format!("{name}@example.com"));
                duo.world.person_mut(&person).realname = Some(name.to_owned());
                duo.world.join(&person, &group);
            });
        }
        let setting = Self { stage, schedule: schedule.to_owned(), folder };
        setting.configure("");
        setting
    }

    /// Writes the configuration anew, with further sections.
    pub(super) fn configure(&self, sections: &str) {
        let schedule = format!("[schedule]\ncycle_cron = \"* * * * * *\"\njitter_seconds_max = 0\n{}\n", self.schedule);
        let text = format!("[scope]\ngroups = [{{ name = \"*\" }}]\n{schedule}{sections}");
        let atlassian = "requests_per_second = 1000.0\nconcurrent_requests_max = 1\napi_key_expires = \"2999-01-01\"";
        self.stage.configure_services("requests_per_minute = 60000", atlassian, &text).expect("a configuration");
    }

    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command beside the daemon, which must end so.
    #[track_caller]
    pub(super) fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.stage.run(arguments).expect("the program runs");
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Approves the plan of now.
    #[track_caller]
    pub(super) fn approve(&self) {
        let plan = self.ends(0, &["plan", "--format", "json"]);
        let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("a plan");
        self.ends(0, &["approve", plan["fingerprint"].as_str().expect("a fingerprint")]);
    }

    /// What the target did.
    pub(super) fn effects(&self) -> Vec<String> {
        self.stage.atlassian.with(|sim| sim.effect_lines())
    }

    pub(super) fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts the daemon with a notification socket and these variables.
    pub(super) fn start_with(&self, variables: &[(&str, &str)]) -> Running {
        let address = self.file("notify");
        drop(std::fs::remove_file(&address));
        let socket = UnixDatagram::bind(&address).expect("a socket");
        let log = OpenOptions::new().create(true).append(true).open(self.file(LOG)).expect("a log");
        let mut command = self.stage.command(&["-vvv", "daemon"]);
        command.env("NOTIFY_SOCKET", &address).env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
        command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("it starts");
        let (heard, messages) = mpsc::channel();
        // Always read: a service manager that does not listen would stop the daemon in the middle of a word.
        let listener = std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(length) = socket.recv(&mut buffer) {
                let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        Running {
            child: RefCell::new(child),
            address,
            messages: Some(messages),
            listener: Some(listener),
            received: RefCell::default(),
        }
    }
}

/// A running daemon; killed when it is dropped.
pub(super) struct Running {
    child: RefCell<Child>,
    address: PathBuf,
    messages: Option<Receiver<String>>,
    listener: Option<JoinHandle<()>>,
    received: RefCell<Vec<String>>,
}

impl Running {
    /// Waits for a line that begins so, and gives it.
    #[track_caller]
    pub(super) fn until(&self, beginning: &str) -> String {
        self.until_line(|line| line.starts_with(beginning)).unwrap_or_else(|| {
            panic!("no {beginning:?} came, only {:?}", self.received());
        })
    }

    /// Waits for a status; what is said of the next cycle is cut off.
    #[track_caller]
    pub(super) fn until_status(&self, is_it: impl Fn(&str) -> bool) -> String {
        let status = |line: &str| {
            let status = line.strip_prefix("STATUS=")?;
            Some(status.split("; next").next().unwrap_or(status).to_owned())
        };
        let line = self.until_line(|line| status(line).is_some_and(|status| is_it(&status)));
        line.as_deref().and_then(status).unwrap_or_else(|| panic!("no such status came, only {:?}", self.received()))
    }

    fn until_line(&self, is_it: impl Fn(&str) -> bool) -> Option<String> {
        let messages = self.messages.as_ref()?;
        loop {
            let message = messages.recv_timeout(PATIENCE).ok()?;
            let found = message.lines().find(|line| is_it(line)).map(str::to_owned);
            self.received.borrow_mut().extend(message.lines().filter(|line| *line != MARK).map(str::to_owned));
            if found.is_some() {
                return found;
            }
        }
    }

    /// Takes what has come until now and was not waited for: what was sent before a mark is heard before it.
    pub(super) fn drain(&self) -> Vec<String> {
        let before = self.received.borrow().len();
        self.mark().expect("somebody listens");
        assert!(self.until_line(|line| line == MARK).is_some(), "nobody listens");
        self.received.borrow()[before..].to_vec()
    }

    fn mark(&self) -> io::Result<usize> {
        UnixDatagram::unbound()?.send_to(MARK.as_bytes(), &self.address)
    }

    /// Every line that came and was read.
    pub(super) fn received(&self) -> Vec<String> {
        self.received.borrow().clone()
    }

    pub(super) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.borrow().id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("it is there");
    }

    /// Waits for its end: the code, or the signal.
    pub(super) fn wait(&self) -> (Option<i32>, Option<i32>) {
        let status = self.child.borrow_mut().wait().expect("it ends");
        (status.code(), status.signal())
    }

    /// Told to end, it ends so.
    #[track_caller]
    pub(super) fn ends(&self, code: i32) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.wait(), (Some(code), None), "{:?}", self.received());
        self.drain();
        assert!(self.received().iter().any(|line| line == "STOPPING=1"), "{:?}", self.received());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        drop(child.kill());
        drop(child.wait());
        // Nobody hears the listener any more: that ends it.
        self.messages = None;
        if let (Ok(_), Some(listener)) = (self.mark(), self.listener.take()) {
            drop(listener.join());
        }
    }
}
