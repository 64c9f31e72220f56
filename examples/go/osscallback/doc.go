// Package osscallback uploads to Alibaba Cloud OSS with an upload callback, and verifies such callbacks.
//
// A program uploads an object and names an application server; OSS stores the object, POSTs a message to that server and
// hands the server's answer back to the uploader. A [Client] is the uploader. Every failure is an [*Error], which says
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
//		// The answer was lost: look before sending again.
//	}
//
// At the application server a [Verifier] says whether a request is OSS's, a [Sealer] whether the upload was permitted;
// [NewHandler] makes an [net/http.Handler] of them.
//
// The package is a face of the C library oss_callback, which pkg-config must find. A context that ends ends the
// operation within 0.2 s. Functions of the caller's, such as readers, run on goroutines of their own while the operation
// waits for them; what they panic with is raised again by the operation. Handles such as a Client are freed by Close, or
// else by the garbage collector; they may be used from any number of goroutines. A child process made by fork must not
// use them.
//
// A library that was built without the application server's side needs the build tag oss_callback_small.
package osscallback

// #cgo pkg-config: oss_callback
// #include <oss_callback.h>
import "C"

// Version is that of the library that is linked, such as "0.1.0".
func Version() string {
	return C.GoString(C.oss_callback_version())
}
