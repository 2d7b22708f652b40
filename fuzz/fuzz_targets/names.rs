#![no_main]

use duo_atlassian_sync::{config, desired, model, report, scim};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    scim::filter_fuzz::filters(&text);
    scim::fuzz::written_user(&text);
    report::fuzz::shown(&text);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    desired::fuzz::pattern(one, other);
    desired::fuzz::group_name(one);
    config::fuzz::words(one, other);
    model::fuzz::email(one);
    model::fuzz::moment(one);
});
