package diag

import (
	"strings"
	"unicode/utf8"
)

// Source is a definition file whose byte offsets can be turned into places.
type Source struct {
	// File is the path that diagnostics show.
	File string
	// Text is the whole file as read.
	Text string
}

// Place gives line and column (both from 1, columns in characters) of a byte offset.
// An offset beyond the end is taken as the end.
func (s Source) Place(offset int) (line, col int) {
	offset = max(0, min(offset, len(s.Text)))
	head := s.Text[:offset]
	line = strings.Count(head, "\n") + 1
	if i := strings.LastIndexByte(head, '\n'); i >= 0 {
		head = head[i+1:]
	}
	return line, utf8.RuneCountInString(head) + 1
}

// Line gives the text of a line (from 1) without its line break, or "" where there is none.
func (s Source) Line(n int) string {
	rest := s.Text
	for ; n > 1; n-- {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			return ""
		}
		rest = rest[i+1:]
	}
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return strings.TrimSuffix(rest, "\r")
}

// At makes a diagnostic of severity [Error] for a byte offset.
func (s Source) At(offset int, code, message, hint string) Diagnostic {
	line, col := s.Place(offset)
	return s.AtLine(line, col, code, message, hint)
}

// AtLine makes a diagnostic of severity [Error] for a line and column, both from 1 (0 where unknown).
func (s Source) AtLine(line, col int, code, message, hint string) Diagnostic {
	d := Diagnostic{File: s.File, Line: line, Col: col, Severity: Error, Code: code, Message: message, Hint: hint}
	if line > 0 {
		d.Source = s.Line(line)
	}
	return d
}

// Nearest finds the candidate that a mistyped name most likely meant, ignoring case, or "" if none is near:
// at most two edits for names up to eight characters, else a quarter of the length.
func Nearest(name string, candidates []string) string {
	best, bestDistance := "", max(2, utf8.RuneCountInString(name)/4)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance && d < utf8.RuneCountInString(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// DidYouMean is the usual hint for an unknown name, or "" if nothing is near.
func DidYouMean(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}

// distance is the optimal string alignment distance: insert, delete, replace, swap neighbours.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	d := make([][]int, len(ra)+1)
	for i := range d {
		d[i] = make([]int, len(rb)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(ra); i++ {
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(ra)][len(rb)]
}
