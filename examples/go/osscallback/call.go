package osscallback

// #include <oss_callback.h>
import "C"

import (
	"context"
	"runtime/cgo"
	"time"
)

// A call is one blocking library call, with its arguments and what can end it.
type call struct {
	arguments
	hooks        hooks
	cancellation *C.oss_callback_cancellation
	client       *clientHooks
	hookHandle   cgo.Handle
	putOptions   *C.oss_callback_put_options
	operation    *C.oss_callback_operation_options
	returned     chan struct{}
	watched      chan struct{}
}

// begin starts a call and watches the context. The function that begins a call also ends it.
func begin(ctx context.Context, client *clientHooks) *call {
	c := &call{client: client}
	if ctx == nil {
		c.fault("`ctx` is nil")
		return c
	}
	c.hooks.ctx = ctx
	c.hookHandle = cgo.NewHandle(&c.hooks)
	if ctx.Done() == nil {
		return c
	}
	if err := newError(C.oss_callback_cancellation_new(&c.cancellation), nil); err != nil {
		c.fail(err)
		return c
	}
	if ctx.Err() != nil {
		C.oss_callback_cancellation_cancel(c.cancellation)
	}
	c.returned, c.watched = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(c.watched)
		select {
		case <-ctx.Done():
			C.oss_callback_cancellation_cancel(c.cancellation)
		case <-c.returned:
		}
	}()
	return c
}

// end frees everything that belongs to the call.
func (c *call) end() {
	if c.watched != nil {
		close(c.returned)
		<-c.watched
	}
	C.oss_callback_put_options_free(c.putOptions)
	C.oss_callback_operation_options_free(c.operation)
	C.oss_callback_cancellation_free(c.cancellation)
	if c.hookHandle != 0 {
		c.hookHandle.Delete()
	}
	c.arguments.free()
}

func (c *call) handleOfHooks() C.uintptr_t { return C.uintptr_t(c.hookHandle) }

// failure is the call's error; nil on success. It takes over the library's error. If one of the caller's functions
// panicked or exited its goroutine, failure does the same.
func (c *call) failure(code C.oss_callback_code, error *C.oss_callback_error) error {
	err := newError(code, error)
	if c.hooks.end != nil {
		c.hooks.end.resume()
	}
	if err == nil {
		return nil
	}
	switch {
	case c.hooks.abandoned:
		// The reader or the writer was still waiting when the context ended.
		err.Kind, err.message, err.cause = Cancelled, "the operation was cancelled", c.hooks.err
	case c.hooks.err != nil:
		err.cause = c.hooks.err
	case err.Kind == Cancelled:
		err.cause = c.hooks.ctx.Err()
	case err.Kind == CredentialsFailed && c.client != nil:
		cause, end := c.client.failure()
		if end != nil {
			end.resume()
		}
		err.cause = cause
	}
	return err
}

// receipt is the result of an upload.
func (c *call) receipt(code C.oss_callback_code, receipt *C.oss_callback_receipt, error *C.oss_callback_error) (*Receipt, error) {
	var r *Receipt
	if receipt != nil {
		r = ownedReceipt(receipt)
	}
	if err := c.failure(code, error); err != nil {
		return nil, err
	}
	return r, nil
}

// OperationOptions are the limits of an operation; PutOptions contains them for uploads. A zero value means the
// client's setting. The context's deadline applies as well; one context may span the steps of an upload.
type OperationOptions struct {
	ConnectTimeout  time.Duration
	AnswerTimeout   time.Duration
	ProgressTimeout time.Duration
	Timeout         time.Duration
	RetryPolicy     *RetryPolicy
}

// operationOptions makes the library's options, which are freed with the call.
func (c *call) operationOptions(options *OperationOptions) *C.oss_callback_operation_options {
	if err := newError(C.oss_callback_operation_options_new(&c.operation), nil); err != nil {
		c.fail(err)
		return nil
	}
	o := c.operation
	C.oss_callback_operation_options_set_cancellation(o, c.cancellation)
	if options == nil {
		return o
	}
	c.limits(options.ConnectTimeout, options.AnswerTimeout, options.ProgressTimeout, options.Timeout, [4]func(C.uint64_t){
		func(ms C.uint64_t) { C.oss_callback_operation_options_set_connect_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_operation_options_set_answer_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_operation_options_set_progress_timeout_ms(o, ms) },
		func(ms C.uint64_t) { C.oss_callback_operation_options_set_timeout_ms(o, ms) },
	})
	if policy := options.RetryPolicy; policy != nil {
		if policy.MaxAttempts != 0 {
			C.oss_callback_operation_options_set_max_attempts(o, c.number("max_attempts", policy.MaxAttempts))
		}
		if policy.BaseDelay != 0 {
			C.oss_callback_operation_options_set_retry_base_delay_ms(o, c.milliseconds("base_delay", policy.BaseDelay))
		}
		if policy.MaxDelay != 0 {
			C.oss_callback_operation_options_set_retry_max_delay_ms(o, c.milliseconds("max_delay", policy.MaxDelay))
		}
	}
	return o
}
