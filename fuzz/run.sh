#!/usr/bin/env bash
# Builds the fuzz targets with stable Rust, and runs them.
#
#   fuzz/run.sh                      every target for a minute, from its seeds
#   fuzz/run.sh TARGET FILE          one input of one target
#   fuzz/run.sh TARGET [ARGUMENT]…   one target, with arguments of libFuzzer such as -runs=10000000; what it learns is
#                                    kept in the target folder, and is where the next run begins
#
# Ends with 1 at a finding, after it has shown the input and how to run it again. Needs a C++ compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_FUZZ_VERSION=0.13.2

target=$(cargo metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
tools=$target/tools
work=$target/fuzz
# Stable Rust has no sanitizer; without `unsafe` there is little for it to find. Overflow is checked, as fuzz/Cargo.toml
# says. The assertions inside the standard library, of which -O is without, would cost two thirds of the speed.
build=(-O --sanitizer none --no-cfg-fuzzing --codegen-units 4 --target-dir "$work")
# The largest input, and what no input of that size may take: 30 s, 2 GiB.
limits=(-max_len=4096 -timeout=30 -rss_limit_mb=2048)

# Installed once into the target folder; what is there in this version is used again.
if [ "$("$tools/bin/cargo-fuzz" --version 2>/dev/null)" != "cargo-fuzz $CARGO_FUZZ_VERSION" ]; then
  env -u CARGO_TARGET_DIR -u RUSTFLAGS cargo install --locked --force "cargo-fuzz@$CARGO_FUZZ_VERSION" --root "$tools"
fi
export PATH=$tools/bin:$PATH

# cargo-fuzz cannot be told --locked.
cargo metadata --manifest-path fuzz/Cargo.toml --locked --format-version 1 >/dev/null
cargo fuzz build "${build[@]}"

# run TARGET CORPUS ARGUMENT...: shows the last lines, and a finding with its input.
run() {
  local name=$1 corpus=$2 log=$work/$1.log finding=$work/$1.finding
  shift 2
  mkdir -p "$corpus"
  rm -f "$finding"
  if cargo fuzz run "${build[@]}" "$name" "$corpus" "fuzz/seeds/$name" -- "${limits[@]}" -dict="fuzz/words/$name.dict" \
    -exact_artifact_path="$finding" "$@" >"$log" 2>&1; then
    printf '%-14s %s\n' "$name" "$(grep '^Done' "$log" || tail -n 1 "$log")"
    return
  fi
  tail -n 60 "$log"
  if [ -f "$finding" ]; then
    printf '\nThe input (%s bytes), and how to run it again:\n\n' "$(wc -c <"$finding")"
    printf '  base64 -d > input <<END\n%s\nEND\n' "$(base64 "$finding")"
    printf '  fuzz/run.sh %s input\n' "$name"
  fi
  return 1
}

if [ -f "${2-}" ]; then
  exec cargo fuzz run "${build[@]}" "$1" "$2"
elif [ $# -gt 0 ]; then
  name=$1
  shift
  run "$name" "$work/corpus/$name" "$@"
else
  fresh=$(mktemp -d)
  trap 'rm -rf -- "$fresh"' EXIT
  for name in $(cargo fuzz list); do
    run "$name" "$fresh/$name" -seed=1 -max_total_time=60
  done
fi
