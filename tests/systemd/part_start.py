"""The service starts as it is shipped: confined, without a secret in sight, and its first plan waits."""

from checks import CHECKS
from service import PROGRAM, stage

# Its own, but for shared memory; world-writable everywhere.
TEMPORARY = ["/dev/mqueue", "/dev/shm", "/tmp", "/var/tmp"]


def run():
    with stage() as (service, services):
        machine = service.machine
        service.install()
        service.ends("`check` by an administrator finds nothing wrong", 0, "check")
        machine.systemctl("enable", service.unit)
        wanted = machine.path(f"/etc/systemd/system/multi-user.target.wants/{service.unit}")
        CHECKS.that("it can be enabled", wanted.is_symlink())
        service.start()
        found = service.show("ActiveState", "SubState", "Type", "DynamicUser")
        expected = {"ActiveState": "active", "SubState": "running", "Type": "notify", "DynamicUser": "yes"}
        CHECKS.equal("it says that it is ready", found, expected)
        text = service.until_status("held", "plan ", "next at ")
        CHECKS.that("its status text says that the first plan is held, and when the next cycle is due", text)
        CHECKS.equal("nothing was sent", (services.picture(), services.writes()), ({"active": []}, []))
        confined(service)
        secret(service, [services.facts["secret_key"], services.facts["api_key"]])
        user = service.user()
        files = service.state_files()
        CHECKS.that(
            "the state folder and all in it are the service's alone",
            files and all(owner == user and mode in (0o600, 0o700) for owner, mode in files.values()),
            files,
        )
        said = service.said()
        people = [name for name in ("ana", "bo@example.com") if f"{name}@example.com" in said or name in said.split()]
        CHECKS.that("the journal names nobody", not people, said)


def confined(service):
    """As the kernel sees it."""
    process = service.machine.path(f"/proc/{service.pid()}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    wanted = {"CapEff": "0", "CapPrm": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1", "Seccomp": "2"}
    found = {name: status[name].strip().lstrip("0") or "0" for name in wanted}
    CHECKS.equal("it has no capability, can gain none, and its system calls are filtered", found, wanted)
    CHECKS.that("it is not root", int(status["Uid"].split()[0]) > 0, status["Uid"])
    find = "find / -maxdepth 4 -path /proc -prune -o -type d -writable -print"
    identity = ["setpriv", f"--reuid={service.user()}", f"--regid={service.user()}", "--clear-groups"]
    enter = ["nsenter", f"--target={service.show('MainPID')}", "--mount"]
    found = service.machine.run(*enter, *identity, *find.split(), check=False).stdout.split()
    ours = ["/run/duo-atlassian-sync", "/var/lib/private/duo-atlassian-sync"]
    wanted = sorted([*TEMPORARY, *ours])
    CHECKS.equal("it can write to its own folders and to temporary ones only", sorted(found), wanted)
    limits = (process / "limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    CHECKS.that("no core is dumped of what it has in memory", core.split()[4:6] == ["0", "0"], core)


def secret(service, secrets):
    """Where every user of the host, or every process of the service, could read them."""
    machine = service.machine
    seen = []
    for process in machine.path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes().decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            seen += [f"{process.name}/{name}" for key in secrets if key in text]
    CHECKS.that("no process has a secret in its arguments or its environment", not seen, seen)
    CHECKS.that("the journal has no secret", not any(key in service.said() for key in secrets))
    folder = machine.path(f"/run/credentials/{service.unit}")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    wanted = {"duo-secret-key": "0o400", "atlassian-api-key": "0o400"}
    CHECKS.equal("systemd gives it both secrets, for itself alone", modes, wanted)
    held = [entry.read_text() for entry in machine.path("/etc/duo-atlassian-sync").glob("*-key")]
    CHECKS.equal("and they are those of the files, which only root can read", sorted(held), sorted(secrets))
    words = machine.path(f"/proc/{service.pid()}/cmdline").read_bytes().split(b"\0")[:-1]
    CHECKS.equal("its whole command line", words, [PROGRAM.encode(), b"daemon"])
