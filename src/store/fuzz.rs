//! What must hold of any stored value: a database may have been made by another version, or by hand. For `fuzz/` and
//! unit tests only.

use super::{BrakeRecord, Request, to_json};
use crate::desired::Rules;
use crate::guard::Item;
use crate::model::Attributes;
use crate::model::GroupId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// A value is refused, or is read again, as it was, from what would be stored of it.
///
/// # Panics
/// When it is not.
pub fn stored(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check::<Request>(text);
    check::<Rules>(text);
    check::<BTreeSet<Item>>(text);
    check::<Attributes>(text);
    check::<Vec<(String, GroupId, String, bool)>>(text);
    check::<BrakeRecord>(text);
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let again = serde_json::from_str::<T>(&to_json(&value));
    assert_eq!(again.ok().as_ref(), Some(&value), "{text}");
}

#[cfg(test)]
mod tests {
    use super::stored;
    use crate::model::fuzz::LARGE;
    use crate::model::fuzz::deep;
    use crate::model::fuzz::long;
    use crate::model::fuzz::seeds;

    #[test]
    fn the_laws_hold_for_every_seed() {
        for (_, seed) in seeds("stored") {
            stored(&seed);
        }
    }

    #[test]
    fn deep_values_are_refused() {
        for deep in deep() {
            stored(deep.as_bytes());
            stored(format!(r#"{{"request":"create_user","attributes":{deep}}}"#).as_bytes());
            stored(format!(r#"[{{"what":{deep}}}]"#).as_bytes());
        }
    }

    #[test]
    fn large_values_are_read() {
        stored(format!(r#"{{"title":{}}}"#, long()).as_bytes());
        stored(format!(r#"{{"at":"2026-11-23T14:02:11Z","by":"ana","note":{}}}"#, long()).as_bytes());
        let members: Vec<String> = (0..LARGE / 32).map(|n| format!(r#"["DU{n:08}","u{n:08}"]"#)).collect();
        let members = members.join(",");
        let request = r#"{"request":"add_members","group":"DG1","scim_id":"g1","members":"#;
        stored(format!("{request}[{members}]}}").as_bytes());
    }
}
