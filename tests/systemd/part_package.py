"""The Debian package: installed, upgraded while the service runs, removed, put back, and purged."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from checks import CHECKS
from service import FIRST, Service, stage
from services import Services

NAME = "duo-atlassian-sync"
TIMER = "duo-atlassian-sync-once.timer"


def run():
    package = os.environ.get("STORY_PACKAGE")
    if not package:
        print("  skipped: without dpkg-dev no package can be built", flush=True)
        return
    with stage() as (service, services), Services() as others:
        machine = service.machine
        instance = Service(machine, others, "emea")
        others.tell("add_group", name="eng")
        others.tell("add_group", name="ops")
        others.hire("zoe", "eng")
        # What the machine brings for the other parts, and what keeps packages in a container from starting anything.
        machine.run("sh", "-c", f"rm -f /usr/bin/{NAME} /run/story/units/{NAME}* /usr/sbin/policy-rc.d")
        machine.systemctl("daemon-reload")
        first, second = copies(machine, package)

        installs(machine, first)
        ran = machine.run("dpkg", "--verify", NAME, check=False)
        CHECKS.equal("every file is as it was packed", ran.stdout + ran.stderr, "")
        CHECKS.equal("every link in its documents leads somewhere", dead_links(machine), [])
        CHECKS.equal("nothing runs before it is configured", enabled(machine, service), ("inactive", "disabled"))
        for words in (["man", "--where", NAME], ["man", "--where", f"{NAME}-sync"]):
            ran = machine.run("test", "-f", f"/usr/share/man/man1/{words[2]}.1.gz", check=False)
            CHECKS.that(f"{words[2]} has a manual page", ran.returncode == 0)

        service.settle()
        instance.settle(picture={"active": ["zoe"], "eng": ["zoe"], "ops": []})
        machine.systemctl("enable", TIMER)
        before = [service.pid(), instance.pid()]
        config = machine.path(f"{service.folder}/config.toml").read_text()
        cycles = len(service.cycles())

        installs(machine, second)
        after = [service.pid(), instance.pid()]
        CHECKS.that(
            "an upgrade starts what runs again: the service and the instance",
            all(after) and not set(before) & set(after),
            f"{before} {after}",
        )
        CHECKS.equal("with the same configuration", machine.path(f"{service.folder}/config.toml").read_text(), config)
        service.until_status("good")
        CHECKS.that("and the same database", len(service.cycles()) >= cycles)
        CHECKS.equal("and nothing is sent by that", services.picture(), FIRST)

        removed = machine.run("dpkg", "--remove", NAME, check=False)
        CHECKS.that("it is removed", removed.returncode == 0, removed.stdout + removed.stderr)
        CHECKS.equal("removing it stops it", service.show("ActiveState"), "inactive")
        CHECKS.equal("and the instance", instance.show("ActiveState"), "inactive")
        kept = [f"{service.folder}/config.toml", f"{service.folder}/duo-secret-key", "/var/lib/private/" + NAME]
        CHECKS.equal("its files stay", [machine.path(path).exists() for path in kept], [True] * 3)

        installs(machine, first)
        CHECKS.equal("put back, it is enabled as it was", enabled(machine, service), ("inactive", "enabled"))
        service.start()
        service.until_status("good")
        CHECKS.equal("and goes on where it was", services.picture(), FIRST)

        purged = machine.run("dpkg", "--purge", NAME, check=False)
        CHECKS.that("it is purged", purged.returncode == 0, purged.stdout + purged.stderr)
        clean = "warning" not in (purged.stdout + purged.stderr)
        CHECKS.that("without a warning", clean, purged.stdout + purged.stderr)
        left = machine.run("find", "/etc", "/usr", "/var", "-xdev", "-name", f"*{NAME}*").stdout.split()
        CHECKS.equal("a purge leaves nothing", left, [])


def copies(machine, package):
    """The package as it was built, and one with a later version, both inside."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(["dpkg-deb", "--raw-extract", package, folder / "later"], check=True)
        control = folder / "later/DEBIAN/control"
        lines = control.read_text().splitlines(keepends=True)
        control.write_text("".join("Version: 99.0.0\n" if line.startswith("Version:") else line for line in lines))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder / "later"],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.copy(package, machine.path("/var/tmp/first.deb"))
        shutil.copy(folder / "later.deb", machine.path("/var/tmp/second.deb"))
    return "/var/tmp/first.deb", "/var/tmp/second.deb"


def installs(machine, package):
    ran = machine.run("dpkg", "--install", package, check=False)
    version = machine.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}", NAME).stdout
    CHECKS.that(f"{version} installs", ran.returncode == 0 and version.startswith("ii"), ran.stdout + ran.stderr)


def dead_links(machine):
    """What the installed documents point to that was not installed."""
    folder = machine.path(f"/usr/share/doc/{NAME}")
    documents = sorted(folder.rglob("*.md"))
    assert len(documents) >= 4, documents
    dead = []
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                dead.append(f"{document.name}: {target}")
    return dead


def enabled(machine, service):
    said = machine.systemctl("is-enabled", service.unit, check=False).stdout.strip()
    return service.show("ActiveState"), said
