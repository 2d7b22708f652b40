//! Who is at the keyboard.

use crate::store::Who;
use nix::unistd::{User, getuid};

/// The login name of this process, and who called sudo.
pub(super) fn who() -> Who {
    let uid = getuid();
    let login = User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name);
    #[expect(clippy::disallowed_methods, reason = "sudo says who called it in no other way")]
    let sudo_user = std::env::var("SUDO_USER").ok().filter(|user| !user.is_empty() && *user != login);
    Who { login, sudo_user }
}
