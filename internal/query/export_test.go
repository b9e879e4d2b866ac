package query

import "context"

// Unguarded runs a statement past all looks at its text, as a mistake in them would.
func Unguarded(ctx context.Context, s *Session, text string) error {
	_, err := s.engine.exec(ctx, text)
	return err
}

// Judged names all table functions that were looked at.
func Judged() map[string]bool {
	out := map[string]bool{}
	for _, name := range append(tableFunctions[:len(tableFunctions):len(tableFunctions)], refusedFunctions...) {
		out[name] = true
	}
	return out
}
