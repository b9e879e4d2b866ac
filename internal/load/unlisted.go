package load

import (
	"errors"
	"fmt"
	"strings"

	"tarn/internal/diag"
)

// Unlisted is the error of a landing place whose files cannot be listed. Where the place is just what the DDL says, its hint
// tells how to lead elsewhere: a bucket of an example's name may be nobody's, or somebody else's.
func Unlisted(dir, location string, err error) error {
	if !strings.Contains(dir, "://") {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	if strings.TrimRight(dir, "/") != strings.TrimRight(location, "/") {
		return err
	}
	scheme, rest, _ := strings.Cut(dir, "://")
	host, _, _ := strings.Cut(rest, "/")
	bucket := scheme + "://" + host + "/"
	hint := fmt.Sprintf("LOCATION '%s' is taken as it stands, as the target has no locations: for it; where its files are elsewhere, write into the target locations: {%q: %q}",
		location, bucket, "s3://my-bucket/landing/")
	var missing interface{ Missing() bool }
	if more := diag.Hint(err); more != "" && !(errors.As(err, &missing) && missing.Missing()) {
		hint = more + "; " + hint
	}
	return diag.WithHint(err, hint)
}
