//! What is refused, in Duo's words.

use super::client::{DATE, authorization, connect, get, read, receive, send, sign, tenant};
use crate::sim::duo::{Category, IntegrationKind, SECRET_KEY, Scheme, UnknownIds};
use crate::sim::wire::Simulator;

const USERS: &str = "/admin/v1/users";

#[test]
fn credentials_that_do_not_fit_say_why() {
    let simulator = Simulator::start(tenant());
    let good = authorization(USERS, Scheme::V5, DATE, SECRET_KEY);
    let foreign = authorization(USERS, Scheme::V5, DATE, "another key");
    let late = "Tue, 21 Aug 2012 17:34:19 -0000";
    let late_signed = authorization(USERS, Scheme::V5, late, SECRET_KEY);
    let refusals = [
        get(&simulator, USERS, &[("Date", DATE)]),
        get(&simulator, USERS, &[("Date", DATE), ("Authorization", "Basic RElYOmFi")]),
        get(&simulator, USERS, &[("Date", DATE), ("Authorization", &foreign)]),
        get(&simulator, USERS, &[("Authorization", &good)]),
        get(&simulator, USERS, &[("Date", late), ("Authorization", &late_signed)]),
        get(&simulator, USERS, &[("Date", "yesterday"), ("Authorization", &good)]),
    ]
    .map(|reply| reply.refusal());
    assert_eq!(
        refusals,
        [
            r#"FAIL 401/40101 "Missing request credentials""#,
            r#"FAIL 401/40102 "Invalid integration key in request credentials""#,
            r#"FAIL 401/40103 "Invalid signature in request credentials""#,
            r#"FAIL 401/40104 "Missing request timestamp""#,
            r#"FAIL 401/40105 "Bad request timestamp""#,
            r#"FAIL 401/40105 "Bad request timestamp""#,
        ]
    );
}

#[test]
fn five_minutes_of_skew_are_let_in() {
    let simulator = Simulator::start(tenant());
    for (date, offset, status) in [
        ("Tue, 21 Aug 2012 17:34:18 -0000", 0, 200),
        ("Tue, 21 Aug 2012 19:24:18 +0200", 0, 200),
        ("Tue, 21 Aug 2012 17:29:18 GMT", 301, 401),
        ("Tue, 21 Aug 2012 17:29:18 +0000", -300, 200),
    ] {
        simulator.with(|duo| duo.switches.clock_offset_seconds = offset);
        let signed = authorization(USERS, Scheme::V2Sha512, date, SECRET_KEY);
        assert_eq!(get(&simulator, USERS, &[("Date", date), ("Authorization", &signed)]).status, status, "{date}");
    }
}

#[test]
fn the_wrong_kind_of_application_and_missing_permissions_are_forbidden() {
    let simulator = Simulator::start(tenant());
    let wrong_kind = r#"FAIL 403/40301 "Access forbidden" (Wrong integration type for this API.)"#;
    assert_eq!(read(&simulator, "/auth/v2/check").refusal(), wrong_kind);
    simulator.with(|duo| duo.switches.integration = IntegrationKind::AuthApi);
    assert_eq!(read(&simulator, USERS).refusal(), wrong_kind);
    assert_eq!(read(&simulator, "/auth/v2/check").status, 200);

    simulator.with(|duo| {
        duo.switches.integration = IntegrationKind::AdminApi;
        duo.switches.read_resource = false;
    });
    assert_eq!(read(&simulator, USERS).refusal(), r#"FAIL 403/40301 "Access forbidden""#);
    assert_eq!(read(&simulator, "/admin/v1/info/summary").status, 200);
    simulator.with(|duo| duo.switches.read_information = false);
    assert_eq!(read(&simulator, "/admin/v1/info/summary").status, 403);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let simulator = Simulator::start(tenant());
    let not_found = r#"FAIL 404/40401 "Resource not found""#;
    for target in [
        "/",
        "/admin/v1/nothing",
        "/admin/v1/users/DUNOBODY",
        "/admin/v1/users/DUNOBODY/groups",
        "/admin/v2/groups/DGNONE",
        "/admin/v2/groups/DGNONE/users",
    ] {
        assert_eq!(read(&simulator, target).refusal(), not_found, "{target}");
    }
}

#[test]
fn parameters_that_cannot_be_used_are_named() {
    let simulator = Simulator::start(tenant());
    simulator.with(|duo| duo.switches.unknown_ids = UnknownIds::BadRequest);
    let many = vec![r#""DU""#; 101].join(",");
    for (query, named) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=ten".to_owned(), "limit"),
        ("offset=-1".to_owned(), "offset"),
        ("user_id_list=DU1".to_owned(), "user_id_list"),
        (format!("user_id_list=[{many}]"), "user_id_list"),
        (r#"user_id_list=["DU1"]"#.to_owned(), "user_id_list"),
        (r#"username_list=["a"]&email=a"#.to_owned(), "email"),
    ] {
        let refusal = read(&simulator, &format!("{USERS}?{query}")).refusal();
        assert_eq!(refusal, format!(r#"FAIL 400/40002 "Invalid request parameters" ({named})"#), "{query}");
    }
}

#[test]
fn too_many_requests_a_minute_are_throttled_until_time_passes() {
    let simulator = Simulator::start(tenant());
    simulator.with(|duo| duo.switches.requests_per_minute = [(Category::Page, 2)].into());
    let statuses = |simulator: &Simulator<_>| [(); 3].map(|()| read(simulator, USERS).status);
    assert_eq!(statuses(&simulator), [200, 200, 429]);
    let throttled = read(&simulator, USERS);
    assert_eq!(throttled.refusal(), r#"FAIL 429/42901 "Too Many Requests""#);
    assert!(!throttled.head.contains("Retry-After"));
    assert_eq!(read(&simulator, "/admin/v1/users/DUNOBODY").status, 404, "another category");

    simulator.with(|duo| {
        duo.switches.clock_offset_seconds = 30;
        duo.switches.retry_after = Some("7".to_owned());
    });
    assert_eq!(statuses(&simulator), [200, 429, 429]);
    assert!(read(&simulator, USERS).head.contains("\r\nRetry-After: 7\r\n"));
}

#[test]
fn nothing_can_be_written() {
    let simulator = Simulator::start(tenant());
    for (method, refusal) in [
        ("DELETE", r#"FAIL 403/40301 "Access forbidden""#),
        ("GET", r#"FAIL 401/40103 "Invalid signature in request credentials""#),
    ] {
        let signed = sign("DELETE", USERS, Scheme::V5, DATE, SECRET_KEY);
        let mut stream = connect(&simulator);
        send(&mut stream, method, USERS, &[("Date", DATE), ("Authorization", &signed)], "");
        assert_eq!(receive(&mut stream).unwrap().unwrap().refusal(), refusal);
    }
}
