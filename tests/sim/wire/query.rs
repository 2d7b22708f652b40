//! Percent-decoding of queries and paths. What is not UTF-8 is read with replacement characters.

use percent_encoding::percent_decode;

/// One key or value of a query or form: percent-decoded, and `+` is a space.
pub fn decode_component(text: &str) -> String {
    let spaced: Vec<u8> = text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// The pairs of a query or form, in the order they were sent; a key without `=` has the empty value.
pub fn decode_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_component(key), decode_component(value))
        })
        .collect()
}

/// The segments of a path, decoded; here `+` is itself.
pub fn decode_segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(|segment| percent_decode(segment.as_bytes()).decode_utf8_lossy().into_owned()).collect()
}
