"""Duo's official Python client reads the simulated Duo."""

import hashlib

from harness import CHECKS, Simulator

PEOPLE = 250
GROUPS = 12

SIGNATURES = {
    "v5": {"sig_version": 5},
    "v2, SHA-1": {"sig_version": 2, "digestmod": hashlib.sha1},
    "v2, SHA-512": {"sig_version": 2, "digestmod": hashlib.sha512},
}


def run():
    with Simulator("--people", PEOPLE, "--groups", GROUPS) as simulator:
        for name, options in SIGNATURES.items():
            reads(simulator, name, options)
            refuses_a_wrong_key(simulator, name, options)


def reads(simulator, signature, options):
    duo = simulator.duo(paging_limit=100, **options)
    people = {person["user_id"]: person for person in duo.get_users()}
    CHECKS.equal(f"{signature}: all pages of people", len(people), PEOPLE)
    walked = list(simulator.duo(paging_limit=7, **options).get_users_iterator())
    CHECKS.that(
        f"{signature}: the same people on small pages",
        [person["user_id"] for person in walked] == list(people),
        "other people, or another order",
    )
    groups = simulator.duo(paging_limit=5, **options).get_groups()
    CHECKS.equal(f"{signature}: all pages of groups", len({group["group_id"] for group in groups}), GROUPS)
    read = {
        group["name"]: {member["user_id"] for member in duo.get_group_users(group["group_id"])} for group in groups
    }
    told = {group["name"]: set() for group in groups}
    for person in people.values():
        for group in person["groups"]:
            told[group["name"]].add(person["user_id"])
    CHECKS.equal(f"{signature}: the members of groups are the groups of people", read, told)
    some = list(people)[:3]
    CHECKS.equal(
        f"{signature}: people by their ids", sorted(p["user_id"] for p in duo.get_users_by_ids(some)), sorted(some)
    )
    somebody = next(iter(people.values()))
    CHECKS.equal(
        f"{signature}: one person by id, with every field", duo.get_user_by_id(somebody["user_id"]), somebody
    )


def refuses_a_wrong_key(simulator, signature, options):
    name = f"{signature}: a wrong key is refused with Duo's error"
    try:
        simulator.duo(secret_key="0" * 40, **options).get_users(limit=1)
    except RuntimeError as error:
        found = (getattr(error, "status", None), (getattr(error, "data", None) or {}).get("code"))
        CHECKS.equal(name, found, (401, 40103))
    else:
        CHECKS.failed(name, "it was answered")
