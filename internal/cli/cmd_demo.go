package cli

import "github.com/spf13/cobra"

func sampleCommand(a *app) *cobra.Command { return &cobra.Command{Use: "sample DIR"} }
func demoCommand(a *app) *cobra.Command   { return &cobra.Command{Use: "demo [DIR]"} }
