"""Health and metrics of the running service, and the alert rules, by the word of Prometheus' own checker."""

import os
import re
import socket
import subprocess

from checks import CHECKS
from machine import UNITS
from service import NEVER, PEOPLE, stage

SOCKET = "/run/duo-atlassian-sync/http.sock"
RULES = UNITS / "prometheus-rules.yml"


def run():
    promtool = os.environ.get("STORY_PROMTOOL")
    with stage() as (service, services):
        service.settle()
        service.configure(cron=NEVER)
        config = service.machine.path(f"{service.folder}/config.toml")
        config.write_text(f'{config.read_text()}\n[http]\nlisten = "unix:{SOCKET}"\n')
        service.restart()
        service.until_status("good")
        for path in ("/livez", "/readyz"):
            CHECKS.equal(f"{path} is well", ask(service, path)[0], 200)
        status, metrics = ask(service, "/metrics")
        CHECKS.equal("metrics are served", status, 200)
        named = [name for name in PEOPLE if re.search(rf"\b{name}\b", metrics)]
        CHECKS.that("and name nobody", not named and "@" not in metrics, f"{named}\n{metrics}")
        if not promtool:
            print("  skipped: promtool is not here", flush=True)
            return
        accepts("promtool takes the metrics", [promtool, "check", "metrics"], metrics)
        accepts("promtool takes the rules", [promtool, "check", "rules", str(RULES)], "")
        refused = subprocess.run([promtool, "check", "metrics"], input="a b c\n", capture_output=True, text=True, check=False)
        CHECKS.that("and would refuse others", refused.returncode != 0, refused.stdout)


def ask(service, path):
    """Status and body, over the socket in the service's own folder."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.machine.path(SOCKET)))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


def accepts(name, command, text):
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    CHECKS.that(name, ran.returncode == 0, ran.stdout + ran.stderr)
