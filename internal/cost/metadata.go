package cost

import (
	"time"

	"tarn/internal/deployconf"
)

// Metadata are sizes of the metadata of tables, in bytes: what `go run ./test/scale -measure` finds.
type Metadata struct {
	// Manifest is that of one without data files, ManifestFile what each data file adds: five columns with their bounds, one of
	// them the partition.
	Manifest     float64 `json:"manifest"`
	ManifestFile float64 `json:"manifest_file"`
	// List is that of a manifest list with one manifest.
	List float64 `json:"list"`
	// Metadata is that of a metadata.json without snapshots, Snapshot what each snapshot that is kept adds.
	Metadata float64 `json:"metadata"`
	Snapshot float64 `json:"snapshot"`
	// Account is what each raw file takes in the account of loaded files.
	Account float64 `json:"account"`
}

// Root is the size of a table's metadata.json, where there are so many runs a day that change it and it is as old as that.
func (m Metadata) Root(runs, days float64) float64 { return m.Metadata + m.Snapshot*kept(runs, days) }

// kept is how many snapshots a table has.
func kept(runs, days float64) float64 { return max(1, runs*min(keptDays, days)) }

// keptMetadata is how many metadata.json of earlier versions there are: those that the newest one names, and those that gc, once a day, did
// not yet find old enough.
func keptMetadata(runs, days float64) float64 {
	const superseded = float64(deployconf.SupersededFor/(24*time.Hour)) + 0.5
	return min(kept(runs, days), deployconf.KeptVersions+runs*superseded)
}

// keptDays is how long the files of earlier versions of a table stay.
const keptDays = float64(deployconf.KeptFor / (24 * time.Hour))

// changed is how many tables a run changes: a new file changes its landing table, and it is taken that all models are made of that one.
func (c Case) changed() float64 { return float64(1 + c.Lake.Models + ownTables) }
