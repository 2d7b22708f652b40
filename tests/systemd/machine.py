"""A small machine of namespaces, with this host's own systemd as its process 1 and nothing of the host's to start."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
UNITS = HERE.parent.parent / "systemd"
# So long something may take that takes a moment; a machine that is busy with other things must not fail the story.
PATIENCE_SECONDS = 30
# Where the machine's systemd looks for units; packages install theirs into the last one.
UNIT_FOLDERS = ["/etc/systemd/system", "/run/story/units", "/usr/lib/systemd/system"]
# What the units order themselves by. They are empty here: there is no network to wait for, and no disk to mount.
TARGETS = {
    "sysinit": "",
    "basic": "sysinit.target",
    "multi-user": "basic.target",
    "timers": "",
    "network-online": "",
    "time-sync": "",
    "shutdown": "",
}

# Where the host's own systemd keeps its units, and those that are wanted here: a journal.
SYSTEM = Path("/lib/systemd/system")
JOURNAL = ["systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"]

# Inner groups first; the kernel may take a moment to see that nothing is in them any more.
REMOVE_GROUP = """
mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup || exit
for _ in $(seq 100); do
  [ -d "$0" ] || exit 0
  find "$0" -depth -type d -exec rmdir {} + 2>/dev/null
  sleep 0.05
done
exit 1
"""


def until(what, probe, patience=PATIENCE_SECONDS):
    """Asks again and again until the answer is true, and gives it."""
    end = time.monotonic() + patience
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience} s")
        time.sleep(0.05)


class Machine:
    """Boots when it is entered, and leaves nothing behind."""

    def __init__(self):
        self.program = os.environ["STORY_PROGRAM"]
        self.process = None
        self.pid = None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="duo-atlassian-sync-story-"))
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self):
        units = self.folder / "units"
        # As they are shipped, to the byte.
        shutil.copytree(UNITS, units)
        for name, needed in TARGETS.items():
            needs = f"Requires={needed}\nAfter={needed}\n" if needed else ""
            (units / f"{name}.target").write_text(f"[Unit]\nDescription=Of the story\nDefaultDependencies=no\n{needs}")
        for name in JOURNAL:
            shutil.copy(SYSTEM / name, units)
        wanted = units / "sysinit.target.wants"
        wanted.mkdir()
        for name in JOURNAL:
            (wanted / name).symlink_to(f"../{name}")
        inside = ["bash", str(HERE / "inside.sh"), str(self.folder), self.program]
        spaces = ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--kill-child=SIGKILL"]
        with open(self.folder / "boot.log", "wb") as log:
            # It dies with this process, however that ends.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *spaces, *inside],
                env={"PATH": os.environ["PATH"], "DUO_ATLASSIAN_SYNC_STORY": self.folder.name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.pid = until("a first process", self.first_process)
            until("systemd", self.is_up)
        except (TimeoutError, RuntimeError) as error:
            raise RuntimeError(f"it did not boot: {error}\n{self.why()}") from error

    def first_process(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}")
        if Path(f"/proc/{self.pid}/comm").read_text().strip() != "systemd":
            return False
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"

    def __exit__(self, *_):
        if self.process:
            if self.pid:
                # Without its first process, nothing in the namespaces lives on.
                os.kill(self.pid, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait()
        # Control groups are the one thing that does not go with the namespaces.
        subprocess.run(["unshare", "--mount", "bash", "-c", REMOVE_GROUP, self.folder.name], check=True)
        shutil.rmtree(self.folder)

    def why(self):
        """What is known of a boot that did not succeed."""
        said = (self.folder / "boot.log").read_text(errors="replace")
        if self.process.poll() is None:
            said += self.run("systemctl", "--no-pager", "--failed", check=False).stdout
            said += self.run("journalctl", "--no-pager", "--lines=60", check=False).stdout
        return said

    def path(self, inside):
        """A file inside, as seen from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def command(self, *words, variables=None):
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--uts", "--ipc", "--cgroup"]
        environment = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": ":".join(UNIT_FOLDERS)}
        pairs = [f"{name}={value}" for name, value in {**environment, **(variables or {})}.items()]
        return [*enter, "env", "-i", *pairs, *map(str, words)]

    def run(self, *words, check=True, variables=None, text=None):
        """Runs a command inside, as root, to its end."""
        ran = subprocess.run(
            self.command(*words, variables=variables),
            capture_output=True,
            text=True,
            input=text,
            timeout=2 * PATIENCE_SECONDS,
            check=False,
        )
        if check and ran.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")
        return ran

    def open(self, *words):
        """Starts a command inside, to talk to."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def systemctl(self, *words, check=True):
        return self.run("systemctl", *words, check=check)

    def show(self, unit, *names):
        """Properties of a unit, as text."""
        lines = self.systemctl("show", unit, f"--property={','.join(names)}").stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode)
        path.chmod(mode)
        path.write_text(text)

    def drop_in(self, unit, text, name="story"):
        """What `systemctl edit` does; without a text, what `systemctl revert` does to it."""
        inside = f"/etc/systemd/system/{unit}.d/{name}.conf"
        if text:
            self.write(inside, text)
        else:
            self.path(inside).unlink()
        self.systemctl("daemon-reload")
