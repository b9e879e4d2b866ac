package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// icebergForSpark is the version of the library that both get: the first one whose vectors Spark 3.5.4 does not close too early,
// and that of AWS Glue 5.1.
const icebergForSpark = "1.10.0"

// withSpark lets the pipeline run its models on Spark on this machine, and a hand-written program in PySpark do the same
// without checks, ledger, quarantine or atomic publish. Both get two cores, 6 GB and the same version of Iceberg.
func withSpark(ctx context.Context, o options, d dataset, work string) (contest, error) {
	python, jars := os.Getenv("TARN_SPARK_PYTHON"), os.Getenv("TARN_SPARK_JARS")
	if python == "" || jars == "" {
		return contest{}, errors.New("TARN_SPARK_PYTHON and TARN_SPARK_JARS are not set\nhint: test/peers/spark.sh install; export $(test/peers/spark.sh env)")
	}
	found, err := exec.CommandContext(ctx, python, "-c", "import pyspark; print(pyspark.__path__[0])").Output()
	if err != nil {
		return contest{}, fmt.Errorf("%s: %w", python, err)
	}
	home := strings.TrimSpace(string(found))
	jar := filepath.Join(jars, icebergForSpark, "iceberg-spark-runtime-3.5_2.12-"+icebergForSpark+".jar")
	lake, out := filepath.Join(work, "lake"), filepath.Join(work, "peer")
	for name, value := range map[string]string{"PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python, "SPARK_HOME": home} {
		if err := os.Setenv(name, value); err != nil {
			return contest{}, err
		}
	}
	return contest{
		wallOnly: true,
		ours:     command{name: "tarn, models on Spark", args: []string{o.tarn, "run", "-q", "-C", lake, "--target", "bench"}},
		theirs:   command{name: "hand-written PySpark", args: []string{python, filepath.Join(o.peers, "p_spark.py"), d.dir, out, "--iceberg", jar}},
		fresh: func(ctx context.Context) error {
			if err := newLake(ctx, o.tarn, lake, d.dir); err != nil {
				return err
			}
			return addTarget(lake, fmt.Sprintf(`
  bench:
    engine:
      spark: local
      master: local[2]
      jars: [%s]
      conf: {spark.driver.memory: 6g, spark.sql.shuffle.partitions: "4", spark.sql.iceberg.vectorization.enabled: "true"}
`, jar))
		},
		right: func(ctx context.Context) error {
			return rightCounts(ctx, d.want, command{args: []string{o.tarn, "query", "-C", lake, "--target", "bench"}})
		},
	}, nil
}
