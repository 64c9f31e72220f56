// Package osscallback uploads to Alibaba Cloud OSS with an upload callback, and verifies such callbacks.
//
// A program uploads an object and names an application server. OSS stores the object, POSTs a message to that server
// and returns the server's answer to the uploader. A [Client] is the uploader. Every failure is an [*Error], which says
// whether the object is stored and whether the callback was answered:
//
//	receipt, err := client.PutObject(ctx, "photos", "cat.jpg", osscallback.File("cat.jpg"), options)
//	var failure *osscallback.Error
//	switch {
//	case err == nil:
//		// Stored, and the application server agreed: receipt.Answer.
//	case errors.Is(err, osscallback.CallbackFailed):
//		// HTTP 203: the object IS stored, the application server did not agree. Do not upload it again.
//	case errors.As(err, &failure) && failure.Stored == osscallback.StoredUnknown:
//		// The answer was lost: check before uploading again.
//	}
//
// On the application server, a [Verifier] says whether a request is from OSS, and a [Sealer] whether the upload was
// permitted; [NewHandler] combines them in an [net/http.Handler].
//
// The package wraps the C library oss_callback, which pkg-config must find. Cancelling a context ends its operation
// within 0.2 s. Your functions, such as readers, run on their own goroutines while the operation waits for them; if one
// panics, the operation panics with the same value. Handles such as a Client are freed by Close, or else by the garbage
// collector; any number of goroutines may use them. A child process made by fork must not use them.
//
// A library built without the application server's side needs the build tag oss_callback_small.
package osscallback

// #cgo pkg-config: oss_callback
// #include <oss_callback.h>
import "C"

// Version is the version of the linked library, such as "0.1.0".
func Version() string {
	return C.GoString(C.oss_callback_version())
}
