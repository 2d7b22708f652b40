//! Through a proxy: the names of both services are asked of it, and nothing else is.
#![expect(clippy::expect_used, reason = "helpers of tests, where a surprise ends the test")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

const DUO: &str = "api-1a2b3c4d.duosecurity.com:443";
const ATLASSIAN: &str = "api.atlassian.com:443";
/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// A proxy that lets nobody through, and remembers what it was asked.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let (mut head, mut byte) = (Vec::new(), [0_u8; 1]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.extend(byte);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                heard.lock().expect("the lines").push(line);
                let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("the lines").clone();
        asked.sort();
        asked.dedup();
        asked
    }
}

fn secret(folder: &Path, name: &str, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(folder.join(name));
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a secret");
}

/// `check` in the world outside, with this proxy for each service and these variables.
fn check(proxy: &str, variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    secret(folder.path(), "duo-secret-key", "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep");
    secret(folder.path(), "atlassian-api-key", "an-api-key");
    let config = folder.path().join("config.toml");
    let text = format!(
        r#"
[duo]
api_host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DIWJ8X6AEYOR5OMC6TQ1"
proxy = "{proxy}"
[atlassian]
scim_base_url = "https://api.atlassian.com/scim/directory/11111111-2222-4333-8444-555555555555"
verified_domains = ["corp.example.org"]
proxy = "{proxy}"
[scope]
groups = [{{ name = "eng" }}]
"#
    );
    std::fs::write(&config, text).expect("a configuration");
    let mut command = Command::new(env!("CARGO_BIN_EXE_duo-atlassian-sync"));
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).arg("--config").arg(&config).arg("check").output().expect("a run")
}

fn goes_through(proxy: &Proxy, ran: &Output) {
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(said.matches("the proxy did not let us through to").count(), 2, "{said}");
    assert_eq!(proxy.asked(), [DUO, ATLASSIAN].map(|place| format!("CONNECT {place} HTTP/1.1")));
}

#[test]
fn the_configured_proxy_is_used_whatever_the_environment_says() {
    let proxy = Proxy::start();
    goes_through(&proxy, &check(&proxy.address, &[("HTTPS_PROXY", NOBODY), ("NO_PROXY", "*")]));
}

#[test]
fn without_one_the_usual_variable_is_used() {
    let proxy = Proxy::start();
    goes_through(&proxy, &check("", &[("HTTPS_PROXY", &proxy.address)]));
}
