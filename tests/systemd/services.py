"""Both simulated services, and what they are asked by a reader that shares nothing with the program."""

import json
import os
import selectors
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from machine import PATIENCE_SECONDS


class Services:
    """The simulators as a program. The company begins empty."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="duo-atlassian-sync-services-")
        self.record = Path(self.folder.name) / "record"
        command = [os.environ["STORY_SIMULATOR"], "--json", "--people=0", "--groups=0", f"--record={self.record}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.line())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.folder.cleanup()

    def line(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(PATIENCE_SECONDS):
                raise TimeoutError("the simulators do not answer")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulators ended with {self.process.wait()}")
        return line

    def tell(self, order, **values):
        """Gives an order; answers with what it says."""
        self.process.stdin.write(json.dumps({order: values}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.line())
        if "error" in answer:
            raise RuntimeError(f"{order} {values}: {answer['error']}")
        return answer["ok"]

    def hire(self, name, *groups):
        self.tell("add_person", username=name, email=f"{name}@example.com", realname=name.title(), groups=list(groups))

    def listing(self, kind):
        """Every resource of a SCIM listing, page by page."""
        rows = []
        while True:
            url = f"{self.facts['scim_base_url']}/{kind}?startIndex={len(rows) + 1}&count=50"
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.facts['api_key']}"})
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                page = json.load(answer)
            rows += page.get("Resources", [])
            if len(rows) >= page["totalResults"] or not page.get("Resources"):
                return rows

    def picture(self):
        """The directory: who is active, and who is in which group."""
        # Groups first: whoever is in one of them was created before, and is among the users that are read after.
        found = self.listing("Groups")
        users = {user["id"]: user for user in self.listing("Users")}
        groups = {
            group["displayName"]: sorted(users[member["value"]]["userName"] for member in group.get("members", []))
            for group in found
        }
        return {"active": sorted(user["userName"] for user in users.values() if user["active"]), **groups}

    def writes(self):
        """Everything that was sent to the directory so far and was meant to change it."""
        requests = map(json.loads, self.record.read_text().splitlines())
        return [request for request in requests if request["service"] == "atlassian" and request["method"] != "GET"]

    def creates(self, name):
        """How often somebody was created."""
        bodies = [request["body"] for request in self.writes() if request["method"] == "POST"]
        return sum(body.get("userName") == name for body in bodies)
