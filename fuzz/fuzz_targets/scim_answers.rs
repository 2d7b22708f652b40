#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| duo_atlassian_sync::scim::fuzz::answers(data));
