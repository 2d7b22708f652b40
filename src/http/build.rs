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
    /// The request budget, per second.
    pub requests_per_second: f64,
    /// So many requests may follow each other at once after a rest. Any window then holds at most this and the rate.
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
}

impl TransportSettings {
    /// The usual limits: no burst, four requests at once, 64 MiB, 10 s, 60 s and 120 s.
    pub fn new(base_url: impl Into<String>, requests_per_second: f64) -> Self {
        Self {
            base_url: base_url.into(),
            ca_file: None,
            requests_per_second,
            burst_max: 1,
            concurrent_requests_max: 4,
            body_bytes_max: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(2),
            user_agent: concat!("duo-atlassian-sync/", env!("CARGO_PKG_VERSION")).to_owned(),
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
    #[error("cannot set up TLS for {host}; check ca_file and the system's CA certificates")]
    Client {
        /// Whom we wanted to reach.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
}

/// A client and what it may reach.
pub(super) struct Built {
    pub(super) client: reqwest::Client,
    pub(super) host: String,
    pub(super) base_url: String,
}

pub(super) fn build(settings: &TransportSettings) -> Result<Built, BuildTransportError> {
    let refuse = |reason: String| BuildTransportError::BaseUrl { url: settings.base_url.clone(), reason };
    let url = Url::parse(&settings.base_url).map_err(|error| refuse(error.to_string()))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let loopback = is_loopback(&host);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(refuse("it must be https://, or http:// on loopback".to_owned())),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not have a user, a query or a fragment".to_owned()));
    }
    let failed = |source| BuildTransportError::Client { host: host.clone(), source };
    let mut builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .https_only(url.scheme() == "https")
        .gzip(true);
    if loopback {
        builder = builder.no_proxy();
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
    let client = builder.build().map_err(failed)?;
    let base_url = settings.base_url.trim_end_matches('/').to_owned();
    Ok(Built { client, host, base_url })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{BuildTransportError, TransportSettings, build};

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
