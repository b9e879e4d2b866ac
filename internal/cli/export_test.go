package cli

import (
	"reflect"

	"github.com/spf13/cobra"
)

// Root gives the commands, for the pages that are made of them.
func Root() *cobra.Command { return new(app).root() }

// Objects gives the objects of --json by command, in the order of the page.
func Objects() (commands []string, types []reflect.Type) {
	for _, r := range results() {
		commands, types = append(commands, r.command), append(types, reflect.TypeOf(r.object))
	}
	return commands, types
}
