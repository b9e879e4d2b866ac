package project

import (
	"errors"
	"fmt"
)

// ErrNoLake is the root of [NoLakeError].
var ErrNoLake = errors.New("no lake here")

// NoLakeError says that neither a folder nor any folder above it holds a tarn.yaml.
type NoLakeError struct {
	// Start is the folder where the search began.
	Start string
}

func (e *NoLakeError) Error() string {
	return fmt.Sprintf("no %s in %s or above it", ConfigFile, e.Start)
}

// Unwrap gives [ErrNoLake].
func (e *NoLakeError) Unwrap() error { return ErrNoLake }

// Hint says what to do about it.
func (e *NoLakeError) Hint() string {
	return "make a lake with `tarn init DIR`, or name its folder with `-C DIR`"
}
