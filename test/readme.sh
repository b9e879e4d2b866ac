#!/usr/bin/env bash
# Runs every ```sh block of the README, as written and in order, in a fresh copy of the repository at FOLDER.
# The one that runs the tests is left out: CI has just run them.
#
# usage: test/readme.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
git clone --quiet . "$1"
cd "$1"
awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' README.md | grep -vx 'go test ./\.\.\.' >commands.sh
if [ "$(grep -c . commands.sh)" -lt 6 ]; then
	echo "the README has lost its commands" >&2
	exit 1
fi
bash -euxo pipefail commands.sh
