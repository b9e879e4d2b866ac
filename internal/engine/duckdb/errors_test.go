package duckdb

import (
	"errors"
	"testing"
)

func TestBrief(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Invalid Input Error: File '/tmp/x y/no.parquet' too small\n\nLINE 1: SELECT": "File no.parquet too small",
		"IO Error: disk":         "disk",
		"plain":                  "plain",
		"odd '/quote":            "odd '/quote",
		"two '/a/b' and '/c/d'.": "two b and d.",
	} {
		if got := Brief(errors.New(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestMisfit(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	var n int
	err = e.DB().QueryRowContext(t.Context(), "SELECT 'x'::INTEGER").Scan(&n)
	if why, misfit := Misfit(err); !misfit || why != "could not convert string 'x' to INT32" {
		t.Errorf("got %q, %v", why, misfit)
	}
	err = e.DB().QueryRowContext(t.Context(), "SELECT error('too long')").Scan(&n)
	if why, misfit := Misfit(err); !misfit || why != "too long" {
		t.Errorf("got %q, %v", why, misfit)
	}
	err = e.DB().QueryRowContext(t.Context(), "SELECT * FROM nowhere").Scan(&n)
	if why, misfit := Misfit(err); misfit {
		t.Errorf("got %q", why)
	}
}
