package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"time"
	"unsafe"
)

// Error is a failure of this package with everything that is known about it; [errors.As] finds it. It does not change.
type Error struct {
	// Kind names the cause only: whether the object is stored is said by Stored.
	Kind Kind
	// Stored says whether the operation stored the object all the same. One that stores nothing says StoredNo.
	Stored Stored
	// Answered says whether OSS accepted the application server's answer.
	Answered Answered
	// Receipt is what is known of the stored object; nil unless Stored is StoredYes.
	Receipt *Receipt
	// Status is the HTTP status, or 0 if no answer came.
	Status int
	// OSSCode is the code of OSS's error document, such as "NoSuchBucket".
	OSSCode string
	// OSSMessage is its message. For a failed callback it says what the application server did: "Error status : 502."
	OSSMessage string
	// EC is the code of OSS's troubleshooting pages: show it, do not branch on it.
	EC string
	// RequestID is the id under which OSS's support finds the request.
	RequestID string
	// HostID is the host that OSS believes to have answered.
	HostID string
	// Diagnosis is, for an error of the callback and for an answer that is not OSS's, what usually causes it and what to do.
	Diagnosis string
	// Attempts is how often the request was sent, and 1 also when nothing was sent.
	Attempts int
	// History has the attempts before the last one.
	History []Attempt
	// Notes are what else is worth knowing of UploadFile.
	Notes []string
	// UploadID is the upload in parts that UploadFile left open: go on with it by its checkpoint, or abort it.
	UploadID string
	// Waited is how long the head of the answer was waited for, after the last byte was sent.
	Waited time.Duration
	// Body is the body of OSS's answer as it came.
	Body []byte

	message string
	cause   error
	handle  *handle
}

// Error says what was tried and what happened, in one line without secrets.
func (e *Error) Error() string {
	if e.cause != nil && e.cause != ErrClosed {
		return e.message + ": " + e.cause.Error()
	}
	return e.message
}

// Unwrap is the error of the caller's own that caused this one: a reader's, a provider's, the context's.
func (e *Error) Unwrap() error { return e.cause }

// Is compares with a Kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Detail is a further element of OSS's error document by its name, in any case, such as "StringToSign"; empty if there is
// none.
func (e *Error) Detail(name string) string {
	return e.lookUp(name, func(error *C.oss_callback_error, name *C.char) *C.char {
		return C.oss_callback_error_detail(error, name)
	})
}

// Header is a header of OSS's answer by its name, in any case; empty if there is none.
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

// An Attempt failed and was followed by another.
type Attempt struct {
	Kind     Kind
	Stored   Stored
	Answered Answered
	// Status is the HTTP status, or 0 if no answer came.
	Status int
	// Waited is how long the head of its answer was waited for, after the last byte was sent.
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

// newError takes an error of the library's; nil for success.
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
