"""Whose the database is: root's before the first start, the service's from then on, whatever its user is called."""

from checks import CHECKS
from service import FIRST, stage

OWN = "[Service]\nDynamicUser=no\nUser=directory-sync\n"


def run():
    with stage() as (service, services):
        machine = service.machine
        service.install()
        service.ends("root looks before the first start", 3, "status")
        service.ends("and plans", 0, "plan")
        service.ends("and pauses", 0, "pause")
        owners = {owner for owner, _ in service.state_files().values()}
        CHECKS.equal("so the state folder is root's", (owners, machine.path(service.state).is_symlink()), ({0}, False))
        service.settle(before_approval=lambda: service.ends("it is paused still; and resumed", 0, "resume"))
        CHECKS.that("the folder was moved to where systemd wants it", machine.path(service.state).is_symlink())
        owned(service, "and all in it is the service's now")
        CHECKS.equal("the service works with it", services.picture(), FIRST)
        first = service.next_cycle()["cycle"]
        machine.run("useradd", "--system", "--no-create-home", "directory-sync")
        machine.drop_in(service.unit, OWN, name="user")
        service.restart()
        service.until_status("good")
        number = int(machine.run("id", "-u", "directory-sync").stdout)
        CHECKS.equal("with a user of its own it runs as that one", service.user(), number)
        CHECKS.that("and goes on with the same database", service.next_cycle()["cycle"] > first)
        owned(service, "which belongs to that user")
        service.beside(0, "status")
        service.beside(0, "pause")
        service.beside(0, "resume")
        machine.drop_in(service.unit, "", name="user")
        service.restart()
        service.until_status("good")
        CHECKS.that("back with a dynamic one, it is not that user", service.user() != number)
        owned(service, "and has its database back")


def owned(service, name):
    user = service.user()
    files = service.state_files()
    CHECKS.that(name, {owner for owner, _ in files.values()} == {user}, f"{user}: {files}")
