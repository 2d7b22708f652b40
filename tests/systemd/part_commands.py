"""Commands of administrators beside the running service, as root through sudo."""

from checks import CHECKS
from service import FIRST, stage, without


def run():
    with stage() as (service, services):
        service.install()
        service.start()
        service.until_status("held")
        first_plan(service, services)
        brake(service, services)
        leaver(service, services)
        saved_plan(service, services)
        CHECKS.equal("it is still the same process", service.show("NRestarts"), "0")
        CHECKS.equal("the directory saw nothing that must never be sent", services.tell("violations"), [])


def first_plan(service, services):
    service.beside(5, "status")
    service.beside(0, "plan")
    service.beside(5, "plan", "--detailed-exitcode")
    fingerprint = service.output("plan")["fingerprint"]
    service.beside(0, "show", "plan", fingerprint)
    ran = service.beside(0, "approve", fingerprint, "--note", "reviewed")
    CHECKS.that("the approval names who called sudo", "ana" in ran.stdout, ran.stdout)
    service.until("the approved plan to be sent", lambda: services.picture() == FIRST)
    CHECKS.equal("the service sends what was approved", services.picture(), FIRST)
    service.until_status("good")
    service.beside(0, "status")
    service.beside(0, "history")
    sent = next(cycle for cycle in reversed(service.cycles()) if cycle["approvals"])
    CHECKS.that("the history says by whom", "ana" in sent["approvals"][0]["by"], sent)
    service.beside(0, "show", "cycle", str(sent["cycle"]))
    service.beside(0, "show", "person", "ana")
    service.beside(0, "show", "group", "eng")
    if "backup" in service.command("--help").stdout:
        service.beside(0, "backup", "/var/tmp/backup.db")


def brake(service, services):
    service.beside(0, "pause", "--note", "migration")
    services.tell("join", person="ana", group="ops")
    service.until_status("paused")
    CHECKS.equal("nothing is sent while it is paused", services.picture(), FIRST)
    service.beside(0, "resume")
    wanted = {**FIRST, "ops": ["ana", "bo"]}
    service.until("what waited to be sent", lambda: services.picture() == wanted)
    CHECKS.equal("what waited is sent", services.picture(), wanted)


def leaver(service, services):
    for name in ("bo", "cy"):
        services.tell("set", person=name, status="disabled")
    service.until_status("held")
    service.beside(0, "sync", "--person", "bo")
    wanted = {**without("bo"), "ops": ["ana"]}
    CHECKS.equal("one leaver is gone at once, the held plan waits", services.picture(), wanted)
    cycle = next(cycle["cycle"] for cycle in service.cycles() if cycle["command"].startswith("sync"))
    service.beside(0, "undo", str(cycle), "--dry-run")
    CHECKS.equal("a dry run of undo sends nothing", services.picture(), wanted)
    service.beside(0, "reject", service.output("plan")["fingerprint"], "--note", "not him")
    CHECKS.equal("what is rejected is not sent", services.picture(), wanted)


def saved_plan(service, services):
    services.tell("set", person="cy", status="active")
    service.until_status("good")
    services.tell("set", person="cy", status="disabled")
    service.until_status("held")
    service.beside(0, "plan", "--out", "/var/tmp/plan.json")
    fingerprint = service.output("plan")["fingerprint"]
    service.beside(0, "apply", "/var/tmp/plan.json", "--approve", fingerprint)
    wanted = {**without("bo", "cy"), "ops": ["ana"]}
    CHECKS.equal("a saved plan is applied", services.picture(), wanted)
