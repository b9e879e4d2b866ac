package connect

import "tarn/internal/notebook"

// The versions that the cells install. CI runs the cells with exactly these; a test compares them with what it installs.
const (
	pyicebergVersion   = "0.12.0"
	polarsVersion      = "2.1.0"
	duckdbVersion      = "1.5.6"
	pandasVersion      = "3.1.1"
	boto3Version       = "1.44.8"
	wranglerVersion    = notebook.WranglerVersion
	scikitVersion      = notebook.ScikitVersion
	trinoClientVersion = "0.340.0"
	// sparkVersion is that of AWS Glue 5.0, icebergVersion that of Glue 5.1: older ones crash in this Spark.
	sparkVersion      = "3.5.4"
	icebergVersion    = "1.10.0"
	sqliteJDBCVersion = "3.47.1.0"
	trinoVersion      = "476"
)
