#!/usr/bin/env bash
# The program and the simulators against software that this project did not write. README.md says what each part shows.
#
#   tests/interop/run.sh            all parts
#   tests/interop/run.sh openapi    one part (duo_client, scim_server, scim_tester, openapi)
#
# Needs a Rust toolchain and Python 3.11 or later with venv. The Python packages go into the target folder, once for each
# state of requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "error: tests/interop needs Python 3.11 or later with venv; name it with PYTHON=..." >&2
  exit 2
fi

# The target folder in force: CARGO_TARGET_DIR, or what Cargo's settings say.
target=$(cargo metadata --no-deps --offline --format-version 1 |
  "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

state=$({ "$python" --version && cat "$here/requirements.txt"; } | sha256sum | cut -c1-16)
environment=$target/interop/$state
if [ ! -f "$environment/complete" ]; then
  echo "installing requirements.txt into $environment" >&2
  rm -rf -- "$target/interop"
  "$python" -m venv "$environment"
  # Every package is pinned, so nothing may come in beside them.
  "$environment/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps -r "$here/requirements.txt"
  "$environment/bin/python" -m pip --disable-pip-version-check check >&2
  touch "$environment/complete"
fi

cargo build --quiet --locked --bin duo-atlassian-sync --example simulator

export PYTHONDONTWRITEBYTECODE=1
export INTEROP_PROGRAM=$target/debug/duo-atlassian-sync
export INTEROP_SIMULATOR=$target/debug/examples/simulator
exec "$environment/bin/python" "$here/run.py" "$@"
