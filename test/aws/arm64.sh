#!/usr/bin/env bash
# Builds tarn for arm64, the cheaper processor of AWS Lambda, with a cross compiler, and makes the function's code of it: that looks at
# the program's ELF header and at the libraries that it needs.
#
#   test/aws/arm64.sh [FILE]     FILE is where the program goes
#
# The compiler is Debian's and Ubuntu's g++-aarch64-linux-gnu, which is installed where that is possible.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=${1:-$work/tarn-arm64}
if ! command -v aarch64-linux-gnu-g++ >/dev/null; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "skipped: there is no aarch64-linux-gnu-g++, and it cannot be installed here"
		exit 0
	fi
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends g++-aarch64-linux-gnu >/dev/null
fi
GOARCH=arm64 CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ go build -tags grpcnotrace,lambda.norpc -o "$program" ./cmd/tarn

tarn() { go run -tags grpcnotrace,lambda.norpc ./cmd/tarn "$@"; }
tarn init "$work/lake" >/dev/null
sed -i 's|# deploy: .*|deploy: {function: {arch: arm64}}|' "$work/lake/tarn.yaml"
BUCKET=my-bucket tarn deploy -C "$work/lake" --target aws --render "$work/stack" --binary "$program"
grep -q 'arm64' "$work/stack/template.yaml"
