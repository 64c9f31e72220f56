package osscallback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

func TestAnObjectOfPartsFromTwoMachinesHasOneCallback(t *testing.T) {
	app := newApplication(t, 200, agreed)
	const size = 102400
	path := filepath.Join(t.TempDir(), "part")
	if err := os.WriteFile(path, bytes.Repeat([]byte("b"), size+2), 0o600); err != nil {
		t.Fatal(err)
	}
	upload, err := local(t).InitiateMultipartUpload(ctx, bucket, object(t), &PutOptions{Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := local(t).ResumeMultipartUpload(upload.Bucket, upload.Object, upload.ID)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for number, body := range map[int]Body{
		1: Bytes(bytes.Repeat([]byte("a"), size)),
		2: FileRange(path, 1, size),
		3: Reader(strings.NewReader("c"), 1),
	} {
		part, err := other.UploadPart(ctx, number, body, nil)
		if err != nil {
			t.Fatal(err)
		}
		if part.Number != number || part.Size == nil || part.CRC64 == nil {
			t.Error(part)
		}
		line, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	var parts []Part
	if err := json.Unmarshal([]byte("["+strings.Join(lines, ",")+"]"), &parts); err != nil {
		t.Fatal(err)
	}
	listed, err := upload.ListParts(ctx, nil)
	if err != nil || len(listed) != 3 || listed[2].Number != 3 || *listed[2].Size != 1 {
		t.Error(listed, err)
	}
	receipt, err := upload.Complete(ctx, parts, &PutOptions{Callback: newSpec(t, app.url)})
	if err != nil || string(receipt.Answer) != agreed || len(app.received()) != 1 {
		t.Error(receipt, err)
	}
	if contents(t, object(t)) != strings.Repeat("a", size)+strings.Repeat("b", size)+"c" {
		t.Error("other contents")
	}
	metadata, err := local(t).HeadObject(ctx, bucket, object(t), nil)
	if err != nil || metadata.Header("x-oss-meta-a") != "b" || *metadata.ContentLength != 2*size+1 || metadata.LastModified.IsZero() {
		t.Error(metadata, err)
	}
	if _, err := upload.ListParts(ctx, nil); !errors.Is(err, NotFound) {
		t.Error(err)
	}
}

func TestAFailedCallbackOfAnUploadInPartsIsStored(t *testing.T) {
	app := newApplication(t, 500, "{}")
	upload, err := local(t).InitiateMultipartUpload(ctx, bucket, object(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := upload.UploadPart(ctx, 1, Bytes([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	_, err = upload.Complete(ctx, nil, &PutOptions{Callback: newSpec(t, app.url)})
	if e := expect(t, err, CallbackFailed, StoredYes, AnsweredNo); e.Receipt == nil || !isStored(t, object(t)) {
		t.Error(e)
	}
}

func TestAnAbortedUploadIsGone(t *testing.T) {
	upload, err := local(t).InitiateMultipartUpload(ctx, bucket, object(t), &PutOptions{ForbidOverwrite: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = upload.UploadPart(ctx, 1, Reader(readerFunc(func([]byte) (int, error) { return 0, errOwn }), 1), nil)
	if !errors.Is(err, errOwn) {
		t.Error(err)
	}
	for _, number := range []int{0, 10001, -1} {
		if _, err := upload.UploadPart(ctx, number, Bytes(nil), nil); !errors.Is(err, InvalidArgument) {
			t.Error(number, err)
		}
	}
	if _, err := upload.UploadPart(ctx, 1, Bytes([]byte("a")), nil); err != nil {
		t.Error(err)
	}
	if _, err := local(t).PutObject(ctx, bucket, object(t), Bytes([]byte("kept")), nil); err != nil {
		t.Error(err)
	}
	_, err = upload.Complete(ctx, nil, nil)
	expect(t, err, Conflict, StoredNo, AnsweredNotRequested)
	if err := upload.Abort(ctx, nil); err != nil || contents(t, object(t)) != "kept" {
		t.Error(err)
	}
	if err := upload.Abort(ctx, nil); !errors.Is(err, NotFound) {
		t.Error(err)
	}
}

func TestUploadsBegunSinceAMomentAreListed(t *testing.T) {
	since := time.Now()
	upload, err := local(t).InitiateMultipartUpload(ctx, bucket, object(t), nil)
	if err != nil || upload.Notes != nil {
		t.Fatal(upload, err)
	}
	listed, err := local(t).ListUploadsBegunSince(ctx, bucket, object(t), since, nil)
	if err != nil || len(listed) != 1 || listed[0].ID != upload.ID || listed[0].Object != object(t) || len(listed[0].Initiated) != 24 {
		t.Error(listed, err)
	}
	listed, err = local(t).ListUploadsBegunSince(ctx, bucket, object(t), since.Add(time.Hour), nil)
	if err != nil || listed != nil {
		t.Error(listed, err)
	}
	if err := upload.Abort(ctx, nil); err != nil {
		t.Error(err)
	}
}

// A beginning whose answer is lost is said to be possible, in each of the places where it can be said.
func TestABeginningWhoseAnswerIsLostIsNamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection, _, _ := w.(http.Hijacker).Hijack()
		connection.Close()
	}))
	defer server.Close()
	o := options(server.URL)
	o.RetryPolicy = &RetryPolicy{MaxAttempts: 1}
	client := newClient(t, o)
	_, err := client.InitiateMultipartUpload(ctx, bucket, "o", nil)
	var e *Error
	if !errors.As(err, &e) || len(e.Notes) != 1 || !strings.Contains(e.Notes[0], bucket+"/o begun since 20") {
		t.Error(err)
	}
}

func TestUploadFileGoesOnWhereItWas(t *testing.T) {
	app := newApplication(t, 200, agreed)
	folder := t.TempDir()
	path, checkpoint := filepath.Join(folder, "large"), filepath.Join(folder, "checkpoint")
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	o := PutOptions{Callback: newSpec(t, app.url), PartSize: 102400, Parallel: 2, Checkpoint: checkpoint}
	interrupted := o
	interrupted.Progress = func(sent, total int64) {
		if sent >= total/2 {
			cancel()
		}
	}
	_, err := local(t).UploadFile(cancelled, bucket, object(t), path, &interrupted)
	if e := expect(t, err, Cancelled, StoredNo, AnsweredNo); e.UploadID == "" || !errors.Is(err, context.Canceled) {
		t.Error(e)
	}
	var first int64
	o.Progress = func(sent, total int64) {
		if first == 0 {
			first = sent
		}
	}
	receipt, err := local(t).UploadFile(ctx, bucket, object(t), path, &o)
	if err != nil || string(receipt.Answer) != agreed || len(app.received()) != 1 {
		t.Error(receipt, err)
	}
	if first < int64(len(text))/4 {
		t.Errorf("it began again, at %d", first)
	}
	if contents(t, object(t)) != string(text) {
		t.Error("other contents")
	}
	if _, err := os.Stat(checkpoint); !errors.Is(err, os.ErrNotExist) {
		t.Error("the checkpoint is still there")
	}
	if _, err := os.ReadFile(path); err != nil {
		t.Error(err)
	}
}

func TestADeletedObjectIsNotFound(t *testing.T) {
	client := local(t)
	if _, err := client.PutObject(ctx, bucket, object(t), Bytes(nil), nil); err != nil {
		t.Fatal(err)
	}
	if err := client.DeleteObject(ctx, bucket, object(t), nil); err != nil {
		t.Error(err)
	}
	_, err := client.HeadObject(ctx, bucket, object(t), nil)
	expect(t, err, NotFound, StoredNo, AnsweredNotRequested)
}
