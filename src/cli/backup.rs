//! `backup`: a copy of the database that can be put in its place.

use super::args::{BackupOptions, Global};
use super::edge::Ended;
use super::output::put;
use super::setup;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::BackUpError;
use std::fmt::Write;
use std::path::PathBuf;

pub(super) fn run(global: &Global, options: &BackupOptions) -> Result<(), Ended> {
    let config = setup::read_config_without_secrets(global)?;
    let store = setup::open_store_to_read(&config)?;
    let now = Timestamp::from_seconds(Clock::system().now_seconds());
    let done = store.back_up(&options.file, now)?;
    let (file, database) = (setup::quoted(&options.file), setup::quoted(store.path()));
    let beside = |suffix: &str| {
        let mut name = store.path().as_os_str().to_owned();
        name.push(suffix);
        setup::quoted(&PathBuf::from(name))
    };
    let (accounts, cycles, bytes) = (done.accounts, done.cycles, done.bytes);
    let mut out = format!("backup {file}: {accounts} accounts, {cycles} cycles, {bytes} bytes; checked\n");
    let _ = writeln!(out, "It has names and addresses: keep it where only you can read it. To restore it:");
    let _ = writeln!(out, "  1. stop the service, and whatever else runs this program");
    let _ = writeln!(out, "  2. rm -f {} {}", beside("-wal"), beside("-shm"));
    let _ = writeln!(out, "  3. cp {file} {database}   (it must belong to the service's user)");
    let _ = writeln!(out, "  4. start the service; `status` says that it is a backup until a sync has read Atlassian");
    put(&out);
    Ok(())
}

impl From<BackUpError> for Ended {
    fn from(error: BackUpError) -> Self {
        let code = match error {
            BackUpError::Exists { .. } | BackUpError::Itself { .. } => 2,
            BackUpError::File { .. } | BackUpError::Copy { .. } | BackUpError::Damaged { .. } => 8,
        };
        Self::of(code, &error)
    }
}
