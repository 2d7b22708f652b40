//! The pains of users of comparable tools that this program closes, each by its name.

use super::scene::Scene;

const TEAM: &[&str] = &["a in eng", "b in eng", "c in eng", "d in eng", "e in ops", "f in ops", "g in ops", "h in ops"];
