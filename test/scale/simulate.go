package main

import (
	"math"
	"time"

	"tarn/internal/cost"
	"tarn/internal/deployconf"
)

// A year of devices as tarn sample invents them: a person trains once a day, the phone and the device send JSON.
const (
	year        = 365
	dailyModels = 3
	// peopleDays are those of the data that rates were measured with: 600 people for 8 days.
	peopleDays = 600 * 8
	// tablesOfDevices are the landing tables that get files every day.
	tablesOfDevices = 2
	// batchMinutes is how long a buffer such as Amazon Data Firehose's gathers before it writes a file; its default is 300 s.
	batchMinutes = 5
	// firehoseRecord is what a record counts at least, and recordSeconds how much of a session a device sends in one.
	firehoseRecord = 5_000
	recordSeconds  = 30
	sessionSeconds = 120
	// etagBytes are those of an ETag of S3, the digest of a file, in the account of files.
	etagBytes = 16
	// keptDays is how long snapshots are kept.
	keptDays = float64(deployconf.KeptFor / (24 * time.Hour))
)

// way is how readings come into the bucket.
type way int

const (
	// batched is a file for each table every five minutes.
	batched way = iota
	// single is a file for each device, day and table.
	single
)

// state is a lake of so many devices after so many days.
type state struct {
	devices, days float64
	way           way
	// interval is the least time between two runs.
	interval time.Duration
}

// filesPerDay counts raw files.
func (s state) filesPerDay() float64 {
	if s.way == single {
		return s.devices * tablesOfDevices
	}
	// A buffer that nothing came into writes nothing, so there are never more files than devices send pieces.
	return min(24*60/batchMinutes, s.devices*sessionSeconds/recordSeconds) * tablesOfDevices
}

// bill reckons a month that ends after the days of the state.
func (s state) bill() (*cost.Bill, error) {
	m := cost.Figures()
	rows, raw := m.Rate.RawRows/peopleDays, m.Rate.RawBytes/peopleDays
	settings := deployconf.Defaults()
	settings.Events.MinInterval = s.interval
	c := cost.Case{Lake: cost.ModelCase(), Settings: settings,
		Volume: cost.Volume{Files: s.filesPerDay(), Rows: s.devices * rows, Bytes: s.devices * raw, Queries: 10}}
	p, err := cost.Load("us-east-1", "")
	if err != nil {
		return nil, err
	}
	return cost.Reckon(c.After(max(0, s.days-cost.Days)), "us-east-1", p), nil
}

// arriving is what a month of bringing readings into the bucket costs.
func (s state) arriving() (float64, error) {
	p, err := cost.Load("us-east-1", "")
	if err != nil {
		return 0, err
	}
	usd := s.filesPerDay() * cost.Days * p.Of("s3_put")
	if s.way == batched {
		m := cost.Figures()
		records := s.devices * tablesOfDevices * sessionSeconds / recordSeconds
		each := m.Rate.RawBytes / peopleDays * s.devices / records
		usd += records * math.Ceil(each/firehoseRecord) * firehoseRecord / 1e9 * cost.Days * p.Of("firehose_gb")
	}
	return usd, nil
}

// metadata are sizes in bytes.
type metadata struct {
	// account is that of the account of loaded files, manifest that of a model with a file a day, and root that of its metadata.json.
	account, manifest, root float64
}

func (s state) metadata(z sizes, runsPerDay float64) metadata {
	return metadata{account: (z.Account + etagBytes) * s.filesPerDay() * s.days, manifest: z.Manifest + z.ManifestFile*s.days, root: z.Root(runsPerDay, s.days)}
}
