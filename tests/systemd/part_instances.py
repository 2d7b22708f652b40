"""Two directories on one host: two instances of the template, each with services and a database of its own."""

from checks import CHECKS
from service import FIRST, Service, stage
from services import Services


def run():
    with stage() as (emea, first), Services() as second:
        emea = Service(emea.machine, first, "emea")
        apac = Service(emea.machine, second, "apac")
        second.tell("add_group", name="eng")
        second.tell("add_group", name="ops")
        second.hire("zoe", "eng")
        # Root looks at one of them before its first start.
        apac.install()
        apac.ends("root looks at an instance before its first start", 3, "status")
        emea.settle()
        apac.settle(picture={"active": ["zoe"], "eng": ["zoe"], "ops": []})
        CHECKS.equal("both run at the same time", [emea.show("ActiveState"), apac.show("ActiveState")], ["active"] * 2)
        CHECKS.equal("each directory has its own people", first.picture(), FIRST)
        users = {emea.user(), apac.user()}
        CHECKS.that("as two users, neither of them root", len(users) == 2 and 0 not in users, users)
        CHECKS.equal("with two databases", [len(service.state_files()) > 2 for service in (emea, apac)], [True, True])
        apac.beside(0, "pause")
        emea.beside(0, "status")
        apac.ends("the brake of one", 5, "status")
        first.hire("flo", "eng")
        second.hire("yan", "eng")
        emea.until("the other to go on", lambda: "flo" in first.picture()["active"])
        CHECKS.equal("does not stop the other", second.picture()["active"], ["zoe"])
        apac.beside(0, "resume")
        apac.until("it to go on", lambda: "yan" in second.picture()["active"])
        emea.machine.systemctl("kill", "--signal=KILL", emea.unit)
        CHECKS.that("one that dies does not disturb the other", apac.next_cycle()["exit_code"] == 0)
        apac.configure(database="")
        apac.machine.systemctl("reload", apac.unit)
        other = "commands by hand would use /var/lib/duo-atlassian-sync/state.db"
        apac.until("a warning", lambda: other in apac.said())
        CHECKS.that("a database that commands by hand would not find is warned about", True)
