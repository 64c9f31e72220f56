//go:build !oss_callback_small

package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"net/http"
	"unsafe"
)

// VerifierOptions say how callbacks are verified. The zero value means OSS's production key and no proxy.
type VerifierOptions struct {
	// Keys that OSS publishes, besides the production key: URLs below https://gosspublic.alicdn.com/ with their PEM.
	Keys map[string]string
	// FetchKeys: keys that are not known are fetched from OSS's key host.
	FetchKeys bool
	// TestKeys admits key URLs that are not OSS's, exactly as they stand. FOR TESTS ONLY: whoever holds the private half can
	// forge callbacks.
	TestKeys map[string]string
	// MaxBodyLen is the longest body in bytes. Default: 1 MiB.
	MaxBodyLen int
	// PrependPrefixes puts back what a reverse proxy has stripped: with "/api" a request for /callback may have been
	// signed as /api/callback.
	PrependPrefixes []string
	// StripPrefixes takes off what a reverse proxy has added.
	StripPrefixes []string
	// TargetHeaders are those in which a reverse proxy keeps the target as it came to it, such as X-Original-URI.
	TargetHeaders []string
}

// Verifier decides whether requests are OSS's. A signature proves that OSS has sent the request, and no more: any customer
// of OSS can have such a request sent to any URL, with any body, and it never expires. What proves that the upload was
// permitted is a Sealer. It may be used by many goroutines at once.
type Verifier struct {
	handle *handle
	// maxBodyLen is that of a handler.
	maxBodyLen int
}

// NewVerifier checks the options and makes a verifier.
func NewVerifier(options VerifierOptions) (*Verifier, error) {
	var a arguments
	defer a.free()
	var o *C.oss_callback_verifier_options
	if err := newError(C.oss_callback_verifier_options_new(&o), nil); err != nil {
		return nil, err
	}
	defer C.oss_callback_verifier_options_free(o)
	for url, pem := range options.Keys {
		C.oss_callback_verifier_options_add_key(o, a.text("url", url), a.text("pem", pem))
	}
	C.oss_callback_verifier_options_set_fetch_keys(o, C.bool(options.FetchKeys))
	for url, pem := range options.TestKeys {
		C.oss_callback_verifier_options_trust_key_url_for_tests(o, a.text("exact_url", url), a.text("pem", pem))
	}
	maxBodyLen := 1 << 20
	if options.MaxBodyLen != 0 {
		maxBodyLen = options.MaxBodyLen
		C.oss_callback_verifier_options_set_max_body_len(o, C.size_t(a.length("max_body_len", int64(maxBodyLen))))
	}
	for _, prefix := range options.PrependPrefixes {
		C.oss_callback_verifier_options_prepend_prefix(o, a.text("prefix", prefix))
	}
	for _, prefix := range options.StripPrefixes {
		C.oss_callback_verifier_options_strip_prefix(o, a.text("prefix", prefix))
	}
	for _, name := range options.TargetHeaders {
		C.oss_callback_verifier_options_trust_target_header(o, a.text("name", name))
	}
	if a.err != nil {
		return nil, a.err
	}
	var verifier *C.oss_callback_verifier
	var failure *C.oss_callback_error
	code := C.oss_callback_verifier_new(o, &verifier, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return &Verifier{maxBodyLen: maxBodyLen, handle: newHandle("verifier", unsafe.Pointer(verifier), func(pointer unsafe.Pointer) {
		C.oss_callback_verifier_free((*C.oss_callback_verifier)(pointer))
	})}, nil
}

// Verify verifies a request as it came to the application server. Target is path and query as they stand in the request
// line: that of an http.Request is its RequestURI, not its URL. The error is for the application's log, not for whoever
// sent the request; KeyUnavailable says nothing about the request.
func (v *Verifier) Verify(method, target string, header http.Header, body []byte) (*VerifiedCallback, error) {
	var a arguments
	defer a.free()
	verifier := (*C.oss_callback_verifier)(a.use(v.handle))
	methodText, targetText := a.text("method", method), a.text("target", target)
	var texts []*C.char
	for name, values := range header {
		for _, value := range values {
			texts = append(texts, a.text("headers", name), a.text("headers", value))
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	// In memory of C's, since C must not be given Go memory that holds pointers.
	array := (**C.char)(C.malloc(C.size_t(len(texts)+1) * C.size_t(unsafe.Sizeof(methodText))))
	defer C.free(unsafe.Pointer(array))
	copy(unsafe.Slice(array, len(texts)+1), texts)
	var verified *C.oss_callback_verified
	var failure *C.oss_callback_error
	code := C.oss_callback_verifier_verify(verifier, methodText, targetText, array, C.size_t(len(texts)/2),
		bytesPointer(body), C.size_t(len(body)), &verified, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return ownedVerified(verified), nil
}

// Close frees the verifier once nobody uses it any more. It gives nil, also the second time.
func (v *Verifier) Close() error {
	v.handle.close()
	return nil
}

// VerifiedCallback is a callback that OSS has sent. No header is part of it, since no header is signed. A text is empty,
// and a number nil, when the body does not say it or cannot be read: see CheckBody.
type VerifiedCallback struct {
	// SignedTarget is path and query that OSS has signed: those of the callback URL, whatever a proxy made of them.
	SignedTarget string
	// KeyURL is the URL of the key, as the callback named it.
	KeyURL string
	// Body is byte for byte what came.
	Body []byte

	Bucket, Object, ETag, MIMEType, ImageFormat, ContentMD5 string
	RequestID, ClientIP, VPCID, Operation                   string
	Size, CRC64, ImageHeight, ImageWidth                    *uint64

	handle *handle
}

func ownedVerified(verified *C.oss_callback_verified) *VerifiedCallback {
	var bodyLen C.size_t
	body := C.oss_callback_verified_body(verified, &bodyLen)
	callback := &VerifiedCallback{
		SignedTarget: C.GoString(C.oss_callback_verified_signed_target(verified)),
		KeyURL:       C.GoString(C.oss_callback_verified_key_url(verified)),
		Body:         goBytes(body, bodyLen),
		Bucket:       C.GoString(C.oss_callback_verified_bucket(verified)),
		Object:       C.GoString(C.oss_callback_verified_object(verified)),
		ETag:         C.GoString(C.oss_callback_verified_etag(verified)),
		MIMEType:     C.GoString(C.oss_callback_verified_mime_type(verified)),
		ImageFormat:  C.GoString(C.oss_callback_verified_image_format(verified)),
		ContentMD5:   C.GoString(C.oss_callback_verified_content_md5(verified)),
		RequestID:    C.GoString(C.oss_callback_verified_request_id(verified)),
		ClientIP:     C.GoString(C.oss_callback_verified_client_ip(verified)),
		VPCID:        C.GoString(C.oss_callback_verified_vpc_id(verified)),
		Operation:    C.GoString(C.oss_callback_verified_operation(verified)),
	}
	var number C.uint64_t
	if C.oss_callback_verified_size(verified, &number) {
		callback.Size = goNumber(number)
	}
	if C.oss_callback_verified_crc64(verified, &number) {
		callback.CRC64 = goNumber(number)
	}
	if C.oss_callback_verified_image_height(verified, &number) {
		callback.ImageHeight = goNumber(number)
	}
	if C.oss_callback_verified_image_width(verified, &number) {
		callback.ImageWidth = goNumber(number)
	}
	callback.handle = newHandle("verified", unsafe.Pointer(verified), func(pointer unsafe.Pointer) {
		C.oss_callback_verified_free((*C.oss_callback_verified)(pointer))
	})
	return callback
}

// CheckBody says whether the body could be read, and in one way only: a form or JSON, decided by Content-Type.
func (v *VerifiedCallback) CheckBody() error {
	var a arguments
	defer a.free()
	verified := (*C.oss_callback_verified)(a.use(v.handle))
	if a.err != nil {
		return a.err
	}
	var failure *C.oss_callback_error
	code := C.oss_callback_verified_check_body(verified, &failure)
	if err := newError(code, failure); err != nil {
		return err
	}
	return nil
}

// Member is a member of the body by its name there, case included; false if there is none.
func (v *VerifiedCallback) Member(name string) (string, bool) {
	return lookUp(v.handle, name, func(pointer unsafe.Pointer, name *C.char) *C.char {
		return C.oss_callback_verified_member((*C.oss_callback_verified)(pointer), name)
	})
}

// Variable is a variable of the application's own by its name, with or without "x:" in front; false if there is none.
func (v *VerifiedCallback) Variable(name string) (string, bool) {
	return lookUp(v.handle, name, func(pointer unsafe.Pointer, name *C.char) *C.char {
		return C.oss_callback_verified_variable((*C.oss_callback_verified)(pointer), name)
	})
}

// Confirm looks the object up that the body names, and compares its ETag, size and CRC-64 with what the body says of
// them. Do this before anything valuable: neither OSS's signature nor a seal proves that the upload took place. It blocks
// for at most the client's time limits. NotConfirmed when there is no such object, or it is another; every other error
// says that it is not known.
func (v *VerifiedCallback) Confirm(client *Client) (*ObjectMetadata, error) {
	var a arguments
	defer a.free()
	verified, c := (*C.oss_callback_verified)(a.use(v.handle)), (*C.oss_callback_client)(a.use(client.handle))
	if a.err != nil {
		return nil, a.err
	}
	var metadata *C.oss_callback_object_metadata
	var failure *C.oss_callback_error
	code := C.oss_callback_verified_confirm(verified, c, &metadata, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return ownedMetadata(metadata), nil
}

func lookUp(h *handle, name string, find func(unsafe.Pointer, *C.char) *C.char) (string, bool) {
	var a arguments
	defer a.free()
	pointer, text := a.use(h), a.text("name", name)
	if a.err != nil {
		return "", false
	}
	found := find(pointer, text)
	return C.GoString(found), found != nil
}
