//! An update that unlinks an account is the last one (S11).

use super::super::scene::Scene;

#[test]
fn an_update_that_unlinks_an_account_is_the_last_until_somebody_resumes() {
    let scene = Scene::settled(&["a in eng", "b in eng", "c in eng", "d in eng"]);
    // The configuration takes the domain for verified, and Atlassian does not.
    scene.atlassian(|sim| {
        sim.settings_mut().strict = false;
        sim.settings_mut().verified_domains = vec!["elsewhere.org".to_owned()];
    });
    scene.day(|duo| {
        for name in ["a", "b", "c"] {
            duo.person(name).realname = Some("Another Name".to_owned());
        }
    });
    let patches =
        || scene.target_requests().iter().filter(|line| line.contains("PATCH") && line.contains("/Users/")).count();
    let ran = scene.ends(4, &["sync"]);
    assert_eq!(patches(), 1, "the first update goes alone");
    assert!(ran.stdout.contains("unlinked the Atlassian account of"), "{}", ran.stdout);
    // Access is still taken away; no update is tried again by itself.
    scene.day(|duo| duo.status("d", "disabled"));
    let ran = scene.ends(4, &["sync"]);
    assert_eq!(patches(), 1, "the deactivation");
    assert!(ran.stdout.contains("attribute updates are stopped since"), "{}", ran.stdout);
    assert!(scene.effects().contains(&"deactivated d".to_owned()), "{:?}", scene.effects());
    scene.atlassian(|sim| sim.settings_mut().verified_domains = vec!["example.com".to_owned()]);
    let resumed = scene.ends(0, &["resume"]);
    assert!(resumed.stdout.contains("attribute updates go on"), "{}", resumed.stdout);
    scene.forget();
    scene.ends(0, &["sync"]);
    assert_eq!(patches(), 2, "those who were waiting");
}
