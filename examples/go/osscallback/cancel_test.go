package osscallback_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

const large = 64 << 20 // more than sockets buffer

func TestACancelledContextEndsAnUploadThatStalls(t *testing.T) {
	server := newSilent(t)
	client := newClient(t, options(server.endpoint))
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-server.connected
		cancel()
	}()
	soon(t, func() {
		_, err := client.PutObject(cancelled, bucket, object(t), Bytes(make([]byte, large)), nil)
		if e := expect(t, err, Cancelled, StoredNo, AnsweredNotRequested); !errors.Is(err, context.Canceled) {
			t.Error(e)
		}
	})
}

func TestADeadlineEndsEachOperation(t *testing.T) {
	server := newSilent(t)
	client := newClient(t, options(server.endpoint))
	upload, err := client.ResumeMultipartUpload(bucket, object(t), "id")
	if err != nil {
		t.Fatal(err)
	}
	for name, operation := range map[string]func(context.Context) error{
		"put": func(ctx context.Context) error {
			_, err := client.PutObject(ctx, bucket, "a", Bytes(nil), nil)
			return err
		},
		"head": func(ctx context.Context) error { _, err := client.HeadObject(ctx, bucket, "a", nil); return err },
		"get": func(ctx context.Context) error {
			_, err := client.GetObject(ctx, bucket, "a", io.Discard, nil)
			return err
		},
		"delete": func(ctx context.Context) error { return client.DeleteObject(ctx, bucket, "a", nil) },
		"begin": func(ctx context.Context) error {
			_, err := client.InitiateMultipartUpload(ctx, bucket, "a", nil)
			return err
		},
		"part": func(ctx context.Context) error { _, err := upload.UploadPart(ctx, 1, Bytes(nil), nil); return err },
		"list": func(ctx context.Context) error { _, err := upload.ListParts(ctx, nil); return err },
		"complete": func(ctx context.Context) error {
			_, err := upload.Complete(ctx, []Part{{Number: 1, ETag: "a"}}, nil)
			return err
		},
		"abort": func(ctx context.Context) error { return upload.Abort(ctx, nil) },
	} {
		limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		soon(t, func() {
			if err := operation(limited); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, Cancelled) {
				t.Error(name, err)
			}
		})
		cancel()
	}
}

func TestACancelledContextSendsNothing(t *testing.T) {
	server := newSilent(t)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := newClient(t, options(server.endpoint)).PutObject(cancelled, bucket, object(t), Bytes(nil), nil)
	if expect(t, err, Cancelled, StoredNo, AnsweredNotRequested); server.count.Load() != 0 || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestACancelledContextDoesNotWaitForAReaderThatBlocks(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = writer.Write([]byte("hello")) // it is read
		cancel()
	}()
	soon(t, func() {
		_, err := local(t).PutObject(cancelled, bucket, object(t), Reader(reader, LenUnknown), nil)
		if expect(t, err, Cancelled, StoredNo, AnsweredNotRequested); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if isStored(t, object(t)) {
		t.Error("it is stored")
	}
}

func TestACancelledContextDoesNotWaitForAWriterThatBlocks(t *testing.T) {
	if _, err := local(t).PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	defer reader.Close()
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	soon(t, func() {
		blocked := writerFunc(func(bytes []byte) (int, error) {
			cancel()
			return writer.Write(bytes)
		})
		_, err := local(t).GetObject(cancelled, bucket, object(t), blocked, nil)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, Cancelled) {
			t.Error(err)
		}
	})
}

func TestAContextThatEndsDuringProgressEndsTheUpload(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	body := Reader(bytes.NewReader(make([]byte, large)), large)
	_, err := local(t).PutObject(cancelled, bucket, object(t), body, &PutOptions{Progress: func(int64, int64) { cancel() }})
	if expect(t, err, Cancelled, StoredNo, AnsweredNotRequested); !errors.Is(err, context.Canceled) || isStored(t, object(t)) {
		t.Error(err)
	}
}

func TestANilContextIsRefused(t *testing.T) {
	_, err := local(t).PutObject(nil, bucket, object(t), Bytes(nil), nil) //nolint:staticcheck // that is the test
	expect(t, err, InvalidArgument, StoredNo, AnsweredNotRequested)
}
