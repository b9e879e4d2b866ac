#!/usr/bin/env bash
# The AWS CLI, and moto, for the pages whose commands are run as written.
#
#   test/peers/awscli.sh install   put them into $TARN_PEERS (by default under the temporary folder)
#   test/peers/awscli.sh env       print the variable that the tests go by
#   test/peers/awscli.sh           run the pages
#
# Needs Python 3.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
bin=$peers/awscli/bin

install() {
	[ -x "$bin/python" ] || python3 -m venv "$peers/awscli"
	"$bin/python" -m pip install --quiet --disable-pip-version-check awscli==1.46.3 'moto[server]==5.2.5'
}

case "${1-}" in
install) install ;;
env) echo "TARN_AWSCLI=$bin" ;;
"")
	install
	TARN_AWSCLI=$bin go test -count=1 -v ./test/awscli
	;;
*)
	sed -n '2,8p' "$0"
	exit 2
	;;
esac
