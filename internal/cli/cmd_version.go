package cli

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/run"
)

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of tarn and of what it is made of",
		Example: "  tarn version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			out := versions()
			if a.json {
				return a.print(out)
			}
			a.say("tarn %s (%s, %s)", out.Version, out.Go, out.Platform)
			a.say("duckdb-go %s, iceberg-go %s", strings.TrimPrefix(out.DuckDB, "v"), strings.TrimPrefix(out.Iceberg, "v"))
			return nil
		},
	}
}

// versions reads what the Go tool has put into the program.
func versions() versionJSON {
	out := versionJSON{"(devel)", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, "", ""}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" {
			out.Version = v
		}
		v := run.Versions(info)
		out.DuckDB, out.Iceberg = v["duckdb-go"], v["iceberg-go"]
	}
	return out
}
