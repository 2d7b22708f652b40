"""Tells the parts of the story, some at a time, and counts. Called by run.sh."""

import importlib
import re
import signal
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import CHECKS

# Each has a machine of its own. They mostly wait, so more of them at once than there are processors; the longest first.
PARTS = [
    "starved",
    "package",
    "newcomer",
    "start",
    "commands",
    "reload",
    "killed",
    "refused",
    "stopped",
    "secrets",
    "users",
    "instances",
    "metrics",
    "timer",
]
AT_ONCE = 4


def outside():
    """What the story could leave behind on this host."""
    folders = ["/etc", "/etc/systemd/system", "/usr/bin", "/var/lib", "/var/lib/private", "/run", "/run/credentials"]
    patterns = ["*duo-atlassian-sync*", "systemd-private-*-duo-atlassian-sync*"]
    found = set()
    for folder in [*folders, "/tmp", "/var/tmp"]:
        found |= {str(path) for pattern in patterns for path in Path(folder).glob(pattern)}
    found |= {line for line in Path("/proc/self/mounts").read_text().splitlines() if "duo-atlassian-sync" in line}
    return found | {str(path) for path in Path("/sys/fs/cgroup").glob("**/duo-atlassian-sync-story-*")}


def tell(name):
    """One part, in this process."""
    part = importlib.import_module(f"part_{name}")
    print(f"{name}: {part.__doc__.splitlines()[0]}", flush=True)
    try:
        part.run()
    except Exception:
        CHECKS.that(f"{name} came to its end", False, traceback.format_exc())
    print(f"{CHECKS.passes} passed, {CHECKS.failures} failed", flush=True)
    return 1 if CHECKS.failures else 0


def tell_all(names):
    """Each in a process of its own; what they print comes in the order of their names."""
    running = []

    def begin(name):
        words = [sys.executable, __file__, "--part", name]
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return running[-1].communicate()[0]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for name, text in zip(names, pool.map(begin, names)):
                story, _, counts = text.rstrip().rpartition("\n")
                print(story, flush=True)
                counted = re.fullmatch(r"(\d+) passed, (\d+) failed", counts)
                if counted:
                    CHECKS.passes += int(counted[1])
                    CHECKS.failures += int(counted[2])
                else:
                    CHECKS.that(f"{name} came to its end", False, counts)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
                process.wait()


def main(arguments):
    # So that everything is cleared away when somebody ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments[:1] == ["--part"]:
        return tell(arguments[1])
    unknown = [name for name in arguments if name not in PARTS]
    if unknown:
        print(f"error: no part {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    before = outside()
    tell_all(arguments or PARTS)
    left = outside() - before
    CHECKS.that("outside, nothing is left of it", not left, sorted(left))
    print(f"{CHECKS.passes} passed, {CHECKS.failures} failed", flush=True)
    return 1 if CHECKS.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
