"""scim2-tester finds nothing in the simulated Atlassian but the deviations of deviations.toml."""

import random
import tomllib
from pathlib import Path

import scim2_tester.filling
from harness import CHECKS, Simulator
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

GOOD = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
# A tester that gave up early would find nothing.
CHECKS_MIN = 90


class Chance:
    """The tester's chance, but truth values are all the same: a tossed coin would decide what it finds."""

    randint = staticmethod(random.randint)

    def __init__(self, truth):
        self.truth = truth

    def choice(self, options):
        return self.truth if list(options) == [True, False] else random.choice(options)


def run():
    text = Path(__file__).with_name("deviations.toml").read_text(encoding="utf-8")
    deviations = tomllib.loads(text)["deviation"]
    for truth in (True, False):
        compare(truth, [d for d in deviations if d.get("truth_values", truth) == truth])


def compare(truth, deviations):
    where = f"with truth values {str(truth).lower()}"
    results = results_of(truth)
    CHECKS.that(
        f"{where}: it looked at everything ({len(results)} results)",
        len(results) >= CHECKS_MIN and {"User", "Group"} <= {result.resource_type for result in results},
        f"{len(results)} results",
    )
    bad = [result for result in results if result.status not in GOOD]
    explained = []
    for deviation in deviations:
        hits = [result for result in bad if matches(deviation, result)]
        explained += hits
        CHECKS.that(
            f"{where}: {deviation['resource']} {deviation['check']}: departs as listed",
            hits,
            f"this no longer happens; take it off the list: {deviation['says']}",
        )
    unexplained = [result for result in bad if not any(result is hit for hit in explained)]
    CHECKS.that(
        f"{where}: nothing else",
        not unexplained,
        "\n".join(f"{r.status.name} {r.resource_type} {r.title}: {r.reason}" for r in unexplained),
    )


def matches(deviation, result):
    expected = (deviation["resource"], deviation["check"])
    return (result.resource_type, result.title) == expected and deviation["says"] in (result.reason or "")


def results_of(truth):
    # An empty directory of its own; only the schemas of the RFC, see README.md.
    with Simulator("--people", 0, "--groups", 0, "--standard-schemas") as simulator:
        headers = {"Authorization": f"Bearer {simulator.facts['api_key']}"}
        scim2_tester.filling.random = Chance(truth)
        with Client(base_url=simulator.facts["scim_base_url"], headers=headers) as client:
            return check_server(SyncSCIMClient(client))
