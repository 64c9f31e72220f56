package osscallback

// #include "hooks.h"
// #include <stdlib.h>
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Part is what is known about a part that OSS has: a plain value that you can keep and send elsewhere, also as JSON.
type Part struct {
	// Number is 1 to 10000 and gives the part's place in the object.
	Number int `json:"number"`
	// ETag is opaque: compare it, do not interpret it.
	ETag string `json:"etag"`
	// Size and CRC64 (CRC-64/XZ) are nil if they are unknown.
	Size  *uint64 `json:"size,omitempty"`
	CRC64 *uint64 `json:"crc64,string,omitempty"`
}

// MultipartUpload is an open multipart upload. The object does not exist until the upload is completed; until then OSS
// keeps, and bills, the parts. With Bucket, Object and ID, another machine can resume the upload through
// ResumeMultipartUpload. Many goroutines may use it at once.
type MultipartUpload struct {
	Bucket string
	Object string
	ID     string
	// Notes contains further information about how it began, such as that OSS may have begun another upload whose ID
	// was lost with the answer. Client.ListUploadsBegunSince finds it.
	Notes []string

	handle *handle
	hooks  *clientHooks
}

func (c *Client) ownedUpload(upload *C.oss_callback_multipart_upload) *MultipartUpload {
	var notes []string
	for i := C.size_t(0); i < C.oss_callback_multipart_upload_notes_len(upload); i++ {
		notes = append(notes, C.GoString(C.oss_callback_multipart_upload_note(upload, i)))
	}
	return &MultipartUpload{
		Notes:  notes,
		Bucket: C.GoString(C.oss_callback_multipart_upload_bucket(upload)),
		Object: C.GoString(C.oss_callback_multipart_upload_object(upload)),
		ID:     C.GoString(C.oss_callback_multipart_upload_id(upload)),
		hooks:  c.hooks,
		handle: newHandle("upload", unsafe.Pointer(upload), func(pointer unsafe.Pointer) {
			C.oss_callback_multipart_upload_free((*C.oss_callback_multipart_upload)(pointer))
		}),
	}
}

// InitiateMultipartUpload begins a multipart upload of object into bucket, with the headers, metadata and tags from the
// options. The upload remembers these for later requests: TrafficLimit, ObjectACL and ForbidOverwrite, which is checked
// at the beginning and on completion. Pass the callback to Complete. You may pass the same options to each step; they
// may be nil.
func (c *Client) InitiateMultipartUpload(ctx context.Context, bucket, object string, options *PutOptions) (*MultipartUpload, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	_, o := call.uploadOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var upload *C.oss_callback_multipart_upload
	var failure *C.oss_callback_error
	code := C.oss_callback_client_initiate_multipart_upload(client, bucketText, objectText, o, &upload, &failure)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return c.ownedUpload(upload), nil
}

// ResumeMultipartUpload resumes a multipart upload that was begun earlier, here or on another machine. It sends
// nothing.
func (c *Client) ResumeMultipartUpload(bucket, object, uploadID string) (*MultipartUpload, error) {
	var a arguments
	defer a.free()
	client := (*C.oss_callback_client)(a.use(c.handle))
	bucketText, objectText, id := a.text("bucket", bucket), a.text("object", object), a.text("upload_id", uploadID)
	if a.err != nil {
		return nil, a.err
	}
	var upload *C.oss_callback_multipart_upload
	var failure *C.oss_callback_error
	code := C.oss_callback_client_resume_multipart_upload(client, bucketText, objectText, id, &upload, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return c.ownedUpload(upload), nil
}

// ListedUpload is an open multipart upload.
type ListedUpload struct {
	Object string
	// ID is OSS's name for it; ResumeMultipartUpload takes it.
	ID string
	// Initiated is when it was begun, as OSS gives it: "2012-02-23T04:18:23.000Z".
	Initiated string
}

// ListUploadsBegunSince lists the open multipart uploads of object that were begun at or after this time by the local
// clock, such as those whose answer was lost. Another program may have begun one of them, so check before you abort it.
// Options may be nil.
func (c *Client) ListUploadsBegunSince(ctx context.Context, bucket, object string, since time.Time, options *OperationOptions) ([]ListedUpload, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText, at := call.text("bucket", bucket), call.text("object", object), call.time("since", since)
	o := call.operationOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var uploads *C.oss_callback_multipart_uploads
	var failure *C.oss_callback_error
	code := C.oss_callback_client_list_uploads_begun_since(client, bucketText, objectText, at, o, &uploads, &failure)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	defer C.oss_callback_multipart_uploads_free(uploads)
	var listed []ListedUpload
	for i := C.size_t(0); i < C.oss_callback_multipart_uploads_len(uploads); i++ {
		listed = append(listed, ListedUpload{
			Object:    C.GoString(C.oss_callback_multipart_uploads_object(uploads, i)),
			ID:        C.GoString(C.oss_callback_multipart_uploads_id(uploads, i)),
			Initiated: C.GoString(C.oss_callback_multipart_uploads_initiated(uploads, i)),
		})
	}
	return listed, nil
}

// UploadPart sends a part of the object; it replaces one with the same number. Each part except the last needs at least
// 102400 bytes. On failure, Error.Stored is StoredNo: the object does not exist until the upload is completed. Options
// may be nil.
func (u *MultipartUpload) UploadPart(ctx context.Context, number int, body Body, options *PutOptions) (Part, error) {
	call := begin(ctx, u.hooks)
	defer call.end()
	upload := (*C.oss_callback_multipart_upload)(call.use(u.handle))
	partNumber := call.number("part_number", number)
	_, o := call.uploadOptions(options)
	var path *C.char
	var offset, length C.uint64_t
	switch body.kind {
	case rangeBody:
		offset, length = call.length("offset", body.offset), call.length("len", body.len)
		path = call.text("path", body.path)
	case readerBody:
		length = call.readerLength(body)
	case bytesBody:
	default:
		call.fault("`body` of a part is Bytes, FileRange or Reader")
	}
	parts := call.newParts()
	defer C.oss_callback_parts_free(parts)
	if call.err != nil {
		return Part{}, call.err
	}
	var failure *C.oss_callback_error
	var code C.oss_callback_code
	switch body.kind {
	case bytesBody:
		code = C.oss_callback_multipart_upload_upload_part(upload, partNumber, bytesPointer(body.bytes), C.size_t(len(body.bytes)), o,
			parts, &failure)
	case rangeBody:
		code = C.oss_callback_multipart_upload_upload_part_from_file(upload, partNumber, path, offset, length, o, parts, &failure)
	case readerBody:
		code = C.osscallback_part_reader(upload, partNumber, call.handleOfHooks(), length, o, parts, &failure)
	}
	if err := call.failure(code, failure); err != nil {
		return Part{}, err
	}
	return goParts(parts)[0], nil
}

// ListParts lists the parts that OSS has, by number. Options may be nil.
func (u *MultipartUpload) ListParts(ctx context.Context, options *PutOptions) ([]Part, error) {
	call := begin(ctx, u.hooks)
	defer call.end()
	upload := (*C.oss_callback_multipart_upload)(call.use(u.handle))
	_, o := call.uploadOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var parts *C.oss_callback_parts
	var failure *C.oss_callback_error
	code := C.oss_callback_multipart_upload_list_parts(upload, o, &parts, &failure)
	defer C.oss_callback_parts_free(parts)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	return goParts(parts), nil
}

// Complete makes the object from its parts and, if the options have a callback, waits for the application server's
// answer. Nil parts means all parts that OSS has. Receipt and errors are as for PutObject. If the answer is lost,
// Complete looks up the object. Options may be nil.
func (u *MultipartUpload) Complete(ctx context.Context, parts []Part, options *PutOptions) (*Receipt, error) {
	call := begin(ctx, u.hooks)
	defer call.end()
	upload := (*C.oss_callback_multipart_upload)(call.use(u.handle))
	spec, o := call.uploadOptions(options)
	var list *C.oss_callback_parts
	if parts != nil {
		list = call.newParts()
		defer C.oss_callback_parts_free(list)
		for _, part := range parts {
			call.addPart(list, part)
		}
	}
	if call.err != nil {
		return nil, call.err
	}
	var receipt *C.oss_callback_receipt
	var failure *C.oss_callback_error
	code := C.oss_complete_multipart_upload_with_callback(upload, list, spec, o, &receipt, &failure)
	return call.receipt(code, receipt, failure)
}

// Abort aborts the upload and deletes its parts. Options may be nil.
func (u *MultipartUpload) Abort(ctx context.Context, options *PutOptions) error {
	call := begin(ctx, u.hooks)
	defer call.end()
	upload := (*C.oss_callback_multipart_upload)(call.use(u.handle))
	_, o := call.uploadOptions(options)
	if call.err != nil {
		return call.err
	}
	var failure *C.oss_callback_error
	code := C.oss_callback_multipart_upload_abort(upload, o, &failure)
	return call.failure(code, failure)
}

// Close frees the handle and does not abort the upload. It always returns nil, even when called again.
func (u *MultipartUpload) Close() error {
	u.handle.close()
	return nil
}

// newParts makes an empty list, which the caller frees.
func (a *arguments) newParts() *C.oss_callback_parts {
	var parts *C.oss_callback_parts
	if err := newError(C.oss_callback_parts_new(&parts), nil); err != nil {
		a.fail(err)
	}
	return parts
}

func (a *arguments) addPart(list *C.oss_callback_parts, part Part) {
	number, etag := a.number("part_number", part.Number), a.text("etag", part.ETag)
	var size, crc64 *C.uint64_t
	if part.Size != nil {
		value := C.uint64_t(*part.Size)
		size = &value
	}
	if part.CRC64 != nil {
		value := C.uint64_t(*part.CRC64)
		crc64 = &value
	}
	if a.err != nil {
		return
	}
	var failure *C.oss_callback_error
	code := C.oss_callback_parts_add(list, number, etag, size, crc64, &failure)
	if err := newError(code, failure); err != nil {
		a.fail(err)
	}
}

func goParts(list *C.oss_callback_parts) []Part {
	parts := []Part{}
	for i := C.size_t(0); i < C.oss_callback_parts_len(list); i++ {
		part := Part{
			Number: int(C.oss_callback_parts_number(list, i)),
			ETag:   C.GoString(C.oss_callback_parts_etag(list, i)),
		}
		var number C.uint64_t
		if C.oss_callback_parts_size(list, i, &number) {
			part.Size = goNumber(number)
		}
		if C.oss_callback_parts_crc64(list, i, &number) {
			part.CRC64 = goNumber(number)
		}
		parts = append(parts, part)
	}
	return parts
}
