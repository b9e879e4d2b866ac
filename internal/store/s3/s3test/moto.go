package s3test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Moto starts another server than the one that most tests have, moto in Python, for the length of the test, points the environment of the
// test to it, and gives its URL. It knows many services of AWS. The test is skipped unless TARN_MOTO names a Python that has it, and
// cannot be parallel.
func Moto(t testing.TB) string {
	t.Helper()
	python := os.Getenv("TARN_MOTO")
	if python == "" {
		t.Skip("TARN_MOTO does not name a Python that has moto[server]: see test/peers/moto.sh")
	}
	url := startMoto(t, python)
	for k, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": Region,
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(k, v)
	}
	return url
}

func startMoto(t testing.TB, python string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", "from moto.server import main; main()", "-H", host, "-p", port)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	// By this name moto knows URLs of objects that are its own.
	url := "http://" + net.JoinHostPort("localhost", port)
	for range 600 {
		if r, err := http.Get(url + "/moto-api/"); err == nil {
			_ = r.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("moto did not start")
	return ""
}
