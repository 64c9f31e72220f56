package osscallback

// #include <oss_callback.h>
import "C"

import (
	"time"
	"unsafe"
)

// Receipt is what OSS said about a stored object, together with the application server's answer. It is immutable.
type Receipt struct {
	// Status is the HTTP status: 200, or 203 in the receipt of CallbackFailed.
	Status int
	// ETag is the object's, without quotes; empty if OSS did not give it.
	ETag string
	// CRC64 is the CRC-64 (CRC-64/XZ) that OSS computed over the object; nil if OSS did not give it.
	CRC64 *uint64
	// VersionID is the object's version, in a bucket with versioning.
	VersionID string
	// RequestID is the id by which OSS's support finds the request; the callback carries the same one.
	RequestID string
	// Attempts is how many times the request was sent until this answer came: 1 or more.
	Attempts int
	// History contains the attempts before the last.
	History []Attempt
	// Notes contains further information about UploadFile, such as why it did not resume from its checkpoint.
	Notes []string
	// Waited is how long the head of the answer took to arrive: with a callback, mostly the application server's time.
	Waited time.Duration
	// Answer is the application server's, byte for byte: usually JSON. Empty without a callback and when the callback
	// failed.
	Answer []byte
	// AnswerContentType is the answer's Content-Type, as the application server sent it.
	AnswerContentType string

	pointer *C.oss_callback_receipt
	owner   *handle
}

// Header returns a header of OSS's answer by name, in any case; empty if there is none.
func (r *Receipt) Header(name string) string {
	if r.owner == nil {
		return ""
	}
	var a arguments
	defer a.free()
	a.use(r.owner)
	text := a.text("name", name)
	if a.err != nil {
		return ""
	}
	return C.GoString(C.oss_callback_receipt_header(r.pointer, text))
}

// ownedReceipt takes over a receipt from an operation.
func ownedReceipt(receipt *C.oss_callback_receipt) *Receipt {
	return newReceipt(receipt, newHandle("receipt", unsafe.Pointer(receipt), func(pointer unsafe.Pointer) {
		C.oss_callback_receipt_free((*C.oss_callback_receipt)(pointer))
	}))
}

// newReceipt reads a receipt that lives as long as its owner.
func newReceipt(receipt *C.oss_callback_receipt, owner *handle) *Receipt {
	var answerLen C.size_t
	answer := C.oss_callback_receipt_answer(receipt, &answerLen)
	r := &Receipt{
		Status:            int(C.oss_callback_receipt_status(receipt)),
		ETag:              C.GoString(C.oss_callback_receipt_etag(receipt)),
		VersionID:         C.GoString(C.oss_callback_receipt_version_id(receipt)),
		RequestID:         C.GoString(C.oss_callback_receipt_request_id(receipt)),
		Attempts:          int(C.oss_callback_receipt_attempts(receipt)),
		Waited:            goMilliseconds(C.oss_callback_receipt_waited_ms(receipt)),
		Answer:            goBytes(answer, answerLen),
		AnswerContentType: C.GoString(C.oss_callback_receipt_answer_content_type(receipt)),
		pointer:           receipt,
		owner:             owner,
	}
	var crc64 C.uint64_t
	if C.oss_callback_receipt_crc64(receipt, &crc64) {
		r.CRC64 = goNumber(crc64)
	}
	for i := C.size_t(0); i < C.oss_callback_receipt_earlier_attempts_len(receipt); i++ {
		r.History = append(r.History, newAttempt(C.oss_callback_receipt_earlier_attempt(receipt, i)))
	}
	for i := C.size_t(0); i < C.oss_callback_receipt_notes_len(receipt); i++ {
		r.Notes = append(r.Notes, C.GoString(C.oss_callback_receipt_note(receipt, i)))
	}
	return r
}

func goNumber(number C.uint64_t) *uint64 {
	value := uint64(number)
	return &value
}
