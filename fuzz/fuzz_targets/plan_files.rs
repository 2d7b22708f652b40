#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| duo_atlassian_sync::report::fuzz::plan_file(data));
