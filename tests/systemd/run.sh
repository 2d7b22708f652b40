#!/usr/bin/env bash
# The units under a real systemd, booted for it in namespaces of its own. README.md says what is told.
#
#   tests/systemd/run.sh             the whole story
#   tests/systemd/run.sh starved     one part of it
#   tests/systemd/run.sh --why-not   says why it cannot be told here, and ends with 1; with 0 when it can
#
# Needs root, systemd 252 or later, util-linux, Python 3.11 or later and a Rust toolchain.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

why_not() {
  local tool version
  [ "$(id -u)" -eq 0 ] || { echo "it takes root"; return; }
  for tool in /lib/systemd/systemd systemctl systemd-creds journalctl unshare nsenter setpriv python3; do
    command -v "$tool" >/dev/null || { echo "$tool is not here"; return; }
  done
  version=$(systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')
  [ "$version" -ge 252 ] || { echo "systemd $version is too old: 252 is needed"; return; }
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python is too old: 3.11 is needed"; return; }
  # What a container without privileges refuses.
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --uts --ipc --cgroup bash -c '
    mount -t proc proc /proc && mount -t tmpfs memory /mnt && mkdir /mnt/upper /mnt/work &&
      mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc &&
      mount -t cgroup2 none /sys/fs/cgroup && mknod /mnt/null c 1 3 &&
      rmdir "$(mktemp -d /sys/fs/cgroup/duo-atlassian-sync-story-XXXXXX)"
  ' >/dev/null 2>&1 || echo "this machine lets nobody mount and unshare"
}

if [ "${1-}" = --why-not ]; then
  reason=$(why_not)
  echo "$reason"
  [ -z "$reason" ]
  exit
fi

cargo build --quiet --locked --bin duo-atlassian-sync --example simulator
# The target folder in force: CARGO_TARGET_DIR, or what Cargo's settings say.
target=$(cargo metadata --no-deps --offline --format-version 1 |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

# Debian's package, where one can be built: the part that needs it says that it is skipped where not.
if command -v dpkg-shlibdeps >/dev/null && command -v deb-systemd-helper >/dev/null; then
  systemd/package.sh --dev >/dev/null
  STORY_PACKAGE=$(echo "$target"/package/debug/*.deb)
  export STORY_PACKAGE
fi

# Of Debian's package `prometheus`, as .ci/run gets it, or one that is installed.
promtool=$(command -v promtool || echo "$target/tools/promtool")
if [ -x "$promtool" ]; then
  export STORY_PROMTOOL=$promtool
fi

export PYTHONDONTWRITEBYTECODE=1
export STORY_PROGRAM=$target/debug/duo-atlassian-sync
export STORY_SIMULATOR=$target/debug/examples/simulator
exec python3 "$here/run.py" "$@"
