//! The services for systemd say the same things three times; what must be the same is compared.

use super::exit_code;
use super::tree::Tree;
use super::tree::select;

/// Where the part begins that confines a service; it ends with an empty line.
const SANDBOX_HEAD: &str = "# What it can reach";
/// Whose sandbox the others have.
const FIRST: &str = "systemd/duo-atlassian-sync.service";
/// The same for one of several directories.
const TEMPLATE: &str = "systemd/duo-atlassian-sync@.service";

/// Services whose sandbox differs, a template that does something else, and exit codes that the program does not have.
pub(super) fn differences(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(first) = tree.get(FIRST) else { return vec![format!("{FIRST}: not there")] };
    for (path, text) in select(tree, "systemd/", ".service") {
        problems.extend(first_difference((FIRST, &sandbox(first)), (path, &sandbox(text))));
        problems.extend(unknown_codes(tree, path, text));
    }
    let of_one = |text: &str| directives(text).map(|line| without_instance(&line)).collect::<Vec<_>>();
    if let Some(template) = tree.get(TEMPLATE) {
        let lines: Vec<String> = of_one(template).into_iter().filter(|line| !line.starts_with("User=")).collect();
        problems.extend(first_difference((FIRST, &of_one(first)), (TEMPLATE, &lines)));
    }
    problems
}

/// The lines that confine a service, with their comments.
fn sandbox(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with(SANDBOX_HEAD));
    lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The lines that systemd reads.
fn directives(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

/// A line of the template, as the service has it.
fn without_instance(line: &str) -> String {
    let config = " --config /etc/duo-atlassian-sync/%i/config.toml";
    [config, "-%i", "/%i", " (%i)"].iter().fold(line.to_owned(), |line, part| line.replace(part, ""))
}

fn first_difference((one, ones): (&str, &[String]), (other, others): (&str, &[String])) -> Option<String> {
    if ones.is_empty() {
        return Some(format!("{one}: no line begins with `{SANDBOX_HEAD}`"));
    }
    let length = ones.len().max(others.len());
    let line = |lines: &[String], index: usize| lines.get(index).cloned().unwrap_or_else(|| "(nothing)".to_owned());
    let index = (0..length).find(|index| line(ones, *index) != line(others, *index))?;
    Some(format!("{other}: `{}` where {one} has `{}`", line(others, index), line(ones, index)))
}

/// Numbers of `RestartPreventExitStatus=` that are no exit codes. Words are systemd's own.
fn unknown_codes(tree: &Tree, path: &str, text: &str) -> Vec<String> {
    let known = exit_code::known(tree);
    let lists = text.lines().filter_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    let codes = lists.flat_map(str::split_whitespace).filter_map(|word| word.parse::<u8>().ok());
    let unknown = codes.filter(|code| !known.contains(code));
    unknown.map(|code| format!("{path}: RestartPreventExitStatus names {code}, which is no exit code")).collect()
}

#[test]
fn a_service_that_differs_and_a_code_that_does_not_exist_are_found() {
    let help = ("src/cli/args.rs", "\"Exit codes:\n   2  bad\n   8  the database\"");
    let service = |name: &str, program: &str, sandbox: &str| {
        let text = format!("[Service]\nRestartPreventExitStatus=2 8 CREDENTIALS\n{program}\n\n{sandbox}\n[Install]\n");
        (format!("systemd/duo-atlassian-sync{name}.service"), text)
    };
    let (sandbox, other) = ("# What it can reach.\nLimitCORE=0\n", "# What it can reach.\nLimitCORE=1\n");
    let found = |services: &[(String, String)]| {
        let files: Vec<(&str, &str)> = services.iter().map(|(path, text)| (&**path, &**text)).chain([help]).collect();
        differences(&super::tree::of(&files))
    };
    let plain = service("", "ExecStart=/x daemon\nStateDirectory=x", sandbox);
    let started = "User=y-%i\nExecStart=/x --config /etc/duo-atlassian-sync/%i/config.toml daemon\nStateDirectory=x-%i";
    let template = service("@", started, sandbox);
    assert_eq!(found(&[plain.clone(), template, service("-once", "", sandbox)]), [""; 0]);
    assert_eq!(
        found(&[plain.clone(), service("-once", "", other)]),
        [
            "systemd/duo-atlassian-sync-once.service: `LimitCORE=1` where systemd/duo-atlassian-sync.service has `LimitCORE=0`"
        ]
    );
    assert_eq!(
        found(&[plain.clone(), service("@", "ExecStart=/x check", sandbox)]),
        ["systemd/duo-atlassian-sync@.service: `ExecStart=/x check` where systemd/duo-atlassian-sync.service has \
          `ExecStart=/x daemon`"]
    );
    assert_eq!(found(&[service("", "", "")]).len(), 1, "a service without a sandbox");
    let (path, text) = plain;
    let wrong = found(&[(path.clone(), text.replace("2 8", "2 9"))]);
    assert_eq!(wrong, [format!("{path}: RestartPreventExitStatus names 9, which is no exit code")]);
    assert_eq!(found(&[]).len(), 1);
}
