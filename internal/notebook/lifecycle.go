package notebook

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed lifecycle.sh
var lifecycle string

// longestScript is how long a lifecycle script may be, as it is sent: in base64 (Amazon SageMaker API Reference,
// NotebookInstanceLifecycleHook).
const longestScript = 16384

// Lifecycle is the script that a notebook instance runs each time it starts (OnStart), before it is put into base64. It writes
// the notebook and its settings where its user finds them, and installs what they need in the background, as a script that
// takes five minutes keeps the instance from starting. The error says that it has become too long.
func Lifecycle(c Config) (string, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(JSON(Instance))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return "", err
	}
	requirements := fmt.Sprintf("awswrangler==%s scikit-learn==%s matplotlib==%s", WranglerVersion, ScikitVersion, MatplotlibVersion)
	text := strings.NewReplacer("@NOTEBOOK@", inRows(packed.Bytes()), "@CONFIG@", inRows(c.JSON()), "@REQUIREMENTS@", requirements, "@FILE@", File, "@CONFIGFILE@", ConfigFile).Replace(lifecycle)
	if n := base64.StdEncoding.EncodedLen(len(text)); n > longestScript {
		return "", fmt.Errorf("the lifecycle script of the notebook has %d characters in base64, and may have %d", n, longestScript)
	}
	return text, nil
}

// inRows is base64 in rows that can be read in a console.
func inRows(raw []byte) string {
	text := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	for len(text) > 120 {
		b.WriteString(text[:120] + "\n")
		text = text[120:]
	}
	return b.String() + text
}
