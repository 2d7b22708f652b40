"""Runs the parts, one after another, and counts. Called by run.sh."""

import sys
import traceback

import part_duo_client
import part_openapi
import part_plan
import part_scim_server
import part_scim_tester
from harness import CHECKS

PARTS = {
    "duo_client": part_duo_client.run,
    "scim_server": part_scim_server.run,
    "scim_tester": part_scim_tester.run,
    "openapi": part_openapi.run,
    "plan": part_plan.run,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"error: no part {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in names or PARTS:
        print(f"{name}: {sys.modules[PARTS[name].__module__].__doc__.splitlines()[0]}", flush=True)
        try:
            PARTS[name]()
        except Exception:
            CHECKS.failed(f"{name} ran to its end", traceback.format_exc())
    print(f"{CHECKS.passes} passed, {CHECKS.failures} failed", flush=True)
    return 1 if CHECKS.failures or not CHECKS.passes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
