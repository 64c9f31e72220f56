package osscallback_test

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

const agreed = `{"Status":"OK"}`

func TestAnAgreeingApplicationServersAnswerComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello.txt")
	if err := os.WriteFile(path, []byte("..hello.."), 0o600); err != nil {
		t.Fatal(err)
	}
	client, app := local(t), newApplication(t, 200, agreed)
	spec := newSpec(t, app.url)
	bodies := map[string]Body{
		"bytes":   Bytes([]byte("hello")),
		"range":   FileRange(path, 2, 5),
		"reader":  Reader(strings.NewReader("hello"), 5),
		"chunked": Reader(strings.NewReader("hello"), LenUnknown),
	}
	for name, body := range bodies {
		receipt, err := client.PutObject(ctx, bucket, object(t)+name, body, &PutOptions{Callback: spec, ContentType: "a/b"})
		if err != nil {
			t.Fatal(name, err)
		}
		if receipt.Status != 200 || string(receipt.Answer) != agreed || receipt.AnswerContentType != "application/json" {
			t.Errorf("%s: %+v", name, receipt)
		}
		if receipt.ETag != "5D41402ABC4B2A76B9719D911017C592" || receipt.Attempts != 1 || receipt.CRC64 == nil {
			t.Errorf("%s: %+v", name, receipt)
		}
		if receipt.RequestID == "" || receipt.Header("X-OSS-Request-ID") != receipt.RequestID || receipt.Header("x\x00") != "" {
			t.Errorf("%s: %q", name, receipt.RequestID)
		}
		if contents(t, object(t)+name) != "hello" {
			t.Errorf("%s: other contents", name)
		}
	}
	if got := len(app.received()); got != len(bodies) {
		t.Errorf("%d callbacks", got)
	}
	receipt, err := client.PutObject(ctx, bucket, object(t), File(path), nil)
	if err != nil || len(receipt.Answer) != 0 || contents(t, object(t)) != "..hello.." {
		t.Error(receipt, err)
	}
	if receipt, err = client.PutObject(ctx, bucket, object(t), Bytes(nil), nil); err != nil || contents(t, object(t)) != "" {
		t.Error(receipt, err)
	}
}

func TestA203SaysThatTheObjectIsStored(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, row := range map[string]struct{ url, message string }{
		"404":      {newApplication(t, 404, "{}").url, "Error status : 404."},
		"502":      {newApplication(t, 502, "{}").url, "Error status : 502."},
		"not JSON": {newApplication(t, 200, "OK").url, "Response body is not valid json format."},
		"refused":  {"http://" + closed.Addr().String() + "/", "Error status : 502."},
	} {
		receipt, err := local(t).PutObject(ctx, bucket, object(t)+name, Bytes([]byte("hello")), &PutOptions{Callback: newSpec(t, row.url)})
		if receipt != nil {
			t.Errorf("%s: a receipt beside the error", name)
		}
		e := expect(t, err, CallbackFailed, StoredYes, AnsweredNo)
		if e.Status != 203 || e.OSSCode != "CallbackFailed" || e.OSSMessage != row.message || e.Diagnosis == "" {
			t.Errorf("%s: %+v", name, e)
		}
		if e.Receipt == nil || e.Receipt.Status != 203 || e.Receipt.ETag != "5D41402ABC4B2A76B9719D911017C592" {
			t.Errorf("%s: %+v", name, e.Receipt)
		}
		if e.Receipt.Header("x-oss-request-id") != e.RequestID || e.RequestID == "" || !bytes.Contains(e.Body, []byte("CallbackFailed")) {
			t.Errorf("%s: %q", name, e.RequestID)
		}
		if !isStored(t, object(t)+name) {
			t.Errorf("%s: it is not stored", name)
		}
	}
}

func TestARefusedUploadIsNotStored(t *testing.T) {
	app := newApplication(t, 200, agreed)
	wrong := options(os.Getenv("OSS_ENDPOINT"))
	wrong.Credentials = StaticCredentials(KeyPair{AccessKeyID: os.Getenv("OSS_ACCESS_KEY_ID"), AccessKeySecret: "another"})
	_, err := newClient(t, wrong).PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), &PutOptions{Callback: newSpec(t, app.url)})
	e := expect(t, err, AccessDenied, StoredNo, AnsweredNo)
	if e.Status != 403 || e.OSSCode != "SignatureDoesNotMatch" || e.Receipt != nil || e.Detail("stringtosign") == "" {
		t.Errorf("%+v", e)
	}
	if e.Header("x-oss-request-id") != e.RequestID || e.Detail("nothing") != "" {
		t.Errorf("%+v", e)
	}
	if isStored(t, object(t)) || len(app.received()) != 0 {
		t.Error("it is stored")
	}
}

func TestAddressesAreChosen(t *testing.T) {
	endpoint, err := url.Parse(os.Getenv("OSS_ENDPOINT"))
	if err != nil {
		t.Fatal(err)
	}
	there := options("http://oss.example.test:" + endpoint.Port())
	there.Addresses = map[string][]string{"*.example.test": {"::1", "127.0.0.1"}}
	there.PathStyle = true
	there.LocalAddress = "127.0.0.1"
	name := object(t)
	if _, err := newClient(t, there).PutObject(ctx, bucket, name, Bytes([]byte("x")), nil); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*ClientOptions){
		func(options *ClientOptions) { options.LocalAddress = "192.0.2.1" },
		func(options *ClientOptions) { options.NetworkInterface = "no-such-device" },
	} {
		nowhere := there
		change(&nowhere)
		nowhere.RetryPolicy = &RetryPolicy{MaxAttempts: 1}
		_, err := newClient(t, nowhere).PutObject(ctx, bucket, name, Bytes([]byte("x")), nil)
		expect(t, err, Connect, StoredNo, AnsweredNotRequested)
	}
}

func TestACutAnswerIsStoredAndAnswered(t *testing.T) {
	app := newApplication(t, 200, agreed)
	client := newClient(t, options(mangling(t, func(answer []byte) []byte { return answer[:len(answer)-5] })))
	_, err := client.PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), &PutOptions{Callback: newSpec(t, app.url)})
	e := expect(t, err, AnswerDamaged, StoredYes, AnsweredYes)
	if string(e.Receipt.Answer) != agreed[:len(agreed)-5] || !isStored(t, object(t)) || len(app.received()) != 1 {
		t.Errorf("%+v", e.Receipt)
	}
}

func TestALostAnswerIsUnknownAndNotSentAgain(t *testing.T) {
	app := newApplication(t, 200, agreed)
	client := newClient(t, options(mangling(t, func([]byte) []byte { return nil })))
	_, err := client.PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), &PutOptions{Callback: newSpec(t, app.url)})
	e := expect(t, err, ConnectionLost, StoredUnknown, AnsweredUnknown)
	if e.Receipt != nil || e.Attempts != 1 || len(app.received()) != 1 {
		t.Errorf("%+v, %d callbacks", e, len(app.received()))
	}

	reconciled, err := local(t).Reconcile(ctx, e, nil)
	if err != nil || reconciled.Outcome != OutcomeContentPresent || *reconciled.Object.ContentLength != 5 {
		t.Error(reconciled, err)
	}

	// Without a callback it is, and the history says so.
	_, err = client.PutObject(ctx, bucket, object(t), Bytes(nil), &PutOptions{OperationOptions: OperationOptions{RetryPolicy: &RetryPolicy{MaxAttempts: 2}}})
	e = expect(t, err, ConnectionLost, StoredUnknown, AnsweredNotRequested)
	if e.Attempts != 2 || len(e.History) != 1 || e.History[0].Kind != ConnectionLost || e.History[0].Stored != StoredUnknown {
		t.Errorf("%+v", e.History)
	}

	// What an upload's policy leaves open is the client's.
	patient := options(mangling(t, func([]byte) []byte { return nil }))
	patient.RetryPolicy = &RetryPolicy{MaxAttempts: 2}
	soon := &PutOptions{OperationOptions: OperationOptions{RetryPolicy: &RetryPolicy{BaseDelay: time.Millisecond}}}
	_, err = newClient(t, patient).PutObject(ctx, bucket, object(t), Bytes(nil), soon)
	if e = expect(t, err, ConnectionLost, StoredUnknown, AnsweredNotRequested); e.Attempts != 2 {
		t.Errorf("%d attempts", e.Attempts)
	}
}

func TestReconcileTellsWhoseObjectItIs(t *testing.T) {
	client := newClient(t, options(mangling(t, func([]byte) []byte { return nil })))
	once := &RetryPolicy{MaxAttempts: 1}
	_, err := client.PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), &PutOptions{IdempotencyID: "mine", OperationOptions: OperationOptions{RetryPolicy: once}})
	reconciled, err := local(t).Reconcile(ctx, failure(t, err), nil)
	if err != nil || reconciled.Outcome != OutcomeStored || reconciled.Object.Header("x-oss-meta-idempotency-id") != "mine" {
		t.Error(reconciled, err)
	}
	// It never came to the server.
	silent := newSilent(t)
	_, err = newClient(t, options(silent.endpoint)).PutObject(ctx, bucket, object(t)+"2", Bytes(nil), &PutOptions{OperationOptions: OperationOptions{Timeout: 100 * time.Millisecond}})
	e := expect(t, err, Timeout, StoredUnknown, AnsweredNotRequested)
	reconciled, err = local(t).Reconcile(ctx, e, nil)
	if err != nil || reconciled.Outcome != OutcomeNotThere || reconciled.Object != nil || reconciled.ObservedAt.IsZero() {
		t.Error(reconciled, err)
	}
	for _, known := range []*Error{nil, {}} {
		_, err = local(t).Reconcile(ctx, known, nil)
		expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested)
	}
}
