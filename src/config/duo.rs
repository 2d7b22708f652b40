//! `[duo]`.

use super::files::{self, Files};
use super::host::{self, Host};
use super::problem::Fault;
use super::reader::Reader;
use crate::duo::Settings;
use crate::duo::SignatureVersion;

/// Reads the section. Also tells whether Duo is on this machine, where the examples are as good as anything.
pub(super) fn read(reader: &mut Reader<'_>, files: &Files<'_>) -> (Settings, bool) {
    let host = read_host(reader);
    let settings = Settings {
        integration_key: integration_key(reader, host.is_loopback),
        secret_key: files::read_secret(reader, files, "duo.secret_key_file", "Duo's secret key"),
        signature: reader.choice("duo.signature", [("v5", SignatureVersion::V5), ("v2", SignatureVersion::V2)]),
        requests_per_minute: reader.whole("duo.requests_per_minute", 1..=60_000),
        ca_file: files::find_ca(reader, files, "duo.ca_file"),
        proxy: host::find_proxy(reader, "duo.proxy"),
        api_host: host.name,
        base_url: host.base_url,
    };
    (settings, host.is_loopback)
}

fn read_host(reader: &mut Reader<'_>) -> Host {
    let key = "duo.api_host";
    let remedy = "put the API hostname of your Admin API application: `api_host = \"api-....duosecurity.com\"`";
    let Some(text) = reader.required_text(key, remedy) else { return Host::default() };
    let host = match host::duo(text) {
        Ok(host) => host,
        Err(fault) => {
            reader.refuse(key, fault);
            return Host::default();
        }
    };
    if reader.is_placeholder(key, &host.name) {
        reader.refuse(key, Fault::new("is still the placeholder", remedy));
    }
    host
}

fn integration_key(reader: &mut Reader<'_>, is_loopback: bool) -> String {
    let key = "duo.integration_key";
    let remedy = "put the integration key of your Admin API application: `DI` and 18 more letters and digits";
    let text = reader.required_text(key, remedy).unwrap_or_default().trim();
    if !is_loopback && reader.is_placeholder(key, text) {
        reader.refuse(key, Fault::new("is still the placeholder", remedy));
    } else if reader.given(key).is_some_and(|value| value.get_ref().is_str()) && !is_key(text, "DI") {
        // The value is not shown: it may be the secret key, put on the wrong line.
        let message = format!("is not an integration key (it has {} characters)", text.chars().count());
        reader.refuse(key, Fault::new(message, remedy));
    }
    text.to_owned()
}

/// Whether a text has the shape of Duo's keys and ids: two letters for the kind and 18 more letters and digits.
pub(super) fn is_key(text: &str, kind: &str) -> bool {
    text.len() == 20 && text.starts_with(kind) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
