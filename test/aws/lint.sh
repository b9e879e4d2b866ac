#!/usr/bin/env bash
# Holds CloudFormation templates to cfn-lint and checkov.
#
#   test/aws/lint.sh [FILE…]     by default the golden files of internal/deploy/render, and templates with each setting and of odd lakes
#
# What checkov wants otherwise is accepted beside the resource in the template, each with its reason; nothing is here. Needs Python 3;
# both programs are put into $TARN_PEERS (by default below the temporary folder), each into an environment of its own, as checkov
# wants an older boto3 than others.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
install() { # NAME VERSION
	[ -x "$home/$1-$2/bin/$1" ] && return
	python3 -m venv "$home/$1-$2"
	"$home/$1-$2/bin/pip" install --quiet --disable-pip-version-check "$1==$2"
}
install cfn-lint 1.58.0
install checkov 3.3.30
files=("$@")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
	TARN_TEMPLATES=$work go test -count=1 -run '^TestSettings$' ./internal/deploy/render
	files=(internal/deploy/render/testdata/*/template.yaml internal/deploy/render/testdata/*/first.yaml "$work"/*.yaml)
fi
lint() { "$home/cfn-lint-1.58.0/bin/cfn-lint" --include-checks I W E --non-zero-exit-code informational --template "$@"; }
check() { "$home/checkov-3.3.30/bin/checkov" --framework cloudformation --skip-download --quiet --compact "${@/#/--file=}"; }
lint "${files[@]}"
check "${files[@]}"

# Whoever deploys may do what CloudFormation does in their name, by the schemas that cfn-lint has of resource types.
schemas=$(echo "$home"/cfn-lint-1.58.0/lib/python3*/site-packages/cfnlint/data/schemas/resources)
TARN_CFN_SCHEMAS=$schemas go test -count=1 -run TestDeployerMayDoWhatHandlersDo ./internal/deploy/render

# What is accepted has a reason in the line behind it, and something is.
accepted=$(cat "${files[@]}" | grep -c -- '- id: CKV')
reasons=$(cat "${files[@]}" | grep -A 1 -- '- id: CKV' | grep -c 'comment: .\{20\}')
if [ "$accepted" -eq 0 ] || [ "$accepted" -ne "$reasons" ]; then
	echo "$accepted findings of checkov are accepted, and $reasons have a reason" >&2
	exit 1
fi

# Linters that find nothing wrong with a broken template prove nothing.
broken=$work/broken
mkdir "$broken"
sed 's/^    Type: AWS::Lambda::Function$/&s/' "${files[0]}" >"$broken/type.yaml"
sed 's/BlockPublicPolicy: true/BlockPublicPolicy: false/' "${files[0]}" >"$broken/public.yaml"
if lint "$broken/type.yaml" >"$broken/said" || ! grep -q E3006 "$broken/said"; then
	echo "cfn-lint takes a type that there is not: $(cat "$broken/said")" >&2
	exit 1
fi
if check "$broken/public.yaml" >"$broken/said" || ! grep -q CKV_AWS_54 "$broken/said"; then
	echo "checkov takes a bucket that the public can be let into: $(cat "$broken/said")" >&2
	exit 1
fi
echo "and what is broken is refused"
