package cli_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"tarn/internal/awsconf"
	"tarn/internal/lake/laketest"
	"tarn/internal/store/registry"
)

// elsewhereCmd commits to a table of a lake of this machine as another program does, which knows its catalog file only.
func elsewhereCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: elsewhere DIR TABLE WHAT")
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(ts.MkAbs(args[0]), ".tarn", "catalog.db")+"?_pragma=busy_timeout(5000)")
	ts.Check(err)
	var at, to string
	err = db.QueryRow("SELECT metadata_location FROM iceberg_tables WHERE table_name = ?", args[1]).Scan(&at)
	if err == nil {
		to, err = laketest.Commit(context.Background(), registry.New(awsconf.Settings{}), at, laketest.Change(args[2]))
	}
	if err == nil {
		_, err = db.Exec("UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?", to, args[1])
	}
	ts.Check(errors.Join(err, db.Close()))
}
