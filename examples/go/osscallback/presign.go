//go:build !oss_callback_small

package osscallback

// #include <oss_callback.h>
import "C"

import (
	"context"
	"net/http"
	"time"
)

// PresignPutObject lets others upload object into bucket for 1 s to 7 days, with the callback and the headers from the
// options, which may be nil. The URL contains the callback; the uploader can neither change nor drop it. Sends nothing.
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

// PresignGetObject lets others download an object for 1 s to 7 days. Sends nothing.
func (c *Client) PresignGetObject(bucket, object string, expiresIn time.Duration) (*PresignedURL, error) {
	return c.presignLook(http.MethodGet, bucket, object, expiresIn)
}

// PresignHeadObject lets others request an object's metadata for 1 s to 7 days, to check whether their upload has
// arrived. Sends nothing.
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
