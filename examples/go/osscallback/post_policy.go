//go:build !oss_callback_small

package osscallback

// #include <oss_callback.h>
import "C"

import (
	"context"
	"encoding/json"
	"time"
)

// PostPolicy is what a form permits. Everything left out is open: any size, any type, a callback of the uploader's own.
type PostPolicy struct {
	// Key is the object's name. Set Key or KeyPrefix; KeyPrefix is followed by the name of the uploaded file.
	Key       string
	KeyPrefix string
	// ExpiresIn is how long the form is valid: 1 s to 7 days. Default: 15 minutes.
	ExpiresIn time.Duration
	// MinContentLength and MaxContentLength limit the file's size in bytes; no limits if both are 0.
	MinContentLength int64
	MaxContentLength int64
	// ContentTypes are the types that the uploader may choose from.
	ContentTypes []string
	// Callback is what OSS is to call.
	Callback *CallbackSpec
	// Fields are fields with the values they must have: "x-oss-meta-author", "success_action_status" and so on.
	Fields map[string]string
}

// PostForm is a signed form: guard it like a password.
type PostForm struct {
	// URL is where to post it.
	URL string
	// Fields must come before the file, in this order.
	Fields []PostField
	// Expires is when the form expires.
	Expires time.Time

	json string
}

// A PostField is one of a form's fields.
type PostField struct{ Name, Value string }

// MarshalJSON returns what a web page needs: {"url":"…","fields":[["key","…"],…]}.
func (f PostForm) MarshalJSON() ([]byte, error) { return []byte(f.json), nil }

var _ json.Marshaler = PostForm{}

// SignPostForm signs a form for an upload into bucket. Sends nothing.
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
