//! Settings of a transport, and the only place where an HTTP client is built.

use reqwest::Url;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Idle connections are closed before common servers do it (Node: after 5 s).
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Everything a transport needs.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// `https://…`, or `http://…` on loopback. No slash at the end. Nothing is sent to any other place.
    pub base_url: String,
    /// A further certificate authority (PEM), beside those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy, `http://HOST:PORT`, whatever the environment says. None: `HTTPS_PROXY` and `NO_PROXY`. Loopback
    /// is never reached through one.
    pub proxy: Option<String>,
    /// The request budget, per second: never more than this on average, and less while the service bears less.
    pub requests_per_second: f64,
    /// So many requests may follow each other at once after a rest; any window holds at most this and the rate. With 1
    /// they are spread evenly, and what answers or the disk held up for up to a quarter of a second is made up for.
    pub burst_max: u32,
    /// So many requests may be under way at once.
    pub concurrent_requests_max: usize,
    /// A larger body is an error.
    pub body_bytes_max: usize,
    /// For name look-up, connection and TLS.
    pub connect_timeout: Duration,
    /// From the request, connecting included, to the first byte of the answer.
    pub first_byte_timeout: Duration,
    /// For the whole exchange.
    pub total_timeout: Duration,
    /// `User-Agent`.
    pub user_agent: String,
    /// What the service is called where requests are counted.
    pub service: &'static str,
    /// Whether paths may be logged.
    pub paths: Paths,
}

/// Whether the paths of requests may stand in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// They hold ids at most.
    Logged,
    /// They are a secret: an address that is one's right to use it.
    Secret,
}

impl TransportSettings {
    /// The usual limits: no burst, four requests at once, 64 MiB, 10 s, 60 s and 120 s.
    pub fn new(base_url: impl Into<String>, requests_per_second: f64) -> Self {
        Self {
            base_url: base_url.into(),
            ca_file: None,
            proxy: None,
            requests_per_second,
            burst_max: 1,
            concurrent_requests_max: 4,
            body_bytes_max: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(2),
            user_agent: concat!("duo-atlassian-sync/", env!("CARGO_PKG_VERSION")).to_owned(),
            service: "other",
            paths: Paths::Logged,
        }
    }
}

/// No transport could be made. Nothing was contacted.
#[derive(Debug, thiserror::Error)]
pub enum BuildTransportError {
    /// The base URL cannot be used.
    #[error("{url:?} cannot be used as a base URL: {reason}; correct it in the configuration")]
    BaseUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file with the certificate authority cannot be read.
    #[error("cannot read the certificate authority {path}; check ca_file and the file's permissions", path = path.display())]
    ReadCaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("{path} holds no certificate in PEM form; check ca_file", path = path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file or the client's settings are refused by the TLS library.
    #[error("cannot set up TLS for {host}; check ca_file, proxy and the system's CA certificates")]
    Client {
        /// Whom we wanted to reach.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
}

/// What a transport may reach.
pub(super) struct Place {
    pub(super) host: String,
    pub(super) base_url: String,
    scheme: String,
    is_loopback: bool,
}

/// Checks where requests may go.
pub(super) fn place(settings: &TransportSettings) -> Result<Place, BuildTransportError> {
    let refuse = |reason: String| BuildTransportError::BaseUrl { url: settings.base_url.clone(), reason };
    let url = Url::parse(&settings.base_url).map_err(|error| refuse(error.to_string()))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let is_loopback = is_loopback(&host);
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(refuse("it must be https://, or http:// on loopback".to_owned())),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not have a user, a query or a fragment".to_owned()));
    }
    let (base_url, scheme) = (settings.base_url.trim_end_matches('/').to_owned(), url.scheme().to_owned());
    Ok(Place { host, base_url, scheme, is_loopback })
}

/// Sets up the client that reaches it.
pub(super) fn client(settings: &TransportSettings, place: &Place) -> Result<reqwest::Client, BuildTransportError> {
    let failed = |source| BuildTransportError::Client { host: place.host.clone(), source };
    let mut builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .https_only(place.scheme == "https")
        .gzip(true);
    if place.is_loopback {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(failed)?);
    }
    if let Some(path) = &settings.ca_file {
        let pem =
            std::fs::read(path).map_err(|source| BuildTransportError::ReadCaFile { path: path.clone(), source })?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(failed)?;
        if certificates.is_empty() {
            return Err(BuildTransportError::NoCertificate { path: path.clone() });
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(failed)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{BuildTransportError, TransportSettings, client, place};

    fn build(settings: &TransportSettings) -> Result<reqwest::Client, BuildTransportError> {
        client(settings, &place(settings)?)
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let check = |url: &str| build(&TransportSettings::new(url, 1.0)).map(drop);
        for good in ["https://api.example.com/x", "http://127.0.0.1:9001", "http://localhost:1", "http://[::1]:9001"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["http://example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1", "nonsense", ""] {
            assert!(matches!(check(bad), Err(BuildTransportError::BaseUrl { .. })), "{bad}");
        }
        assert!(check("https://user:secret@example.com").is_err());
        assert!(check("https://example.com/?a=b").is_err());
    }

    #[test]
    fn a_certificate_authority_that_is_none_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with = |path: &std::path::Path| {
            let mut settings = TransportSettings::new("https://example.com", 1.0);
            settings.ca_file = Some(path.to_owned());
            build(&settings).map(drop).unwrap_err()
        };
        assert!(matches!(with(file.path()), BuildTransportError::NoCertificate { .. }));
        let missing = with(std::path::Path::new("/nonexistent/ca.pem"));
        assert!(missing.to_string().contains("/nonexistent/ca.pem"));
    }
}
