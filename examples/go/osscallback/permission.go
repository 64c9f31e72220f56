package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// PresignedURL permits one request to whoever has it, until it expires: it is as good as a password. Its JSON is that of
// the library, for a web page or another machine.
type PresignedURL struct {
	// Method is the HTTP method that it permits.
	Method string
	// URL is percent-encoded.
	URL string
	// Header must be sent exactly as it is, and no other Content-Type, Content-MD5 or x-oss- header.
	Header http.Header
	// Expires is until when it is good; zero if whoever made it did not say.
	Expires time.Time

	json string
}

// MarshalJSON gives what UnmarshalJSON reads.
func (u PresignedURL) MarshalJSON() ([]byte, error) { return []byte(u.json), nil }

// UnmarshalJSON reads what MarshalJSON or the library gave, on any machine.
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

// presignedURL is the library's, which the caller frees.
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

// PresignPutObject permits an upload of object into bucket to others, for 1 s to 7 days, with the callback and the
// headers of the options, which may be nil. The callback stands in the URL, where the uploader can neither change nor
// drop it. Nothing is sent.
func (c *Client) PresignPutObject(bucket, object string, expiresIn time.Duration, options *PutOptions) (*PresignedURL, error) {
	call := begin(context.Background(), c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	seconds := call.seconds("expires_in", expiresIn)
	spec, o := call.uploadOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var url *C.oss_callback_presigned_url
	var failure *C.oss_callback_error
	code := C.oss_callback_client_presign_put_object(client, bucketText, objectText, spec, o, seconds, false, &url, &failure)
	defer C.oss_callback_presigned_url_free(url)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return goPresignedURL(url), nil
}

// PresignGetObject permits a download of an object to others, for 1 s to 7 days. Nothing is sent.
func (c *Client) PresignGetObject(bucket, object string, expiresIn time.Duration) (*PresignedURL, error) {
	return c.presignLook(http.MethodGet, bucket, object, expiresIn)
}

// PresignHeadObject permits others to ask for the metadata of an object, for 1 s to 7 days: to look whether what they
// uploaded is there. Nothing is sent.
func (c *Client) PresignHeadObject(bucket, object string, expiresIn time.Duration) (*PresignedURL, error) {
	return c.presignLook(http.MethodHead, bucket, object, expiresIn)
}

func (c *Client) presignLook(method, bucket, object string, expiresIn time.Duration) (*PresignedURL, error) {
	call := begin(context.Background(), c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	seconds := call.seconds("expires_in", expiresIn)
	if call.err != nil {
		return nil, call.err
	}
	var url *C.oss_callback_presigned_url
	var failure *C.oss_callback_error
	var code C.oss_callback_code
	if method == http.MethodHead {
		code = C.oss_callback_client_presign_head_object(client, bucketText, objectText, seconds, &url, &failure)
	} else {
		code = C.oss_callback_client_presign_get_object(client, bucketText, objectText, seconds, &url, &failure)
	}
	defer C.oss_callback_presigned_url_free(url)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return goPresignedURL(url), nil
}

// PutObjectWithURL uploads by a URL that somebody else signed; body is Bytes or File. A callback in the URL is heeded like
// any other. Of the options, which may be nil, the limits, Progress and the like count; a callback and headers that were
// not signed are refused.
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

// PostPolicy is what a form permits. What is not given is open: any size, any type, a callback of the uploader's own.
type PostPolicy struct {
	// Key is the object's name; this or KeyPrefix, which the name of the uploaded file follows.
	Key       string
	KeyPrefix string
	// ExpiresIn is for how long the form is good: 1 s to 7 days. Default: 15 minutes.
	ExpiresIn time.Duration
	// MinContentLength and MaxContentLength are the sizes in bytes that the file may have; no limits if both are 0.
	MinContentLength int64
	MaxContentLength int64
	// ContentTypes are those that the uploader may choose from.
	ContentTypes []string
	// Callback is what OSS is to call.
	Callback *CallbackSpec
	// Fields have the values that they must have: "x-oss-meta-author", "success_action_status" and the like.
	Fields map[string]string
}

// PostForm is a form that was signed: it is as good as a password.
type PostForm struct {
	// URL is where to post it.
	URL string
	// Fields stand before the file, in this order.
	Fields []PostField
	// Expires is until when it is good.
	Expires time.Time

	json string
}

// A PostField is one of a form's.
type PostField struct{ Name, Value string }

// MarshalJSON gives what a web page needs: {"url":"…","fields":[["key","…"],…]}.
func (f PostForm) MarshalJSON() ([]byte, error) { return []byte(f.json), nil }

var _ json.Marshaler = PostForm{}

// SignPostForm signs a form for an upload into bucket. Nothing is sent.
func (c *Client) SignPostForm(bucket string, policy PostPolicy) (*PostForm, error) {
	call := begin(context.Background(), c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText := call.text("bucket", bucket)
	var p *C.oss_callback_post_policy
	if err := newError(C.oss_callback_post_policy_new(&p), nil); err != nil {
		return nil, err
	}
	defer C.oss_callback_post_policy_free(p)
	policy.apply(&call.arguments, p)
	if call.err != nil {
		return nil, call.err
	}
	var form *C.oss_callback_post_form
	var failure *C.oss_callback_error
	code := C.oss_callback_client_sign_post_form(client, bucketText, p, &form, &failure)
	defer C.oss_callback_post_form_free(form)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	f := &PostForm{URL: C.GoString(C.oss_callback_post_form_url(form)), json: C.GoString(C.oss_callback_post_form_json(form))}
	var expires C.uint64_t
	if C.oss_callback_post_form_expires_at_s(form, &expires) {
		f.Expires = goTime(expires)
	}
	for i := C.size_t(0); i < C.oss_callback_post_form_fields_len(form); i++ {
		f.Fields = append(f.Fields, PostField{
			C.GoString(C.oss_callback_post_form_field_name(form, i)),
			C.GoString(C.oss_callback_post_form_field_value(form, i)),
		})
	}
	return f, nil
}

func (policy *PostPolicy) apply(a *arguments, p *C.oss_callback_post_policy) {
	if policy.Key != "" {
		C.oss_callback_post_policy_set_key(p, a.text("key", policy.Key))
	}
	if policy.KeyPrefix != "" {
		C.oss_callback_post_policy_set_key_prefix(p, a.text("key_prefix", policy.KeyPrefix))
	}
	if policy.ExpiresIn != 0 {
		C.oss_callback_post_policy_set_expires_in_s(p, a.seconds("expires_in", policy.ExpiresIn))
	}
	if policy.MinContentLength != 0 || policy.MaxContentLength != 0 {
		C.oss_callback_post_policy_set_content_length_range(p, a.length("min_content_length", policy.MinContentLength),
			a.length("max_content_length", policy.MaxContentLength))
	}
	for _, contentType := range policy.ContentTypes {
		C.oss_callback_post_policy_add_content_type(p, a.text("content_type", contentType))
	}
	if policy.Callback != nil {
		C.oss_callback_post_policy_set_callback(p, a.spec(policy.Callback))
	}
	for name, value := range policy.Fields {
		C.oss_callback_post_policy_set_field(p, a.text("name", name), a.text("value", value))
	}
}
