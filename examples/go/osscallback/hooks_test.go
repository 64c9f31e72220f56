package osscallback_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	. "example.com/oss-callback/osscallback"
)

var errOwn = errors.New("an error of the caller's own")

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(buffer []byte) (int, error) { return f(buffer) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(bytes []byte) (int, error) { return f(bytes) }

func TestReadersOfAllKindsAreReadToTheirEnd(t *testing.T) {
	text := strings.Repeat("0123456789", 50_000)
	for name, reader := range map[string]io.Reader{
		"half":           iotest.HalfReader(strings.NewReader(text)),
		"data and error": iotest.DataErrReader(strings.NewReader(text)),
		"bytes":          bytes.NewBufferString(text),
		"sometimes nothing": func() io.Reader {
			inner, turn := strings.NewReader(text), 0
			return readerFunc(func(buffer []byte) (int, error) {
				if turn++; turn%10 != 0 {
					return 0, nil
				}
				return inner.Read(buffer)
			})
		}(),
	} {
		if _, err := local(t).PutObject(ctx, bucket, object(t), Reader(reader, LenUnknown), nil); err != nil {
			t.Fatal(name, err)
		}
		if contents(t, object(t)) != text {
			t.Error(name, "arrives otherwise")
		}
	}
}

func TestAFailingReaderStoresNothingAndItsErrorComesBack(t *testing.T) {
	app := newApplication(t, 200, agreed)
	for name, row := range map[string]struct {
		reader io.Reader
		err    error
		text   string
	}{
		"at once":       {iotest.ErrReader(errOwn), errOwn, ""},
		"later":         {io.MultiReader(strings.NewReader(strings.Repeat("a", 1<<20)), iotest.ErrReader(errOwn)), errOwn, ""},
		"with bytes":    {readerFunc(func(b []byte) (int, error) { return len(b), errOwn }), errOwn, ""},
		"never":         {readerFunc(func([]byte) (int, error) { return 0, nil }), io.ErrNoProgress, ""},
		"unexpectedEOF": {iotest.ErrReader(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF, ""},
		"too many":      {readerFunc(func(b []byte) (int, error) { return len(b) + 1, nil }), nil, "had room"},
		"negative":      {readerFunc(func(b []byte) (int, error) { return -1, nil }), nil, "-1 bytes"},
	} {
		_, err := local(t).PutObject(ctx, bucket, object(t), Reader(row.reader, LenUnknown), &PutOptions{Callback: newSpec(t, app.url)})
		e := expect(t, err, BodyUnreadable, StoredNo, AnsweredNo)
		if row.err != nil && !errors.Is(err, row.err) || !strings.Contains(e.Error(), row.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if isStored(t, object(t)) || len(app.received()) != 0 {
		t.Error("it is stored")
	}
}

func TestAReaderOfAnotherLengthStoresNothing(t *testing.T) {
	for _, length := range []int64{4, 6} {
		_, err := local(t).PutObject(ctx, bucket, object(t), Reader(strings.NewReader("hello"), length), nil)
		expect(t, err, BodyChanged, StoredNo, AnsweredNotRequested)
	}
	if isStored(t, object(t)) {
		t.Error("it is stored")
	}
}

func TestProgressIsToldToTheEnd(t *testing.T) {
	const size = 1 << 20
	for _, length := range []int64{size, LenUnknown} {
		var last int64
		progress := func(sent, total int64) {
			if sent < last || total != length {
				t.Errorf("%d of %d after %d", sent, total, last)
			}
			last = sent
		}
		body := Reader(bytes.NewReader(make([]byte, size)), length)
		if _, err := local(t).PutObject(ctx, bucket, object(t), body, &PutOptions{Progress: progress}); err != nil || last != size {
			t.Error(err, last)
		}
	}
}

// Each ends abruptly in a function of the caller's.
func abruptOperations(t *testing.T, end func()) map[string]func() {
	client := local(t)
	if _, err := client.PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	provided := options(os.Getenv("OSS_ENDPOINT"))
	provided.Credentials = ProvidedCredentials(func() (KeyPair, error) { end(); return KeyPair{}, nil })
	providing := newClient(t, provided)
	signed := options(os.Getenv("OSS_ENDPOINT"))
	signed.Credentials = RemoteCredentials("id", "", func(SigningRequest) (string, error) { end(); return "", nil })
	signing := newClient(t, signed)
	put := func(client *Client, body Body, options *PutOptions) func() {
		return func() { _, _ = client.PutObject(ctx, bucket, object(t)+"2", body, options) }
	}
	return map[string]func(){
		"reader":   put(client, Reader(readerFunc(func([]byte) (int, error) { end(); return 0, nil }), LenUnknown), nil),
		"progress": put(client, Bytes(make([]byte, 1<<20)), &PutOptions{Progress: func(int64, int64) { end() }}),
		"provider": put(providing, Bytes(nil), nil),
		"signer":   put(signing, Bytes(nil), nil),
		"writer": func() {
			_, _ = client.GetObject(ctx, bucket, object(t), writerFunc(func([]byte) (int, error) { end(); return 0, nil }), nil)
		},
	}
}

func TestAPanicInAHookIsRaisedByTheOperation(t *testing.T) {
	for name, operation := range abruptOperations(t, func() { panic(errOwn) }) {
		func() {
			defer func() {
				if value := recover(); value != errOwn {
					t.Errorf("%s: recovered %v", name, value)
				}
			}()
			operation()
			t.Errorf("%s: it returns", name)
		}()
	}
	if isStored(t, object(t)+"2") {
		t.Error("it is stored")
	}
}

func TestGoexitInAHookEndsTheGoroutineOfTheOperation(t *testing.T) {
	for name, operation := range abruptOperations(t, runtime.Goexit) {
		returned := false
		soon(t, func() {
			operation()
			returned = true
		})
		if returned {
			t.Errorf("%s: it returns", name)
		}
	}
}

func TestTheWritersErrorComesBack(t *testing.T) {
	if _, err := local(t).PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		writer io.Writer
		err    error
	}{
		"error": {writerFunc(func([]byte) (int, error) { return 0, errOwn }), errOwn},
		"short": {writerFunc(func(b []byte) (int, error) { return len(b) - 1, nil }), io.ErrShortWrite},
	} {
		_, err := local(t).GetObject(ctx, bucket, object(t), row.writer, nil)
		if !errors.Is(err, row.err) || !errors.Is(err, WriteFailed) {
			t.Error(name, err)
		}
	}
}

func TestProvidedCredentialsAreUsedAndTheirErrorComesBack(t *testing.T) {
	pair := KeyPair{AccessKeyID: os.Getenv("OSS_ACCESS_KEY_ID"), AccessKeySecret: os.Getenv("OSS_ACCESS_KEY_SECRET")}
	var fail error
	o := options(os.Getenv("OSS_ENDPOINT"))
	o.Credentials = ProvidedCredentials(func() (KeyPair, error) { return pair, fail })
	client := newClient(t, o)
	if _, err := client.PutObject(ctx, bucket, object(t), Bytes(nil), nil); err != nil {
		t.Error(err)
	}
	fail = errOwn
	_, err := client.PutObject(ctx, bucket, object(t), Bytes(nil), nil)
	expect(t, err, CredentialsFailed, StoredNo, AnsweredNotRequested)
	if !errors.Is(err, errOwn) {
		t.Error(err)
	}
	fail, pair.AccessKeySecret = nil, "a\x00b"
	_, err = client.PutObject(ctx, bucket, object(t), Bytes(nil), nil)
	if expect(t, err, CredentialsFailed, StoredNo, AnsweredNotRequested); !strings.Contains(err.Error(), "`access_key_secret` contains") {
		t.Error(err)
	}
}

func TestTheSignerIsToldWhatToSign(t *testing.T) {
	var requests []SigningRequest
	o := options(os.Getenv("OSS_ENDPOINT"))
	o.Credentials = RemoteCredentials(os.Getenv("OSS_ACCESS_KEY_ID"), "", func(r SigningRequest) (string, error) {
		requests = append(requests, r)
		if len(requests) > 1 {
			return strings.Repeat("a", 4096), nil
		}
		return strings.Repeat("0", 64), nil
	})
	client := newClient(t, o)
	_, err := client.PutObject(ctx, bucket, object(t), Bytes(nil), nil)
	if e := failure(t, err); e.OSSCode != "SignatureDoesNotMatch" || e.Detail("StringToSign") != requests[0].StringToSign {
		t.Error(e, requests)
	}
	if requests[0].SignatureVersion != 4 || !strings.HasSuffix(requests[0].Scope, "/oss/aliyun_v4_request") {
		t.Error(requests)
	}
	if _, err = client.PutObject(ctx, bucket, object(t), Bytes(nil), nil); !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
}

func TestFunctionsOfTheCallersAreLetGoWithTheClient(t *testing.T) {
	collected := make(chan struct{})
	func() {
		kept := new([1 << 10]byte)
		runtime.SetFinalizer(kept, func(*[1 << 10]byte) { close(collected) })
		o := options(os.Getenv("OSS_ENDPOINT"))
		o.Credentials = ProvidedCredentials(func() (KeyPair, error) { kept[0]++; return KeyPair{}, errOwn })
		client, err := NewClient(o)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = client.PutObject(ctx, bucket, object(t), Bytes(nil), nil)
		// Not closed: the garbage collector does it.
	}()
	for limit := time.Now().Add(patience); ; runtime.GC() {
		select {
		case <-collected:
			return
		case <-time.After(time.Millisecond):
			if time.Now().After(limit) {
				t.Fatal("the client is never freed")
			}
		}
	}
}

func TestNumbersThatCHasNoPlaceForAreRefused(t *testing.T) {
	client := local(t)
	put := func(body Body, options PutOptions) error {
		_, err := client.PutObject(ctx, bucket, object(t), body, &options)
		return err
	}
	for name, err := range map[string]error{
		"`len` is negative":        put(Reader(strings.NewReader(""), -2), PutOptions{}),
		"`offset` is negative":     put(FileRange("x", -1, 1), PutOptions{}),
		"`timeout` is negative":    put(Bytes(nil), PutOptions{OperationOptions: OperationOptions{Timeout: -1}}),
		"`bandwidth` is negative":  put(Bytes(nil), PutOptions{Bandwidth: -1}),
		"`max_attempts` is -1":     put(Bytes(nil), PutOptions{OperationOptions: OperationOptions{RetryPolicy: &RetryPolicy{MaxAttempts: -1}}}),
		"`expires` is before 1970": put(Bytes(nil), PutOptions{Expires: time.Unix(-1, 0)}),
		"`reader` is nil":          put(Reader(nil, 0), PutOptions{}),
		"`body` is missing":        put(Body{}, PutOptions{}),
		"part_size":                put(Bytes(nil), PutOptions{PartSize: 1 << 20}),
		"verify_parts":             put(Bytes(nil), PutOptions{VerifyParts: true}),
	} {
		if e := expect(t, err, InvalidArgument, StoredNo, failure(t, err).Answered); !strings.Contains(e.Error(), name) {
			t.Errorf("%s: %v", name, e)
		}
	}
	if math.MaxInt > math.MaxUint32 {
		_, err := NewClient(ClientOptions{SignatureVersion: math.MaxUint32 + 5, Endpoint: "http://127.0.0.1", Credentials: AnonymousCredentials()})
		expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested)
	}
	// Less than a millisecond is not none.
	err := put(Bytes(nil), PutOptions{OperationOptions: OperationOptions{Timeout: time.Nanosecond}})
	if err != nil && !errors.Is(err, Timeout) {
		t.Error(err)
	}
}
