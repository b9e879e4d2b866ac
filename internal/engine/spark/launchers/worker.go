package launchers

import (
	"cmp"
	"os"

	"tarn/internal/engine/spark"
)

// worker says what reads landing files in jobs of a place. Its credentials are those of the machines it runs on.
func worker(p Place) spark.Worker {
	w := spark.Worker{Program: p.Settings.Worker, InPlace: p.Settings.OnThisMachine()}
	option := func(name, value string) {
		if value != "" {
			w.Args = append(w.Args, name+"="+value)
		}
	}
	option("--region", p.AWS.Region)
	option("--endpoint", cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), p.AWS.Endpoint, os.Getenv("AWS_ENDPOINT_URL")))
	if p.AWS.PathStyle {
		option("--path-style", "true")
	}
	option("--kms-key", p.AWS.KMSKey)
	option("--bucket-owner", p.AWS.BucketOwner)
	return w
}
