//! Log lines: for people on a terminal, fields in the journal, JSON anywhere else.

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines for people, on stderr.
    Text,
    /// One JSON object a line, on stderr.
    Json,
    /// Fields in the journal, where stderr leads there; else text on a terminal, else JSON.
    Found,
}

/// Starts logging, once for the process; a second start keeps the first.
pub fn start(format: Format, level: &str) {
    // What other crates log is left out: rustls-platform-verifier reports each refused certificate by itself, and the
    // scheduler each of its own steps. Ours says more.
    let filter = EnvFilter::new(format!("off,duo_atlassian_sync={level}"));
    let subscriber = tracing_subscriber::registry().with(filter);
    let _ = match (format, journal(format)) {
        (_, Some(journal)) => subscriber.with(journal).try_init(),
        (Format::Text, None) => subscriber.with(text()).try_init(),
        (Format::Found, None) if std::io::stderr().is_terminal() => subscriber.with(text()).try_init(),
        (Format::Json | Format::Found, None) => {
            subscriber.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init()
        }
    };
}

fn text<S>() -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr)
}

/// The journal, when it is what stderr leads to: then fields can be kept, and searched for (`journalctl CYCLE_ID=12`).
fn journal(format: Format) -> Option<tracing_journald::Layer> {
    if format != Format::Found || !leads_to_journal() {
        return None;
    }
    let layer = tracing_journald::layer().ok()?;
    Some(layer.with_field_prefix(None).with_syslog_identifier("duo-atlassian-sync".to_owned()))
}

/// `$JOURNAL_STREAM` names device and inode of the journal's stream (`systemd.exec(5)`).
fn leads_to_journal() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the service manager says where stderr leads in no other way")]
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::fs::metadata("/dev/stderr") else { return false };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}
