package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"context"
	"net/http"
	"time"
)

// PresignedURL lets anyone who has it make one particular request, until it expires: guard it like a password. Its JSON
// is the library's, for a web page or another machine.
type PresignedURL struct {
	// Method is the HTTP method that the URL permits.
	Method string
	// URL is percent-encoded.
	URL string
	// Header must be sent exactly as it is, with no other Content-Type, Content-MD5 or x-oss- header.
	Header http.Header
	// Expires is when the URL expires; zero if its maker did not say.
	Expires time.Time

	json string
}

// MarshalJSON returns what UnmarshalJSON reads.
func (u PresignedURL) MarshalJSON() ([]byte, error) { return []byte(u.json), nil }

// UnmarshalJSON reads what MarshalJSON or the library returned, on any machine.
func (u *PresignedURL) UnmarshalJSON(bytes []byte) error {
	var a arguments
	defer a.free()
	url := a.presignedURL(string(bytes))
	defer C.oss_callback_presigned_url_free(url)
	if a.err != nil {
		return a.err
	}
	*u = *goPresignedURL(url)
	return nil
}

// presignedURL makes the library's URL, which the caller frees.
func (a *arguments) presignedURL(json string) *C.oss_callback_presigned_url {
	text := a.text("json", json)
	if a.err != nil {
		return nil
	}
	var url *C.oss_callback_presigned_url
	var failure *C.oss_callback_error
	code := C.oss_callback_presigned_url_new_from_json(text, &url, &failure)
	if err := newError(code, failure); err != nil {
		a.fail(err)
	}
	return url
}

func goPresignedURL(url *C.oss_callback_presigned_url) *PresignedURL {
	u := &PresignedURL{
		Method: C.GoString(C.oss_callback_presigned_url_method(url)),
		URL:    C.GoString(C.oss_callback_presigned_url_url(url)),
		Header: http.Header{},
		json:   C.GoString(C.oss_callback_presigned_url_json(url)),
	}
	var expires C.uint64_t
	if C.oss_callback_presigned_url_expires_at_s(url, &expires) {
		u.Expires = goTime(expires)
	}
	for i := C.size_t(0); i < C.oss_callback_presigned_url_headers_len(url); i++ {
		u.Header.Set(C.GoString(C.oss_callback_presigned_url_header_name(url, i)),
			C.GoString(C.oss_callback_presigned_url_header_value(url, i)))
	}
	return u
}

// PutObjectWithURL uploads with a URL that someone else signed; body is Bytes or File. A callback in the URL works like
// any other. The options, which may be nil, may set limits, Progress and the like, but no callback and no headers that
// were not signed.
func (c *Client) PutObjectWithURL(ctx context.Context, url *PresignedURL, body Body, options *PutOptions) (*Receipt, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	_, o := call.uploadOptions(options)
	if options != nil && options.Callback != nil {
		call.fault("`callback` stands in the URL, or nowhere")
	}
	if url == nil {
		call.fault("`url` is nil")
	}
	if body.kind != bytesBody && body.kind != fileBody {
		call.fault("`body` of an upload by a URL is Bytes or File")
	}
	path := call.text("path", body.path)
	if call.err != nil {
		return nil, call.err
	}
	presigned := call.presignedURL(url.json)
	defer C.oss_callback_presigned_url_free(presigned)
	if call.err != nil {
		return nil, call.err
	}
	var receipt *C.oss_callback_receipt
	var failure *C.oss_callback_error
	var code C.oss_callback_code
	if body.kind == bytesBody {
		code = C.oss_put_object_with_url(client, presigned, bytesPointer(body.bytes),
			C.size_t(len(body.bytes)), o, &receipt, &failure)
	} else {
		code = C.oss_put_object_from_file_with_url(client, presigned, path, o, &receipt, &failure)
	}
	return call.receipt(code, receipt, failure)
}
