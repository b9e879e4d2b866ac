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
	url := StartMoto(t, "localhost", python, "-c", "from moto.server import main; main()")
	for k, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": Region,
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(k, v)
	}
	return url
}

// StartMoto starts a command that is moto's server and waits until it answers. It gives its URL at host, which has to be a name of this
// machine; by "localhost" moto knows URLs of objects that are its own.
func StartMoto(t testing.TB, host, command string, args ...string) string {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, append(args, "-H", "127.0.0.1", "-p", port)...)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	})
	url := "http://" + net.JoinHostPort(host, port)
	late := time.After(5 * time.Minute)
	for {
		if r, err := http.Get(url + "/moto-api/"); err == nil {
			_ = r.Body.Close()
			return url
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatal("moto has ended: ", err)
		case <-late:
			t.Fatal("moto did not start")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
