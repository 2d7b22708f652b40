//! The two addresses: Duo's host and the SCIM base URL.

use super::problem::{Fault, shown};
use super::reader::Reader;

/// Duo's domains: the commercial one and the government's.
const DUO_DOMAINS: [&str; 2] = [".duosecurity.com", ".duofederal.com"];

/// For trying out, both services may be here.
const LOOPBACKS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Where a service is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    /// Lower case, without scheme and port.
    pub(super) name: String,
    /// With scheme, and port if there is one; no slash at the end.
    pub(super) base_url: String,
    /// Whether it is this machine: for trying out, where the examples are as good as anything.
    pub(super) is_loopback: bool,
}

/// Duo's API host, or a loopback address with scheme and port.
pub(super) fn duo(text: &str) -> Result<Host, Fault> {
    let text = text.trim().to_ascii_lowercase();
    let shape = "write the host name alone, as Duo's Admin Panel shows it: `api-1a2b3c4d.duosecurity.com`";
    let fault = |message: &str| Err(Fault::new(format!("{} {message}", shown(&text)), shape));
    if let Some((scheme, rest)) = text.split_once("://") {
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        return match loopback(authority) {
            Some(name) if is_web(scheme) => {
                Ok(Host { name: name.to_owned(), base_url: format!("{scheme}://{authority}"), is_loopback: true })
            }
            Some(_) | None => fault("has a scheme; only a loopback address with a port may have one"),
        };
    }
    if text.is_empty() {
        return Err(Fault::new("is empty", shape));
    }
    if text.contains(['/', '?', '#']) {
        return fault("has a path");
    }
    if text.contains(':') {
        return fault("has a port");
    }
    if !is_host_name(&text) {
        return fault("is not a host name");
    }
    if !is_sent_as_written(&format!("https://{text}"), &text) {
        return fault("would be sent in another spelling");
    }
    if !DUO_DOMAINS.iter().any(|domain| text.len() > domain.len() && text.ends_with(domain)) {
        return fault("is outside duosecurity.com and duofederal.com: the secret key would go to a stranger");
    }
    Ok(Host { base_url: format!("https://{text}"), name: text, is_loopback: false })
}

/// The SCIM base URL.
pub(super) fn scim(text: &str) -> Result<Host, Fault> {
    let text = text.trim();
    let shape = "copy the SCIM base URL as Atlassian shows it: `https://api.atlassian.com/scim/directory/...`";
    let fault = |message: &str| Err(Fault::new(format!("{} {message}", shown(text)), shape));
    if text.is_empty() {
        return Err(Fault::new("is empty", shape));
    }
    let Some((scheme, rest)) = text.split_once("://") else { return fault("does not begin with `https://`") };
    let scheme = scheme.to_ascii_lowercase();
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return fault("has a character that no address has");
    }
    if text.contains(['?', '#']) {
        return fault("has a query or a fragment");
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') {
        return fault("has a user or a key in it");
    }
    let authority = authority.to_ascii_lowercase();
    let (name, port) = split_port(&authority);
    if port.is_some_and(|port| !is_port(port)) || !(name == "[::1]" || is_host_name(name)) {
        return fault("has no valid host");
    }
    if !is_web(&scheme) || (scheme == "http" && loopback(&authority).is_none()) {
        return fault("is not https; only a loopback address with a port may be http");
    }
    let base_url = format!("{scheme}://{authority}{}", path.trim_end_matches('/'));
    if !is_sent_as_written(&base_url, name) {
        return fault("would be sent in another spelling");
    }
    Ok(Host { name: name.to_owned(), base_url, is_loopback: LOOPBACKS.contains(&name) })
}

/// An HTTP proxy. After a problem there is none.
pub(super) fn find_proxy(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    let text = reader.text(key).trim();
    if text.is_empty() {
        return None;
    }
    match proxy(text) {
        Ok(url) => Some(url),
        Err(fault) => {
            reader.refuse(key, fault);
            None
        }
    }
}

fn proxy(text: &str) -> Result<String, Fault> {
    let shape = "write the address of an HTTP proxy with its port, `http://proxy.example.com:3128`, or leave it empty";
    if text.contains('@') {
        // Not shown: it may hold a password.
        let message = "has a user or a password, which do not belong into a configuration file";
        let remedy = "leave it empty, and set HTTPS_PROXY in the environment of the service";
        return Err(Fault::new(message, remedy));
    }
    let fault = |message: &str| Err(Fault::new(format!("{} {message}", shown(text)), shape));
    let text = text.to_ascii_lowercase();
    let Some(("http", rest)) = text.split_once("://") else { return fault("is not an http:// address") };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (name, port) = split_port(authority);
    if !port.is_some_and(is_port) {
        return fault("has no port");
    }
    if !LOOPBACKS.contains(&name) && !is_host_name(name) {
        return fault("is not a host name with a port");
    }
    let url = format!("http://{authority}");
    if !is_sent_as_written(&url, name) {
        return fault("would be used in another spelling");
    }
    Ok(url)
}

/// The name of a loopback address, if that is what `authority` is, with a port.
pub(super) fn loopback(authority: &str) -> Option<&str> {
    let (name, port) = split_port(authority);
    (LOOPBACKS.contains(&name) && port.is_some_and(is_port)).then_some(name)
}

/// Whether requests go to this very host and path. A letter outside ASCII, a number such as `0x7f.1` or a path with
/// `..` would become something else on the way: another host than the one that is shown, or a request that is refused.
fn is_sent_as_written(base_url: &str, name: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(base_url) else { return false };
    let path = base_url.splitn(4, '/').nth(3).unwrap_or_default();
    url.host_str() == Some(name) && url.path().strip_prefix('/') == Some(path)
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        Some(_) | None => (authority, None),
    }
}

/// Whether a text is a name of the DNS (or an IPv4 address), in lower case.
pub(super) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let edge = label.starts_with('-') || label.ends_with('-');
        !label.is_empty()
            && label.len() <= 63
            && !edge
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{duo, proxy, scim};

    #[test]
    fn a_proxy_is_a_host_with_a_port_and_without_a_password() {
        for good in ["http://proxy.example.com:3128", "HTTP://Proxy.Example.com:3128/", "http://10.0.0.1:80"] {
            assert!(proxy(good).is_ok(), "{good}");
        }
        assert_eq!(proxy("HTTP://Proxy.Example.com:3128/").unwrap(), "http://proxy.example.com:3128");
        for (text, expected) in [
            ("proxy.example.com:3128", "is not an http:// address"),
            ("https://proxy.example.com:3128", "is not an http:// address"),
            ("socks5://proxy.example.com:3128", "is not an http:// address"),
            ("http://proxy.example.com", "has no port"),
            ("http://proxy.example.com:0", "has no port"),
            ("http://proxy.example.com:3128/path", "has no port"),
            ("http://:3128", "is not a host name"),
            ("http://0x7f.1:3128", "another spelling"),
        ] {
            let message = proxy(text).unwrap_err().message;
            assert!(message.contains(expected), "{text}: {message}");
        }
        let with_password = proxy("http://ana:hunter2@proxy.example.com:3128").unwrap_err();
        assert!(with_password.message.contains("password"), "{}", with_password.message);
        assert!(!format!("{with_password:?}").contains("hunter2"), "it is not shown");
    }

    #[test]
    fn duo_is_a_host_of_its_own_two_domains() {
        let host = duo(" API-1a2b3c4d.DuoSecurity.com ").unwrap();
        assert_eq!(
            (&*host.name, &*host.base_url),
            ("api-1a2b3c4d.duosecurity.com", "https://api-1a2b3c4d.duosecurity.com")
        );
        assert!(!host.is_loopback);
        assert!(duo("api-1.duofederal.com").is_ok());
        for (text, expected) in [
            ("https://api-1.duosecurity.com", "has a scheme"),
            ("ftp://127.0.0.1:9001", "has a scheme"),
            ("http://127.0.0.1", "has a scheme"),
            ("http://127.0.0.1:0", "has a scheme"),
            ("http://127.0.0.1:9001/admin", "has a scheme"),
            ("http://127.0.0.1.example.com:9001", "has a scheme"),
            ("http://10.0.0.1:9001", "has a scheme"),
            ("api-1.duosecurity.com/", "has a path"),
            ("api-1.duosecurity.com:443", "has a port"),
            ("127.0.0.1:9001", "has a port"),
            ("api 1.duosecurity.com", "is not a host name"),
            ("api@evil.duosecurity.com", "is not a host name"),
            (".duosecurity.com", "is not a host name"),
            ("duosecurity.com", "is outside"),
            ("evilduosecurity.com", "is outside"),
            ("api-1.duosecurity.com.evil.example", "is outside"),
            ("", "is empty"),
        ] {
            let message = duo(text).unwrap_err().message;
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn an_address_that_would_be_rewritten_on_the_way_is_refused() {
        for text in [
            "https://api.atlassian.com/scim/../directory/1",
            "https://api.atlassian.com/scim/%2e/directory/1",
            "https://api.atlassian.com/scim/directory/é",
            "https://api.atlassian.com/scim/directory/\"1\"",
            "https://ätlassian.example/scim/directory/1",
            "https://xn--a/scim/directory/1",
            "https://0x7f.1/scim/directory/1",
            "http://[::1]:1/a/./b",
        ] {
            assert!(scim(text).unwrap_err().message.ends_with("would be sent in another spelling"), "{text}");
        }
        assert!(duo("api-é.duosecurity.com").unwrap_err().message.ends_with("would be sent in another spelling"));
        assert_eq!(scim("https://api.atlassian.com:443/a//b").unwrap().base_url, "https://api.atlassian.com:443/a//b");
    }

    #[test]
    fn the_signed_host_of_a_loopback_address_has_no_port() {
        for (text, name, base_url) in [
            ("http://127.0.0.1:9001", "127.0.0.1", "http://127.0.0.1:9001"),
            ("http://LOCALHOST:9001/", "localhost", "http://localhost:9001"),
            ("http://[::1]:9001", "[::1]", "http://[::1]:9001"),
        ] {
            let host = duo(text).unwrap();
            assert_eq!((&*host.name, &*host.base_url, host.is_loopback), (name, base_url, true));
            let host = scim(&format!("{}/scim/directory/Ab/", text.trim_end_matches('/'))).unwrap();
            assert_eq!((&*host.name, host.is_loopback), (name, true));
            assert_eq!(host.base_url, format!("{base_url}/scim/directory/Ab"));
        }
    }

    #[test]
    fn the_scim_base_url_is_https_without_query_and_user() {
        let host = scim("HTTPS://Api.Atlassian.com/scim/directory/0f-AB/").unwrap();
        assert_eq!(host.base_url, "https://api.atlassian.com/scim/directory/0f-AB");
        assert!(scim("https://scim.example.gov:8443/scim/directory/1").is_ok());
        for (text, expected) in [
            ("", "is empty"),
            ("api.atlassian.com/scim/directory/1", "does not begin"),
            ("http://api.atlassian.com/scim/directory/1", "is not https"),
            ("http://127.0.0.1/scim/directory/1", "is not https"),
            ("ftp://api.atlassian.com/", "is not https"),
            ("https://api.atlassian.com/scim?x=1", "has a query"),
            ("https://api.atlassian.com/scim#x", "has a query"),
            ("https://user:key@api.atlassian.com/scim", "the value has a user or a key"),
            ("https://", "no valid host"),
            ("https://api.atlassian.com:x/", "no valid host"),
            ("https://api.atlassian.com:99999/", "no valid host"),
            ("https://api.atlassian.com/a b", "no address has"),
        ] {
            let message = scim(text).unwrap_err().message;
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
