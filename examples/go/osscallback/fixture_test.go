package osscallback_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

// More than any test takes, less than the library's own time limits.
const patience = 20 * time.Second

var ctx = context.Background()

func TestMain(m *testing.M) {
	if os.Getenv("OSS_ENDPOINT") == "" {
		fmt.Fprintln(os.Stderr, "these tests need a server: cargo run --example with_local_oss -- go test ./...")
		os.Exit(2)
	}
	os.Exit(m.Run())
}

var bucket = os.Getenv("OSS_BUCKET")

// object is a name that no other test uses.
func object(t *testing.T) string {
	return "go/" + t.Name()
}

func options(endpoint string) ClientOptions {
	return ClientOptions{Endpoint: endpoint, Region: os.Getenv("OSS_REGION"), Credentials: EnvironmentCredentials()}
}

func newClient(t *testing.T, options ClientOptions) *Client {
	t.Helper()
	client, err := NewClient(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// local is a client for the server of these tests.
func local(t *testing.T) *Client {
	t.Helper()
	return newClient(t, options(os.Getenv("OSS_ENDPOINT")))
}

// application is an application server.
type application struct {
	url string

	mutex    sync.Mutex
	requests []string
}

// newApplication answers every callback in the same way.
func newApplication(t *testing.T, status int, answer string) *application {
	a := &application{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mutex.Lock()
		a.requests = append(a.requests, string(body))
		a.mutex.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/"
	return a
}

func (a *application) received() []string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return append([]string{}, a.requests...)
}

func newSpec(t *testing.T, url string) *CallbackSpec {
	t.Helper()
	spec, err := NewCallbackSpec(CallbackSpecOptions{URLs: []string{url}, Body: "object=${object}&size=${size}"})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// silent takes connections, and never reads nor answers.
type silent struct {
	endpoint  string
	connected chan struct{}
	count     atomic.Int32
}

func newSilent(t *testing.T) *silent {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{endpoint: "http://" + listener.Addr().String(), connected: make(chan struct{}, 100)}
	var kept []net.Conn
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			kept = append(kept, connection)
			s.count.Add(1)
			s.connected <- struct{}{}
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
		for _, connection := range kept {
			connection.Close()
		}
	})
	return s
}

// mangling stands between a client and the server, and lets through of each answer what is said.
func mangling(t *testing.T, mangle func(answer []byte) []byte) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", strings.TrimPrefix(os.Getenv("OSS_ENDPOINT"), "http://"))
				if err != nil {
					return
				}
				defer server.Close()
				go func() { _, _ = io.Copy(server, client) }()
				var raw bytes.Buffer
				answer, err := http.ReadResponse(bufio.NewReader(io.TeeReader(server, &raw)), nil)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_, _ = client.Write(mangle(raw.Bytes()))
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// failure is the error of an operation that must fail.
func failure(t *testing.T, err error) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("%T %v is no *Error", err, err)
	}
	return failure
}

func expect(t *testing.T, err error, kind Kind, stored Stored, answered Answered) *Error {
	t.Helper()
	e := failure(t, err)
	if e.Kind != kind || e.Stored != stored || e.Answered != answered || !errors.Is(err, kind) {
		t.Fatalf("%v: kind %v, stored %v, answered %v; not %v, %v, %v", e, e.Kind, e.Stored, e.Answered, kind, stored, answered)
	}
	return e
}

// isStored asks the server.
func isStored(t *testing.T, name string) bool {
	t.Helper()
	_, err := local(t).HeadObject(ctx, bucket, name, nil)
	if err != nil && !errors.Is(err, NotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// contents of an object, from the server.
func contents(t *testing.T, name string) string {
	t.Helper()
	var buffer bytes.Buffer
	if _, err := local(t).GetObject(ctx, bucket, name, &buffer, nil); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

// soon runs something that must end long before a time limit of the library does.
func soon(t *testing.T, f func()) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}
