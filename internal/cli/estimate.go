package cli

import (
	"context"
	"errors"

	"tarn/internal/cost"
	"tarn/internal/deploy"
	"tarn/internal/store"
)

// estimate says in lines what a stack costs a month: by what the lake has loaded, or what lies in its landing places, and before
// there is any of it, by an example.
func (a *app) estimate(ctx context.Context, spec deploy.Spec) ([]string, error) {
	c, region := caseOf(spec), ""
	// Before the first deployment there is no bucket to look into, which is no reason not to deploy.
	known, at, err := a.costs(ctx, "", false)
	if err == nil {
		c, region = known, at
	}
	why := "Nothing is loaded yet"
	if errors.Is(err, store.ErrDenied) {
		why = "These credentials may not see what is loaded"
	}
	example := c.Volume.Files == 0
	if example {
		c.Volume = exampleVolume
	}
	c.Volume.Queries = usualQueries
	lines, err := cost.Plain(c, region, "")
	if example && err == nil {
		lines = append([]string{why + ", so this is an example: tarn cost reckons with your own numbers."}, lines...)
	}
	return lines, err
}

// caseOf describes a lake that has nothing yet.
func caseOf(spec deploy.Spec) cost.Case {
	return cost.Case{Lake: cost.Lake{Landing: len(spec.Landing), Models: len(spec.Models), Glue: true, KMS: spec.KMSKey != ""}, Settings: spec.Settings}
}

// exampleVolume is a file an hour.
var exampleVolume = cost.Volume{Files: 24, Rows: 100_000, From: "an example"}
