package run

import (
	"context"

	"tarn/internal/catalog"
)

// TryCatalog tries what runs do with the catalog, where rights on it are others' to give, and leaves nothing. about says what
// was found, fix what to do where that is not all right; both are "" where there is nothing to try.
func (t *Tables) TryCatalog(ctx context.Context) (about, fix string, err error) {
	c, ok := t.w.Lake.Catalog().(catalog.Tried)
	if !ok {
		return "", "", nil
	}
	trial, err := c.Try(ctx)
	return trial.Text, trial.Fix, err
}
