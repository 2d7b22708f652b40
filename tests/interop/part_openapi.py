"""What the program sends is what Atlassian's OpenAPI description allows, but for exceptions.toml."""

import copy
import json
import re
import tomllib
import urllib.parse
from pathlib import Path

from harness import CHECKS, Program, Simulator, folder, world
from openapi_schema_validator import OAS30WriteValidator

HERE = Path(__file__).parent
PATCH_OPERATIONS = ("add", "remove", "replace")
FILTERS = {"Users": r'(userName|externalId) eq "[^"]*"', "Groups": r'displayName eq "[^"]*"'}

# Every attribute that the program can send.
MAPPING = """
[mapping]
userName = "username"
emails = "email"
displayName = "realname"
"name.formatted" = "realname"
"name.givenName" = "firstname"
"name.familyName" = "lastname"
"name.middleName" = "notes"
nickName = "notes"
title = "notes"
timezone = "notes"
preferredLanguage = "notes"
department = "notes"
organization = "notes"
phoneNumbers = "notes"
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department" = "notes"
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization" = "notes"
"""

KINDS = (
    "GET ServiceProviderConfig",
    "GET Users",
    "GET Users filter",
    "GET Groups",
    "GET Groups filter",
    "POST Users",
    "POST Groups",
    "PATCH Users replace",
    "PATCH Users deactivate",
    "PATCH Users reactivate",
    "PATCH Groups add",
    "PATCH Groups remove, filter",
    "PATCH Groups remove, values",
)


class Description:
    """Atlassian's description, with every object closed."""

    def __init__(self):
        document = json.loads((HERE / "atlassian-openapi.json").read_text(encoding="utf-8"))
        self.paths = document["paths"]
        self.components = {"components": copy.deepcopy(document["components"])}
        for schema in self.components["components"]["schemas"].values():
            schema["additionalProperties"] = False

    def operation(self, method, path):
        """The operation that this path belongs to, with its name as `PATCH Users`."""
        # Segments with a colon or without braces are themselves; `{...}` is one segment.
        for template, operations in self.paths.items():
            pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                return operations[method.lower()]
        return None

    def errors(self, schema, value):
        """What the schema says against a body that is written, as `rule place`."""
        validator = OAS30WriteValidator({**schema, **self.components})
        for error in validator.iter_errors(value):
            yield from ((rule, place) for rule, place in leaves(error))

    def subschema(self, resource, path):
        """The schema of the attribute that a PATCH path names, or none."""
        extension, colon, name = path.rpartition(":")
        schema = {"$ref": f"#/components/schemas/{resource}"}
        for step in ([extension] if colon else []) + name.split("."):
            schema = self.resolved(schema).get("properties", {}).get(step)
            if schema is None:
                return None
        return schema

    def resolved(self, schema):
        for part in schema.get("allOf", []):
            schema = part
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.resolved(self.components["components"]["schemas"][name]) if name else schema


def leaves(error):
    """The rules that are broken, each with its place; what `allOf` holds is taken apart."""
    if error.context:
        for inner in error.context:
            yield from leaves(inner)
    else:
        place = ".".join("[]" if isinstance(step, int) else str(step) for step in error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for name in sorted(set(error.instance) - set(known)):
                yield "unknown", f"{place}.{name}".lstrip(".")
        else:
            yield error.validator, place


class Exceptions:
    """exceptions.toml, and which of it was needed."""

    def __init__(self):
        text = (HERE / "exceptions.toml").read_text(encoding="utf-8")
        self.listed = {
            (request, exception["rule"], place): exception["reason"]
            for exception in tomllib.loads(text)["exception"]
            for request in exception["requests"]
            for place in exception["places"]
        }
        self.needed = set()
        self.unlisted = {}

    def take(self, key, request):
        if key in self.listed:
            self.needed.add(key)
        else:
            self.unlisted.setdefault(key, request)


def run():
    with folder() as place:
        requests = recorded(Path(place))
    description, exceptions = Description(), Exceptions()
    seen = set()
    for request in requests:
        seen |= validate(description, exceptions, request)
    for kind in KINDS:
        CHECKS.that(f"{kind}: sent and looked at", kind in seen, sorted(seen))
    for key, reason in exceptions.listed.items():
        CHECKS.that(
            f"exception: {' '.join(key)}", key in exceptions.needed, f"no longer needed; take it off: {reason}"
        )
    CHECKS.that(
        f"nothing else in {len(requests)} requests is outside of the description",
        not exceptions.unlisted,
        "\n".join(f"{' '.join(key)}: {json.dumps(request)}" for key, request in exceptions.unlisted.items()),
    )


def validate(description, exceptions, request):
    """Looks at one request; answers with the kinds it is of."""
    method, path, body = request["method"], request["path"], request["body"]
    resource = path.split("/")[4]
    name = f"{method} {resource}"
    operation = description.operation(method, path)
    if operation is None:
        exceptions.take((name, "path", path), request)
        return {name}
    kinds = {name}
    known = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    for parameter, value in urllib.parse.parse_qsl(request["query"], keep_blank_values=True):
        if parameter not in known:
            exceptions.take((name, "query", parameter), request)
        if parameter == "filter":
            kinds.add(f"{name} filter")
            if not re.fullmatch(FILTERS.get(resource, ""), value):
                exceptions.take((name, "filter", value), request)
    if body is None:
        return kinds
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if method == "PATCH":
        return validate_patch(description, exceptions, request, schema)
    for rule, place in description.errors(schema, body):
        exceptions.take((name, rule, place), request)
    return kinds


def validate_patch(description, exceptions, request, schema):
    resource = request["path"].split("/")[4]
    name = f"PATCH {resource}"
    body = dict(request["body"])
    if "Operations" in body:
        # To look at what is in it, it is given the name that the schema has for it.
        exceptions.take((name, "unknown", "Operations"), request)
        body["operations"] = body.pop("Operations")
    for rule, place in description.errors(schema, body):
        exceptions.take((name, rule, place), request)
    kinds = set()
    for operation in body.get("operations", []):
        op, path, value = operation.get("op"), operation.get("path", ""), operation.get("value")
        if op not in PATCH_OPERATIONS:
            exceptions.take((name, "op", str(op)), request)
        attribute, bracket, _ = path.partition("[")
        target = description.subschema({"Users": "ScimUser", "Groups": "ScimGroup"}[resource], attribute)
        if target is None:
            exceptions.take((name, "attribute", path), request)
        elif "value" in operation:
            # The same rules as for a whole resource: a read-only attribute is one here too.
            if target.get("readOnly"):
                exceptions.take((name, "readOnly", attribute), request)
            for rule, place in description.errors({**target, "readOnly": False}, value):
                exceptions.take((name, rule, f"{attribute}.{place}".rstrip(".")), request)
        if path == "active":
            kinds.add(f"{name} {'reactivate' if value else 'deactivate'}")
        elif op == "remove":
            kinds.add(f"{name} remove, {'filter' if bracket else 'values'}")
        else:
            kinds.add(f"{name} {op}")
    return kinds


def recorded(place):
    """What the program sends to the simulated Atlassian, from an empty directory to the second form of removing."""
    record = place / "requests.jsonl"
    with Simulator("--people", 30, "--groups", 4, "--record", record) as simulator:
        tell = simulator.tell
        people, _ = world(simulator.duo())
        first, second, third = list(people)[:3]
        tell("set", person=first, notes="Europe/Lisbon")
        facts = simulator.facts
        program = Program(simulator, place, facts["scim_base_url"], facts["api_key"], MAPPING)
        program.ends("scenario: `check` finds both services in order", 0, "check")
        program.ends("scenario: the first plan is held", 5, "sync")
        program.ends("scenario: the first plan is approved", 0, "approve", program.fingerprint())
        program.ends("scenario: the first run", 0, "sync")
        tell("set", person=second, notes="Asia/Tokyo", realname="Somebody Else", firstname="Somebody", lastname="Else")
        tell("set", person=second, email="else@example.com", username="somebody.else")
        tell("set", person=third, status="disabled")
        program.ends("scenario: changes of attributes, a deactivation, members removed by a filter", 0, "sync")
        tell("set", person=third, status="active")
        program.ends("scenario: a reactivation, members added", 0, "sync")
        program.configure(atlassian='member_removal = "values"', sections=MAPPING)
        tell("leave", person=first, group=people[first]["groups"][0]["group_id"])
        program.ends("scenario: members removed by a list of values", 0, "sync")
        tell("add_person", username="late", email="late@example.com", groups=[people[first]["groups"][0]["name"]])
        tell("lose_answer", method="POST", path="/Users")
        program.ends("scenario: a user whose answer was lost is looked for", 0, "sync")
        tell("add_group", name="late group")
        tell("join", person="late", group="late group")
        program.ends("scenario: a new group is held", 5, "sync")
        program.ends("scenario: it is approved", 0, "approve", program.fingerprint())
        tell("lose_answer", method="POST", path="/Groups")
        program.ends("scenario: a group whose answer was lost is looked for", 0, "sync")
        for path in program.folder.glob("state.db*"):
            path.unlink()
        program.ends("scenario: without its database it reads the directory", 0, "plan")
        CHECKS.equal("scenario: the directory saw nothing that is never done", tell("violations"), [])
    lines = record.read_text(encoding="utf-8").splitlines()
    requests = [request for request in map(json.loads, lines) if request["service"] == "atlassian"]
    # The harness asks Atlassian for nothing here, so all of it is the program's.
    return requests
