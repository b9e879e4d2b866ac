package cli_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tarn/internal/cli"
)

// pages gives all pages for readers, by their paths in the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, out := filepath.Join("..", ".."), map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "bench/*.md", "internal/template/templates/*/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range found {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(root, path)
			out[filepath.ToSlash(name)] = string(raw)
		}
	}
	return out
}

// prose gives a page's lines outside of blocks of code, and those inside.
func prose(page string) (text, code []string) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			inside = !inside
		case inside:
			code = append(code, line)
		default:
			text = append(text, line)
		}
	}
	return text, code
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	markup = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are what links into a page can name, as GitHub makes them of its headings.
func anchors(page string) []string {
	text, _ := prose(page)
	var out []string
	for _, line := range text {
		if h := strings.TrimLeft(line, "#"); h != line && strings.HasPrefix(h, " ") {
			out = append(out, strings.ReplaceAll(markup.ReplaceAllString(strings.ToLower(strings.TrimSpace(h)), ""), " ", "-"))
		}
	}
	return out
}

// TestLinks follows every link of the pages that leads to a file or a heading of this repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	all, followed := pages(t), 0
	for name, page := range all {
		text, _ := prose(page)
		for _, m := range link.FindAllStringSubmatch(strings.Join(text, "\n"), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(target))); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: there is no %s", name, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s: %s has no heading #%s", name, target, anchor)
			}
		}
	}
	if followed < 50 {
		t.Errorf("only %d links were found", followed)
	}
}

// called finds the commands of tarn in a line of a shell: tarn, ./tarn or go run ./cmd/tarn where a command begins.
var called = regexp.MustCompile(`(?:^|[|;(&]|\$\(|\$ | = )\s*(?:[A-Z_]+=\S+ )*(?:\./)?(?:tarn|go run (?:-tags \S+ )?\./cmd/tarn)((?: .*)?)$`)

// span is a command in the middle of a sentence.
var span = regexp.MustCompile("`((?:[.]/)?tarn [^`]+)`")

// words splits what follows a command into its arguments as a shell does; what it would put in their places is left as it is.
func words(line string) (out []string) {
	var word strings.Builder
	quote, has := rune(0), false
	end := func() {
		if has {
			out = append(out, word.String())
		}
		word.Reset()
		has = false
	}
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, has = r, true
		case strings.ContainsRune("|;>&)", r), r == '#' && !has && i > 0:
			end()
			return out
		case r == ' ':
			if end(); strings.HasPrefix(line[i:], "  ") { // a comment in a column of its own
				return out
			}
		default:
			word.WriteRune(r)
			has = true
		}
	}
	end()
	return out
}

// TestCommandsOfPages holds every command line of the pages to the commands and flags that there are.
func TestCommandsOfPages(t *testing.T) {
	t.Parallel()
	held := 0
	for name, page := range pages(t) {
		text, code := prose(page)
		for _, m := range span.FindAllStringSubmatch(strings.Join(text, "\n"), -1) {
			code = append(code, strings.NewReplacer("\n", " ", `\|`, "|").Replace(m[1]))
		}
		for _, line := range code {
			m := called.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			args := words(m[1])
			if len(args) == 0 && m[1] != "" {
				continue
			}
			held++
			if err := takes(args); err != nil {
				t.Errorf("%s: %s: %v", name, strings.TrimSpace(line), err)
			}
		}
	}
	if held < 150 {
		t.Errorf("only %d commands were found", held)
	}
}

// takes tells what is wrong with a command line, without doing what it says.
func takes(args []string) error {
	root := cli.Root()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if cmd == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "completion" && args[0] != "help" {
		return fmt.Errorf("there is no command %s", args[0])
	}
	if cmd == root {
		return nil
	}
	return known(cmd, rest)
}

// known looks at the flags of a command line. Placeholders stand for values, such as N for a number, so values are not looked at.
func known(cmd *cobra.Command, args []string) error {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return nil
		}
		if !strings.HasPrefix(a, "-") || a == "-" || a == "--help" || a == "-h" {
			continue
		}
		name, _, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		var f *pflag.Flag
		if strings.HasPrefix(a, "--") {
			if f = cmd.Flags().Lookup(name); f == nil {
				f = cmd.InheritedFlags().Lookup(name)
			}
		} else if f = cmd.Flags().ShorthandLookup(name[:1]); f == nil {
			f = cmd.InheritedFlags().ShorthandLookup(name[:1])
		}
		if f == nil {
			return fmt.Errorf("%s has no flag %s", cmd.CommandPath(), a)
		}
		if !given && f.NoOptDefVal == "" && (len(name) == 1 || strings.HasPrefix(a, "--")) {
			i++ // its value
		}
	}
	return nil
}
