package osscallback

// #include "hooks.h"
import "C"

import (
	"context"
	"io"
	"time"
)

// PutOptions are those of an upload. A zero value means the default.
type PutOptions struct {
	// Callback is what OSS is to call; nil means a plain upload.
	Callback *CallbackSpec
	// ContentType is the object's. Default: guessed from the extension of the file, else of the object's name.
	ContentType string
	// Metadata is stored with the object as x-oss-meta-name.
	Metadata map[string]string
	// ObjectACL is "default", "private", "public-read" or "public-read-write".
	ObjectACL string
	// StorageClass is "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
	StorageClass string
	// Tags of the object, at most 10.
	Tags map[string]string
	// ServerSideEncryption is "AES256", "SM4" or "KMS"; the latter with a key id and a cipher of its own.
	ServerSideEncryption      string
	ServerSideEncryptionKeyID string
	ServerSideDataEncryption  string
	// TrafficLimit asks OSS to take no more than so many BITS per second.
	TrafficLimit int64
	// ForbidOverwrite keeps an object of this name: the upload then fails with Conflict.
	ForbidOverwrite bool
	// CacheControl, ContentDisposition, ContentEncoding, ContentLanguage and Expires are what downloads carry.
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	Expires            time.Time
	// RequesterPays: who sends the request pays for it.
	RequesterPays bool
	// ContentMD5 sends the body's MD5 along. A body that can be read only once is refused.
	ContentMD5 bool
	// Headers are any others of the object.
	Headers map[string]string

	// OperationOptions are in place of the client's.
	OperationOptions
	// IdempotencyID is a name for this upload that no other upload has, 1 to 128 characters of ASCII without blanks: it is
	// stored with the object, and so Reconcile can tell whether it was this upload that stored it.
	IdempotencyID string
	// CallbackIsIdempotent says that the application server does the right thing when the same callback reaches it twice:
	// only then is an upload with a callback sent again after its answer was lost.
	CallbackIsIdempotent bool
	// IgnoreCRC64 does not compare the CRC-64 that OSS computed with the one of what was sent.
	IgnoreCRC64 bool
	// Bandwidth is how many BYTES per second are sent at most.
	Bandwidth int64
	// Progress is told how many bytes of the body were handed over for sending, and of how many: -1 when that is not
	// known. Another attempt begins anew.
	Progress func(sent, total int64)

	// PartSize, Parallel, Checkpoint and VerifyParts are for UploadFile only; other uploads refuse them. Default: 8 MiB, 4,
	// none and false.
	PartSize int64
	Parallel int
	// Checkpoint is the path of a file that remembers the parts that were sent, for another call to go on with.
	Checkpoint string
	// VerifyParts reads every part that OSS has from the file again when an upload is resumed, and sends what differs.
	// Without it that is done only when the file may have been touched.
	VerifyParts bool
}

// A Body is what is uploaded: see Bytes, File, FileRange and Reader.
type Body struct {
	bytes       []byte
	path        string
	offset, len int64
	reader      io.Reader
	kind        bodyKind
}

type bodyKind int

const (
	noBody bodyKind = iota
	bytesBody
	fileBody
	rangeBody
	readerBody
)

// LenUnknown is the length of a reader that is sent to its end, in chunks.
const LenUnknown = -1

// Bytes are uploaded as they are. Do not change them during the upload.
func Bytes(bytes []byte) Body { return Body{kind: bytesBody, bytes: bytes} }

// File is read while it is sent. It must be a regular file.
func File(path string) Body { return Body{kind: fileBody, path: path} }

// FileRange are length bytes of a file from offset on.
func FileRange(path string, offset, length int64) Body {
	return Body{kind: rangeBody, path: path, offset: offset, len: length}
}

// Reader is read while it is sent, once, so that there is another attempt only if nothing was read yet. It must give
// exactly length bytes, and then io.EOF; with LenUnknown any number, which are sent in chunks. Its error ends the
// upload, stores nothing and is wrapped by the upload's. It is read on other goroutines, one call at a time. When the
// context ends while a Read is under way, the upload ends without waiting for it.
func Reader(reader io.Reader, length int64) Body {
	return Body{kind: readerBody, reader: reader, len: length}
}

// PutObject uploads body as object into bucket and waits for the application server's answer. Options may be nil.
//
// CallbackFailed means that the object IS STORED, and the application server was not reached or did not agree: do not
// upload it again. For every other failure Error.Stored says whether it is stored.
func (c *Client) PutObject(ctx context.Context, bucket, object string, body Body, options *PutOptions) (*Receipt, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	spec, o := call.uploadOptions(options)
	var path *C.char
	var offset, length C.uint64_t
	switch body.kind {
	case noBody:
		call.fault("`body` is missing")
	case rangeBody:
		offset, length = call.length("offset", body.offset), call.length("len", body.len)
		path = call.text("path", body.path)
	case fileBody:
		path = call.text("path", body.path)
	case readerBody:
		length = call.readerLength(body)
	}
	if call.err != nil {
		return nil, call.err
	}
	var receipt *C.oss_callback_receipt
	var failure *C.oss_callback_error
	var code C.oss_callback_code
	switch body.kind {
	case bytesBody:
		code = C.oss_put_object_with_callback(client, bucketText, objectText, bytesPointer(body.bytes),
			C.size_t(len(body.bytes)), spec, o, &receipt, &failure)
	case fileBody:
		code = C.oss_put_object_from_file_with_callback(client, bucketText, objectText, path, spec, o, &receipt, &failure)
	case rangeBody:
		code = C.oss_put_object_from_file_range_with_callback(client, bucketText, objectText, path, offset, length, spec, o,
			&receipt, &failure)
	case readerBody:
		code = C.osscallback_put_reader(client, bucketText, objectText, call.handleOfHooks(), length, spec, o, &receipt,
			&failure)
	}
	return call.receipt(code, receipt, failure)
}

// UploadFile uploads a file of any size as object into bucket and waits for the application server's answer: one object,
// one callback, one receipt. A file that is larger than a part goes in parts, several at once. With a checkpoint the same
// call later, by this or another process, goes on with an upload that failed.
func (c *Client) UploadFile(ctx context.Context, bucket, object, path string, options *PutOptions) (*Receipt, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	bucketText, objectText := call.text("bucket", bucket), call.text("object", object)
	pathText := call.text("path", path)
	spec, o := call.uploadOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var receipt *C.oss_callback_receipt
	var failure *C.oss_callback_error
	code := C.oss_upload_file_with_callback(client, bucketText, objectText, pathText, spec, o, &receipt, &failure)
	return call.receipt(code, receipt, failure)
}

// readerLength prepares the reader of a body, and says how many bytes it gives.
func (c *call) readerLength(body Body) C.uint64_t {
	if body.reader == nil {
		c.fault("`reader` is nil")
		return 0
	}
	c.hooks.reader = body.reader
	if body.len == LenUnknown {
		return C.OSS_CALLBACK_LEN_UNKNOWN
	}
	return c.length("len", body.len)
}

// uploadOptions are the library's, which are freed with the call, and the callback.
func (c *call) uploadOptions(options *PutOptions) (*C.oss_callback_spec, *C.oss_callback_put_options) {
	if err := newError(C.oss_callback_put_options_new(&c.putOptions), nil); err != nil {
		c.fail(err)
		return nil, nil
	}
	o := c.putOptions
	C.oss_callback_put_options_set_cancellation(o, c.cancellation)
	if options == nil {
		return c.spec(nil), o
	}
	options.applyHeaders(&c.arguments, o)
	c.limits(options.ConnectTimeout, options.AnswerTimeout, options.ProgressTimeout, options.Timeout, [4]func(C.uint64_t){
		func(ms C.uint64_t) { C.oss_callback_put_options_set_connect_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_put_options_set_answer_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_put_options_set_progress_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_put_options_set_timeout_ms(o, ms) },
	})
	if policy := options.RetryPolicy; policy != nil {
		C.oss_callback_put_options_set_max_attempts(o, c.number("max_attempts", policy.MaxAttempts))
		C.oss_callback_put_options_set_retry_base_delay_ms(o, c.milliseconds("base_delay", policy.BaseDelay))
		C.oss_callback_put_options_set_retry_max_delay_ms(o, c.milliseconds("max_delay", policy.MaxDelay))
	}
	C.oss_callback_put_options_set_callback_is_idempotent(o, C.bool(options.CallbackIsIdempotent))
	C.oss_callback_put_options_set_compare_crc64(o, C.bool(!options.IgnoreCRC64))
	if options.Bandwidth != 0 {
		C.oss_callback_put_options_set_bandwidth_bytes_per_s(o, c.length("bandwidth", options.Bandwidth))
	}
	if options.Progress != nil {
		c.hooks.progress = options.Progress
		C.osscallback_set_progress(o, c.handleOfHooks())
	}
	if options.PartSize != 0 {
		C.oss_callback_put_options_set_part_size(o, c.length("part_size", options.PartSize))
	}
	if options.Parallel != 0 {
		C.oss_callback_put_options_set_parallel(o, c.number("parallel", options.Parallel))
	}
	if options.Checkpoint != "" {
		C.oss_callback_put_options_set_checkpoint(o, c.text("checkpoint", options.Checkpoint))
	}
	if options.VerifyParts {
		C.oss_callback_put_options_set_verify_parts(o, true)
	}
	return c.spec(options.Callback), o
}

// applyHeaders sets what is stored with the object.
func (options *PutOptions) applyHeaders(a *arguments, o *C.oss_callback_put_options) {
	for _, field := range []struct {
		name, value string
		set         func(*C.char)
	}{
		{"content_type", options.ContentType, func(text *C.char) { C.oss_callback_put_options_set_content_type(o, text) }},
		{"object_acl", options.ObjectACL, func(text *C.char) { C.oss_callback_put_options_set_object_acl(o, text) }},
		{"storage_class", options.StorageClass, func(text *C.char) { C.oss_callback_put_options_set_storage_class(o, text) }},
		{"server_side_encryption", options.ServerSideEncryption, func(text *C.char) {
			C.oss_callback_put_options_set_server_side_encryption(o, text)
		}},
		{"server_side_encryption_key_id", options.ServerSideEncryptionKeyID, func(text *C.char) {
			C.oss_callback_put_options_set_server_side_encryption_key_id(o, text)
		}},
		{"server_side_data_encryption", options.ServerSideDataEncryption, func(text *C.char) {
			C.oss_callback_put_options_set_server_side_data_encryption(o, text)
		}},
		{"idempotency_id", options.IdempotencyID, func(text *C.char) { C.oss_callback_put_options_set_idempotency_id(o, text) }},
		{"cache_control", options.CacheControl, func(text *C.char) { C.oss_callback_put_options_set_cache_control(o, text) }},
		{"content_disposition", options.ContentDisposition, func(text *C.char) {
			C.oss_callback_put_options_set_content_disposition(o, text)
		}},
		{"content_encoding", options.ContentEncoding, func(text *C.char) {
			C.oss_callback_put_options_set_content_encoding(o, text)
		}},
		{"content_language", options.ContentLanguage, func(text *C.char) {
			C.oss_callback_put_options_set_content_language(o, text)
		}},
	} {
		if field.value != "" {
			field.set(a.text(field.name, field.value))
		}
	}
	for name, value := range options.Metadata {
		C.oss_callback_put_options_set_metadata(o, a.text("name", name), a.text("value", value))
	}
	for key, value := range options.Tags {
		C.oss_callback_put_options_add_tag(o, a.text("key", key), a.text("value", value))
	}
	for name, value := range options.Headers {
		C.oss_callback_put_options_set_header(o, a.text("name", name), a.text("value", value))
	}
	if options.TrafficLimit != 0 {
		C.oss_callback_put_options_set_traffic_limit_bits_per_s(o, a.length("traffic_limit", options.TrafficLimit))
	}
	if options.ForbidOverwrite {
		C.oss_callback_put_options_set_forbid_overwrite(o, true)
	}
	C.oss_callback_put_options_set_requester_pays(o, C.bool(options.RequesterPays))
	C.oss_callback_put_options_set_content_md5(o, C.bool(options.ContentMD5))
	if !options.Expires.IsZero() {
		C.oss_callback_put_options_set_expires_at_s(o, a.time("expires", options.Expires))
	}
}
