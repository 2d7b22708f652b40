//! The answers, and the configuration that they make.

use super::Secrets;
use super::terminal::Terminal;
use crate::cli::args::InitOptions;
use crate::cli::edge::Ended;
use crate::cli::setup;
use crate::clock::Clock;
use crate::config;
use crate::duo;
use crate::model::Group;
use crate::model::Timestamp;
use crate::report::plain;
use crate::status::days_until;
use std::collections::BTreeMap;
use std::io;

/// Values for the template, by key, as TOML.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    values: BTreeMap<&'static str, String>,
}

/// The keys that every installation must answer.
const REQUIRED: [&str; 5] =
    ["duo.api_host", "duo.integration_key", "atlassian.scim_base_url", "atlassian.verified_domains", "scope.groups"];

/// The key for the last day of Atlassian's API key.
const KEY_EXPIRES: &str = "atlassian.api_key_expires";

impl Answers {
    /// What the flags say; every bad one is named at once.
    pub(super) fn of_flags(options: &InitOptions) -> Result<Self, Ended> {
        let mut answers = Self::default();
        let texts = [
            ("duo.api_host", &options.duo_api_host),
            ("duo.integration_key", &options.duo_integration_key),
            ("atlassian.scim_base_url", &options.scim_base_url),
            (KEY_EXPIRES, &options.api_key_expires),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                answers.values.insert(key, quoted(value));
            }
        }
        if let Some(count) = options.accounts_max {
            answers.values.insert("guard.accounts_max", count.to_string());
        }
        for (key, list) in
            [("atlassian.verified_domains", &options.verified_domain), ("scope.excluded_people", &options.exclude)]
        {
            if !list.is_empty() {
                answers.values.insert(key, list_of(list.iter().map(|value| quoted(value))));
            }
        }
        if !options.group.is_empty() {
            answers.values.insert("scope.groups", list_of(options.group.iter().map(|group| selector(group))));
        }
        let problems: Vec<String> =
            answers.values.keys().filter_map(|key| answers.problem(key).map(|why| format!("{key}: {why}"))).collect();
        if problems.is_empty() {
            return Ok(answers);
        }
        let line = format!("error: {} of the answers cannot be used", problems.len());
        Err(problems.into_iter().fold(Ended::with(2, line), |ended, problem| ended.next(format!("  {problem}"))))
    }

    /// Where the database is: an instance has its own, which commands by hand must find too.
    pub(super) fn set_database(&mut self, path: &str) {
        self.values.insert("state.database", quoted(path));
    }

    /// The template with these values in their places, comments and all.
    pub(super) fn fill(&self) -> String {
        let (mut section, mut text) = ("", String::new());
        for line in config::DEFAULT.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
            }
            let key = line.split_once(" = ").map(|(key, _)| key);
            let value =
                key.and_then(|key| self.values.get(format!("{section}.{key}").as_str()).map(|value| (key, value)));
            match value {
                Some((key, value)) => text.push_str(&format!("{key} = {value}")),
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }

    /// Required keys without an answer.
    pub(super) fn open(&self) -> Vec<&'static str> {
        REQUIRED.into_iter().filter(|key| !self.values.contains_key(key)).collect()
    }

    /// What is wrong with the answer to one key, in the words of `check`.
    fn problem(&self, key: &'static str) -> Option<String> {
        let environment = config::Environment::default();
        let parsed = config::parse(&self.fill(), std::path::Path::new("config.toml"), &environment);
        let problems = parsed.as_ref().map_or_else(config::Problems::as_slice, |_| &[]);
        let mut its = problems.iter().filter(|problem| problem.key == key);
        let problem = its.next().map(|problem| format!("{}; {}", problem.message, problem.remedy));
        problem.or_else(|| self.over().filter(|_| key == KEY_EXPIRES))
    }

    /// What is wrong with the last day of a key that is to be used from now on.
    fn over(&self) -> Option<String> {
        let day = self.values.get(KEY_EXPIRES)?.trim_matches('"');
        let now = Timestamp::from_seconds(Clock::system().now_seconds());
        let is_over = days_until(day.parse().ok()?, now)? < 0;
        is_over.then(|| format!("`{day}` is over; write the day on which the key expires, as Atlassian shows it"))
    }

    /// Asks until the answer can be used. What a flag said is not asked.
    fn ask(
        &mut self,
        terminal: &mut Terminal,
        key: &'static str,
        (question, otherwise): (&str, &str),
        toml: impl Fn(&str) -> String,
    ) -> io::Result<()> {
        if self.values.contains_key(key) {
            return Ok(());
        }
        loop {
            let answer = terminal.ask(question, otherwise)?;
            if answer.is_empty() {
                return Ok(());
            }
            self.values.insert(key, toml(&answer));
            let Some(problem) = self.problem(key) else { return Ok(()) };
            self.values.remove(key);
            terminal.say(&format!("  {problem}"));
        }
    }

    /// Asks until the answer is a whole number.
    fn ask_number(
        &mut self,
        terminal: &mut Terminal,
        key: &'static str,
        (question, otherwise): (&str, &str),
    ) -> io::Result<()> {
        while !self.values.contains_key(key) {
            let answer = terminal.ask(question, otherwise)?;
            match answer.parse::<u64>() {
                Ok(number) => drop(self.values.insert(key, number.to_string())),
                Err(_) => terminal.say("  that is not a whole number"),
            }
        }
        Ok(())
    }
}

/// Asks for everything that no flag said, in the order of Atlassian's page.
pub(super) fn ask(terminal: &mut Terminal, answers: &mut Answers, secrets: &mut Secrets) -> Result<(), Ended> {
    let asked = ask_all(terminal, answers, secrets);
    asked.map_err(|error| Ended::of(2, &error).next("nothing was written"))
}

fn ask_all(terminal: &mut Terminal, answers: &mut Answers, secrets: &mut Secrets) -> io::Result<()> {
    terminal.say(READY);
    terminal.say(
        "\n1. Atlassian Administration > Security > Identity providers > your directory > Set up user provisioning",
    );
    terminal.say(
        "   shows the SCIM base URL and the API key once. If the directory has a key already, a new one makes the old one\n   void at once: whatever uses it (Duo's own provisioning, another host) stops.",
    );
    answers.ask(terminal, "atlassian.scim_base_url", ("   SCIM base URL", ""), quoted)?;
    secrets.atlassian = terminal.ask_secret("   API key")?;
    answers.ask(
        terminal,
        KEY_EXPIRES,
        ("   the key expires on (a year from today at the latest), YYYY-MM-DD", ""),
        quoted,
    )?;
    let domains = ("   your verified domains (elsewhere, names and addresses of accounts are left alone)", "");
    answers.ask(terminal, "atlassian.verified_domains", domains, |text| words(text, quoted))?;
    answers.ask_number(terminal, "guard.accounts_max", ("   user tier of your plan; 0: none", "0"))?;
    terminal.say("\n2. Duo Admin Panel > Applications > Protect an Application > Admin API, permission \"Grant read resource\" alone.");
    let groups = loop {
        answers.ask(terminal, "duo.api_host", ("   API hostname", ""), quoted)?;
        answers.ask(terminal, "duo.integration_key", ("   integration key", ""), quoted)?;
        secrets.duo = terminal.ask_secret("   secret key")?;
        let Some(settings) = duo_settings(answers, secrets) else { break Vec::new() };
        match read_groups(&settings) {
            Ok(groups) => break groups,
            Err(error) => terminal.say(&format!("   Duo's groups cannot be listed now: {error}")),
        }
        let again = terminal.ask("   type these three again? y or n", "n")?;
        if !again.to_lowercase().starts_with('y') {
            break Vec::new();
        }
        for key in ["duo.api_host", "duo.integration_key"] {
            answers.values.remove(key);
        }
    };
    terminal.say("\n3. Whom it is about. Begin with one small group of people who know of it.");
    show_groups(terminal, &groups);
    let question = ("   groups of Duo: ids, names, or names with *, separated by commas", "");
    answers.ask(terminal, "scope.groups", question, |text| commas(text, selector))?;
    let question = ("   usernames that are never touched (break-glass accounts), separated by commas", "");
    answers.ask(terminal, "scope.excluded_people", question, |text| commas(text, quoted))
}

/// What must be there beforehand.
const READY: &str = "\
Before you begin, by Atlassian's page \"Configure user provisioning with Cisco Duo\":
  - a subscription to Atlassian Guard Standard
  - your domains are verified in Atlassian, and linked to an identity provider directory
  - you are an organization admin in Atlassian, and Owner in Duo (Admin API applications need it)
  - the number of people does not exceed the user tier of an Enterprise or government plan
Leave an answer empty to fill it in later by hand. Nothing is written before the end; Ctrl-C leaves nothing behind.";

/// So many groups are shown.
const GROUPS_SHOWN: usize = 100;

/// Duo's groups, to pick from, once the keys are there.
fn show_groups(terminal: &mut Terminal, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    terminal.say(&format!("   Duo has {} groups:", groups.len()));
    for group in groups.iter().take(GROUPS_SHOWN) {
        terminal.say(&format!("     {}  {}", group.id, plain(&group.name)));
    }
}

fn duo_settings(answers: &Answers, secrets: &Secrets) -> Option<duo::Settings> {
    let text = |key: &str| answers.values.get(key).and_then(|value| serde_json::from_str::<String>(value).ok());
    config::duo_settings(&text("duo.api_host")?, &text("duo.integration_key")?, secrets.duo.clone()?)
}

fn read_groups(settings: &duo::Settings) -> Result<Vec<Group>, String> {
    let client = duo::Client::new(settings, Clock::system()).map_err(|error| error.to_string())?;
    let read = setup::block_on(client.read_groups()).map_err(|_| "the program could not start".to_owned())?;
    read.map_err(|error| error.to_string())
}

/// JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn selector(text: &str) -> String {
    let is_id = text.len() == 20 && text.starts_with("DG") && text.bytes().all(|b| b.is_ascii_alphanumeric());
    format!("{{ {} = {} }}", if is_id { "id" } else { "name" }, quoted(text))
}

fn list_of(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn words(text: &str, item: impl Fn(&str) -> String) -> String {
    list_of(text.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()).map(item))
}

fn commas(text: &str, item: impl Fn(&str) -> String) -> String {
    list_of(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(item))
}

#[cfg(test)]
mod tests {
    use super::{Answers, REQUIRED, commas, quoted, selector, words};
    use crate::config;

    #[test]
    fn every_required_key_has_its_place_in_the_template() {
        let mut answers = Answers::default();
        for key in
            REQUIRED.into_iter().chain(["guard.accounts_max", "scope.excluded_people", "atlassian.api_key_expires"])
        {
            answers.values.insert(key, "\"MARK\"".to_owned());
        }
        assert_eq!(answers.fill().matches("= \"MARK\"").count(), 8);
        assert_eq!(Answers::default().fill().trim_end(), config::DEFAULT.trim_end());
    }

    #[test]
    fn answers_become_toml_whatever_they_hold() {
        assert_eq!(words("a.example, b.example  c.example", quoted), r#"["a.example", "b.example", "c.example"]"#);
        assert_eq!(
            commas(r#"team "x", DGABCDEFGHIJKLMNOPQR, a\b"#, selector),
            r#"[{ name = "team \"x\"" }, { id = "DGABCDEFGHIJKLMNOPQR" }, { name = "a\\b" }]"#
        );
    }
}
