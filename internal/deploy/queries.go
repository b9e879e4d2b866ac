package deploy

import (
	"maps"
	"path"
	"slices"
	"strings"

	"tarn/internal/model"
	"tarn/internal/project"
)

// queries are the files queries/*.sql of a lake. What stands before the dot in SQL is what the lake calls its database; Athena has
// to read what the catalog calls it.
func queries(files map[string][]byte, c project.Config, graph *model.Graph) []Query {
	var out []Query
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if path.Dir(file) != "queries" || path.Ext(file) != ".sql" {
			continue
		}
		q := Query{Name: strings.TrimSuffix(path.Base(file), ".sql")}
		text := strings.TrimSpace(string(files[file]))
		if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(first, "--") {
			q.Description, text = strings.TrimSpace(strings.TrimLeft(first, "-")), strings.TrimSpace(rest)
		}
		var b strings.Builder
		pieces := split(strings.TrimRight(text, "; \n"))
		for i, p := range pieces {
			next := ""
			if i+1 < len(pieces) {
				next = pieces[i+1].text
			}
			name := strings.ToLower(strings.Trim(p.text, `"`))
			switch {
			case p.kind == word && strings.HasPrefix(next, ".") && name == c.Database && c.Stored != c.Database:
				b.WriteString(`"` + c.Stored + `"`)
				continue
			case p.kind == word:
				if t := graph.Table(strings.TrimSuffix(name, "__rows")); t != nil && !slices.Contains(q.Tables, t.Name) {
					q.Tables = append(q.Tables, t.Name)
				}
			}
			b.WriteString(p.text)
		}
		q.SQL = b.String()
		if slices.ContainsFunc(pieces, func(p piece) bool { return p.kind == word }) {
			out = append(out, q)
		}
	}
	return out
}

// kind is what a piece of SQL is: names, or all else.
type kind int

const (
	other kind = iota
	word
)

type piece struct {
	kind kind
	text string
}

// split cuts SQL into names, quoted or not, and what is between them: texts and comments are never names.
func split(sql string) []piece {
	var out []piece
	for sql != "" {
		n, k := 1, other
		switch {
		case sql[0] == '\'':
			n = closing(sql, "'")
		case sql[0] == '"':
			n, k = closing(sql, `"`), word
		case strings.HasPrefix(sql, "--"):
			n = closing(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			n = len(sql)
			if i := strings.Index(sql[2:], "*/"); i >= 0 {
				n = i + 4
			}
		case letter(sql[0]):
			for n < len(sql) && (letter(sql[n]) || sql[n] >= '0' && sql[n] <= '9') {
				n++
			}
			k = word
		}
		out = append(out, piece{k, sql[:n]})
		sql = sql[n:]
	}
	return out
}

// closing gives the length of a text up to the mark that ends it.
func closing(sql, mark string) int {
	if i := strings.Index(sql[1:], mark); i >= 0 {
		return i + 2
	}
	return len(sql)
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
