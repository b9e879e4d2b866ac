package diag

import "errors"

// WithHint is err with what to do about it, which [Hint] finds. The text stays that of err.
func WithHint(err error, hint string) error { return &hinted{err, hint} }

// Hint gives what to do about an error: what the outermost of its chain that has a method Hint says, or "".
func Hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }
