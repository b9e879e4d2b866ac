// Package cost says what a lake costs in AWS: a run, and a month of a given volume, beside the same work as Glue jobs; and
// which engine a volume needs.
//
// [Reckon] makes a [Bill] of a [Case] and [Prices]. Prices are a file in the program, dated, with their sources, which a file of
// the user's overrides. What a run asks of S3 and Glue, and what it takes of a processor, was measured: requests.json and rate.json,
// which `go run ./bench` writes. [Path] says where a run of a given size fits.
//
// None of it was compared with a bill of AWS.
package cost
