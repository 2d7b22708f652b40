//! The watchdog is fed by the work, and starves with it.

use super::running::Setting;

/// Two seconds: fed when half a second passed since the last time.
const QUICK: (&str, &str) = ("WATCHDOG_USEC", "2000000");

#[test]
fn it_is_fed_while_idle_and_while_cycles_run() {
    let setting = Setting::with(&["ana in eng"], "mode = \"observe\"");
    let daemon = setting.start_with(&[QUICK]);
    for _ in 0..4 {
        daemon.until("WATCHDOG=1");
    }
    daemon.ends(0);
}
