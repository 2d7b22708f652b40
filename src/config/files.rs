//! Where relative file names point to, and reading the secrets.

use super::environment::Environment;
use super::problem::Fault;
use super::reader::Reader;
use secrecy::{ExposeSecret, SecretString};
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the database is for an installed program that was not started by systemd.
const STATE_DIRECTORY: &str = "/var/lib/duo-atlassian-sync";

/// Keys have less than 1,000 characters. What is larger is another file.
const SECRET_BYTES_MAX: u64 = 16 * 1024;

/// All certificate authorities of a system have less than a megabyte.
const CA_BYTES_MAX: u64 = 16 << 20;

/// A name that is this long and has neither slash nor dot is rather the secret itself than a file's name.
const NAME_LENGTH_MAX: usize = 31;

/// The key that names the file of Atlassian's API key.
pub(super) const ATLASSIAN_KEY: &str = "atlassian.api_key_file";

/// Finds files for one configuration.
pub(super) struct Files<'e> {
    directory: PathBuf,
    env: &'e Environment,
    reads_secrets: bool,
    /// Instead of the file that the configuration names.
    atlassian_key: Option<String>,
}

impl<'e> Files<'e> {
    pub(super) fn new(config: &Path, env: &'e Environment) -> Self {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_path_buf());
        Self {
            directory: config.parent().map(Path::to_path_buf).unwrap_or_default(),
            env,
            reads_secrets: true,
            atlassian_key: None,
        }
    }

    /// Another key of Atlassian, from a file that is relative to the working directory.
    pub(super) fn with_atlassian_key(self, file: &Path) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        Self { atlassian_key: Some(file.display().to_string()), ..self }
    }

    /// Every secret is empty, whether or not its file is there.
    pub(super) fn without_secrets(self) -> Self {
        Self { reads_secrets: false, ..self }
    }

    /// The database.
    pub(super) fn database(&self, name: &str) -> PathBuf {
        self.env.state_directory.as_ref().map_or_else(|| self.database_by_hand(name), |directory| directory.join(name))
    }

    /// The database of commands that no service manager started.
    fn database_by_hand(&self, name: &str) -> PathBuf {
        let is_installed = self.directory.starts_with("/etc");
        if is_installed { Path::new(STATE_DIRECTORY).join(name) } else { self.beside(name) }
    }

    /// Another file that commands by hand would take for the database: a brake there would stop nothing here.
    pub(super) fn other_database_by_hand(&self, name: &str) -> Option<PathBuf> {
        // systemd's folder for a dynamic user is known by two names.
        let folder = |path: &Path| path.parent().map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.into()));
        let other = self.database_by_hand(name);
        (folder(&self.database(name)) != folder(&other)).then_some(other)
    }

    /// A file that is no secret: beside the configuration.
    fn beside(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The file of a secret: with the credentials if it is there, else beside the configuration.
    fn secret(&self, name: &str) -> PathBuf {
        let credential = self.env.credentials_directory.as_ref().map(|directory| directory.join(name));
        credential.filter(|path| path.exists()).unwrap_or_else(|| self.beside(name))
    }

    /// Whether systemd put the file there. It makes them 0440 and keeps the directory closed to others.
    fn is_credential(&self, path: &Path) -> bool {
        self.env.credentials_directory.as_ref().is_some_and(|directory| path.starts_with(directory))
    }

    /// Reads one secret.
    fn read_secret(&self, name: &str, what: &str) -> Result<SecretString, Fault> {
        if !self.reads_secrets {
            return Ok(SecretString::default());
        }
        let path = self.secret(name);
        let metadata = self.metadata(&path, name, what)?;
        let mode = metadata.permissions().mode();
        let forbidden = if self.is_credential(&path) { 0o007 } else { 0o077 };
        let shown = path.display();
        if mode & forbidden != 0 {
            return Err(is_open(&path, mode));
        }
        let source = self.beside(name);
        if self.is_credential(&path) {
            // The file that a credential comes from is as secret. Who may not look at it has nothing to complain of.
            let mode = std::fs::metadata(&source).map_or(0, |metadata| metadata.permissions().mode());
            if mode & 0o077 != 0 {
                return Err(is_open(&source, mode));
            }
        }
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text));
        let text = SecretString::from(text);
        let remedy = if self.is_credential(&path) {
            let source = source.display();
            format!(
                "write {what}, and nothing else, into the file of this credential (`{source}`), and restart the service"
            )
        } else {
            format!("write {what}, and nothing else, into `{shown}`")
        };
        match read {
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(Fault::new(format!("`{shown}` is not text"), remedy));
            }
            read => drop(read.map_err(|error| unreadable(&path, &error))?),
        }
        let secret = text.expose_secret().trim();
        if secret.is_empty() {
            return Err(Fault::new(format!("`{shown}` is empty"), remedy));
        }
        if secret.contains(char::is_whitespace) {
            return Err(Fault::new(format!("`{shown}` has white space inside the key"), remedy));
        }
        if !secret.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Fault::new(format!("`{shown}` has a character that no key has"), remedy));
        }
        Ok(SecretString::from(secret))
    }

    fn metadata(&self, path: &Path, name: &str, what: &str) -> Result<Metadata, Fault> {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.missing(name, what)),
            Err(error) => return Err(unreadable(path, &error)),
        };
        if !metadata.is_file() {
            let message = format!("`{}` is not a file", path.display());
            return Err(Fault::new(message, format!("name the file that holds {what}")));
        }
        if metadata.len() >= SECRET_BYTES_MAX {
            let message = format!("`{}` is too large for a key: {} bytes", path.display(), metadata.len());
            return Err(Fault::new(message, format!("name the file that holds {what}, and nothing else")));
        }
        Ok(metadata)
    }

    fn missing(&self, name: &str, what: &str) -> Fault {
        let is_long = name.len() > NAME_LENGTH_MAX && !name.contains(['/', '.']);
        let looks_like_a_secret = is_long || (name.len() > 100 && !name.starts_with('/'));
        if looks_like_a_secret || name.contains("://") {
            let message = "this is not the name of a file; it looks like the secret itself";
            return Fault::new(message, format!("write {what} into a file of mode 0600, and the file's name here"));
        }
        let path = self.beside(name);
        let shown = path.display();
        let remedy = format!("write {what} into it, with mode 0600: `install -m 600 /dev/stdin {shown}`");
        match &self.env.credentials_directory {
            Some(directory) if Path::new(name).is_relative() => {
                Fault::new(format!("`{name}` is neither in `{}` nor at `{shown}`", directory.display()), remedy)
            }
            Some(_) | None => Fault::new(format!("`{shown}` does not exist"), remedy),
        }
    }
}

fn is_open(path: &Path, mode: u32) -> Fault {
    let shown = path.display();
    let message = format!("`{shown}` is open to others than its owner (mode {:04o})", mode & 0o7777);
    Fault::new(message, format!("run `chmod 600 {shown}`; if others could read it, make a new key"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let message = format!("`{}` cannot be read: {error}", path.display());
    Fault::new(message, "make it readable for the user that runs this program, and for nobody else")
}

/// Reads the secret whose file stands under a key. After a problem the result is empty.
pub(super) fn read_secret(reader: &mut Reader<'_>, files: &Files<'_>, key: &str, what: &str) -> SecretString {
    // Asked for in any case: a key that nobody asks for is unknown.
    let configured = reader.text(key).trim();
    let name = files.atlassian_key.as_deref().filter(|_| key == ATLASSIAN_KEY).unwrap_or(configured);
    let secret = if name.is_empty() {
        Err(Fault::new("names no file", format!("name the file that holds {what}")))
    } else {
        files.read_secret(name, what)
    };
    secret.unwrap_or_else(|fault| {
        reader.refuse(key, fault);
        SecretString::default()
    })
}

/// A secret that the configuration may leave out; when its file is named, it must be readable.
pub(super) fn find_secret(reader: &mut Reader<'_>, files: &Files<'_>, key: &str, what: &str) -> Option<SecretString> {
    if reader.text(key).trim().is_empty() {
        return None;
    }
    // Empty: there was a problem with it, which is reported already, or it was not to be read.
    Some(read_secret(reader, files, key, what)).filter(|secret| !secret.expose_secret().is_empty())
}

/// The whole of a file, but for one that is no certificate by its size. A device or a pipe is no file: it may
/// never end.
fn read_some(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if std::fs::metadata(path)?.is_file() {
        File::open(path)?.take(CA_BYTES_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A further certificate authority.
pub(super) fn find_ca(reader: &mut Reader<'_>, files: &Files<'_>, key: &str) -> Option<PathBuf> {
    let name = reader.text(key).trim();
    if name.is_empty() {
        return None;
    }
    let path = files.beside(name);
    match read_some(&path) {
        Ok(bytes) if String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") => {}
        Ok(_) => {
            let message = format!("`{}` holds no certificate", path.display());
            reader.refuse(key, Fault::new(message, "name a PEM file: it has a line `-----BEGIN CERTIFICATE-----`"));
        }
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.display());
            reader
                .refuse(key, Fault::new(message, "name a PEM file that this program may read, or leave the key empty"));
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::Files;
    use crate::config::environment::Environment;
    use secrecy::ExposeSecret;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    fn write(directory: &Path, name: &str, content: &str, mode: u32) {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn why(files: &Files<'_>, name: &str) -> String {
        files.read_secret(name, "the key").map(|_| ()).unwrap_err().message
    }

    #[test]
    fn a_secret_is_read_without_its_newline_from_a_file_of_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let env = Environment::default();
        let files = Files::new(&directory.path().join("config.toml"), &env);
        for mode in [0o600, 0o400] {
            write(directory.path(), "key", "s3cret\r\n", mode);
            assert_eq!(files.read_secret("key", "the key").unwrap().expose_secret(), "s3cret");
            std::fs::remove_file(directory.path().join("key")).unwrap();
        }
        for mode in [0o640, 0o604, 0o620, 0o601] {
            write(directory.path(), "key", "s3cret", mode);
            assert!(why(&files, "key").contains(&format!("open to others than its owner (mode {mode:04o})")));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let env = Environment::default();
        let files = Files::new(&directory.path().join("config.toml"), &env);
        for (content, expected) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("s3cret s3cret", "white space inside"),
            ("s3cret\ns3cret", "white space inside"),
            ("s3cret\u{e9}", "no key has"),
            (&"s3cret".repeat(4_000), "too large"),
        ] {
            write(directory.path(), "key", content, 0o600);
            let message = why(&files, "key");
            assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
        }
        // The beginning of a program, say.
        std::fs::write(directory.path().join("key"), b"\x7fELF\x02\xff\xfe s3cret").unwrap();
        let fault = files.read_secret("key", "the key").unwrap_err();
        assert!(fault.message.ends_with("/key` is not text"), "{}", fault.message);
        assert!(fault.remedy.starts_with("write the key, and nothing else, into `"), "{}", fault.remedy);
        assert!(why(&files, "absent").contains("does not exist"));
        assert!(why(&files, ".").contains("is not a file"));
        let pasted = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
        assert!(!why(&files, pasted).contains(pasted));
    }

    #[test]
    fn a_credential_of_systemd_goes_first_and_may_be_open_to_its_group() {
        let beside = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        let env =
            Environment { credentials_directory: Some(credentials.path().to_path_buf()), ..Environment::default() };
        let files = Files::new(&beside.path().join("config.toml"), &env);
        write(beside.path(), "key", "beside", 0o600);
        assert_eq!(files.read_secret("key", "the key").unwrap().expose_secret(), "beside");
        write(credentials.path(), "key", "credential", 0o440);
        assert_eq!(files.read_secret("key", "the key").unwrap().expose_secret(), "credential");
        std::fs::set_permissions(credentials.path().join("key"), Permissions::from_mode(0o444)).unwrap();
        assert!(why(&files, "key").contains("mode 0444"));
        assert!(why(&files, "other").contains("is neither in"));
    }

    #[test]
    fn the_file_that_a_credential_comes_from_is_named_and_must_be_closed_too() {
        let beside = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        let env =
            Environment { credentials_directory: Some(credentials.path().to_path_buf()), ..Environment::default() };
        let files = Files::new(&beside.path().join("config.toml"), &env);
        let source = beside.path().join("key").display().to_string();
        write(beside.path(), "key", "credential", 0o640);
        write(credentials.path(), "key", "credential", 0o440);
        assert_eq!(why(&files, "key"), format!("`{source}` is open to others than its owner (mode 0640)"));
        write(beside.path(), "key", "", 0o600);
        std::fs::set_permissions(credentials.path().join("key"), Permissions::from_mode(0o600)).unwrap();
        write(credentials.path(), "key", "", 0o440);
        let fault = files.read_secret("key", "the key").map(|_| ()).unwrap_err();
        assert!(fault.message.contains("/key` is empty"), "{}", fault.message);
        let named = format!("into the file of this credential (`{source}`), and restart the service");
        assert!(fault.remedy.ends_with(&named), "{}", fault.remedy);
    }

    #[test]
    fn a_relative_database_is_where_its_configuration_suggests() {
        let mut env = Environment::default();
        let path = |env: &Environment, config: &str, name: &str| Files::new(Path::new(config), env).database(name);
        let installed = "/etc/duo-atlassian-sync/config.toml";
        assert_eq!(path(&env, installed, "state.db"), Path::new("/var/lib/duo-atlassian-sync/state.db"));
        assert_eq!(path(&env, "/home/ana/try/config.toml", "state.db"), Path::new("/home/ana/try/state.db"));
        assert_eq!(path(&env, "/etcetera/config.toml", "a/b.db"), Path::new("/etcetera/a/b.db"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(path(&env, "config.toml", "state.db"), here.join("state.db"));
        env.state_directory = Some(PathBuf::from("/var/lib/private/x"));
        assert_eq!(path(&env, installed, "state.db"), Path::new("/var/lib/private/x/state.db"));
        assert_eq!(path(&env, installed, "/srv/state.db"), Path::new("/srv/state.db"));
    }

    #[test]
    fn another_database_by_hand_is_noticed_and_another_name_for_the_same_folder_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("private"), directory.path().join("public"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let env = Environment { state_directory: Some(real.clone()), ..Environment::default() };
        let other = |config: &Path, name: &str| Files::new(config, &env).other_database_by_hand(name);
        assert_eq!(other(&link.join("config.toml"), "state.db"), None);
        assert_eq!(other(Path::new("/etc/x/config.toml"), real.join("state.db").to_str().unwrap()), None);
        let installed = other(Path::new("/etc/x/config.toml"), "state.db");
        assert_eq!(installed.as_deref(), Some(Path::new("/var/lib/duo-atlassian-sync/state.db")));
        let nowhere = Environment::default();
        assert_eq!(Files::new(Path::new("/srv/config.toml"), &nowhere).other_database_by_hand("state.db"), None);
    }
}
