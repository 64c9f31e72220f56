package osscallback_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	. "example.com/oss-callback/osscallback"
)

// startProxy passes requests on to the server of these tests, whatever host they name, and counts them.
func startProxy(t *testing.T, login string) (address string, count *atomic.Int32) {
	count = new(atomic.Int32)
	wanted := "Basic " + base64.StdEncoding.EncodeToString([]byte(login))
	relay := &httputil.ReverseProxy{Director: func(r *http.Request) {
		r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(os.Getenv("OSS_ENDPOINT"), "http://")
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		if r.Header.Get("Proxy-Authorization") != wanted {
			w.Header().Set("Proxy-Authenticate", `Basic realm="office"`)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		relay.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), count
}

func TestProxies(t *testing.T) {
	address, count := startProxy(t, "me:p@ss")
	for _, name := range []string{"http_proxy", "no_proxy", "NO_PROXY", "REQUEST_METHOD"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	o := options("http://oss.example.test")
	o.PathStyle = true
	put := func(o ClientOptions) error {
		client, err := NewClient(o)
		if err != nil {
			return err
		}
		defer client.Close()
		_, err = client.PutObject(ctx, bucket, object(t), Bytes([]byte("x")), nil)
		return err
	}
	o.Proxy = "http://me:p%40ss@" + address
	if err := put(o); err != nil || count.Load() != 1 {
		t.Fatal(err, count.Load())
	}
	o.Proxy = "http://me:geheim@" + address
	var failure *Error
	if err := put(o); !errors.As(err, &failure) || failure.Kind != Connect || failure.Stored != StoredNo || failure.Status != 407 ||
		strings.Contains(err.Error(), "geheim") {
		t.Fatal(err)
	}
	if count.Load() != 2 {
		t.Fatal("a wrong login was tried again")
	}

	o.Proxy = ""
	t.Setenv("HTTP_PROXY", "http://me:p%40ss@"+address)
	o.ProxyFromEnv = true
	if err := put(o); err != nil || count.Load() != 3 {
		t.Fatal(err, count.Load())
	}
	t.Setenv("HTTP_PROXY", "socks5://me:geheim@proxy:1080")
	if err := put(o); err == nil || !strings.Contains(err.Error(), "`HTTP_PROXY` is a SOCKS proxy") {
		t.Fatal(err)
	}
	o.Proxy = "http://me:p%40ss@" + address
	if err := put(o); err != nil || count.Load() != 4 {
		t.Fatal(err, count.Load())
	}
}
