package render_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy/deploytest"
)

// The picture in docs/deploy.md has every part of a stack that does something, by its name in the template, and no other.
func TestPicture(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, picture, ok := strings.Cut(string(raw), "```mermaid\n")
	picture, _, _ = strings.Cut(picture, "```")
	if !ok {
		t.Fatal("docs/deploy.md has no picture")
	}
	// Names begin with a capital letter outside of the texts on boxes and arrows; what is around the stack does not.
	bare := regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\([^)]*\)|-- .*? -->|-\. .*? \.->`).ReplaceAllString(picture, " ")
	var shown []string
	for _, name := range regexp.MustCompile(`\b[A-Z][A-Za-z]+\b`).FindAllString(bare, -1) {
		if name != "LR" && !slices.Contains(shown, name) {
			shown = append(shown, name)
		}
	}
	tmpl := template(t, deploytest.Stedi(t, "", nil))
	var acting []string
	for _, r := range tmpl.Resources {
		// Policies, roles and logs belong to what acts; a query is a text.
		if !slices.ContainsFunc([]string{"Policy", "::Role", "::LogGroup", "::NamedQuery"}, func(kind string) bool { return strings.HasSuffix(r.Type, kind) }) {
			acting = append(acting, r.ID)
		}
	}
	slices.Sort(shown)
	slices.Sort(acting)
	if !slices.Equal(shown, acting) {
		t.Errorf("the picture of docs/deploy.md has\n%q, and the template\n%q", shown, acting)
	}
}
