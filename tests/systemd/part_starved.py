"""The watchdog: fed at work and at rest, and starved by whatever blocks the work."""

import time

from checks import CHECKS
from service import EVERY_SECOND, FIRST, NEVER, stage

# In the place of the unit's five minutes and half a minute.
SECONDS = 5
QUICK = f"[Service]\nWatchdogSec={SECONDS}s\nRestartSec=1s\n"
BLOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("blocked", flush=True)
sys.stdin.read()
"""


def run():
    with stage() as (service, services):
        service.machine.drop_in(service.unit, QUICK)
        service.settle()
        pid = service.pid()
        fed("at work", service, pid)
        service.configure(cron=NEVER)
        service.machine.systemctl("reload", service.unit)
        service.until_status("next at 2", "-02-29T")
        fed("at rest", service, pid)
        service.configure(cron=EVERY_SECOND)
        service.machine.systemctl("reload", service.unit)
        for name in ("duo", "atlassian"):
            services.tell("never_answer", service=name)
            # Something to send; Duo is read by every cycle.
            services.tell("set", person="ana", realname=f"Ana {name}")
            starved(f"by a service that never answers ({name})", service)
            services.tell("behave")
            well(service)
        words = ["python3", "-c", BLOCK, "/var/lib/duo-atlassian-sync/state.db"]
        with service.machine.open(*words) as blocker:
            blocker.stdout.readline()
            starved("by a database that another process blocks", service)
            blocker.stdin.close()
            blocker.wait()
        well(service)
        names = sorted(user["displayName"] for user in services.listing("Users"))
        CHECKS.that("what was to be sent was sent in the end", "Ana atlassian" in names, names)
        CHECKS.equal("and everybody is there once", services.picture(), FIRST)


def fed(what, service, pid):
    """Long enough to be ended twice, if it were not fed."""
    until = time.monotonic() + 2 * SECONDS
    while time.monotonic() < until and service.pid() == pid:
        time.sleep(0.5)
    CHECKS.equal(f"it is fed {what}", (service.pid(), service.show("NRestarts")), (pid, "0"))


def starved(what, service):
    restarts = int(service.show("NRestarts"))
    service.until("a restart", lambda: int(service.show("NRestarts")) > restarts)
    said = service.said().splitlines()
    last = [line for line in said if "Watchdog timeout" in line or "Failed with result" in line][-2:]
    expected = [f"Watchdog timeout (limit {SECONDS}s)!", "Failed with result 'watchdog'."]
    found = [line.removeprefix(f"{service.unit}: ") for line in last]
    CHECKS.equal(f"it is starved {what}: systemd ends it and starts it again", found, expected)


def well(service):
    service.until_status("good")
    CHECKS.that("when the cause is gone, it works again", service.next_cycle()["exit_code"] == 0)
