package osscallback

// #include "hooks.h"
import "C"

import (
	"context"
	"io"
	"time"
	"unsafe"
)

// ObjectMetadata is what OSS says about an object. It is immutable.
type ObjectMetadata struct {
	// ETag is the object's, without quotes; empty if OSS did not give it.
	ETag string
	// ContentLength, CRC64 (CRC-64/XZ) and LastModified are nil or zero if OSS did not give them.
	ContentLength *uint64
	CRC64         *uint64
	LastModified  time.Time

	pointer *C.oss_callback_object_metadata
	owner   *handle
}

// Header returns a header of OSS's answer by name (in any case), such as "x-oss-meta-author"; empty if there is none.
func (m *ObjectMetadata) Header(name string) string {
	var a arguments
	defer a.free()
	a.use(m.owner)
	text := a.text("name", name)
	if a.err != nil {
		return ""
	}
	return C.GoString(C.oss_callback_object_metadata_header(m.pointer, text))
}

// ownedMetadata takes over metadata from an operation.
func ownedMetadata(metadata *C.oss_callback_object_metadata) *ObjectMetadata {
	return newMetadata(metadata, newHandle("metadata", unsafe.Pointer(metadata), func(pointer unsafe.Pointer) {
		C.oss_callback_object_metadata_free((*C.oss_callback_object_metadata)(pointer))
	}))
}

// newMetadata reads metadata that lives as long as its owner.
func newMetadata(metadata *C.oss_callback_object_metadata, owner *handle) *ObjectMetadata {
	m := &ObjectMetadata{ETag: C.GoString(C.oss_callback_object_metadata_etag(metadata)), pointer: metadata, owner: owner}
	var number C.uint64_t
	if C.oss_callback_object_metadata_content_length(metadata, &number) {
		m.ContentLength = goNumber(number)
	}
	if C.oss_callback_object_metadata_crc64(metadata, &number) {
		m.CRC64 = goNumber(number)
	}
	if C.oss_callback_object_metadata_last_modified_at_s(metadata, &number) {
		m.LastModified = goTime(number)
	}
	return m
}

// HeadObject reads an object's metadata; NotFound if there is no such object. Options may be nil.
func (c *Client) HeadObject(ctx context.Context, bucket, object string, options *OperationOptions) (*ObjectMetadata, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	o := call.operationOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var metadata *C.oss_callback_object_metadata
	var failure *C.oss_callback_error
	code := C.oss_callback_client_head_object(client, bucketText, objectText, o, &metadata, &failure)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return ownedMetadata(metadata), nil
}

// GetObject downloads an object into writer, block by block, and compares its CRC-64 with the one that OSS has. After
// any failure, discard what the writer received: it is not the object. If the writer fails, the returned error wraps
// its error. Options may be nil.
func (c *Client) GetObject(ctx context.Context, bucket, object string, writer io.Writer, options *OperationOptions) (*ObjectMetadata, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	o := call.operationOptions(options)
	if call.hooks.writer = writer; writer == nil {
		call.fault("`writer` is nil")
	}
	if call.err != nil {
		return nil, call.err
	}
	var metadata *C.oss_callback_object_metadata
	var failure *C.oss_callback_error
	code := C.osscallback_get_object(client, bucketText, objectText, call.handleOfHooks(), o, &metadata, &failure)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return ownedMetadata(metadata), nil
}

// DeleteObject deletes an object. An object that does not exist counts as deleted, as it does for OSS. Options may be
// nil.
func (c *Client) DeleteObject(ctx context.Context, bucket, object string, options *OperationOptions) error {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	o := call.operationOptions(options)
	if call.err != nil {
		return call.err
	}
	var failure *C.oss_callback_error
	code := C.oss_callback_client_delete_object(client, bucketText, objectText, o, &failure)
	return call.failure(code, failure)
}
