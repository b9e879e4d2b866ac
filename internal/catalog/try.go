package catalog

import "context"

// Tried is a catalog in which others decide what this process may do, so that its rights are worth trying before a run.
type Tried interface {
	// Try does once with a table of its own what runs do with theirs, and leaves nothing but the database, where that was not
	// there. The error says what is refused.
	Try(ctx context.Context) (Trial, error)
}

// Trial is what came of it.
type Trial struct {
	// Text says what was found.
	Text string
	// Fix says what to do where not everything is as it should be, or "".
	Fix string
}
