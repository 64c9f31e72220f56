// Uploads the named file, or a few bytes if none is named, and prints the application server's answer. Ctrl-C ends the
// upload and says what became of it.
//
// Set OSS_ENDPOINT, OSS_REGION, OSS_BUCKET, OSS_CALLBACK_URL, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, with
// temporary credentials, OSS_SESSION_TOKEN; or let `cargo run --example with_local_oss -- go run ./put_object` do it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"example.com/oss-callback/osscallback"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	object, body := "hello.txt", osscallback.Bytes([]byte("hello"))
	if len(os.Args) > 1 {
		object, body = filepath.Base(os.Args[1]), osscallback.File(os.Args[1])
	}
	if err := upload(ctx, os.Getenv("OSS_BUCKET"), object, body); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func upload(ctx context.Context, bucket, object string, body osscallback.Body) error {
	// README begin
	client, err := osscallback.NewClient(osscallback.ClientOptions{
		Endpoint:    os.Getenv("OSS_ENDPOINT"),
		Region:      os.Getenv("OSS_REGION"),
		Credentials: osscallback.EnvironmentCredentials(),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	callback, err := osscallback.NewCallbackSpec(osscallback.CallbackSpecOptions{
		URLs: []string{os.Getenv("OSS_CALLBACK_URL")},
		Body: "filename=${object}&size=${size}&mimeType=${mimeType}",
	})
	if err != nil {
		return err
	}
	receipt, err := client.PutObject(ctx, bucket, object, body, &osscallback.PutOptions{Callback: callback})
	var failure *osscallback.Error
	switch {
	case errors.Is(err, osscallback.CallbackFailed): // HTTP 203
		return fmt.Errorf("%w\nIt is stored: do not upload it again.", err)
	case errors.As(err, &failure):
		return fmt.Errorf("%w\nIs it stored? %s", err, failure.Stored)
	}
	fmt.Printf("%s\n", receipt.Answer)
	// README end
	return nil
}
