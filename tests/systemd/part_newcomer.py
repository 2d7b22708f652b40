"""From `init` to a running service, by an administrator with a strict umask."""

from checks import CHECKS
from service import stage


def run():
    with stage() as (service, services):
        machine, facts = service.machine, services.facts
        flags = [
            f"--duo-api-host={facts['duo']}",
            f"--duo-integration-key={facts['integration_key']}",
            f"--scim-base-url={facts['scim_base_url']}",
            "--verified-domain=example.com",
            "--group=eng",
        ]
        words = ["sh", "-c", 'umask 077; exec "$0" "$@"', "duo-atlassian-sync", "init", *flags]
        ran = machine.run(*words, check=False)
        CHECKS.that("`init` writes the configuration", ran.returncode == 0, ran.stdout + ran.stderr)
        ran = machine.run("duo-atlassian-sync", "init", "--dir", f"{service.folder}/emea", *flags, check=False)
        text = machine.path(f"{service.folder}/emea/config.toml").read_text()
        CHECKS.that(
            "`init` for an instance names its service, and the database that the service will use",
            ran.returncode == 0
            and "systemctl enable --now duo-atlassian-sync@emea" in ran.stdout
            and 'database = "/var/lib/duo-atlassian-sync-emea/state.db"' in text,
            ran.stdout + ran.stderr + text,
        )
        for name, secret in (("duo-secret-key", facts["secret_key"]), ("atlassian-api-key", facts["api_key"])):
            machine.run("sh", "-c", 'umask 077; cat >"$0"', f"{service.folder}/{name}", text=f"{secret}\n")
        service.ends("`check` finds nothing wrong", 0, "check")
        ran = machine.systemctl("enable", "--now", service.unit, check=False)
        CHECKS.that("the service starts", ran.returncode == 0, ran.stderr)
        text = service.until_status("observed", "next at ")
        CHECKS.that("it observes, and is well", text.startswith("good"), text)
        CHECKS.equal("nothing is sent", services.writes(), [])
        service.ends("`status` says so", 0, "status")
