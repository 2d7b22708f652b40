//! SIGHUP.

use super::health::ask;
use super::running::{LOG, Setting};
use nix::sys::signal::Signal;
use std::net::TcpListener;

#[test]
fn a_reload_takes_the_new_configuration() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    setting.configure("[guard]\nfirst_plan = \"apply\"\n");
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    daemon.until("READY=1");
    daemon.until_status(|status| status.ends_with("done"));
    assert_eq!(setting.effects().len(), 3);
    daemon.ends(0);
}

#[test]
fn a_bad_configuration_keeps_the_old_one_and_says_so() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    setting.configure("[guard]\nfirst_plan = \"never\"\n");
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    daemon.until("READY=1");
    let said = daemon.received().into_iter().rfind(|line| line.starts_with("STATUS=")).expect("a status");
    assert!(said.contains("the new configuration is not used") && said.contains("config.toml"), "{said}");
    // Not only until the next cycle says how it ended.
    daemon.until("STATUS=held");
    let said = daemon.until("STATUS=held");
    assert!(said.ends_with("; the changed configuration is not used (see the journal)"), "{said}");
    setting.configure("");
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    let said = daemon.until("STATUS=held");
    assert!(!said.contains("not used"), "{said}");
    assert!(setting.effects().is_empty());
    daemon.ends(0);
}

#[test]
fn another_database_needs_a_restart() {
    let setting = Setting::with(&["ana in eng"], "");
    let daemon = setting.start();
    daemon.until("READY=1");
    setting.configure("[state]\ndatabase = \"other.db\"\n");
    daemon.signal(Signal::SIGHUP);
    daemon.until_status(|status| status.contains("needs a restart"));
    assert!(!setting.file("other.db").exists());
    daemon.ends(0);
}

#[test]
fn another_directory_than_the_database_belongs_to_keeps_the_old_configuration() {
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    let path = setting.stage.config();
    let before = std::fs::read_to_string(&path).expect("a configuration");
    let base = setting.stage.scim_base_url();
    std::fs::write(&path, before.replace(&base, &format!("{base}-2"))).expect("a file");
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    daemon.until("READY=1");
    let said = daemon.received().into_iter().rfind(|line| line.starts_with("STATUS=")).expect("a status");
    assert!(said.contains("the new configuration is not used: "), "{said}");
    assert!(said.contains("belongs to atlassian.scim_base_url "), "{said}");
    // The cycles go on with the old one.
    let said = daemon.until("STATUS=held");
    assert!(said.ends_with("; the changed configuration is not used (see the journal)"), "{said}");
    let log = std::fs::read_to_string(setting.file(LOG)).expect("a log");
    assert!(log.contains("the new configuration is not used, the old one stays: the database "), "{log}");
    // The check that `systemctl reload` makes says it, too.
    let check = setting.ends(2, &["check", "--offline"]);
    assert!(check.stdout.contains("belongs to atlassian.scim_base_url "), "{}", check.stdout);
    std::fs::write(&path, before).expect("a file");
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    let said = daemon.until("STATUS=held");
    assert!(!said.contains("not used"), "{said}");
    daemon.ends(0);
    setting.ends(0, &["check", "--offline"]);
}

#[test]
fn an_address_that_is_taken_keeps_the_old_configuration_with_its_listener() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let setting = Setting::with(&["ana in eng"], "mode = \"apply\"");
    let socket = setting.file("http.sock");
    setting.configure(&format!("[http]\nlisten = \"unix:{}\"\n", socket.display()));
    let daemon = setting.start();
    daemon.until_status(|status| status.contains("held"));
    let address = taken.local_addr().expect("an address");
    setting.configure(&format!("[http]\nlisten = \"{address}\"\n[guard]\nfirst_plan = \"apply\"\n"));
    daemon.signal(Signal::SIGHUP);
    daemon.until("RELOADING=1");
    let said = daemon.until("STATUS=the ");
    assert!(said.contains(&format!("the new configuration is not used: cannot listen on {address}")), "{said}");
    assert_eq!(ask(&socket, "/livez").0, "HTTP/1.1 200 OK");
    // The rest of it is not used, either.
    for _ in 0..2 {
        let said = daemon.until("STATUS=held");
        assert!(said.ends_with("; the changed configuration is not used (see the journal)"), "{said}");
    }
    assert!(setting.effects().is_empty());
    // It is used once the address is free.
    drop(taken);
    daemon.signal(Signal::SIGHUP);
    daemon.until_status(|status| status.starts_with("the configuration was read again"));
    daemon.until_status(|status| status.ends_with("done"));
    assert!(!socket.exists());
    daemon.ends(0);
}
