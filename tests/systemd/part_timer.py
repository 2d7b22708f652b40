"""The one-shot and its timer, in the place of the daemon."""

from checks import CHECKS
from service import FIRST, stage

# In the place of the unit's hour.
OFTEN = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n"
ONCE = "duo-atlassian-sync-once.service"
TIMER = "duo-atlassian-sync-once.timer"


def run():
    with stage() as (service, services):
        machine = service.machine
        service.unit = ONCE
        service.install()
        machine.drop_in(TIMER, OFTEN)
        machine.systemctl("enable", "--now", TIMER)
        service.until_unit(ActiveState="failed", Result="exit-code", ExecMainStatus="5")
        CHECKS.equal("the first plan is held: the unit fails with 5, and nothing was sent", services.writes(), [])
        service.ends("an administrator approves it", 0, "approve", service.output("plan")["fingerprint"])
        service.until("the plan to be sent", lambda: services.picture() == FIRST)
        service.until_unit(ActiveState="inactive", Result="success", ExecMainStatus="0")
        CHECKS.that("the next run sends it, and ends with 0", True)
        before = finished(service)
        service.until("another run", lambda: finished(service) > before)
        found = service.show("Result", "ExecMainStatus")
        CHECKS.equal("the timer runs it again", found, {"Result": "success", "ExecMainStatus": "0"})
        services.tell("set", person="bo", status="disabled")
        service.until_unit(ActiveState="failed", ExecMainStatus="5")
        CHECKS.equal("a held plan is a failed unit again", services.picture(), FIRST)
        machine.systemctl("stop", TIMER)
        service.until("the last run", lambda: service.show("ActiveState") in ("failed", "inactive"))
        service.configure(guard="deactivations_max = 7")
        machine.systemctl("start", ONCE, check=False)
        CHECKS.equal("a bad configuration is a failed unit", service.show("ActiveState"), "failed")
        service.configure()
        beside_the_daemon(service, services)


def beside_the_daemon(service, services):
    """Both were enabled by mistake: they share user and folder, and wait for each other."""
    machine = service.machine
    service.unit = "duo-atlassian-sync.service"
    service.start()
    service.until_status("held")
    machine.systemctl("start", ONCE, check=False)
    CHECKS.equal("beside the daemon, it takes nothing from it", service.next_cycle()["exit_code"], 5)
    user = service.user()
    files = service.state_files()
    CHECKS.that("every file is still the one user's", {owner for owner, _ in files.values()} == {user}, files)


def finished(service):
    return int(service.show("ExecMainExitTimestampMonotonic") or 0)
