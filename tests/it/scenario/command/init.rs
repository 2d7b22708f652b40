//! `init`, for a service that runs as another user than whoever calls it.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_strict_umask_makes_no_configuration_that_the_service_cannot_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("etc/emea");
    let mut command = Command::new("sh");
    command.args(["-c", "umask 077; exec \"$0\" init --dir \"$1\"", env!("CARGO_BIN_EXE_duo-atlassian-sync")]);
    let ran = command.arg(&target).output().expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.path().join(name)).expect("it was made");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode("etc"), mode("etc/emea"), mode("etc/emea/config.toml")), (0o755, 0o755, 0o644));
    assert_eq!((mode("etc/emea/duo-secret-key"), mode("etc/emea/atlassian-api-key")), (0o600, 0o600));
}
