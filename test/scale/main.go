// Command scale writes docs/scale.md: ten thousand devices for a year, as tables.
//
//	go run ./test/scale            writes the page
//	go run ./test/scale -measure   measures the sizes of metadata again first
//
// Nothing is simulated by guess: what a device sends is that of tarn sample, sizes of metadata are measured by making some (internal/cost/metadata.json),
// requests, seconds and costs are those of tarn cost.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"tarn/internal/cost"
)

func main() {
	again := flag.Bool("measure", false, "measure the sizes of metadata again, and write them to internal/cost/metadata.json")
	root := flag.String("root", ".", "folder of this repository")
	flag.Parse()
	if err := write(*root, *again); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func write(root string, again bool) (err error) {
	s := cost.Figures().Metadata
	if again {
		work, err := os.MkdirTemp("", "tarn-scale-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
		if s, err = measure(work); err != nil {
			return err
		}
		raw, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, "internal", "cost", "metadata.json"), append(raw, '\n'), 0o644); err != nil {
			return err
		}
	}
	text, err := page(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "scale.md"), []byte(text), 0o644)
}
