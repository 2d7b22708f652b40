//! The short name of one exact plan.

use super::action::Action;
use super::document::canonical_action;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256, in hex, over the canonical actions without their reasons. The same on any machine at any time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(super) fn of(actions: &[Action]) -> Self {
        let mut digest = Sha256::new();
        for action in actions {
            digest.update(canonical_action(action).to_string().as_bytes());
            digest.update(b"\n");
        }
        let hex = digest.finalize().iter().fold(String::new(), |mut hex, byte| {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            hex.push(digit(byte >> 4));
            hex.push(digit(byte & 15));
            hex
        });
        Self(hex)
    }

    /// Reads a whole fingerprint, or its first twelve or more digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let sound = (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then_some(Self(text))
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Twelve digits: enough for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}
