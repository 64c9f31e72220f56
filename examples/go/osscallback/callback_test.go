package osscallback_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

// testKeys asks the server for the key that its callbacks name.
func testKeys(t *testing.T) map[string]string {
	t.Helper()
	urls := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		url, _ := base64.StdEncoding.DecodeString(r.Header.Get("x-oss-pub-key-url"))
		urls <- string(url)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	if _, err := local(t).PutObject(ctx, bucket, object(t), Bytes(nil), &PutOptions{Callback: newSpec(t, server.URL)}); err != nil {
		t.Fatal(err)
	}
	url := <-urls
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	pem, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{url: string(pem)}
}

// receiving is an application server behind NewHandler.
type receiving struct {
	*httptest.Server
	sealer *Sealer

	mutex   sync.Mutex
	seen    []Seen
	refused []error
	last    *http.Request
	body    string
}

func newReceiving(t *testing.T, serve func(*Callback) (any, error)) *receiving {
	verifier, err := NewVerifier(VerifierOptions{TestKeys: testKeys(t), MaxBodyLen: 4096})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiving{}
	secret := []byte("a secret of thirty-two bytes ...")
	if r.sealer, err = NewSealer(SealKey{"new", secret}, SealKey{"old", secret}); err != nil {
		t.Fatal(err)
	}
	guard, err := NewReplayGuard(100)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := NewHandler(HandlerOptions{
		Verifier:    verifier,
		Sealer:      r.sealer,
		ReplayGuard: guard,
		Serve: func(callback *Callback) (any, error) {
			r.mutex.Lock()
			r.seen = append(r.seen, callback.Seen)
			r.mutex.Unlock()
			return serve(callback)
		},
		Refused: func(_ *http.Request, err error) {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			r.refused = append(r.refused, err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Keeps what came, for sending it again.
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mutex.Lock()
		r.last, r.body = request.Clone(ctx), string(body)
		r.mutex.Unlock()
		request.Body = io.NopCloser(bytes.NewReader(body))
		handler.ServeHTTP(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiving) seal(t *testing.T, object string) *CallbackSpec {
	t.Helper()
	spec, err := r.sealer.Seal(CallbackSpecOptions{
		URLs:      []string{r.URL + "/call%20back/%E7%9B%AE?id=%41"},
		Body:      "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&x:uid=${x:uid}&seal=${x:seal}",
		Variables: map[string]string{"uid": "42"},
	}, Permission{Bucket: bucket, Object: object, MaxSize: 10, ValidFor: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// came is what came last, and what became of all.
func (r *receiving) came() (request *http.Request, body string, seen []Seen, refused []error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.last, r.body, r.seen, r.refused
}

// again sends what came last, with another body if it is given.
func (r *receiving) again(t *testing.T, method, body string, without string) int {
	t.Helper()
	last, _, _, _ := r.came()
	request, err := http.NewRequest(method, r.URL+last.RequestURI, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = last.Header.Clone()
	request.Header.Del(without)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != 200 && strings.Contains(string(text), "ignature") {
		t.Errorf("whoever is refused is told why: %s", text)
	}
	return answer.StatusCode
}

func TestTheHandlerTakesWhatWasPermittedOnce(t *testing.T) {
	name := "go/目.txt"
	var confirmed atomic.Int32
	r := newReceiving(t, func(callback *Callback) (any, error) {
		sealed := callback.Sealed
		if uid, ok := sealed.Variable("uid"); !ok || uid != "42" {
			t.Error(uid, ok)
		}
		if _, ok := sealed.Variable("none"); ok {
			t.Error("there is no such variable")
		}
		if sealed.Bucket != bucket || sealed.Object != name || sealed.Size != 5 || sealed.KeyID != "new" {
			t.Errorf("%+v", sealed)
		}
		if len(sealed.Nonce) != 16 || len(sealed.BodyDigest) != 32 {
			t.Errorf("%+v", sealed)
		}
		verified := callback.Verified
		if verified.Object != name || *verified.Size != 5 || verified.ETag == "" || verified.CheckBody() != nil || verified.ImageWidth != nil {
			t.Errorf("%+v", verified)
		}
		if member, ok := verified.Member("size"); !ok || member != "5" {
			t.Error(member)
		}
		if _, err := verified.Confirm(local(t)); err != nil {
			t.Error(err)
		}
		confirmed.Add(1)
		return map[string]string{"Status": "OK"}, nil
	})
	put := func(object string, spec *CallbackSpec, text string) (*Receipt, error) {
		return local(t).PutObject(ctx, bucket, object, Bytes([]byte(text)), &PutOptions{Callback: spec})
	}
	spec := r.seal(t, name)
	receipt, err := put(name, spec, "hello")
	if err != nil || string(receipt.Answer) != agreed || confirmed.Load() < 1 {
		t.Fatal(receipt, err)
	}
	_, body, _, _ := r.came()
	for _, row := range []struct {
		name, method, body, without string
		status                      int
		kind                        Kind
	}{
		{"repeated", "POST", body, "", 200, 0},
		{"forged", "POST", strings.Replace(body, "size=5", "size=6", 1), "", 403, BadSignature},
		{"unsigned", "POST", body, "Authorization", 403, MissingAuthorization},
		{"too large", "POST", strings.Repeat("a", 4097), "", 413, BodyTooLarge},
		{"GET", "GET", "", "", 405, WrongMethod},
	} {
		_, _, _, before := r.came()
		if status := r.again(t, row.method, row.body, row.without); status != row.status {
			t.Errorf("%s: %d", row.name, status)
		}
		_, _, _, refused := r.came()
		if refused = refused[len(before):]; row.kind != 0 && (len(refused) != 1 || !errors.Is(refused[0], row.kind)) {
			t.Errorf("%s: %v", row.name, refused)
		}
	}
	if _, _, seen, _ := r.came(); len(seen) != 2 || seen[0] != FirstSeen || seen[1] != Repeated {
		t.Error(seen)
	}
	// Replayed, for another object, and not permitted at all.
	for object, spec := range map[string]*CallbackSpec{name: spec, "go/other": spec, "go/plain": newSpec(t, r.URL)} {
		_, err := put(object, spec, "other")
		if e := expect(t, err, CallbackFailed, StoredYes, AnsweredNo); e.OSSMessage != "Error status : 403." {
			t.Error(object, e)
		}
	}
}

func TestACallbackWhoseHandlingFailedMayComeAgain(t *testing.T) {
	for name, fail := range map[string]func() (any, error){
		"error": func() (any, error) { return nil, errOwn },
		"panic": func() (any, error) { panic(http.ErrAbortHandler) },
		"JSON":  func() (any, error) { return func() {}, nil },
	} {
		var repaired atomic.Bool
		r := newReceiving(t, func(*Callback) (any, error) {
			if !repaired.Load() {
				return fail()
			}
			return struct{}{}, nil
		})
		spec := r.seal(t, object(t))
		put := func() error {
			_, err := local(t).PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), &PutOptions{Callback: spec})
			return err
		}
		expect(t, put(), CallbackFailed, StoredYes, AnsweredNo)
		repaired.Store(true)
		err := put()
		if _, _, seen, _ := r.came(); err != nil || len(seen) != 2 || seen[1] != FirstSeen {
			t.Error(name, err, seen)
		}
	}
}

func TestAHandlerWithoutASealerMustBeAskedFor(t *testing.T) {
	verifier, err := NewVerifier(VerifierOptions{})
	if err != nil {
		t.Fatal(err)
	}
	serve := func(*Callback) (any, error) { return nil, nil }
	for name, row := range map[string]struct {
		options HandlerOptions
		fault   bool
	}{
		"unsealed":    {HandlerOptions{Verifier: verifier, Serve: serve, Unsealed: true}, false},
		"no sealer":   {HandlerOptions{Verifier: verifier, Serve: serve}, true},
		"no verifier": {HandlerOptions{Serve: serve, Unsealed: true}, true},
		"no serve":    {HandlerOptions{Verifier: verifier, Unsealed: true}, true},
		"only guard":  {HandlerOptions{Verifier: verifier, Serve: serve, Unsealed: true, ReplayGuard: &ReplayGuard{}}, true},
	} {
		if _, err := NewHandler(row.options); (err != nil) != row.fault {
			t.Error(name, err)
		}
	}
}

func TestASpecSaysWhatOSSWouldRefuseAndWhatIsOdd(t *testing.T) {
	_, err := NewCallbackSpec(CallbackSpecOptions{URLs: []string{"http://127.0.0.1/"}, Body: "a", Variables: map[string]string{"UID": "1"}})
	expect(t, err, InvalidCallback, StoredNo, AnsweredNotRequested)
	spec, err := NewCallbackSpec(CallbackSpecOptions{
		URLs:      []string{"http://127.0.0.1/"},
		BodyType:  BodyJSON,
		Members:   []BodyMember{{Name: "o", Variable: "object"}, {Name: "fixed", Text: `"`}, {Name: "v", Variable: "x:v"}},
		Variables: map[string]string{"v": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(spec.Callback())
	if err != nil || !strings.Contains(string(text), "application/json") || len(spec.Warnings()) == 0 || spec.Check() != nil {
		t.Error(string(text), err, spec.Warnings())
	}
	copied, err := CallbackSpecFromBase64(spec.Callback(), spec.CallbackVar())
	if err != nil || copied.Callback() != spec.Callback() || copied.CallbackVar() != spec.CallbackVar() || spec.CallbackVar() == "" {
		t.Error(copied, err)
	}
}
