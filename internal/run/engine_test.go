package run_test

import (
	"testing"

	"tarn/internal/engine/enginetest"
	"tarn/internal/engine/registry"
	"tarn/internal/sparkconf"
)

// TestEngineSpark holds real Spark to what every engine has to do.
func TestEngineSpark(t *testing.T) {
	own := needSpark(t)
	place := func(s realSpark) registry.Place {
		return registry.Place{Kind: "spark", Spark: sparkconf.Settings{Where: sparkconf.Local, Submit: s.submit, Master: master, Jars: s.jars, Conf: s.conf(), Load: sparkconf.LoadHere}}
	}
	enginetest.Run(t, enginetest.Kind{Place: place(own.shared(t)), Ended: place(own)})
}
