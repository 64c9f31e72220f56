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
	// FetchKeys makes the verifier fetch unknown keys from OSS's key host.
	FetchKeys bool
	// TestKeys are key URLs that are not OSS's, each matched exactly, with the keys to trust. FOR TESTS ONLY: anyone
	// who holds a private half can forge callbacks.
	TestKeys map[string]string
	// MaxBodyLen is the longest body to accept, in bytes. Default: 1 MiB.
	MaxBodyLen int
	// PrependPrefixes restores prefixes that a reverse proxy stripped: with "/api", a request for /callback may have
	// been signed as /api/callback.
	PrependPrefixes []string
	// StripPrefixes removes prefixes that a reverse proxy added.
	StripPrefixes []string
	// TargetHeaders are headers such as X-Original-URI, in which a reverse proxy passes on the original target.
	TargetHeaders []string
}

// Verifier decides whether requests come from OSS. A signature proves only that OSS sent the request. Any customer of
// OSS can have OSS send such a request to any URL, with any body, and the signature never expires. A Sealer proves that
// the upload was permitted. Many goroutines may use a Verifier at once.
type Verifier struct {
	handle *handle
	// maxBodyLen is the limit for a handler.
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
		C.oss_callback_verifier_options_add_prepended_prefix(o, a.text("prefix", prefix))
	}
	for _, prefix := range options.StripPrefixes {
		C.oss_callback_verifier_options_add_stripped_prefix(o, a.text("prefix", prefix))
	}
	for _, name := range options.TargetHeaders {
		C.oss_callback_verifier_options_add_target_header(o, a.text("name", name))
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

// Verify verifies a request as the application server received it. Target is the path and query exactly as in the
// request line: the RequestURI of an http.Request, not its URL. Log the error, but do not reveal it to the peer.
// KeyUnavailable says nothing about the request.
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
	// In C's memory, because C must not receive Go memory that contains pointers.
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

// Close frees the verifier once it has no users. It always returns nil, even when called again.
func (v *Verifier) Close() error {
	v.handle.close()
	return nil
}

// VerifiedCallback is a callback that OSS sent. It includes no headers, because OSS does not sign them. A text is
// empty, and a number nil, if the body lacks it or is unreadable: see CheckBody.
type VerifiedCallback struct {
	// SignedTarget is the path and query that OSS signed: those of the callback URL, whatever a proxy made of them.
	SignedTarget string
	// KeyURL is the URL of the key, as the callback named it.
	KeyURL string
	// Body is the body as received, byte for byte.
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

// CheckBody fails unless the body is readable in exactly one way: as a form or as JSON, depending on Content-Type.
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

// Member returns a member of the body by its exact name (case-sensitive); false if there is none.
func (v *VerifiedCallback) Member(name string) (string, bool) {
	return lookUp(v.handle, name, func(pointer unsafe.Pointer, name *C.char) *C.char {
		return C.oss_callback_verified_member((*C.oss_callback_verified)(pointer), name)
	})
}

// Variable returns a variable of the application's own by name, with or without the prefix "x:"; false if there is
// none.
func (v *VerifiedCallback) Variable(name string) (string, bool) {
	return lookUp(v.handle, name, func(pointer unsafe.Pointer, name *C.char) *C.char {
		return C.oss_callback_verified_variable((*C.oss_callback_verified)(pointer), name)
	})
}

// Confirm looks up the object that the body names, and compares its ETag, size and CRC-64 with those in the body. Do
// this before anything valuable: neither OSS's signature nor a seal proves that the upload took place. It blocks for at
// most the client's time limits. NotConfirmed means that there is no such object, or that it differs; any other error
// means that the result is unknown.
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
