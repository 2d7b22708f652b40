#!/usr/bin/env bash
# Everything that CI does, in one command. Needs Rust with rustfmt and clippy, compilers for C and C++, make, and Python 3 with
# venv.
#
#   tests/check.sh          all of it
#   tests/check.sh --fast   without cargo-deny, the package, tests/interop, tests/systemd and fuzz
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_DENY_VERSION=0.20.2

fast=no
case "${1-}" in
  "") ;;
  --fast) fast=yes ;;
  *)
    echo "usage: tests/check.sh [--fast]" >&2
    exit 2
    ;;
esac

# The target folder in force: CARGO_TARGET_DIR, or what Cargo's settings say.
target=$(cargo metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
tools=$target/tools
summary=()

# step NAME COMMAND...: announces, runs and times; the first failure ends everything.
step() {
  local name=$1 started=$SECONDS
  shift
  printf '\n==> %s\n' "$name"
  if ! "$@"; then
    printf '\nfailed: %s\n' "$name" >&2
    exit 1
  fi
  summary+=("$(printf '%5ds  %s' $((SECONDS - started)) "$name")")
}

skip() {
  printf '\n==> %s: skipped, %s\n' "$1" "$2"
  summary+=("$(printf '     -  %s: skipped, %s' "$1" "$2")")
}

# Installed once into the target folder; what is there in this version is used again.
install_cargo_deny() {
  if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $CARGO_DENY_VERSION" ]; then
    env -u CARGO_TARGET_DIR -u RUSTFLAGS cargo install --locked --force "cargo-deny@$CARGO_DENY_VERSION" --root "$tools"
  fi
}

run_cargo_deny() {
  install_cargo_deny && "$tools/bin/cargo-deny" --all-features check --hide-inclusion-graph licenses bans sources
}

# A unit names the installed program, which need not be on this machine: another one stands in for it.
verify_units() {
  local copies result=0
  copies=$(mktemp -d)
  cp -- "$@" "$copies"
  sed -i -E 's#^(Exec[A-Za-z]*=[-@:+!|]*)/[^ ]*/duo-atlassian-sync#\1/bin/true#' "$copies"/*
  systemd-analyze verify --man=no --recursive-errors=yes "$copies"/* || result=$?
  rm -rf -- "$copies"
  return "$result"
}

score_units() {
  local unit
  for unit in "$@"; do
    systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" | tail -n 1 || return 1
  done
}

# By the words of Debian's own checker, of which root is one.
check_package() {
  systemd/package.sh --dev && lintian --allow-root --fail-on error,warning "$target"/package/debug/*.deb
}

documents() {
  RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked
}

step "format" cargo fmt --check
step "format of fuzz" cargo fmt --check --manifest-path fuzz/Cargo.toml
step "lints" cargo clippy --all-targets --locked -- -D warnings
step "documents" documents

if [ "$fast" = yes ]; then
  skip "dependencies" "--fast"
else
  step "dependencies" run_cargo_deny
fi

shopt -s nullglob
services=(systemd/*.service)
units=("${services[@]}" systemd/*.timer systemd/*.socket)
if [ ${#units[@]} -eq 0 ]; then
  skip "units" "there are none yet"
elif ! command -v systemd-analyze >/dev/null; then
  skip "units" "systemd-analyze is not here"
else
  step "units are valid" verify_units "${units[@]}"
  [ ${#services[@]} -eq 0 ] || step "services are confined" score_units "${services[@]}"
fi

if [ "$fast" = yes ]; then
  skip "package" "--fast"
elif ! command -v dpkg-shlibdeps >/dev/null || ! command -v lintian >/dev/null; then
  skip "package" "dpkg-dev or lintian is not here"
else
  step "package" check_package
fi

if [ "$fast" = yes ]; then
  skip "third parties" "--fast"
else
  step "third parties" bash tests/interop/run.sh
fi

if [ "$fast" = yes ]; then
  skip "a real systemd" "--fast"
elif ! reason=$(tests/systemd/run.sh --why-not); then
  skip "a real systemd" "$reason"
else
  step "a real systemd" tests/systemd/run.sh
fi

if [ "$fast" = yes ]; then
  skip "fuzz" "--fast"
else
  step "fuzz" bash fuzz/run.sh
fi

# Last, so that the numbers of the tests are the last thing to be seen. The three together are `cargo test`; whoever reads
# only the last summary should not find that of the examples in comments, of which there may be none.
step "examples" cargo build --examples --locked
step "tests in comments" cargo test --doc --locked
step "tests" cargo test --lib --bins --tests --locked

printf '\n'
printf '%s\n' "${summary[@]}"
echo "check.sh: all passed"
