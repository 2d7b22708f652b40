#![no_main]

use duo_atlassian_sync::{duo, http};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    http::fuzz::headers(&text);
    duo::sign_fuzz::signature(&text);
});
