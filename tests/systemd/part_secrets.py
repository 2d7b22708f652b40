"""Secrets: what is on disk counts when the service starts, and may be encrypted there."""

from checks import CHECKS
from service import FIRST, stage

ENCRYPTED = """[Service]
LoadCredential=
LoadCredentialEncrypted=duo-secret-key:/etc/duo-atlassian-sync/duo-secret-key.cred
LoadCredentialEncrypted=atlassian-api-key:/etc/duo-atlassian-sync/atlassian-api-key.cred
"""


def run():
    with stage() as (service, services):
        service.settle()
        changed(service, services)
        encrypted(service, services)


def changed(service, services):
    machine = service.machine
    service.write_secret("duo-secret-key", "wrong" * 8)
    machine.systemctl("reload", service.unit)
    given = machine.path(f"/run/credentials/{service.unit}/duo-secret-key").read_text()
    CHECKS.equal("a secret that was changed is not replaced by a reload", given, services.facts["secret_key"])
    CHECKS.equal("so that cycles go on", service.next_cycle()["exit_code"], 0)
    service.restart()
    text = service.until_status("failing")
    CHECKS.that("it is after a restart: with a wrong one, cycles fail and say so", "Duo" in text, text)
    CHECKS.that("but the service runs, and tries again", service.show("ActiveState") == "active")
    service.write_secret("duo-secret-key", services.facts["secret_key"])
    service.restart()
    service.until_status("good")
    CHECKS.equal("with the right one it is well again", services.picture(), FIRST)


def encrypted(service, services):
    machine = service.machine
    for name in ("duo-secret-key", "atlassian-api-key"):
        plain = machine.path(f"{service.folder}/{name}")
        words = ["systemd-creds", "encrypt", "--with-key=host", f"--name={name}"]
        machine.run(*words, f"{service.folder}/{name}", f"{service.folder}/{name}.cred")
        plain.unlink()
    machine.drop_in(service.unit, ENCRYPTED, name="encrypted")
    service.restart()
    service.until_status("good")
    secrets = [services.facts["secret_key"], services.facts["api_key"]]
    on_disk = [path.read_text() for path in machine.path(service.folder).iterdir()]
    found = [secret for secret in secrets for text in on_disk if secret in text]
    CHECKS.equal("with encrypted credentials it works, and no secret is on disk", found, [])
    services.tell("set", person="bo", realname="Bo Cho")
    names = lambda: [user["displayName"] for user in services.listing("Users")]
    service.until("a change to be sent", lambda: "Bo Cho" in names())
    service.ends("by hand, `plan` does not find them", 2, "plan")
    borrowed = {"CREDENTIALS_DIRECTORY": f"/run/credentials/{service.unit}"}
    for words in (["plan"], ["sync", "--person", "ana"]):
        service.ends(f"`{' '.join(words)}` borrows them from the running service", 0, *words, variables=borrowed)
    for words in (["pause"], ["resume"], ["status"], ["history"], ["show", "person", "bo"]):
        service.ends(f"`{' '.join(words)}`, which contacts nobody, needs none", 0, *words)
