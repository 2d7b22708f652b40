"""Killed in the middle of a request: restarted, it finds out what became of it, and nothing is done twice."""

from checks import CHECKS
from service import PEOPLE, SOON, stage


def run():
    with stage() as (service, services):
        service.machine.drop_in(service.unit, SOON)
        service.settle()
        # One is made without an answer, one is not made at all.
        services.tell("answer_late", service="atlassian", method="POST", path="/Users", seconds=600)
        services.hire("flo", "eng")
        killed(service, services, "flo")
        goes_on(service, services, "flo")
        CHECKS.equal("whoever was created without an answer was created once", services.creates("flo"), 1)
        services.tell("never_answer", service="atlassian", method="POST", path="/Users")
        services.hire("gus", "eng")
        killed(service, services, "gus", before_restart=lambda: services.tell("behave"))
        goes_on(service, services, "gus")
        users = services.listing("Users")
        names = sorted(user["userName"] for user in users)
        CHECKS.equal("whose create never arrived is created now", names, [*PEOPLE, "flo", "gus"])
        CHECKS.equal("in the group as well", services.picture()["eng"], [*PEOPLE, "flo", "gus"])
        CHECKS.equal("each kill was one restart", service.show("NRestarts"), "2")
        open_ended = [cycle for cycle in service.cycles() if not cycle["ended_at"]]
        CHECKS.equal("the history shows both cycles as cut off", len(open_ended), 2)
        CHECKS.equal("the directory saw nothing that must never be sent", services.tell("violations"), [])


def killed(service, services, name, before_restart=lambda: None):
    service.until(f"{name} to be sent", lambda: services.creates(name) == 1)
    pid = service.pid()
    service.machine.systemctl("kill", "--signal=KILL", "--kill-whom=main", service.unit)
    before_restart()
    again = lambda: service.show("ActiveState") == "active" and service.pid() not in (0, pid)
    service.until("the restart", again)
    CHECKS.that(f"killed while it waits for an answer about {name}, it is restarted", True)


def goes_on(service, services, name):
    """Until the new one is in the group, which comes last."""
    service.until("the work to go on", lambda: name in services.picture().get("eng", []))
    service.until_status("good")
