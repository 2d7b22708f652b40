//! Health and metrics over HTTP: read only, on loopback or a Unix socket, and without a single name of a person.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;

/// How the daemon is, in one word and one sentence; written by the worker, read by `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Verdict>>);

#[derive(Clone, Debug, Default)]
struct Verdict {
    is_well: bool,
    line: String,
}

impl Health {
    /// Says how it is now. The line must not hold names.
    pub fn set(&self, is_well: bool, line: &str) {
        let mut verdict = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *verdict = Verdict { is_well, line: line.to_owned() };
    }

    fn read(&self) -> Verdict {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Nobody can be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen} for health and metrics; check http.listen, and who else listens there")]
pub struct ServeError {
    listen: String,
    source: io::Error,
}

impl ServeError {
    /// Whether no time helps, but only another configuration: a file is there that somebody may need.
    pub fn is_lasting(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Server {
    task: JoinHandle<()>,
    socket: Option<PathBuf>,
}

#[derive(Clone)]
struct Shown {
    health: Health,
    metrics: PrometheusHandle,
}

impl Server {
    /// Listens on `127.0.0.1:PORT`, `[::1]:PORT` or `unix:/PATH`. Inside of a runtime.
    ///
    /// # Errors
    /// When the address or the path is taken or not allowed.
    pub async fn start(listen: &str, health: Health, metrics: PrometheusHandle) -> Result<Self, ServeError> {
        let failed = |source| ServeError { listen: listen.to_owned(), source };
        let routes = Router::new()
            .route("/livez", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(all_metrics))
            .with_state(Shown { health, metrics });
        let Some(path) = listen.strip_prefix("unix:") else {
            let listener = TcpListener::bind(listen).await.map_err(failed)?;
            let task = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
            return Ok(Self { task, socket: None });
        };
        let listener = bind_socket(Path::new(path)).map_err(failed)?;
        let task = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Ok(Self { task, socket: Some(PathBuf::from(path)) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(path) = &self.socket {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A socket that a killed daemon left behind is replaced; any other file is not.
fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file is there that is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

async fn readyz(State(shown): State<Shown>) -> impl IntoResponse {
    let Verdict { is_well, line } = shown.health.read();
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{line}\n"))
}

async fn all_metrics(State(shown): State<Shown>) -> impl IntoResponse {
    shown.metrics.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shown.metrics.render())
}
