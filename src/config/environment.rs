//! The environment, as a value.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where the configuration is when nobody says otherwise.
const CONFIG_PATH: &str = "/etc/duo-atlassian-sync/config.toml";

/// What the configuration takes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `$CREDENTIALS_DIRECTORY`: where systemd puts the secrets.
    pub credentials_directory: Option<PathBuf>,
    /// `$STATE_DIRECTORY`: where systemd wants the database.
    pub state_directory: Option<PathBuf>,
    /// `$DUO_ATLASSIAN_SYNC_CONFIG`: the configuration file.
    pub config: Option<PathBuf>,
}

impl Environment {
    /// Reads the environment of this process. An empty variable is none.
    pub fn read() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            credentials_directory: path("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            // systemd separates several directories by colons; ours is the first.
            state_directory: path("STATE_DIRECTORY").as_deref().and_then(first_directory),
            config: path("DUO_ATLASSIAN_SYNC_CONFIG").map(PathBuf::from),
        }
    }

    /// The configuration file: the one named on the command line, else the environment's, else the one below `/etc`.
    pub fn config_path(&self, argument: Option<&Path>) -> PathBuf {
        argument.or(self.config.as_deref()).unwrap_or(Path::new(CONFIG_PATH)).to_path_buf()
    }
}

fn first_directory(list: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(list).find(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Environment, first_directory};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_etc() {
        let mut env = Environment::default();
        assert_eq!(env.config_path(None), Path::new("/etc/duo-atlassian-sync/config.toml"));
        env.config = Some("/opt/sync.toml".into());
        assert_eq!(env.config_path(None), Path::new("/opt/sync.toml"));
        assert_eq!(env.config_path(Some(Path::new("mine.toml"))), Path::new("mine.toml"));
    }

    #[test]
    fn the_first_of_several_state_directories_is_ours() {
        assert_eq!(first_directory("/var/lib/a:/var/lib/b".as_ref()), Some(PathBuf::from("/var/lib/a")));
    }
}
