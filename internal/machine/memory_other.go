//go:build !linux && !darwin

package machine

// Memory gives the machine's memory in bytes, 0 where it cannot be told.
func Memory() int64 { return 0 }
