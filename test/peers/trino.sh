#!/usr/bin/env bash
# Trino 476, the nearest to Athena that runs on a machine of one's own: the same family of engines, over the same catalog API.
#
#   test/peers/trino.sh install          put it together in $TARN_PEERS (by default under the temporary folder): 840 MB
#   test/peers/trino.sh serve ETC PORT   serve the catalogs of ETC/catalog on 127.0.0.1:PORT, with state below ETC
#   test/peers/trino.sh                  let it read a lake in S3 and Glue (stand-ins), and compare every value
#
# Needs Java 23 or newer, in $TRINO_JAVA_HOME or below /usr/lib/jvm.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/peers/download.sh
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
version=476
home=$peers/trino-$version

java() {
	local newest
	newest=$(ls -d "${TRINO_JAVA_HOME:-/nonexistent}" /usr/lib/jvm/*-2[3-9]-* 2>/dev/null | head -1 || true)
	if [ -z "$newest" ]; then
		echo "Trino $version needs Java 23 or newer: none in TRINO_JAVA_HOME or /usr/lib/jvm" >&2
		exit 1
	fi
	echo "$newest/bin/java"
}

install() {
	trino
	# With this driver Trino opens a catalog that is an SQLite file.
	local driver=$home/plugin/trino-iceberg-$version/sqlite-jdbc-3.47.1.0.jar
	[ -f "$driver" ] && return
	download "$driver" https://repo1.maven.org/maven2/org/xerial/sqlite-jdbc/3.47.1.0/sqlite-jdbc-3.47.1.0.jar
}

trino() {
	[ -d "$home" ] && return
	local fresh=$home.$$ central=https://repo1.maven.org/maven2/io/trino
	mkdir -p "$fresh"
	trap 'rm -rf "$fresh"' EXIT
	download "$fresh/core.tar.gz" "$central/trino-server-core/$version/trino-server-core-$version.tar.gz"
	tar -xzf "$fresh/core.tar.gz" -C "$fresh" --strip-components=1
	rm "$fresh/core.tar.gz"
	for plugin in iceberg hive; do
		download "$fresh/plugin.zip" "$central/trino-$plugin/$version/trino-$plugin-$version.zip"
		python3 -m zipfile -e "$fresh/plugin.zip" "$fresh/plugin"
		rm "$fresh/plugin.zip"
	done
	mv "$fresh" "$home"
	trap - EXIT
}

serve() {
	local etc port=$2
	etc=$(cd "$1" && pwd)
	mkdir -p "$etc/data"
	cat >"$etc/config.properties" <<-END
		coordinator=true
		node-scheduler.include-coordinator=true
		http-server.http.port=$port
		discovery.uri=http://127.0.0.1:$port
		catalog.management=dynamic
		query.max-memory=400MB
		query.max-memory-per-node=400MB
		memory.heap-headroom-per-node=300MB
	END
	cd "$home"
	exec "$(java)" -Xmx1200M -XX:+UseG1GC -XX:G1HeapRegionSize=8M -XX:+ExitOnOutOfMemoryError -Djdk.attach.allowAttachSelf=true \
		-XX:+EnableDynamicAgentLoading --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED \
		-Dnode.environment=test -Dnode.id=tarn-test -Dnode.data-dir="$etc/data" -Dnode.bind-ip=127.0.0.1 \
		-Dnode.internal-address=127.0.0.1 -Dcatalog.config-dir="$etc/catalog" -Dconfig="$etc/config.properties" \
		-cp "lib/*" io.trino.server.TrinoServer
}

case "${1-}" in
install) install ;;
serve) serve "$2" "$3" ;;
"")
	install
	if ! "$peers/readers/bin/python" -c 'import pyiceberg' 2>/dev/null; then
		python3 -m venv "$peers/readers"
		"$peers/readers/bin/pip" install -q --requirement test/readers/requirements.txt
	fi
	TARN_READERS_PYTHON="$peers/readers/bin/python" TARN_TRINO=1 go test -count=1 -v -run Glue ./test/readers
	;;
*)
	sed -n '2,9p' "$0"
	exit 2
	;;
esac
