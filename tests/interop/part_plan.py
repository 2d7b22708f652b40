"""Plans of every kind fit the JSON Schema that the project publishes, and their fingerprints can be computed by anyone."""

import hashlib
import json
from pathlib import Path

from harness import CHECKS, Program, Simulator, folder, world
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[2] / "config" / "plan.schema.json"


def run():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    kinds = set()
    with Simulator("--people", 12, "--groups", 3) as simulator, folder() as place:
        program = Program(simulator, place, simulator.facts["scim_base_url"], simulator.facts["api_key"])

        def look(name):
            """One plan, checked."""
            ran = program.run("plan", "--format", "json")
            plan = json.loads(ran.stdout)
            wrong = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(plan)]
            CHECKS.that(f"{name} fits the schema", not wrong, "\n".join(wrong[:10]))
            CHECKS.equal(f"{name}: the fingerprint is that of its actions", fingerprint(plan), plan["fingerprint"])
            kinds.update(action["action"] for action in plan["actions"])
            return plan

        first = look("the first plan, held")
        program.ends("it is approved", 0, "approve", first["fingerprint"])
        program.ends("and sent", 0, "sync")
        people, groups = world(simulator.duo())
        someone, other, third = sorted(people)[:3]
        simulator.tell("set", person=someone, status="disabled")
        simulator.tell("set", person=other, realname="Another Name", email="not an address")
        simulator.tell("set", person=third, realname="Ein Anderer Name")
        for group in groups:
            simulator.tell("leave", person=third, group=group)
        simulator.tell("join", person=third, group=sorted(groups)[0])
        day = look("a day with a leaver, a skip, an update and a mover")
        CHECKS.that("which skips who has no address", day["skipped"], day)
        program.ends("sent", 0, "sync")
        simulator.tell("set", person=someone, status="active")
        look("a plan that reactivates")
        look("the same plan again")
        (Path(place) / "state.db").unlink()
        look("a plan that adopts")
    expected = {"adopt", "adopt_group", "create", "create_group", "deactivate", "reactivate", "update", "update_members"}
    CHECKS.equal("every kind of action occurred", sorted(kinds), sorted(expected))


def fingerprint(plan):
    """SHA-256 over the actions without their reasons: one line each, keys sorted, no white space."""
    digest = hashlib.sha256()
    for action in plan["actions"]:
        entry = {key: value for key, value in action.items() if key != "reason"}
        digest.update(json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()
