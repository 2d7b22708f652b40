//! What a plan says that will change, in the words in which the simulator says what did change.

use super::super::sim::atlassian::Effect;
use super::scene::Scene;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Scene {
    /// Plans, then syncs, which ends well: what changed is what was planned, no more and no less. Says what changed, in
    /// order.
    #[track_caller]
    pub(super) fn syncs_as_planned(&self) -> Vec<String> {
        self.approve();
        let mut names = self.ids_by_name();
        let plan = self.plan();
        let known = plan["people"].as_object().into_iter().flatten();
        names.extend(known.filter_map(|(id, name)| Some((name.as_str()?.to_owned(), id.clone()))));
        self.forget();
        self.ends(0, &["sync"]);
        names.extend(self.ids_by_name());
        let mut expected = planned(&plan);
        let done = self.atlassian(|sim| sim.effects().to_vec()).split_off(self.effects_before());
        let mut changed: Vec<String> = done.iter().map(|effect| by_id(effect, &names)).collect();
        expected.sort();
        changed.sort();
        assert_eq!(changed, expected, "{plan:#}");
        self.effects()
    }

    /// The Duo ids behind the names of today.
    fn ids_by_name(&self) -> BTreeMap<String, String> {
        let id = |user: &super::super::sim::atlassian::User| {
            user.external_id().map(|id| (user.user_name().to_owned(), id.to_owned()))
        };
        self.atlassian(|sim| sim.users().filter_map(id).collect())
    }
}

/// The effect with ids in the place of names, which may change in the middle.
fn by_id(effect: &Effect, names: &BTreeMap<String, String>) -> String {
    let id = |name: &String| names.get(name).unwrap_or(name).clone();
    match effect {
        Effect::CreatedUser { user } => format!("create {}", id(user)),
        Effect::Deactivated { user } => format!("deactivate {}", id(user)),
        Effect::Reactivated { user } => format!("reactivate {}", id(user)),
        Effect::Changed { attribute, user } => format!("set {attribute} of {}", id(user)),
        Effect::CreatedGroup { group } => format!("create group {group}"),
        Effect::Joined { user, group } => format!("{} joins {group}", id(user)),
        Effect::Left { user, group } => format!("{} leaves {group}", id(user)),
        other @ (Effect::DeletedUser { .. }
        | Effect::Unlinked { .. }
        | Effect::DeletedGroup { .. }
        | Effect::ChangedGroup { .. }) => format!("never: {other}"),
    }
}

fn planned(plan: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for action in plan["actions"].as_array().expect("actions") {
        let person = action["person"]["user_id"].as_str().unwrap_or_default();
        let group = action["group"]["name"].as_str().unwrap_or_default();
        let changed = || {
            let changes = action["changes"].as_object().into_iter().flatten();
            let whole = changes.map(|(attribute, _)| whole(attribute)).collect::<BTreeSet<_>>();
            whole.into_iter().map(|attribute| format!("set {attribute} of {person}"))
        };
        match action["action"].as_str().expect("an action") {
            "create" => lines.push(format!("create {person}")),
            "deactivate" => lines.push(format!("deactivate {person}")),
            "update" => lines.extend(changed()),
            "reactivate" => {
                lines.push(format!("reactivate {person}"));
                lines.extend(changed());
            }
            "create_group" => lines.push(format!("create group {group}")),
            "update_members" => {
                for (key, word) in [("join", "joins"), ("leave", "leaves")] {
                    let people = action[key].as_array().into_iter().flatten();
                    let people = people.filter_map(Value::as_str);
                    lines.extend(people.map(|person| format!("{person} {word} {group}")));
                }
            }
            "adopt" | "adopt_group" => {}
            other => panic!("what is {other}?"),
        }
    }
    lines
}

/// The attribute of the resource that a path leads into.
fn whole(path: &str) -> &str {
    match (path.strip_prefix("urn:"), path.split_once('.')) {
        (Some(_), _) => path.rsplit_once(':').map_or(path, |(urn, _)| urn),
        (None, Some((name, _))) => name,
        (None, None) => path,
    }
}
