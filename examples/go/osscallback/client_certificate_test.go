package osscallback_test

import (
	"os"
	"strings"
	"testing"

	. "example.com/oss-callback/osscallback"
)

func TestAClientSaysWhoItIs(t *testing.T) {
	endpoint, authority, own := os.Getenv("OSS_TLS_ENDPOINT"), os.Getenv("OSS_TLS_AUTHORITY"), os.Getenv("OSS_TLS_CLIENT")
	if endpoint == "" {
		t.Skip("OSS_TLS_ENDPOINT is not set: cargo test --test faces go::")
	}
	read := func(file string) []byte {
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	trusting := func(change func(*ClientOptions)) ClientOptions {
		options := options(endpoint)
		options.RootCertificates, options.CABundleFile = RootsNone, authority
		change(&options)
		return options
	}
	put := func(options ClientOptions) error {
		_, err := newClient(t, options).PutObject(ctx, bucket, object(t), Bytes([]byte("1")), nil)
		return err
	}
	for name, change := range map[string]func(*ClientOptions){
		"files": func(o *ClientOptions) { o.ClientCertificateFile, o.ClientKeyFile = own, own },
		"bytes": func(o *ClientOptions) {
			o.CABundleFile, o.CABundle = "", read(authority)
			o.ClientCertificate, o.ClientKey = read(own), read(own)
		},
	} {
		if err := put(trusting(change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	expect(t, put(trusting(func(*ClientOptions) {})), TLS, StoredNo, AnsweredNotRequested)
	for message, change := range map[string]func(*ClientOptions){
		"`client_key` is NULL":                   func(o *ClientOptions) { o.ClientCertificate = read(own) },
		"`client_certificate` is NULL":           func(o *ClientOptions) { o.ClientKeyFile = own },
		"`client_key` holds no private key":      func(o *ClientOptions) { o.ClientCertificateFile, o.ClientKeyFile = own, authority },
		"`ca_bundle`: read /: it is not a regul": func(o *ClientOptions) { o.CABundleFile = "/" },
	} {
		if _, err := NewClient(trusting(change)); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v", message, err)
		}
	}
}
