package s3test

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort gives a port of the loopback for a server that is started with it. It is none of those that systems give to outgoing
// connections, which begin at 32768 on Linux and higher elsewhere: one of these could be taken before the server listens.
func FreePort() (string, error) {
	var errs []error
	for range 100 {
		port := strconv.Itoa(15000 + rand.IntN(17000))
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return port, l.Close()
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}
