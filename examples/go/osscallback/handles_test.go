package osscallback_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	. "example.com/oss-callback/osscallback"
)

func TestWhatIsClosedIsRefusedAndClosedTwice(t *testing.T) {
	client := local(t)
	spec := newSpec(t, "http://127.0.0.1/")
	upload, err := client.ResumeMultipartUpload(bucket, "a", "id")
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(VerifierOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := NewSealer(SealKey{ID: "a", Secret: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := NewReplayGuard(1)
	if err != nil {
		t.Fatal(err)
	}
	open := local(t)
	for i := 0; i < 2; i++ {
		for _, closer := range []io.Closer{client, spec, upload, verifier, sealer, guard} {
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	put := func(client *Client, spec *CallbackSpec) error {
		_, err := client.PutObject(ctx, bucket, object(t), Bytes(nil), &PutOptions{Callback: spec})
		return err
	}
	_, verify := verifier.Verify("POST", "/", nil, nil)
	_, seal := sealer.Seal(CallbackSpecOptions{}, Permission{Object: "a"})
	_, resume := client.ResumeMultipartUpload(bucket, "a", "id")
	_, list := upload.ListParts(ctx, nil)
	_, presign := client.PresignGetObject(bucket, "a", 1)
	_, check := guard.Check(&SealedCallback{})
	for name, err := range map[string]error{
		"client": put(client, nil), "spec": put(open, spec), "check": spec.Check(), "verifier": verify, "sealer": seal,
		"resume": resume, "upload": list, "presign": presign, "guard": check,
	} {
		if expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested); !errors.Is(err, ErrClosed) {
			t.Error(name, err)
		}
	}
	if spec.Callback() != "" || spec.Warnings() != nil {
		t.Error("a closed spec says something")
	}
	expect(t, put(&Client{}, nil), InvalidArgument, StoredNo, AnsweredNotRequested)
}

func TestAnUploadUnderWaySurvivesClose(t *testing.T) {
	client := local(t)
	reader := readerFunc(func([]byte) (int, error) {
		client.Close()
		runtime.GC()
		return 0, io.EOF
	})
	if _, err := client.PutObject(ctx, bucket, object(t), Reader(reader, LenUnknown), nil); err != nil || !isStored(t, object(t)) {
		t.Error(err)
	}
}

func TestGarbageIsFreedAndNothingElse(t *testing.T) {
	app := newApplication(t, 200, agreed)
	done := make(chan struct{})
	var collector, workers sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for worker := 0; worker < 4; worker++ {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			for turn := 0; turn < 20; turn++ {
				name := fmt.Sprintf("%s%d-%d", object(t), worker, turn)
				client, err := NewClient(options(os.Getenv("OSS_ENDPOINT")))
				if err != nil {
					t.Error(err)
					return
				}
				body := Reader(strings.NewReader(name), int64(len(name)))
				receipt, err := client.PutObject(ctx, bucket, name, body, &PutOptions{
					Callback: newSpec(t, app.url),
					Progress: func(int64, int64) {},
				})
				if err != nil {
					t.Error(err)
					return
				}
				if receipt.Header("x-oss-request-id") != receipt.RequestID || string(receipt.Answer) != agreed {
					t.Error(receipt)
				}
				_, err = client.PutObject(ctx, bucket, name, Bytes(nil), &PutOptions{ForbidOverwrite: true})
				e := failure(t, err)
				if e.Kind != Conflict || e.Header("x-oss-request-id") != e.RequestID {
					t.Error(e)
				}
			}
		}(worker)
	}
	workers.Wait()
	close(done)
	collector.Wait()
	if got := len(app.received()); got != 80 {
		t.Errorf("%d callbacks", got)
	}
}

func TestANULIsRefusedWithTheNameOfItsArgument(t *testing.T) {
	client := local(t)
	const nul = "a\x00b"
	put := func(bucket, object string, body Body, options PutOptions) error {
		_, err := client.PutObject(ctx, bucket, object, body, &options)
		return err
	}
	newClientError := func(options ClientOptions) error { _, err := NewClient(options); return err }
	newSpecError := func(options CallbackSpecOptions) error { _, err := NewCallbackSpec(options); return err }
	_, file := client.UploadFile(ctx, bucket, "a", nul, nil)
	_, id := client.ResumeMultipartUpload(bucket, "a", nul)
	verifier, _ := NewVerifier(VerifierOptions{})
	_, target := verifier.Verify("POST", nul, nil, nil)
	_, part := func() (any, error) {
		upload, err := client.ResumeMultipartUpload(bucket, "a", "id")
		if err != nil {
			return nil, err
		}
		return upload.Complete(ctx, []Part{{Number: 1, ETag: nul}}, nil)
	}()
	none := Bytes(nil)
	for name, err := range map[string]error{
		"bucket": put(nul, "a", none, PutOptions{}), "object": put(bucket, nul, none, PutOptions{}),
		"path": put(bucket, "a", File(nul), PutOptions{}), "content_type": put(bucket, "a", none, PutOptions{ContentType: nul}),
		"name":       put(bucket, "a", none, PutOptions{Metadata: map[string]string{nul: ""}}),
		"value":      put(bucket, "a", none, PutOptions{Headers: map[string]string{"a": nul}}),
		"key":        put(bucket, "a", none, PutOptions{Tags: map[string]string{nul: ""}}),
		"checkpoint": put(bucket, "a", none, PutOptions{Checkpoint: nul}),
		"path ":      file, "upload_id": id, "target": target, "etag": part,
		"endpoint":          newClientError(ClientOptions{Endpoint: nul}),
		"access_key_secret": newClientError(ClientOptions{Credentials: StaticCredentials(KeyPair{AccessKeySecret: nul})}),
		"url":               newSpecError(CallbackSpecOptions{URLs: []string{nul}}),
		"body":              newSpecError(CallbackSpecOptions{Body: nul}),
		"variable":          newSpecError(CallbackSpecOptions{Members: []BodyMember{{Name: "a", Variable: nul}}}),
	} {
		e := expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested)
		if want := "`" + strings.TrimSpace(name) + "` contains a NUL"; e.Error() != want {
			t.Errorf("%q is not %q", e, want)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	pair := KeyPair{AccessKeyID: "id", AccessKeySecret: "hidden", SecurityToken: "hidden"}
	o := ClientOptions{Credentials: StaticCredentials(pair)}
	client, err := NewClient(ClientOptions{Endpoint: "http://127.0.0.1", Region: "a", Credentials: o.Credentials})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, value := range []any{pair, &pair, o, &o, SealKey{ID: "a", Secret: []byte("hidden")}, client} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "hidden") || strings.Contains(text, "68 69 64 64") {
				t.Error(format, text)
			}
		}
	}
}

func TestEnvironmentCredentialsSayWhatIsMissing(t *testing.T) {
	t.Setenv("OSS_ACCESS_KEY_SECRET", "")
	_, err := NewClient(options("http://127.0.0.1"))
	if expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested); !strings.Contains(err.Error(), "OSS_ACCESS_KEY_SECRET") {
		t.Error(err)
	}
}

func TestTheVersionIsThatOfTheLibrary(t *testing.T) {
	if strings.Count(Version(), ".") != 2 || CallbackFailed.String() != "CALLBACK_FAILED" || Kind(7777).String() != "UNKNOWN" {
		t.Error(Version(), CallbackFailed)
	}
}

func TestAFileThatIsMissingIsUnreadable(t *testing.T) {
	_, err := local(t).PutObject(ctx, bucket, object(t), File(filepath.Join(t.TempDir(), "none")), nil)
	expect(t, err, BodyUnreadable, StoredNo, AnsweredNotRequested)
}
