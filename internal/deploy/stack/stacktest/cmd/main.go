// Command cmd serves the stand-in for an AWS account to which a lake is deployed, so that tarn and the AWS CLI can be tried on it: it
// prints the variables that lead to it, as a shell takes them. It forgets everything when it ends.
//
// Lines on its input make the account a difficult one:
//
//	fail RESOURCE CREATE|UPDATE|ROLLBACK|DELETE|IMPORT|PLAN REASON   the next time that the stack does that with the resource
//	refuse OPERATION CODE [MESSAGE]       such as refuse s3:HeadBucket AccessDenied, from now on; * is every operation
//	refuse-after N OPERATION CODE [MESSAGE]
//	allow                                 forgets what is refused
//	state STACK STATUS [REASON]           puts a stack into a state
//	pace N                                how many steps a stack comes further with each look
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"tarn/internal/deploy/stack/stacktest"
)

func main() {
	s, env, stop, err := stacktest.Serve()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer stop()
	for _, e := range env {
		fmt.Println("export " + e)
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if err := do(s, in.Text()); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}()
	over := make(chan os.Signal, 1)
	signal.Notify(over, os.Interrupt)
	<-over
}

// do does what a line says.
func do(s *stacktest.Server, line string) error {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	word := func() string {
		w, more, _ := strings.Cut(rest, " ")
		rest = more
		return w
	}
	number := func() (int, error) { return strconv.Atoi(word()) }
	switch verb {
	case "":
	case "fail":
		f := stacktest.Fault{Resource: word(), On: word()}
		f.Reason = rest
		s.Fail(f)
	case "refuse":
		r := stacktest.Refusal{Operation: word(), Code: word()}
		r.Message = rest
		s.Refuse(r)
	case "refuse-after":
		n, err := number()
		if err != nil {
			return err
		}
		r := stacktest.Refusal{After: n, Operation: word(), Code: word()}
		r.Message = rest
		s.Refuse(r)
	case "allow":
		s.Allow()
	case "state":
		name, status := word(), word()
		return s.Put(name, status, rest)
	case "pace":
		n, err := number()
		if err != nil {
			return err
		}
		s.SetPace(n)
	default:
		return fmt.Errorf("%q is none of fail, refuse, refuse-after, allow, state, pace", verb)
	}
	return nil
}
