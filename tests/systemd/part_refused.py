"""What no restart helps against is not restarted; what passes by itself is; and what dies at once is left lying."""

import hashlib

from checks import CHECKS
from service import SOON, stage

FAILED = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}


def run():
    with stage() as (service, services):
        service.machine.drop_in(service.unit, SOON)
        service.settle()
        service.configure(guard="deactivations_max = 7")
        refused(service, "a bad configuration", "2")
        CHECKS.that("the journal says which key is wrong", "guard.deactivations_max" in service.said())
        service.configure()
        starts(service, "with a good one it starts, without `reset-failed`")
        missing_secret(service, services)
        damaged(service)
        second_daemon(service)
        dies_at_once(service)


def refused(service, what, code):
    ran = service.machine.systemctl("restart", service.unit, check=False)
    found = service.state_of_unit()
    wanted = {**FAILED, "ExecMainStatus": code, "NRestarts": "0"}
    CHECKS.equal(f"{what} ends it with {code}, and it is not tried again", found, wanted)
    CHECKS.that("whoever starts it is told", ran.returncode != 0)


def starts(service, name):
    ran = service.machine.systemctl("start", service.unit, check=False)
    CHECKS.that(name, ran.returncode == 0 and service.next_cycle()["exit_code"] == 0, ran.stderr)


def missing_secret(service, services):
    service.machine.path(f"{service.folder}/duo-secret-key").unlink()
    # systemd's own code, for what LoadCredential= names and is not there.
    refused(service, "a missing secret", "243")
    service.write_secret("duo-secret-key", services.facts["secret_key"])
    service.machine.path(f"{service.folder}/duo-secret-key").chmod(0o644)
    ran = service.ends("`check` refuses a secret that others can read", 2, "check", "--offline")
    CHECKS.that("and says what to do", "chmod 600" in ran.stderr, ran.stderr)
    service.write_secret("duo-secret-key", services.facts["secret_key"])
    starts(service, "with the secret it starts")


def damaged(service):
    service.machine.systemctl("stop", service.unit)
    database = service.machine.path(f"{service.state}/state.db")
    good = database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    refused(service, "a damaged database", "8")
    after = hashlib.sha256(database.read_bytes()).hexdigest()
    CHECKS.equal("which is left as it is", after, before)
    # Root puts it there, and it is root's: the service says so, and what the guide says helps.
    database.unlink()
    database.write_bytes(good)
    database.chmod(0o600)
    refused(service, "a database of root's", "8")
    service.machine.run("chown", f"--reference={service.state}/", f"{service.state}/state.db")
    starts(service, "with a backup in its place it starts")


def second_daemon(service):
    service.ends("a second daemon by hand is refused", 75, "daemon")
    service.machine.systemctl("stop", service.unit)
    # Whoever tries it out without the unit, and forgets it.
    by_hand = "[Service]\nExecStart=/usr/bin/duo-atlassian-sync daemon\n"
    service.machine.write("/etc/systemd/system/tried.service", by_hand)
    service.machine.systemctl("start", "tried")
    service.machine.systemctl("reset-failed", service.unit, check=False)
    journal = ["journalctl", "--no-pager", "--output=cat", "--unit=tried"]
    service.until("the daemon by hand", lambda: "started" in service.machine.run(*journal).stdout.splitlines())
    service.machine.systemctl("start", service.unit, check=False)
    service.until_unit(SubState="auto-restart", ExecMainStatus="75")
    CHECKS.that("while another daemon has the database, the service tries again", True)
    service.machine.systemctl("stop", "tried")
    service.until_unit(ActiveState="active")
    CHECKS.that("and starts when that one ends", service.next_cycle()["exit_code"] == 0)
    owners = {owner for owner, _ in service.state_files().values()}
    CHECKS.equal("with every file its own, although that one was root's", owners, {service.user()})


def dies_at_once(service):
    crash = "[Service]\nRestartSec=100ms\nExecStart=\nExecStart=/bin/false\n"
    service.machine.drop_in(service.unit, crash, name="crash")
    service.machine.systemctl("reset-failed", service.unit, check=False)
    service.machine.systemctl("restart", service.unit, check=False)
    service.until_unit(ActiveState="failed")
    starts_in_vain = service.said().count("status=1/FAILURE")
    CHECKS.equal("what dies at once is left lying after ten starts", starts_in_vain, 10)
    service.machine.drop_in(service.unit, "", name="crash")
    service.machine.systemctl("reset-failed", service.unit)
    starts(service, "after `reset-failed` it can be started again")
