#!/bin/sh
# Tests the S3 store on moto's S3, a server in Python that has nothing in common with the one of all other tests.
# Usage: test/peers/moto.sh   (installs moto in $TARN_PEERS, by default under the temporary folder)
set -eu
cd "$(dirname "$0")/../.."
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
python=$peers/moto/bin/python
if ! "$python" -c 'import moto, flask' 2>/dev/null; then
	python3 -m venv "$peers/moto"
	"$peers/moto/bin/pip" install -q --disable-pip-version-check 'moto[server]==5.2.5'
fi
TARN_MOTO=$python go test ./internal/store/s3 -run TestMoto -count=1 -v
