// An application server with net/http: takes sealed callbacks, each once. Environment as examples/callback_server.rs.
package main

// #cgo LDFLAGS: -loss_callback
// #include <oss_callback.h>
// #include <stdlib.h>
import "C"
import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"unsafe"
)

var verifier *C.oss_callback_verifier
var sealer *C.oss_callback_sealer
var guard *C.oss_callback_replay_guard
var agreed = C.CString(`{"Status":"OK"}`)

func must(code C.oss_callback_code, err *C.oss_callback_error) {
	if code != C.OSS_CALLBACK_CODE_OK {
		log.Fatal(C.GoString(C.oss_callback_error_message(err)))
	}
}

func callback(w http.ResponseWriter, r *http.Request) {
	body, failure := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if failure != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	// The target as it stands in the request line; all of it in memory that Go does not move.
	texts := []*C.char{C.CString(r.Method), C.CString(r.RequestURI), (*C.char)(C.CBytes(append(body, 0)))}
	for name, values := range r.Header {
		texts = append(texts, C.CString(name), C.CString(values[0]))
	}
	array := (**C.char)(C.calloc(C.size_t(len(texts)+1), C.size_t(unsafe.Sizeof(texts[0]))))
	copy(unsafe.Slice(array, len(texts)), texts[3:])
	for _, text := range append(texts, (*C.char)(unsafe.Pointer(array))) {
		defer C.free(unsafe.Pointer(text))
	}
	var verified *C.oss_callback_verified
	var sealed *C.oss_callback_sealed
	var reply *C.oss_callback_reply
	var err *C.oss_callback_error
	var length C.size_t
	var seen C.oss_callback_seen = C.OSS_CALLBACK_SEEN_REPLAYED
	accepted := C.oss_callback_verifier_verify(verifier, texts[0], texts[1], array, C.size_t(len(r.Header)),
		(*C.uint8_t)(unsafe.Pointer(texts[2])), C.size_t(len(body)), &verified, &err) == 0 &&
		C.oss_callback_sealer_check(sealer, verified, &sealed, &err) == 0 &&
		C.oss_callback_replay_guard_check(guard, sealed, &seen, &err) == 0
	switch {
	case !accepted:
		log.Print(C.GoString(C.oss_callback_error_message(err)))
		must(C.oss_callback_reply_new_refused(err, &reply), nil)
	case seen == C.OSS_CALLBACK_SEEN_FIRST_SEEN:
		log.Printf("%q is there", C.GoString(C.oss_callback_sealed_object(sealed)))
		fallthrough
	case seen == C.OSS_CALLBACK_SEEN_REPEATED:
		must(C.oss_callback_reply_new_ok(agreed, &reply, nil), nil)
	default:
		w.WriteHeader(http.StatusForbidden)
	}
	if reply != nil {
		answer := C.oss_callback_reply_body(reply, &length)
		w.Header().Set("Content-Type", C.GoString(C.oss_callback_reply_content_type(reply)))
		w.WriteHeader(int(C.oss_callback_reply_status(reply)))
		w.Write(C.GoBytes(unsafe.Pointer(answer), C.int(length)))
	}
	C.oss_callback_reply_free(reply)
	C.oss_callback_sealed_free(sealed)
	C.oss_callback_verified_free(verified)
	C.oss_callback_error_free(err)
}

func main() {
	var err *C.oss_callback_error
	var options *C.oss_callback_verifier_options
	text := func(name string) *C.char { return C.CString(os.Getenv(name)) }
	must(C.oss_callback_verifier_options_new(&options), nil)
	if os.Getenv("TEST_KEY") != "" { // for tests only
		C.oss_callback_verifier_options_trust_key_url_for_tests(options, text("TEST_KEY_URL"), text("TEST_KEY"))
	}
	if os.Getenv("STRIPPED_PREFIX") != "" {
		C.oss_callback_verifier_options_prepend_prefix(options, text("STRIPPED_PREFIX"))
	}
	must(C.oss_callback_verifier_new(options, &verifier, &err), err)
	secret := (*C.uint8_t)(unsafe.Pointer(text("SEAL_SECRET")))
	must(C.oss_callback_sealer_new(C.CString("2026-01"), secret, C.size_t(len(os.Getenv("SEAL_SECRET"))), &sealer, &err), err)
	must(C.oss_callback_replay_guard_new(100000, &guard), nil)
	listener, failure := net.Listen("tcp", os.Getenv("LISTEN"))
	if failure != nil {
		log.Fatal(failure)
	}
	os.Stdout.WriteString("listening http://" + listener.Addr().String() + "\n")
	log.Fatal(http.Serve(listener, http.HandlerFunc(callback)))
}
