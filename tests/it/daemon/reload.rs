//! SIGHUP.

use super::running::Setting;
use nix::sys::signal::Signal;

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
