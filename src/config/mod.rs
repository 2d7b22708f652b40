//! One TOML file becomes every module's own validated settings, or a list of all its problems.
//!
//! `config/default.toml` is embedded: it is the defaults, the list of keys, and the template that people copy. The
//! user's file is read over it. Secrets come from files; none is in any message or in `Debug`.

mod atlassian;
#[cfg(test)]
mod documents;
mod duo;
mod environment;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod guard;
mod host;
mod mapping;
mod problem;
mod reader;
mod scope;
mod selector;
mod service;
mod spelling;
#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use problem::{Problem, Problems};
pub use service::{Approval, Mode, Schedule, State};

use files::Files;
use problem::Fault;
use reader::Reader;
use secrecy::SecretString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The defaults, and the template that people copy.
pub const DEFAULT: &str = include_str!("../../config/default.toml");

/// The whole configuration, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// How to reach Duo.
    pub duo: crate::duo::Settings,
    /// How to reach Atlassian.
    pub scim: crate::scim::Settings,
    /// Who is in scope, and how a person is written down, normalised.
    pub rules: crate::desired::Rules,
    /// What may be sent without a person's approval.
    pub limits: crate::guard::Limits,
    /// `[approval]`.
    pub approval: Approval,
    /// `[schedule]`.
    pub schedule: Schedule,
    /// `[state]`.
    pub state: State,
    /// When the API key of Atlassian expires.
    pub api_key_expires: Option<jiff::civil::Date>,
    /// Where health and metrics listen: `127.0.0.1:PORT`, `[::1]:PORT` or `unix:/PATH`.
    pub http_listen: Option<String>,
    /// Where notices go.
    pub notice: Option<crate::notice::Settings>,
    /// Sentences about what is allowed but perhaps not meant.
    pub warnings: Vec<String>,
}

/// Reads a configuration file and the secrets that it names.
pub fn load(path: &Path, env: &Environment) -> Result<Config, Problems> {
    parse(&read_text(path)?, path, env)
}

/// Like [`load`], for what contacts nobody: the secrets are not read and stay empty. They may be out of reach, such as
/// encrypted credentials of the service.
pub fn load_without_secrets(path: &Path, env: &Environment) -> Result<Config, Problems> {
    parse_with(&read_text(path)?, path, &Files::new(path, env).without_secrets())
}

/// Like [`load`], with Atlassian's API key from another file, which must be as closed as the configured one.
pub fn load_with_atlassian_key(path: &Path, env: &Environment, key_file: &Path) -> Result<Config, Problems> {
    parse_with(&read_text(path)?, path, &Files::new(path, env).with_atlassian_key(key_file))
}

/// What is needed to reach Duo with these keys, as the defaults say; none when host or key cannot be meant.
pub fn duo_settings(api_host: &str, integration_key: &str, secret_key: SecretString) -> Option<crate::duo::Settings> {
    let host = host::duo(api_host).ok()?;
    Some(crate::duo::Settings {
        api_host: host.name,
        base_url: host.base_url,
        integration_key: integration_key.to_owned(),
        secret_key,
        signature: crate::duo::SignatureVersion::V5,
        requests_per_minute: 180,
        ca_file: None,
        proxy: None,
    })
}

/// Reads where the database is, and nothing else: the brake must work whatever is wrong with the rest.
pub fn load_database(path: &Path, env: &Environment) -> Result<PathBuf, Problems> {
    let text = read_text(path)?;
    let user = DeTable::parse(&text).map_err(|error| syntax(&text, path, &error))?;
    let default = DeTable::parse(DEFAULT).map_err(|error| syntax(DEFAULT, Path::new("default.toml"), &error))?;
    let mut reader = Reader::new(&text, user.get_ref(), default.get_ref());
    Ok(service::state(&mut reader, &Files::new(path, env)).database)
}

/// A configuration that lists fifty thousand people has one MiB.
const FILE_BYTES_MAX: u64 = 4 << 20;

fn read_text(path: &Path) -> Result<String, Problems> {
    let unreadable = |message: String, remedy: &str| Problems::of_file(path, Fault::new(message, remedy));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        let remedy = "name the file with --config, or make one: `duo-atlassian-sync init`; it must be readable for the service's user";
        unreadable(format!("cannot be read: {error}"), remedy)
    })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let message = format!("has more than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(unreadable(
            message,
            "name a configuration file: even one for a large directory has some kilobytes",
        ));
    }
    String::from_utf8(bytes)
        .map_err(|_| unreadable("is not UTF-8 text".to_owned(), "save the file as UTF-8, without other encodings"))
}

/// Like [`load`], with the text of the file. The path still says what relative names are relative to.
pub fn parse(text: &str, path: &Path, env: &Environment) -> Result<Config, Problems> {
    parse_with(text, path, &Files::new(path, env))
}

fn parse_with(text: &str, path: &Path, files: &Files<'_>) -> Result<Config, Problems> {
    let user = DeTable::parse(text).map_err(|error| syntax(text, path, &error))?;
    let default = DeTable::parse(DEFAULT).map_err(|error| syntax(DEFAULT, Path::new("default.toml"), &error))?;
    let mut reader = Reader::new(text, user.get_ref(), default.get_ref());
    let config = read(&mut reader, path, files);
    reader.finish(path, config)
}

/// Asks for every key there is.
fn read(reader: &mut Reader<'_>, path: &Path, files: &Files<'_>) -> Config {
    let (duo, is_loopback) = duo::read(reader, files);
    let atlassian = atlassian::read(reader, files);
    Config {
        path: path.to_path_buf(),
        duo,
        scim: atlassian.settings,
        rules: scope::read(reader, atlassian.verified_domains, is_loopback),
        limits: guard::read(reader),
        approval: service::approval(reader),
        schedule: service::schedule(reader),
        state: service::state(reader, files),
        api_key_expires: atlassian.api_key_expires,
        http_listen: service::http_listen(reader),
        notice: service::notice(reader, files),
        warnings: reader.take_warnings(),
    }
}

/// A file that is not TOML: one mistake only, since what comes after it is a guess.
fn syntax(text: &str, path: &Path, error: &toml::de::Error) -> Problems {
    let line_starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let place = error.span().map(|span| reader::position(text, &line_starts, span.start));
    let message = format!("is not valid TOML: {}", error.message().lines().next().unwrap_or_default());
    let remedy =
        "texts stand in quotes, lists in [ ], and each key is there once; the other keys are checked after this";
    Problems::new(path, vec![Problem::new(place, "", Fault::new(message, remedy))])
}
