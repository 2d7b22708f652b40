//! `[atlassian]`.

use super::files::{self, Files};
use super::host::{self, Host};
use super::problem::Fault;
use super::reader::Reader;
use crate::scim::MemberRemoval;
use crate::scim::Settings;
use std::collections::BTreeSet;

/// What `[atlassian]` holds.
pub(super) struct Atlassian {
    pub(super) settings: Settings,
    pub(super) verified_domains: BTreeSet<String>,
    pub(super) api_key_expires: Option<jiff::civil::Date>,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, files: &Files<'_>) -> Atlassian {
    let host = read_host(reader);
    let verified_domains = verified_domains(reader, host.is_loopback);
    let settings = Settings {
        base_url: host.base_url,
        api_key: files::read_secret(reader, files, files::ATLASSIAN_KEY, "Atlassian's SCIM API key"),
        requests_per_second: reader.rate("atlassian.requests_per_second", 1_000.0),
        concurrent_requests_max: reader.whole("atlassian.concurrent_requests_max", 1..=64),
        members_per_request_max: reader.whole("atlassian.members_per_request_max", 1..=1_000),
        member_removal: reader
            .choice("atlassian.member_removal", [("filter", MemberRemoval::Filter), ("values", MemberRemoval::Values)]),
        ca_file: files::find_ca(reader, files, "atlassian.ca_file"),
        proxy: host::find_proxy(reader, "atlassian.proxy"),
    };
    let api_key_expires = reader.date("atlassian.api_key_expires");
    if api_key_expires.is_none() {
        reader.warn(
            "atlassian.api_key_expires is empty: nobody will be warned before the API key expires; write its date there",
        );
    }
    Atlassian { settings, verified_domains, api_key_expires }
}

fn read_host(reader: &mut Reader<'_>) -> Host {
    let key = "atlassian.scim_base_url";
    let remedy = "put the SCIM base URL of your directory, as Atlassian showed it when the directory was made";
    let Some(text) = reader.required_text(key, remedy) else { return Host::default() };
    let host = match host::scim(text) {
        Ok(host) => host,
        Err(fault) => {
            reader.refuse(key, fault);
            return Host::default();
        }
    };
    if !host.is_loopback && reader.is_placeholder(key, &host.base_url) {
        reader.refuse(key, Fault::new("is still the placeholder", remedy));
    } else if !host.is_loopback && !is_directory(&host.base_url) {
        let message = format!("`{}` does not end in `/scim/directory/` and the id of a directory", host.base_url);
        reader.refuse(key, Fault::new(message, remedy));
    }
    host
}

/// Whether an address is that of a directory, as all of Atlassian's are: with less of it, or more, every request would
/// go to a place that is none. What listens on loopback is another service for a trial, with a path of its own.
fn is_directory(base_url: &str) -> bool {
    let id = base_url.rsplit_once("/scim/directory/").map(|(_, id)| id);
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

fn verified_domains(reader: &mut Reader<'_>, is_loopback: bool) -> BTreeSet<String> {
    let key = "atlassian.verified_domains";
    let remedy = "list the domains that your organization has verified in Atlassian: [\"your-company.com\"]";
    if reader.given(key).is_none() {
        reader.refuse(key, Fault::new("is missing", remedy));
        return BTreeSet::new();
    }
    let mut domains = BTreeSet::new();
    for (text, place) in reader.texts(key) {
        let domain = text.to_lowercase();
        if !is_loopback && reader.is_placeholder(key, &domain) {
            reader.refuse_at(key, place, Fault::new(format!("`{domain}` is still the placeholder"), remedy));
        } else if domain != "*" && !is_domain(&domain) {
            let fault =
                Fault::new(format!("`{text}` is not a domain"), "write it without `@` and `*`: \"example.org\"");
            reader.refuse_at(key, place, fault);
        }
        domains.insert(domain);
    }
    if domains.contains("*") && domains.len() > 1 {
        reader
            .refuse(key, Fault::new("has `*` beside domains", "write [\"*\"] alone for all domains, or leave `*` out"));
    } else if domains.contains("*") {
        reader.warn(
            "atlassian.verified_domains is [\"*\"]: every account counts as managed; an update of one that is not can cut its link",
        );
    } else if reader.is_empty_list(key) {
        reader.refuse(key, Fault::new("is empty: no account would be managed", remedy));
    }
    domains
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && host::is_host_name(text)
}
