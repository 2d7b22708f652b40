//! `init`: a commented configuration and the files for the two secrets, from answers at a terminal or from flags.
//!
//! It asks in the order of Atlassian's page "Configure user provisioning with Cisco Duo". Secrets are typed unseen or
//! put into their files later; they are never flags.

mod answer;
mod terminal;

use super::args::{Global, InitOptions};
use super::edge::Ended;
use super::output::put;
use super::setup;
use answer::Answers;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use terminal::Terminal;

/// Where the service looks.
const DEFAULT_DIR: &str = "/etc/duo-atlassian-sync";

pub(super) fn run(global: &Global, options: &InitOptions) -> Result<(), Ended> {
    let files = Files::new(&folder(global, options)?);
    files.refuse_to_overwrite()?;
    let mut answers = Answers::of_flags(options)?;
    let mut secrets = Secrets::default();
    if let Some(mut terminal) = Terminal::open() {
        answer::ask(&mut terminal, &mut answers, &mut secrets)?;
    }
    if let Some(instance) = files.instance() {
        answers.set_database(&format!("/var/lib/duo-atlassian-sync-{instance}/state.db"));
    }
    let text = answers.fill();
    files.write(&text, &secrets)?;
    put(&what_next(global, &files, &answers, &secrets));
    Ok(())
}

/// The folder that was named; `--config` names none, and nothing is written to another place than was meant.
fn folder(global: &Global, options: &InitOptions) -> Result<PathBuf, Ended> {
    let Some(config) = global.config.as_deref().filter(|_| options.dir.is_none()) else {
        return Ok(options.dir.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DIR)));
    };
    let is_ours = config.file_name().is_some_and(|name| name == "config.toml");
    let meant = config.parent().filter(|_| is_ours).map_or_else(
        || "FOLDER".to_owned(),
        |folder| setup::quoted(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }),
    );
    let line =
        "error: --config names the file that the other commands read; init makes a folder with a config.toml in it";
    Err(Ended::with(2, line)
        .next(format!("say which with --dir: duo-atlassian-sync init --dir {meant}"))
        .next("nothing was written"))
}

/// What was typed unseen; empty: to be put into its file later.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    pub(super) duo: Option<secrecy::SecretString>,
    pub(super) atlassian: Option<secrecy::SecretString>,
}

/// The three files.
struct Files {
    dir: PathBuf,
    config: PathBuf,
    duo: PathBuf,
    atlassian: PathBuf,
}

impl Files {
    fn new(dir: &Path) -> Self {
        let file = |name| dir.join(name);
        Self {
            dir: dir.to_owned(),
            config: file("config.toml"),
            duo: file("duo-secret-key"),
            atlassian: file("atlassian-api-key"),
        }
    }

    /// The name of one of several services, whose folder is below that of the service: `duo-atlassian-sync@NAME`.
    fn instance(&self) -> Option<&str> {
        let is_below = self.dir.parent() == Some(Path::new(DEFAULT_DIR));
        self.dir.file_name().and_then(|name| name.to_str()).filter(|_| is_below)
    }

    /// Looks before anything is asked: nobody answers ten questions for nothing.
    fn refuse_to_overwrite(&self) -> Result<(), Ended> {
        let there =
            [&self.config, &self.duo, &self.atlassian].into_iter().filter(|path| path.symlink_metadata().is_ok());
        let there: Vec<String> = there.map(|path| path.display().to_string()).collect();
        if there.is_empty() {
            return Ok(());
        }
        let line = format!("error: {} is there already, and init overwrites nothing", there.join(", "));
        Err(Ended::with(2, line).next("edit what is there, or name another folder with --dir"))
    }

    fn write(&self, config: &str, secrets: &Secrets) -> Result<(), Ended> {
        use secrecy::ExposeSecret;
        let failed = |path: &Path, error: &io::Error| {
            Ended::of(2, error)
                .next(format!("cannot write {}: run it as the owner of the folder (sudo)", path.display()))
        };
        make_folder(&self.dir).map_err(|error| failed(&self.dir, &error))?;
        let secret = |secret: &Option<secrecy::SecretString>| {
            secret.as_ref().map_or_else(String::new, |secret| format!("{}\n", secret.expose_secret()))
        };
        // The configuration holds no secret, and the service's own user must read it.
        let files = [
            (&self.duo, secret(&secrets.duo), 0o600),
            (&self.atlassian, secret(&secrets.atlassian), 0o600),
            (&self.config, config.to_owned(), 0o644),
        ];
        let mut made: Vec<&Path> = Vec::new();
        for (path, text, mode) in files {
            let written = OpenOptions::new().create_new(true).write(true).mode(mode).open(path).and_then(|mut file| {
                made.push(path);
                // Whatever the umask of whoever runs this.
                file.set_permissions(Permissions::from_mode(mode))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
            if let Err(error) = written {
                // Half a set of files would make the next init refuse.
                for path in made {
                    let _ = std::fs::remove_file(path);
                }
                return Err(failed(path, &error));
            }
        }
        Ok(())
    }
}

/// Makes the folder, and those above it, so that the service's user can look into it whatever the umask is here.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
        std::fs::create_dir(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn what_next(global: &Global, files: &Files, answers: &Answers, secrets: &Secrets) -> String {
    let mut lines = vec![format!("written: {}", files.config.display())];
    for (path, secret) in [(&files.duo, &secrets.duo), (&files.atlassian, &secrets.atlassian)] {
        let state = if secret.is_some() { "the secret is in it" } else { "empty: put the secret into it" };
        lines.push(format!("written: {} (mode 0600; {state})", path.display()));
    }
    let open = answers.open();
    if !open.is_empty() {
        lines.push(format!("\nStill the placeholder in config.toml: {}", open.join(", ")));
    }
    let command = |command: &str| {
        if files.dir == Path::new(DEFAULT_DIR) {
            return format!("duo-atlassian-sync {command}");
        }
        let config = Some(files.config.clone());
        setup::command_line(&Global { config, ..global.clone() }, command)
    };
    let empty = [(&files.duo, &secrets.duo), (&files.atlassian, &secrets.atlassian)];
    let paste =
        |path: &Path| (format!("install -m 600 /dev/stdin {}", path.display()), "paste the secret, Enter, Ctrl-D");
    let mut steps: Vec<(String, &str)> =
        empty.into_iter().filter(|(_, secret)| secret.is_none()).map(|(path, _)| paste(path)).collect();
    steps.push((command("check"), "what is wrong, and the remedy"));
    steps.push((command("plan"), "what would be sent, and why; nothing is sent"));
    // Elsewhere, no service looks.
    let service = match files.instance() {
        Some(instance) => Some(format!("duo-atlassian-sync@{instance}")),
        None => (files.dir == Path::new(DEFAULT_DIR)).then(|| "duo-atlassian-sync".to_owned()),
    };
    steps.extend(service.map(|service| {
        let enable = format!("systemctl enable --now {service}");
        (enable, "observes first; schedule.mode = \"apply\" lets it send")
    }));
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    lines.push("\nNext:".to_owned());
    lines.extend(steps.iter().map(|(command, what)| format!("  {command:<width$}  {what}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::args::{Arguments, Command};
    use super::{DEFAULT_DIR, folder};
    use clap::Parser;
    use std::path::PathBuf;

    /// Where the files would go. Not by a run of the program: what is wrong here writes below `/etc`.
    fn goes_to(words: &[&str]) -> Result<PathBuf, (u8, String)> {
        let arguments = Arguments::try_parse_from([&["duo-atlassian-sync"], words].concat()).unwrap();
        let Command::Init(options) = &arguments.command else { panic!("{words:?}") };
        folder(&arguments.global, options).map_err(|ended| (ended.code, format!("{ended:?}")))
    }

    #[test]
    fn a_configuration_named_for_the_other_commands_does_not_say_where_a_new_one_goes() {
        assert_eq!(goes_to(&["init"]), Ok(DEFAULT_DIR.into()));
        assert_eq!(goes_to(&["init", "--dir", "here"]), Ok("here".into()));
        assert_eq!(goes_to(&["--config", "there/config.toml", "init", "--dir", "here"]), Ok("here".into()));
        for (config, dir) in [("there/config.toml", "there"), ("config.toml", "."), ("there/my.toml", "FOLDER")] {
            let (code, said) = goes_to(&["--config", config, "init"]).unwrap_err();
            assert_eq!(code, 2, "{said}");
            assert!(said.contains(&format!("init --dir {dir}\"")) && said.contains("nothing was written"), "{said}");
        }
    }
}
