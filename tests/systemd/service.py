"""The installed service as its administrators know it: files, commands through sudo, and what systemd says of it."""

import json
from contextlib import contextmanager

from checks import CHECKS
from machine import Machine, until
from services import Services

PROGRAM = "/usr/bin/duo-atlassian-sync"
# What sudo sets.
SUDO = {"SUDO_USER": "ana", "SUDO_UID": "1000", "SUDO_GID": "1000", "SUDO_COMMAND": PROGRAM, "HOME": "/root"}
# No deactivation without a person, so that there is something to hold.
CAREFUL = "deactivations_max = { count = 0, percent = 0, at_most = 0 }"
EVERY_SECOND = "* * * * * *"
NEVER = "0 0 0 29 2 *"
# In the place of the unit's half minute.
SOON = "[Service]\nRestartSec=1s\n"

# The company, and the directory after the first plan.
PEOPLE = ["ana", "bo", "cy", "di", "ed"]
FIRST = {"active": PEOPLE, "eng": PEOPLE, "ops": ["bo"]}


def without(*names):
    """The first directory, when these have left."""
    return {key: [name for name in value if name not in names] for key, value in FIRST.items()}


@contextmanager
def stage():
    """A machine, both services, and a small company; the program is there and not yet installed as a service."""
    with Machine() as machine, Services() as services:
        failures = CHECKS.failures
        try:
            services.tell("add_group", name="eng")
            services.tell("add_group", name="ops")
            for name in PEOPLE:
                services.hire(name, "eng")
            services.tell("join", person="bo", group="ops")
            yield Service(machine, services), services
        except BaseException:
            failures = -1
            raise
        finally:
            if CHECKS.failures != failures:
                print(machine.run("journalctl", "--no-pager", "--lines=60", check=False).stdout, flush=True)


class Service:
    """One service (or instance) and its files."""

    def __init__(self, machine, services, instance=""):
        self.machine = machine
        self.services = services
        self.unit = f"duo-atlassian-sync@{instance}.service" if instance else "duo-atlassian-sync.service"
        self.folder = f"/etc/duo-atlassian-sync/{instance}" if instance else "/etc/duo-atlassian-sync"
        self.state = f"/var/lib/duo-atlassian-sync-{instance}" if instance else "/var/lib/duo-atlassian-sync"
        self.chosen = ["--config", f"{self.folder}/config.toml"] if instance else []

    # Files.

    def install(self):
        self.configure()
        self.write_secret("duo-secret-key", self.services.facts["secret_key"])
        self.write_secret("atlassian-api-key", self.services.facts["api_key"])

    def configure(self, guard=CAREFUL, cron=EVERY_SECOND, database=None):
        facts = self.services.facts
        # By name, so that a name is looked up in the sandbox.
        target = facts["scim_base_url"].replace("//127.0.0.1", "//localhost")
        if database is None:
            database = f'[state]\ndatabase = "{self.state}/state.db"\n' if self.chosen else ""
        text = f"""
[duo]
api_host = "{facts["duo"]}"
integration_key = "{facts["integration_key"]}"
requests_per_minute = 60000
[atlassian]
scim_base_url = "{target}"
verified_domains = ["example.com"]
requests_per_second = 1000.0
concurrent_requests_max = 1
api_key_expires = "2999-01-01"
[scope]
groups = [{{ name = "eng" }}, {{ name = "ops" }}]
[schedule]
mode = "apply"
cycle_cron = "{cron}"
jitter_seconds_max = 0
[guard]
{guard}
{database}"""
        self.machine.write(f"{self.folder}/config.toml", text)

    def write_secret(self, name, secret):
        self.machine.write(f"{self.folder}/{name}", secret, mode=0o600)

    def state_files(self):
        """Owner and mode of the state folder and of everything in it."""
        folder = self.machine.path(f"/var/lib/private/{self.state.rpartition('/')[2]}")
        if not folder.exists():
            folder = self.machine.path(self.state)
        found = {}
        for path in [folder, *sorted(folder.rglob("*"))]:
            try:
                about = path.lstat()
            except FileNotFoundError:
                # A journal of SQLite, which comes and goes.
                continue
            found[path.name] = (about.st_uid, about.st_mode & 0o7777)
        return found

    # What systemd knows.

    def show(self, *names):
        found = self.machine.show(self.unit, *names)
        return found[names[0]] if len(names) == 1 else found

    def state_of_unit(self):
        return self.show("ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts")

    def until(self, what, probe):
        """Like `machine.until`, with what systemd thinks when it does not come."""
        try:
            return until(what, probe)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.show('ActiveState', 'SubState', 'Result', 'StatusText')}") from error

    def until_status(self, *parts):
        """Waits for a status text that has all of these in it."""
        found = lambda: (text := self.show("StatusText")) and all(part in text for part in parts) and text
        return self.until(f"a status text with {parts}", found)

    def until_unit(self, **wanted):
        return self.until(f"a unit with {wanted}", lambda: self.show(*wanted, "Id") == {**wanted, "Id": self.unit})

    def start(self):
        self.machine.systemctl("start", self.unit)

    def restart(self):
        self.machine.systemctl("reset-failed", self.unit, check=False)
        self.machine.systemctl("restart", self.unit)

    def pid(self):
        return int(self.show("MainPID"))

    def user(self):
        """The user that the service runs as, by number."""
        status = self.machine.path(f"/proc/{self.pid()}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:")))

    def said(self):
        """Everything that is in the journal about it."""
        return self.machine.run("journalctl", "--no-pager", "--output=cat", f"--unit={self.unit}").stdout

    # Commands.

    def command(self, *words, variables=None):
        return self.machine.run(
            "duo-atlassian-sync", *self.chosen, *words, check=False, variables={**SUDO, **(variables or {})}
        )

    def output(self, *words):
        """What a command prints as JSON, whatever it ends with."""
        return json.loads(self.command(*words, "--format", "json").stdout)

    def ends(self, name, code, *words, variables=None):
        """Checks how a command ends."""
        ran = self.command(*words, variables=variables)
        CHECKS.that(name, ran.returncode == code, f"ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return ran

    def cycles(self):
        return self.output("history", "--limit", "20")

    def next_cycle(self):
        """The first cycle of the daemon that begins after this, when it has ended."""
        newest = max((cycle["cycle"] for cycle in self.cycles()), default=0)

        def ended():
            later = [cycle for cycle in self.cycles() if cycle["cycle"] > newest and cycle["ended_at"]]
            return next((cycle for cycle in reversed(later) if cycle["command"] == "daemon"), None)

        return self.until("the next cycle", ended)

    def beside(self, code, *words):
        """A command beside the running service: it ends so, leaves nothing that the service cannot use, and no harm."""
        ran = self.command(*words)
        cycle = self.next_cycle()
        files = self.state_files()
        user = self.user()
        well = all(owner == user and mode & 0o077 == 0 for owner, mode in files.values())
        CHECKS.that(
            f"`{' '.join(word if len(word) < 20 else word[:12] for word in words)}` ends with {code}, "
            "leaves no file of root, and the next cycle works",
            ran.returncode == code and well and cycle["exit_code"] in (0, 5),
            f"ended with {ran.returncode}\n{ran.stdout}{ran.stderr}user {user}, files {files}\nnext {cycle}",
        )
        return ran

    def settle(self, picture=None, before_approval=lambda: None):
        """Installs and starts it, and approves what waits."""
        self.install()
        # What is enabled stays loaded when it has stopped, with all that systemd knows of its end.
        self.machine.systemctl("enable", self.unit)
        self.start()
        self.until_status("held")
        before_approval()
        self.command("approve", self.output("plan")["fingerprint"])
        self.until("the first plan to be sent", lambda: self.services.picture() == (picture or FIRST))
        self.until_status("good")
