#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

/// A folder with both secrets; made once.
static SECRETS: LazyLock<&Path> = LazyLock::new(|| {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/secrets"));
    fs::create_dir_all(folder).expect("a folder for the secrets");
    for name in ["duo-secret-key", "atlassian-api-key"] {
        let path = folder.join(name);
        fs::write(&path, "s3cret").expect("a secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a secret of its own");
    }
    folder
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    duo_atlassian_sync::config::fuzz::file(&String::from_utf8_lossy(data), *SECRETS);
});
