// Package machine tells what this machine has.
package machine
