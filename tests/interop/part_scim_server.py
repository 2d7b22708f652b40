"""The program keeps a real SCIM server (scim2-server) equal to the simulated Duo."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from harness import (
    CHECKS,
    PATIENCE_SECONDS,
    Program,
    Proxy,
    Simulator,
    folder,
    free_port,
    listing,
    world,
    writes,
)

TOKEN = "interop-token"
PEOPLE = 120
GROUPS = 10
# What deactivates in Duo by the default configuration.
OFF = ("disabled", "pending deletion")


class Server:
    """scim2-server, in memory, with the schemas of the RFC."""

    def __init__(self):
        self.port = free_port()
        program = Path(sys.executable).with_name("scim2-server")
        command = [program, "--port", str(self.port), "--bearer-token", TOKEN]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        # Each refused connection takes no time, so this is a count and not a clock: about as long as a slow start.
        for _ in range(PATIENCE_SECONDS * 20):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
        self.process.kill()
        raise RuntimeError("scim2-server does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)


class Story:
    """One world, one target, one database, and what happens in them."""

    def __init__(self, simulator, proxy, place):
        self.simulator, self.proxy = simulator, proxy
        self.url = f"{proxy.url}/v2"
        self.program = Program(simulator, place, self.url, TOKEN)
        self.names = {}

    def expected(self):
        """What the target should hold, from what Duo's own client reads."""
        people, groups = world(self.simulator.duo())
        for group_id, group in groups.items():
            # A group that is renamed in Duo keeps the name it had: Atlassian has no renaming.
            self.names.setdefault(group_id, group["name"])
        members = {self.names[group_id]: group["members"] for group_id, group in groups.items()}
        inside = set().union(*members.values())
        on = {user_id for user_id in inside if people[user_id]["status"] not in OFF}
        accounts = {
            user_id: {
                "userName": people[user_id]["username"],
                "email": people[user_id]["email"].lower(),
                "displayName": people[user_id]["realname"],
                "givenName": people[user_id]["firstname"],
                "familyName": people[user_id]["lastname"],
            }
            for user_id in on
        }
        return {"active": accounts, "groups": {name: sorted(ids & on) for name, ids in members.items()}}

    def found(self):
        """What the target holds."""
        users = listing(f"{self.url}/Users", TOKEN)
        by_id = {user["id"]: user["externalId"] for user in users}
        active = {user["externalId"]: account(user) for user in users if user["active"]}
        groups = listing(f"{self.url}/Groups", TOKEN)
        members = {
            group["displayName"]: sorted(by_id[member["value"]] for member in group.get("members", []))
            for group in groups
        }
        return {"active": active, "groups": members}

    def equal(self, what):
        found = self.found()
        self.proxy.take()
        CHECKS.equal(f"{what}: what the server answers is what Duo has", found, self.expected())

    def syncs(self, what):
        """Syncs, and shows that the target is equal, by changes and nothing else, and that it stays so."""
        self.proxy.take()
        self.program.ends(f"{what}: it syncs", 0, "sync")
        sent = writes(self.proxy.take())
        refused = [request for request in sent if request["status"] >= 300]
        CHECKS.that(f"{what}: {len(sent)} changes are sent, none refused", sent and not refused, refused)
        CHECKS.that(
            f"{what}: no PUT and no DELETE", not [r for r in sent if r["method"] in ("PUT", "DELETE")], sent
        )
        self.equal(what)
        self.says_nothing(f"{what}: a second sync")

    def says_nothing(self, what):
        self.proxy.take()
        self.program.ends(f"{what} has nothing to do", 0, "sync")
        CHECKS.equal(f"{what} sends no request to the server", self.proxy.take(), [])

    def user(self, user_id):
        """The account of somebody, active or not."""
        users = listing(f"{self.url}/Users", TOKEN)
        return next((user for user in users if user["externalId"] == user_id), None)


def account(user):
    name = user.get("name", {})
    primary = [email["value"] for email in user["emails"] if email.get("primary")]
    return {
        "userName": user["userName"],
        "email": primary[0] if len(primary) == 1 else primary,
        "displayName": user.get("displayName"),
        "givenName": name.get("givenName"),
        "familyName": name.get("familyName"),
    }


def run():
    simulator = Simulator("--people", PEOPLE, "--groups", GROUPS)
    with folder() as place, simulator, Server() as server, Proxy(server.port) as proxy:
        story = Story(simulator, proxy, place)
        first_run(story)
        for chapter in (
            joiner,
            attributes,
            mover,
            leaver,
            disabled,
            comes_back,
            deleted,
            new_group,
            lost_answer,
            lost_database,
            renamed_group,
        ):
            chapter(story)


def first_run(story):
    program = story.program
    program.ends("first run: `check` finds both services in order", 0, "check")
    program.ends("first run: `plan` shows it", 0, "plan")
    program.ends("first run: the first plan is held", 5, "sync")
    CHECKS.equal("first run: until it is approved nothing is written", writes(story.proxy.take()), [])
    program.ends("first run: it is approved", 0, "approve", program.fingerprint())
    story.syncs("first run")


def some_people(story):
    """People by their usernames, in an order that does not change, with their groups."""
    people, _ = world(story.simulator.duo())
    return sorted((person for person in people.values() if person["status"] == "active"), key=lambda p: p["user_id"])


def joiner(story):
    story.simulator.tell(
        "add_person",
        username="zoe.lodz",
        email="Zoe.Lodz@Example.com",
        realname="Zoë Łódź 🦀",
        firstname="Zoë",
        lastname="Łódź \"Z\" \\ O'Brien",
        groups=["sales", "Küche & Café"],
    )
    story.syncs("joiner")


def attributes(story):
    tell = story.simulator.tell
    first, second, third, fourth = some_people(story)[:4]
    tell("set", person=first["user_id"], realname="Renamed Person", lastname="Person")
    tell("set", person=second["user_id"], email="another.address@example.com")
    tell("set", person=third["user_id"], username="another.username")
    # Two people exchange nothing less than an address: whoever frees it goes first.
    tell("set", person=fourth["user_id"], email=second["email"])
    story.syncs("attribute changes")


def mover(story):
    person = next(person for person in some_people(story) if len(person["groups"]) > 1)
    groups = {group["name"] for group in person["groups"]}
    new = next(name for name in ("engineering", "operations", "finance", "sales", "support") if name not in groups)
    story.simulator.tell("leave", person=person["user_id"], group=sorted(groups)[0])
    story.simulator.tell("join", person=person["user_id"], group=new)
    story.syncs("membership changes")


def leaver(story):
    person = some_people(story)[5]
    for group in person["groups"]:
        story.simulator.tell("leave", person=person["user_id"], group=group["group_id"])
    story.syncs("leaver")
    CHECKS.equal("leaver: the account is there, inactive", story.user(person["user_id"])["active"], False)


def disabled(story):
    person = some_people(story)[6]
    story.simulator.tell("set", person=person["user_id"], status="disabled")
    story.syncs("disabled")
    CHECKS.equal("disabled: the account is there, inactive", story.user(person["user_id"])["active"], False)


def comes_back(story):
    people, _ = world(story.simulator.duo())
    person = next(person for person in people.values() if person["status"] == "disabled")
    before = story.user(person["user_id"])["id"]
    story.simulator.tell("set", person=person["user_id"], status="active", realname="Back Again")
    story.syncs("comes back")
    CHECKS.equal("comes back: it is the same account", story.user(person["user_id"])["id"], before)


def deleted(story):
    person = some_people(story)[7]
    story.simulator.tell("remove_person", person=person["user_id"])
    story.syncs("deleted in Duo")
    CHECKS.equal("deleted in Duo: the account is there, inactive", story.user(person["user_id"])["active"], False)


def new_group(story):
    story.simulator.tell("add_group", name='New "group" \\ & Søn')
    for person in some_people(story)[10:14]:
        story.simulator.tell("join", person=person["user_id"], group='New "group" \\ & Søn')
    story.program.ends("new group: a pattern that selects one more group is held", 5, "sync")
    story.program.ends("new group: it is approved", 0, "approve", story.program.fingerprint())
    story.syncs("new group")


def lost_answer(story):
    """An account was created, and nobody said so: it is found by a filter, and not created again."""
    person = story.simulator.tell(
        "add_person", username="o\"hara+1", email="ohara+1@example.com", realname="O\"Hara", groups=["sales"]
    )
    story.proxy.loses = ("POST", "/Users")
    story.program.ends("answer lost: the sync ends well", 0, "sync")
    CHECKS.that("answer lost: it was lost", story.proxy.loses is None, "no such request")
    seen = story.proxy.take()
    filters = [request for request in seen if "filter=" in request["query"]]
    CHECKS.that("answer lost: the account was looked for by a filter", filters, seen)
    created = [request for request in writes(seen) if request["method"] == "POST"]
    CHECKS.equal("answer lost: the account was created once", len(created), 1)
    CHECKS.equal("answer lost: it is there", (story.user(person) or {}).get("userName"), "o\"hara+1")
    story.equal("answer lost")
    story.says_nothing("answer lost: one more sync")


def lost_database(story):
    """What another database, or another product, left in the directory is adopted and not written to."""
    for name in os.listdir(story.program.folder):
        if name.startswith("state.db"):
            (story.program.folder / name).unlink()
    story.proxy.take()
    story.program.ends("database lost: adopting is held", 5, "sync")
    story.program.ends("database lost: it is approved", 0, "approve", story.program.fingerprint())
    story.program.ends("database lost: it syncs", 0, "sync")
    CHECKS.equal("database lost: whoever is right is not written to", writes(story.proxy.take()), [])
    story.equal("database lost")
    story.says_nothing("database lost: a second sync")


def renamed_group(story):
    story.expected()
    story.simulator.tell("set_group", group="sales", name="revenue")
    story.proxy.take()
    ran = story.program.ends("group renamed in Duo: it syncs", 0, "sync")
    CHECKS.equal("group renamed in Duo: nothing is written", writes(story.proxy.take()), [])
    CHECKS.that("group renamed in Duo: it is reported", "revenue" in ran.stdout + ran.stderr, ran.stdout + ran.stderr)
    story.equal("group renamed in Duo")
    outside = (p for p in some_people(story) if "revenue" not in [group["name"] for group in p["groups"]])
    story.simulator.tell("join", person=next(outside)["user_id"], group="revenue")
    story.simulator.tell("join", person=next(outside)["user_id"], group="revenue")
    story.syncs("a member of the renamed group")
