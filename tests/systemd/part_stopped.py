"""Told to stop, it ends in time and well: at rest, in a reading that hangs, and before it is ready."""

import time

from checks import CHECKS
from service import NEVER, stage

# systemd would kill it after a minute.
SOON_SECONDS = 10


def run():
    with stage() as (service, services):
        service.settle()
        stops(service, "at work")
        service.configure(cron=NEVER)
        service.start()
        service.until_status("good")
        stops(service, "at rest")
        services.tell("never_answer", service="duo")
        service.start()
        service.until_status("a cycle is running")
        stops(service, "while Duo does not answer")
        services.tell("behave")
        services.tell("never_answer", service="atlassian", path="ServiceProviderConfig")
        service.start()
        # Nothing is to be sent; a dead key is to be known all the same.
        last = lambda: services.record.read_text().splitlines()[-1]
        service.until("a try of the key", lambda: "ServiceProviderConfig" in last())
        stops(service, "while Atlassian does not answer")
        services.tell("behave")
        cut_off(service, services)
        stops_before_ready(service, services)
        services.tell("behave")
        service.start()
        service.until_status("good")
        CHECKS.equal("what was cut off was done once", services.creates("flo"), 1)


def stops(service, what):
    began = time.monotonic()
    service.machine.systemctl("stop", service.unit)
    elapsed = time.monotonic() - began
    found = service.show("ActiveState", "Result", "ExecMainCode", "ExecMainStatus")
    # 1: it ended by itself.
    wanted = {"ActiveState": "inactive", "Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0"}
    CHECKS.equal(f"stopped {what}, it ends well", found, wanted)
    CHECKS.that("and in time", elapsed < SOON_SECONDS, f"{elapsed} s")


def cut_off(service, services):
    """Leaves a request open of which nobody knows."""
    services.hire("flo", "eng")
    services.tell("answer_late", service="atlassian", method="POST", path="/Users", seconds=600)
    service.start()
    service.until("a request", lambda: services.creates("flo"))
    service.machine.systemctl("kill", "--signal=KILL", service.unit)
    service.machine.systemctl("stop", service.unit)
    service.machine.systemctl("reset-failed", service.unit, check=False)


def stops_before_ready(service, services):
    services.tell("never_answer", service="atlassian")
    service.machine.systemctl("start", "--no-block", service.unit)
    service.until_unit(SubState="start")
    service.until_status("looking up")
    stops(service, "while it looks up what a crash left open")
