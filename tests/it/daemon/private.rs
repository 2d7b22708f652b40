//! What the daemon logs, with everything there is to say: ids, and nobody's name, address or secret (S20).

use super::super::sim::duo::SECRET_KEY;
use super::super::sim::stage::API_KEY;
use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::running::{LOG, Setting};

/// In every username, address and name of a person, and in nothing else.
const MARK: &str = "zqx";

#[test]
fn its_log_names_nobody_and_holds_no_secret() {
    let setting = Setting::with(&["anazqx in eng", "bozqx in eng"], "mode = \"apply\"");
    // A receiver of notices that is not there: that is logged too, without the address.
    setting.stage.write_secret("webhook", "http://127.0.0.1:9/hooks/s3cret").expect("a file");
    setting.configure("[notice]\nwebhook_url_file = \"webhook\"\ninclude_people = true\n");
    let refusal = Answer::json(400, &serde_json::json!({ "status": "400", "detail": "anazqx is not welcome" }));
    setting.stage.atlassian.fault(Fault::once(Match::method("POST").containing("/Users"), Effect::Answer(refusal)));
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    setting.approve();
    daemon.until_status(|status| status.starts_with("failing"));
    daemon.until_status(|status| status.contains("done") || status.contains("failing"));
    daemon.ends(0);
    let log = std::fs::read_to_string(setting.file(LOG)).expect("a log");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() > 20, "{log}");
    assert!(lines.iter().all(|line| line.starts_with('{')), "one object a line: {log}");
    for secret in [SECRET_KEY, API_KEY, "s3cret"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let named: Vec<&&str> = lines.iter().filter(|line| line.to_lowercase().contains(MARK)).collect();
    assert!(named.is_empty(), "{named:#?}");
}
