# For scripts beside it that fetch files: . test/peers/download.sh

# download FILE URL writes a file that is there only when all of it is. A download that breaks off is tried again, which could not be
# done if some of it had gone into a pipe.
download() {
	curl -sSf --retry 5 --retry-delay 2 --retry-all-errors -o "$1.part" "$2"
	mv "$1.part" "$1"
}
