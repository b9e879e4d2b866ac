// Package notebook has the notebook that SageMaker's people start from: it reads a curated table through Athena, and shows what
// a model is worth when it is tested on people it has not seen, beside what a random split of the rows would have claimed. Its
// source is machine_learning.py, in cells that begin with # %%, as editors know them; which table and columns are meant stands in
// a file beside it.
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

// The versions of what the notebook imports; CI runs it with these. The newest are not taken: the kernel conda_python3 of a
// notebook instance on Amazon Linux 2023 has Python 3.10 (Amazon SageMaker Developer Guide, "AL2023 notebook instances").
const (
	WranglerVersion   = "3.17.1"
	ScikitVersion     = "1.7.2"
	MatplotlibVersion = "3.10.9"
)

// Kernel is a kernel of Jupyter that a notebook asks for.
type Kernel struct{ Name, Display string }

// The kernels that are called so: Plain in every installation, Instance on notebook instances of SageMaker, whose kernels are
// conda environments (Amazon SageMaker Developer Guide, "AL2023 notebook instances").
var (
	Plain    = Kernel{"python3", "Python 3"}
	Instance = Kernel{"conda_python3", "conda_python3"}
)

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

// JSON is the notebook for a kernel, without outputs. It is the same at every call.
func JSON(k Kernel) []byte {
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
	kernel := map[string]string{"display_name": k.Display, "language": "python", "name": k.Name}
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
