package run

import (
	"context"

	"tarn/internal/catalog"
	"tarn/internal/project"
)

// Owned fails with a [tarn/internal/lake.OtherError] where the tables are in a warehouse of a bucket that is another catalog's, so that no
// run could write there.
func (t *Tables) Owned(ctx context.Context) error {
	if !project.Remote(t.Warehouse()) {
		return nil // the catalog of a folder beside it, which would be made by asking
	}
	return t.w.Lake.Identified(ctx)
}

// TryCatalog tries what runs do with the catalog, where rights on it are others' to give: see [catalog.Tried]. about says what
// was found, fix what to do where that is not all right; both are "" where there is nothing to try.
func (t *Tables) TryCatalog(ctx context.Context) (about, fix string, err error) {
	c, ok := t.w.Lake.Catalog().(catalog.Tried)
	if !ok {
		return "", "", nil
	}
	trial, err := c.Try(ctx)
	return trial.Text, trial.Fix, err
}
