//! A stage: both simulators, a folder with a configuration for them, and the real program to run on it.

use super::atlassian::{AtlassianSettings, AtlassianSim};
use super::duo::{DuoSim, INTEGRATION_KEY, SECRET_KEY};
use super::wire::Simulator;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The API key that the simulated directory accepts.
pub const API_KEY: &str = "simulated-scim-key";
/// The simulated directory.
pub const DIRECTORY_ID: &str = "11111111-2222-4333-8444-555555555555";

/// The one authority that the program loads, in the place of the system's: reading those would be most of a short run.
/// Nobody has its key, and nothing here speaks TLS.
const AUTHORITY: &str = include_str!("authority.pem");

/// Where the simulators listen on 127.0.0.1; 0 is any free port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The source.
    pub duo: u16,
    /// The target.
    pub atlassian: u16,
}

/// Both simulators, and where the program finds its files.
pub struct Stage {
    /// The source.
    pub duo: Simulator<DuoSim>,
    /// The target.
    pub atlassian: Simulator<AtlassianSim>,
    /// Configuration, secrets, database.
    pub folder: PathBuf,
    /// The program, with arguments that come before all others.
    pub program: Vec<String>,
}

/// What a run of the program printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code; none: a signal.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Stage {
    /// Starts both simulators, empty, and writes the secrets and a configuration that selects all groups.
    pub fn set(folder: &Path, program: Vec<String>) -> io::Result<Self> {
        Self::set_at(folder, program, Ports::default(), AtlassianSettings::default())
    }

    /// Like [`Stage::set`], at these ports and with these settings; key and directory are the stage's all the same.
    pub fn set_at(folder: &Path, program: Vec<String>, ports: Ports, settings: AtlassianSettings) -> io::Result<Self> {
        let settings =
            AtlassianSettings { directory_id: DIRECTORY_ID.to_owned(), api_key: API_KEY.to_owned(), ..settings };
        let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let at = |port, failure: io::Error| io::Error::new(failure.kind(), format!("port {port}: {failure}"));
        let duo = Simulator::start_at(DuoSim::new(), here(ports.duo)).map_err(|e| at(ports.duo, e))?;
        let atlassian = Simulator::start_at(AtlassianSim::new(settings), here(ports.atlassian))
            .map_err(|e| at(ports.atlassian, e))?;
        let stage = Self { duo, atlassian, folder: folder.to_owned(), program };
        stage.write_secret("duo-secret-key", SECRET_KEY)?;
        stage.write_secret("atlassian-api-key", API_KEY)?;
        fs::write(stage.authority(), AUTHORITY)?;
        stage.configure("[scope]\ngroups = [{ name = \"*\" }]\n")?;
        Ok(stage)
    }

    /// The SCIM base URL of the simulated directory.
    pub fn scim_base_url(&self) -> String {
        format!("{}/scim/directory/{DIRECTORY_ID}", self.atlassian.url())
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// Writes the configuration: the two services, and further sections.
    pub fn configure(&self, sections: &str) -> io::Result<()> {
        self.configure_services("", "", sections)
    }

    /// Like [`Stage::configure`], with further keys for `[duo]` and `[atlassian]`.
    pub fn configure_services(&self, duo: &str, atlassian: &str, sections: &str) -> io::Result<()> {
        let text = format!(
            "[duo]\napi_host = \"{}\"\nintegration_key = \"{INTEGRATION_KEY}\"\n{duo}\n\
             [atlassian]\nscim_base_url = \"{}\"\nverified_domains = [\"example.com\"]\n{atlassian}\n\
             {sections}",
            self.duo.url(),
            self.scim_base_url(),
        );
        fs::write(self.config(), text)
    }

    /// Writes a secret file that its owner alone can read.
    pub fn write_secret(&self, name: &str, secret: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(self.folder.join(name))?;
        file.write_all(secret.as_bytes())
    }

    /// The program, ready to run, with the configuration and these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut words = self.program.iter();
        let mut command = Command::new(words.next().map_or("duo-atlassian-sync", String::as_str));
        command.args(words).arg("--config").arg(self.config()).args(arguments);
        command.env_remove("CREDENTIALS_DIRECTORY").env_remove("STATE_DIRECTORY").env_remove("SUDO_USER");
        command.env("SSL_CERT_FILE", self.authority()).env("SSL_CERT_DIR", self.folder.join("no-authorities"));
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> io::Result<Ran> {
        self.command(arguments).output().map(|output| self.ran(&output))
    }

    /// What was printed, with what differs from run to run (ports, the folder) written as words.
    fn ran(&self, output: &Output) -> Ran {
        let tidy = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(&self.duo.url(), "http://duo")
                .replace(&self.atlassian.url(), "http://atlassian")
                .replace(&self.folder.display().to_string(), "FOLDER")
        };
        Ran { code: output.status.code(), stdout: tidy(&output.stdout), stderr: tidy(&output.stderr) }
    }
}
