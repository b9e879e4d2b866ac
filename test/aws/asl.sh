#!/usr/bin/env bash
# Holds state machines to the Amazon States Language, by AWS's rules as the package asl-validator has them.
#
#   test/aws/asl.sh [FILE…]     by default the golden files of internal/deploy/machine, and those of stacks with each setting and of odd lakes
#
# Needs Node.js with npm. The package is put into $TARN_PEERS (by default below the temporary folder).
set -euo pipefail
cd "$(dirname "$0")/../.."
version=4.0.0
home=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}/asl-validator-$version
if [ ! -x "$home/node_modules/.bin/asl-validator" ]; then
	mkdir -p "$home"
	npm install --prefix "$home" --no-save --no-audit --no-fund --ignore-scripts --silent "asl-validator@$version"
fi
files=("$@")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
	TARN_TEMPLATES=$work go test -count=1 -run '^TestSettings$' ./internal/deploy/render
	files=(internal/deploy/machine/testdata/*.asl.json "$work"/*.asl.json)
fi
validate() { "$home/node_modules/.bin/asl-validator" --json-path "$1"; }
for f in "${files[@]}"; do validate "$f"; done

# A validator that finds nothing wrong with a state that leads nowhere proves nothing.
broken=$work/broken
sed '0,/"Next": "Plan"/s//"Next": "Nowhere"/' "${files[0]}" >"$broken"
if cmp -s "$broken" "${files[0]}" || validate "$broken" >"$broken.said" 2>&1 || ! grep -q MISSING_TRANSITION_TARGET "$broken.said"; then
	echo "asl-validator takes a Next that leads nowhere: $(cat "$broken.said" 2>/dev/null)" >&2
	exit 1
fi
echo "and a Next that leads nowhere is refused"
