// Command tarn keeps a data lake: see `tarn --help`.
package main

import (
	"os"

	"tarn/internal/cli"
)

func main() { os.Exit(cli.Main()) }
