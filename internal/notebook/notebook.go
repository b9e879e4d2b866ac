// Package notebook has the notebook that SageMaker's people start from: it reads machine_learning_curated through Athena, and
// shows what a model is worth when it is tested on people it has not seen. Its source is machine_learning.py, in cells that
// begin with # %%, as editors know them.
package notebook

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"strings"
)

//go:embed machine_learning.py
var source string

// File is what the notebook's file is called, and ConfigFile that of its settings, which lies beside it.
const (
	File       = "machine_learning.ipynb"
	ConfigFile = "tarn.json"
)

// Table is the table that the notebook is about.
const Table = "machine_learning_curated"

// The versions of what the notebook imports; CI runs it with these.
const (
	WranglerVersion   = "3.17.1"
	ScikitVersion     = "1.9.1"
	MatplotlibVersion = "3.11.2"
)

// Config is what the notebook has to be told.
type Config struct {
	Database  string `json:"database"`
	Table     string `json:"table"`
	WorkGroup string `json:"workgroup"`
	// Region is "" for what the machine says.
	Region string `json:"region"`
}

// JSON is the text of [ConfigFile].
func (c Config) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(c) // texts only
	return b.Bytes()
}

// cell is one of nbformat 4.5, https://nbformat.readthedocs.io. The order of keys is that in which Jupyter writes them, so that
// the file changes little when it is saved there.
type cell struct {
	Type     string    `json:"cell_type"`
	Count    *struct{} `json:"execution_count,omitempty"`
	ID       string    `json:"id"`
	Metadata struct{}  `json:"metadata"`
	Outputs  *[]string `json:"outputs,omitempty"`
	Source   []string  `json:"source"`
}

// codeCell has the keys that only cells with code must have.
type codeCell struct {
	Type     string    `json:"cell_type"`
	Count    *struct{} `json:"execution_count"`
	ID       string    `json:"id"`
	Metadata struct{}  `json:"metadata"`
	Outputs  []string  `json:"outputs"`
	Source   []string  `json:"source"`
}

// JSON is the notebook, without outputs. It is the same at every call.
func JSON() []byte {
	var cells []any
	for i, part := range strings.Split("\n"+source, "\n# %%")[1:] {
		head, text, _ := strings.Cut(part, "\n")
		text = strings.Trim(text, "\n")
		sum := sha256.Sum256([]byte{byte(i)})
		id := hex.EncodeToString(sum[:4])
		if strings.TrimSpace(head) == "[markdown]" {
			lines := strings.Split(text, "\n")
			for i, l := range lines {
				lines[i] = strings.TrimPrefix(strings.TrimPrefix(l, "#"), " ")
			}
			cells = append(cells, cell{Type: "markdown", ID: id, Source: inLines(strings.Join(lines, "\n"))})
			continue
		}
		cells = append(cells, codeCell{Type: "code", ID: id, Outputs: []string{}, Source: inLines(text)})
	}
	kernel := map[string]string{"display_name": "Python 3", "language": "python", "name": "python3"}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	_ = e.Encode(struct {
		Cells    []any          `json:"cells"`
		Metadata map[string]any `json:"metadata"`
		Format   int            `json:"nbformat"`
		Minor    int            `json:"nbformat_minor"`
	}{cells, map[string]any{"kernelspec": kernel, "language_info": map[string]string{"name": "python"}}, 4, 5})
	return b.Bytes()
}

// inLines cuts a text into lines that keep their ends.
func inLines(text string) []string { return strings.SplitAfter(text, "\n") }
