#!/usr/bin/env bash
# Builds the Debian package, and the sums by which whoever gets it can tell that it is the one that was built.
#
#   systemd/package.sh          a release: target/package/release/duo-atlassian-sync_VERSION_ARCHITECTURE.deb, SHA256SUMS
#   systemd/package.sh --dev    the same from a quick build, in target/package/debug, for tests of the package itself
#
# Needs a Rust toolchain, a C compiler, make, git, and dpkg-shlibdeps (Debian's dpkg-dev). The same commit gives the same bytes
# with the same toolchain on the same system.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_DEB_VERSION=3.8.0

profile=release folder=release
case "${1-}" in
  "") ;;
  --dev) profile=dev folder=debug ;;
  *)
    echo "usage: systemd/package.sh [--dev]" >&2
    exit 2
    ;;
esac
for tool in dpkg-shlibdeps dpkg-deb strip; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing: apt-get install dpkg-dev binutils" >&2; exit 1; }
done

# The target folder in force: CARGO_TARGET_DIR, or what Cargo's settings say.
target=$(cargo metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
tools=$target/tools
out=$target/package/$folder

# Installed once into the target folder; what is there in this version is used again.
if [ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" != "cargo-deb $CARGO_DEB_VERSION" ]; then
  env -u CARGO_TARGET_DIR -u RUSTFLAGS cargo install --locked --force "cargo-deb@$CARGO_DEB_VERSION" --root "$tools"
fi

cargo build --locked --profile "$profile" --bin duo-atlassian-sync
program=$target/$folder/duo-atlassian-sync

# What the program writes of itself. [package.metadata.deb] takes it from here.
made=systemd/package/made
rm -rf -- "$made" "$out"
mkdir -p "$made/bin" "$made/man" "$out"
# A quick build still has its symbols.
strip -o "$made/bin/duo-atlassian-sync" "$program"
"$program" man --dir "$made/man"
"$program" completions bash >"$made/duo-atlassian-sync"
"$program" completions zsh >"$made/_duo-atlassian-sync"
"$program" completions fish >"$made/duo-atlassian-sync.fish"

# Without what is about the source, which is not in the package, and links into it.
sed -E '/^## Working on it/,/^Licensed/{/^Licensed/!d}; s#\[([^]]*)\]\(tests/[^)]*\)#\1#' README.md >"$made/README.md"

gzip --best --no-name --stdout systemd/package/changelog >"$made/changelog.gz"

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
"$tools/bin/cargo-deb" --no-build --locked --output "$out/" >/dev/null
(cd "$out" && sha256sum -- *.deb >SHA256SUMS && cat SHA256SUMS)
echo "built in $out"
