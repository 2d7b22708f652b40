//! One failure stops one record (S14): it is kept, shown, and tried again after a pause; the others go on.

mod conflict;
mod grace;
mod halves;
mod pause;
mod stop;

use super::super::sim::wire::{Answer, Effect, Fault, Match};
use super::scene::Scene;
use serde_json::json;

/// A refusal as the service words it.
fn refusal(detail: &str) -> Answer {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
    Answer::json(400, &json!({ "schemas": schemas, "status": "400", "detail": detail }))
}

/// Every PATCH of this user is refused from now on.
fn refuse_user(scene: &Scene, name: &str) {
    let id = scene.atlassian(|sim| sim.user_by_user_name(name).map(|user| user.id.clone())).expect("a user");
    refuse(scene, Match::method("PATCH").containing(&id));
}

/// Every such request is refused from now on.
fn refuse(scene: &Scene, on: Match) {
    scene.stage.atlassian.fault(Fault::always(on, Effect::Answer(refusal("not today"))));
}

/// The path of a group.
pub(super) fn group_path(scene: &Scene, name: &str) -> String {
    scene.atlassian(|sim| sim.group_by_name(name).map(|group| format!("/Groups/{}", group.id))).expect("a group")
}
