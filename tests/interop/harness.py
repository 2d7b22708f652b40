"""What the parts share: checks, the simulators, the program, and a proxy that writes down what passes."""

import http.client
import json
import os
import selectors
import socket
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duo_client

# So long a process may take to begin or to answer; a machine that is busy with other things must not fail a test.
PATIENCE_SECONDS = 60
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Checks:
    """Counts, and prints one line per check."""

    def __init__(self):
        self.passes = 0
        self.failures = 0

    def passed(self, name):
        self.passes += 1
        print(f"  ok    {name}", flush=True)

    def failed(self, name, detail):
        self.failures += 1
        print(f"  FAIL  {name}", flush=True)
        for line in str(detail).splitlines():
            print(f"        {line}", flush=True)

    def that(self, name, condition, detail=""):
        if condition:
            self.passed(name)
        else:
            self.failed(name, detail)
        return bool(condition)

    def equal(self, name, found, expected):
        """Values that can be written as JSON; a difference is shown key by key."""
        return self.that(name, found == expected, "\n".join(difference(found, expected)))


CHECKS = Checks()


def difference(found, expected, where=""):
    """Where two values differ, in words."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}, key=str):
            absent = "(absent)"
            yield from difference(found.get(key, absent), expected.get(key, absent), f"{where}/{key}")
    elif found != expected:
        yield f"{where or 'value'}: found {found!r}, expected {expected!r}"


class Simulator:
    """Both simulated services, as the program of examples/simulator."""

    def __init__(self, *arguments):
        command = [os.environ["INTEROP_SIMULATOR"], "--json", *map(str, arguments)]
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

    def duo(self, secret_key=None, **options):
        """Duo's official client, aimed at the simulated tenant."""
        address = urllib.parse.urlsplit(self.facts["duo"])
        return duo_client.Admin(
            ikey=self.facts["integration_key"],
            skey=secret_key or self.facts["secret_key"],
            host=address.hostname,
            port=address.port,
            ca_certs="HTTP",
            **options,
        )


class Program:
    """The program under test, with a configuration of its own."""

    def __init__(self, simulator, folder, scim_base_url, api_key, sections=""):
        self.folder = Path(folder)
        self.facts = simulator.facts
        self.scim_base_url = scim_base_url
        for name, secret in [("duo-secret-key", self.facts["secret_key"]), ("atlassian-api-key", api_key)]:
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(secret)
        self.configure(sections=sections)

    def configure(self, atlassian="", sections=""):
        (self.folder / "config.toml").write_text(f"""
[duo]
api_host = "{self.facts["duo"]}"
integration_key = "{self.facts["integration_key"]}"
requests_per_minute = 60000

[atlassian]
scim_base_url = "{self.scim_base_url}"
verified_domains = ["example.com"]
requests_per_second = 1000.0
{atlassian}

[scope]
groups = [{{ name = "*" }}]

{sections}
""")

    def run(self, *arguments):
        """Runs one command to its end."""
        command = [os.environ["INTEROP_PROGRAM"], "--config", str(self.folder / "config.toml"), *arguments]
        surroundings = {"CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "SUDO_USER"}
        environment = {name: value for name, value in os.environ.items() if name not in surroundings}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )

    def ends(self, name, code, *arguments):
        """Checks how a command ends."""
        ran = self.run(*arguments)
        CHECKS.that(name, ran.returncode == code, f"ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return ran

    def fingerprint(self):
        """Of the plan that would be sent now."""
        return json.loads(self.run("plan", "--format", "json").stdout)["fingerprint"]


class Proxy:
    """Stands before a server and writes down each request and the status of its answer. It speaks HTTP/1.0.

    `loses` is a method and the end of a path: the next such request is done, and its answer does not arrive.
    """

    def __init__(self, port):
        self.seen = []
        self.loses = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                upstream.request(self.command, self.path, body or None, headers)
                answer = upstream.getresponse()
                payload = answer.read()
                upstream.close()
                path, _, query = self.path.partition("?")
                seen = {"method": self.command, "path": path, "query": query, "status": answer.status}
                proxy.seen.append({**seen, "body": json.loads(body) if body else None})
                if proxy.loses and proxy.loses[0] == self.command and path.endswith(proxy.loses[1]):
                    proxy.loses = None
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        """The requests since the last time."""
        taken, self.seen = self.seen, []
        return taken


def writes(seen):
    return [request for request in seen if request["method"] in WRITES]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def folder():
    return tempfile.TemporaryDirectory(prefix="interop-")


def get(url, token):
    """A JSON document."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def listing(url, token):
    """Every resource of a SCIM listing, page by page, by a reader that shares nothing with the program."""
    rows = []
    while True:
        page = get(f"{url}?startIndex={len(rows) + 1}&count=50", token)
        rows += page.get("Resources", [])
        if len(rows) >= page["totalResults"] or not page.get("Resources"):
            return rows


def world(duo):
    """What Duo has, read by its own client: people by id, and the ids of members by the id of the group."""
    people = {person["user_id"]: person for person in duo.get_users()}
    groups = {
        group["group_id"]: {
            "name": group["name"],
            "members": {member["user_id"] for member in duo.get_group_users(group["group_id"])},
        }
        for group in duo.get_groups()
    }
    return people, groups
