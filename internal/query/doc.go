// Package query answers SQL over a lake's published tables, and over nothing else: no other file, no network, no writing.
//
// [Open] gives a [Session] over one view of the lake, [Session.Ask] the rows of one statement as they are made, and
// [Form.Write] writes them as table, csv or json. Three walls keep a statement inside: the engine itself refuses all files but
// the tables' own, and cannot be told otherwise; only statements that the engine calls reading are run; and functions and
// names that mean files are refused before, with a message that says what to do instead.
package query
