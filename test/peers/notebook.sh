#!/usr/bin/env bash
# The clients of Athena (awswrangler, PyAthena, boto3, the AWS CLI), and what the notebook for SageMaker needs.
#
#   test/peers/notebook.sh install   put them into $TARN_PEERS (by default under the temporary folder): 1 GB
#   test/peers/notebook.sh env       print the variable that the tests go by
#   test/peers/notebook.sh           let them ask the stand-in for Athena, and run the notebook on the real files
#
# Needs Python 3.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
python=$peers/notebook/bin/python

install() {
	[ -x "$python" ] || python3 -m venv "$peers/notebook"
	"$python" -m pip install --quiet --disable-pip-version-check --requirement test/peers/notebook.txt
}

case "${1-}" in
install) install ;;
env) echo "TARN_NOTEBOOK_PYTHON=$python" ;;
"")
	install
	TARN_NOTEBOOK_PYTHON=$python go test -count=1 -v -run 'Athena|Notebook' ./test/readers
	;;
*)
	sed -n '2,8p' "$0"
	exit 2
	;;
esac
