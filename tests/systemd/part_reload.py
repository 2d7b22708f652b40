"""`systemctl reload`: a good configuration is used, a bad one is not, and everybody is told."""

from checks import CHECKS
from service import FIRST, stage, without


def run():
    with stage() as (service, services):
        service.settle()
        pid = service.pid()
        services.tell("set", person="bo", status="disabled")
        service.until_status("held")
        service.configure(guard="")
        ran = service.machine.systemctl("reload", service.unit, check=False)
        CHECKS.that("a reload with a good configuration succeeds", ran.returncode == 0, ran.stderr)
        gone = without("bo")
        service.until("the new limit to count", lambda: services.picture() == gone)
        CHECKS.equal("the new limit counts", services.picture(), gone)
        service.configure(guard="deactivations_max = 7")
        ran = service.machine.systemctl("reload", service.unit, check=False)
        CHECKS.that("a reload with a bad configuration fails for whoever reloads", ran.returncode != 0)
        text = service.until_status("the changed configuration is not used", "next at ")
        CHECKS.that("the status text says so, after the next cycle too", text)
        services.tell("set", person="bo", status="active")
        service.until("the old configuration to go on", lambda: services.picture() == FIRST)
        CHECKS.equal("the service goes on with the old one", services.picture(), FIRST)
        service.configure(guard="")
        service.machine.systemctl("reload", service.unit)
        service.until("the status text to forget it", lambda: "not used" not in service.show("StatusText"))
        CHECKS.that("the status text forgets it with the next good one", service.next_cycle()["exit_code"] == 0)
        CHECKS.equal("all of this was one process", (service.pid(), service.show("NRestarts")), (pid, "0"))
