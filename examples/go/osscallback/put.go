package osscallback

// #include "hooks.h"
import "C"

import (
	"context"
	"io"
	"time"
)

// PutOptions are the options of an upload. A zero value means the default.
type PutOptions struct {
	// Callback is what OSS is to call; nil means a plain upload.
	Callback *CallbackSpec
	// ContentType is the object's. Default: guessed from the extension of the file, or else of the object's name.
	ContentType string
	// Metadata is stored with the object as x-oss-meta-name.
	Metadata map[string]string
	// ObjectACL is "default", "private", "public-read" or "public-read-write".
	ObjectACL string
	// StorageClass is "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
	StorageClass string
	// Tags of the object, at most 10.
	Tags map[string]string
	// ServerSideEncryption is "AES256", "SM4" or "KMS"; only "KMS" takes a key id and a cipher of its own.
	ServerSideEncryption      string
	ServerSideEncryptionKeyID string
	ServerSideDataEncryption  string
	// TrafficLimit asks OSS to accept at most this many BITS per second.
	TrafficLimit int64
	// ForbidOverwrite keeps an existing object of this name: the upload then fails with Conflict.
	ForbidOverwrite bool
	// CacheControl, ContentDisposition, ContentEncoding, ContentLanguage and Expires are sent with downloads.
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	Expires            time.Time
	// RequesterPays makes the requester pay, as another account's bucket may require.
	RequesterPays bool
	// ContentMD5 also sends the body's MD5. A body that can be read only once is refused.
	ContentMD5 bool
	// Headers are any other headers of the object.
	Headers map[string]string

	// OperationOptions replace the client's.
	OperationOptions
	// IdempotencyID is a unique name for this upload, 1 to 128 ASCII characters without blanks. It is stored with the
	// object, so that Reconcile can tell whether this upload stored the object.
	IdempotencyID string
	// CallbackIsIdempotent says that the application server does the right thing if the same callback reaches it twice.
	// Without it, an upload with a callback is not sent again once its answer is lost.
	CallbackIsIdempotent bool
	// IgnoreCRC64 skips comparing the CRC-64 that OSS computed with that of the bytes sent.
	IgnoreCRC64 bool
	// Bandwidth is the most BYTES per second to send.
	Bandwidth int64
	// Progress receives how many bytes of the body have left this machine, and the total, which is -1 if unknown. On
	// Linux and Android a byte has left once the next machine has acknowledged it, the server or a proxy; on other
	// systems, once the system has taken it. Each new attempt starts over.
	Progress func(sent, total int64)

	// PartSize, Parallel, Checkpoint and VerifyParts are for UploadFile only; other uploads refuse them. Default: 8
	// MiB, 4, none and false.
	PartSize int64
	Parallel int
	// Checkpoint is the path of a file that records which parts were sent, so that another call can resume.
	Checkpoint string
	// VerifyParts makes a resumed upload reread from the file every part that OSS has, and send those that differ.
	// Otherwise that happens only if the file may have been touched.
	VerifyParts bool
}

// A Body is what to upload: see Bytes, File, FileRange and Reader.
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

// LenUnknown is the length of a reader that is read to its end and sent in chunks.
const LenUnknown = -1

// Bytes uploads bytes as they are. Do not change them during the upload.
func Bytes(bytes []byte) Body { return Body{kind: bytesBody, bytes: bytes} }

// File uploads a file, which is read during the upload. It must be a regular file.
func File(path string) Body { return Body{kind: fileBody, path: path} }

// FileRange uploads length bytes of a file, starting at offset.
func FileRange(path string, offset, length int64) Body {
	return Body{kind: rangeBody, path: path, offset: offset, len: length}
}

// Reader uploads what a reader returns. It is read during the upload and only once, so another attempt is made only if
// nothing was read yet. It must return exactly length bytes, then io.EOF; with LenUnknown any number, which are sent in
// chunks. If it fails, the upload ends and stores nothing, and the upload's error wraps the reader's. It is read on
// other goroutines, one call at a time. If the context ends during a Read, the upload ends without waiting for it.
func Reader(reader io.Reader, length int64) Body {
	return Body{kind: readerBody, reader: reader, len: length}
}

// PutObject uploads body as object into bucket and waits for the application server's answer. Options may be nil.
//
// CallbackFailed means that the object IS STORED, but the application server was not reached or did not agree: do not
// upload it again. For every other failure, Error.Stored says whether it is stored.
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

// UploadFile uploads a file of any size as object into bucket and waits for the application server's answer: one
// object, one callback, one receipt. A file larger than a part is sent in parts, several at once. With a checkpoint,
// the same call later, in this or another process, resumes a failed upload.
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

// readerLength prepares a body's reader and returns how many bytes it has.
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

// uploadOptions returns the callback, and the library's options, which are freed with the call.
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
		if policy.MaxAttempts != 0 {
			C.oss_callback_put_options_set_max_attempts(o, c.number("max_attempts", policy.MaxAttempts))
		}
		if policy.BaseDelay != 0 {
			C.oss_callback_put_options_set_retry_base_delay_ms(o, c.milliseconds("base_delay", policy.BaseDelay))
		}
		if policy.MaxDelay != 0 {
			C.oss_callback_put_options_set_retry_max_delay_ms(o, c.milliseconds("max_delay", policy.MaxDelay))
		}
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
