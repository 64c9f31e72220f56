package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Outcome is the result of looking up an upload.
type Outcome int

const (
	// OutcomeStillUnknown: a different object is there, which may have replaced this one; or one that cannot be
	// compared.
	OutcomeStillUnknown Outcome = C.OSS_CALLBACK_OUTCOME_STILL_UNKNOWN
	// OutcomeStored: the upload is stored; its idempotency id or, for a multipart upload, its upload id proves it.
	OutcomeStored Outcome = C.OSS_CALLBACK_OUTCOME_STORED
	// OutcomeContentPresent: an object with the size and the CRC-64 of the upload is there. Without an idempotency id,
	// it is unknown whether this upload stored it or an earlier one with the same contents.
	OutcomeContentPresent Outcome = C.OSS_CALLBACK_OUTCOME_CONTENT_PRESENT
	// OutcomeNotThere: the upload is not there. A request still on its way may yet arrive.
	OutcomeNotThere Outcome = C.OSS_CALLBACK_OUTCOME_NOT_THERE
)

func (o Outcome) String() string {
	switch o {
	case OutcomeStored:
		return "stored"
	case OutcomeContentPresent:
		return "content present"
	case OutcomeNotThere:
		return "not there"
	}
	return "still unknown"
}

// Reconciled is what became of an upload whose outcome was unknown.
type Reconciled struct {
	Outcome Outcome
	// Object is the object found; nil unless the outcome is OutcomeStored or OutcomeContentPresent.
	Object *ObjectMetadata
	// ObservedAt is the time, by OSS's clock, when OSS said that the upload is not there; zero for other outcomes.
	ObservedAt time.Time
}

// Reconcile finds out what became of an upload whose error says StoredUnknown. It looks at the object; for an upload in
// parts it looks at the upload first. It changes nothing. OSS does not record whether the callback was answered: ask
// the application server. The client need not be the one that uploaded. Options may be nil.
func (c *Client) Reconcile(ctx context.Context, unknown *Error, options *OperationOptions) (*Reconciled, error) {
	call := begin(ctx, c.hooks)
	defer call.end()
	client := (*C.oss_callback_client)(call.use(c.handle))
	if unknown == nil || unknown.handle == nil {
		call.fault("`unknown` is no error of an upload")
		return nil, call.err
	}
	failed := (*C.oss_callback_error)(call.use(unknown.handle))
	o := call.operationOptions(options)
	if call.err != nil {
		return nil, call.err
	}
	var reconciled *C.oss_callback_reconciled
	var failure *C.oss_callback_error
	code := C.oss_callback_client_reconcile(client, failed, o, &reconciled, &failure)
	if err := call.failure(code, failure); err != nil {
		return nil, err
	}
	owner := newHandle("reconciled", unsafe.Pointer(reconciled), func(pointer unsafe.Pointer) {
		C.oss_callback_reconciled_free((*C.oss_callback_reconciled)(pointer))
	})
	r := &Reconciled{Outcome: Outcome(C.oss_callback_reconciled_outcome(reconciled))}
	if object := C.oss_callback_reconciled_object(reconciled); object != nil {
		r.Object = newMetadata(object, owner)
	}
	var asOf C.uint64_t
	if C.oss_callback_reconciled_observed_at_s(reconciled, &asOf) {
		r.ObservedAt = goTime(asOf)
	}
	return r, nil
}
