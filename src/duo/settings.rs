//! What is needed to reach Duo.

use secrecy::SecretString;
use std::path::PathBuf;

/// Which of Duo's signatures is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureVersion {
    /// HMAC-SHA512 over seven lines: Duo's current scheme.
    V5,
    /// HMAC-SHA1 over five lines, as in Duo's published example.
    V2,
}

/// Everything the Duo client needs, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The signed host: lower case, without scheme or port.
    pub api_host: String,
    /// Where to connect: `https://` and the host, or a loopback `http://` address with a port. No slash at the end.
    pub base_url: String,
    /// `DI` and 18 more characters.
    pub integration_key: String,
    /// The secret key.
    pub secret_key: SecretString,
    /// Which signature.
    pub signature: SignatureVersion,
    /// The request budget, per minute.
    pub requests_per_minute: u32,
    /// A further certificate authority (PEM).
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy, `http://HOST:PORT`. None: what the environment says.
    pub proxy: Option<String>,
}
