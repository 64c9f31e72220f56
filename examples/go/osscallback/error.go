package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"time"
	"unsafe"
)

// Error is a failure of this package, with everything known about it; [errors.As] finds it. It is immutable.
type Error struct {
	// Kind names only the cause; Stored says whether the object is stored.
	Kind Kind
	// Stored says whether the operation stored the object anyway. It is StoredNo for operations that store nothing.
	Stored Stored
	// Answered says whether OSS accepted the application server's answer.
	Answered Answered
	// Receipt is what is known about the stored object; nil unless Stored is StoredYes.
	Receipt *Receipt
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	// OSSCode is the code in OSS's error document, such as "NoSuchBucket".
	OSSCode string
	// OSSMessage is the message there. For a failed callback it says what the application server did: "Error status :
	// 502."
	OSSMessage string
	// EC is the code for OSS's troubleshooting pages: show it, do not branch on it.
	EC string
	// RequestID is the id by which OSS's support finds the request.
	RequestID string
	// HostID is the host that, according to OSS, answered.
	HostID string
	// Diagnosis gives the usual cause and what to do, for a callback error or an answer that is not OSS's.
	Diagnosis string
	// Attempts is how many times the request was sent; also 1 if nothing was sent.
	Attempts int
	// History contains the attempts before the last.
	History []Attempt
	// Notes contains further information about UploadFile.
	Notes []string
	// UploadID is the multipart upload that UploadFile left open: resume it with its checkpoint, or abort it.
	UploadID string
	// Waited is the time from the last byte sent until the head of the answer arrived.
	Waited time.Duration
	// Body is the body of OSS's answer, as received.
	Body []byte

	message string
	cause   error
	handle  *handle
}

// Error says what was attempted and what happened, in one line without secrets.
func (e *Error) Error() string {
	if e.cause != nil && e.cause != ErrClosed {
		return e.message + ": " + e.cause.Error()
	}
	return e.message
}

// Unwrap returns the error of yours that caused this one: a reader's, a provider's or the context's.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the target is this error's Kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Detail returns another element of OSS's error document by name (in any case), such as "StringToSign"; empty if there
// is none.
func (e *Error) Detail(name string) string {
	return e.lookUp(name, func(error *C.oss_callback_error, name *C.char) *C.char {
		return C.oss_callback_error_detail(error, name)
	})
}

// Header returns a header of OSS's answer by name, in any case; empty if there is none.
func (e *Error) Header(name string) string {
	return e.lookUp(name, func(error *C.oss_callback_error, name *C.char) *C.char {
		return C.oss_callback_error_header(error, name)
	})
}

func (e *Error) lookUp(name string, find func(*C.oss_callback_error, *C.char) *C.char) string {
	if e.handle == nil {
		return ""
	}
	var a arguments
	defer a.free()
	error, text := a.use(e.handle), a.text("name", name)
	if a.err != nil {
		return ""
	}
	return C.GoString(find((*C.oss_callback_error)(error), text))
}

// An Attempt is one that failed and was followed by another.
type Attempt struct {
	Kind     Kind
	Stored   Stored
	Answered Answered
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	// Waited is the time from the last byte sent until the head of its answer arrived.
	Waited time.Duration
}

func newAttempt(attempt *C.oss_callback_attempt) Attempt {
	return Attempt{
		Kind:     Kind(C.oss_callback_attempt_code(attempt)),
		Stored:   Stored(C.oss_callback_attempt_stored(attempt)),
		Answered: Answered(C.oss_callback_attempt_answered(attempt)),
		Status:   int(C.oss_callback_attempt_status(attempt)),
		Waited:   goMilliseconds(C.oss_callback_attempt_waited_ms(attempt)),
	}
}

// newError takes over an error of the library's; nil on success.
func newError(code C.oss_callback_code, error *C.oss_callback_error) *Error {
	if code == C.OSS_CALLBACK_CODE_OK {
		return nil
	}
	if error == nil { // of a function that gives none
		return &Error{Kind: Kind(code), Stored: StoredNo, Answered: AnsweredNotRequested, Attempts: 1, message: Kind(code).String()}
	}
	owner := newHandle("error", unsafe.Pointer(error), func(pointer unsafe.Pointer) {
		C.oss_callback_error_free((*C.oss_callback_error)(pointer))
	})
	var bodyLen C.size_t
	body := C.oss_callback_error_body(error, &bodyLen)
	e := &Error{
		Kind:       Kind(code),
		Stored:     Stored(C.oss_callback_error_stored(error)),
		Answered:   Answered(C.oss_callback_error_answered(error)),
		Status:     int(C.oss_callback_error_status(error)),
		OSSCode:    C.GoString(C.oss_callback_error_oss_code(error)),
		OSSMessage: C.GoString(C.oss_callback_error_oss_message(error)),
		EC:         C.GoString(C.oss_callback_error_ec(error)),
		RequestID:  C.GoString(C.oss_callback_error_request_id(error)),
		HostID:     C.GoString(C.oss_callback_error_host_id(error)),
		Diagnosis:  C.GoString(C.oss_callback_error_diagnosis(error)),
		Attempts:   int(C.oss_callback_error_attempts(error)),
		UploadID:   C.GoString(C.oss_callback_error_upload_id(error)),
		Waited:     goMilliseconds(C.oss_callback_error_waited_ms(error)),
		Body:       goBytes(body, bodyLen),
		message:    C.GoString(C.oss_callback_error_message(error)),
		handle:     owner,
	}
	for i := C.size_t(0); i < C.oss_callback_error_earlier_attempts_len(error); i++ {
		e.History = append(e.History, newAttempt(C.oss_callback_error_earlier_attempt(error, i)))
	}
	for i := C.size_t(0); i < C.oss_callback_error_notes_len(error); i++ {
		e.Notes = append(e.Notes, C.GoString(C.oss_callback_error_note(error, i)))
	}
	if receipt := C.oss_callback_error_receipt(error); receipt != nil {
		e.Receipt = newReceipt(receipt, owner)
	}
	return e
}
