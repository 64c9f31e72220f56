//go:build !oss_callback_small

package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unsafe"
)

// Callback is what a handler of callbacks receives.
type Callback struct {
	// Request is the HTTP request; its body has already been read.
	Request *http.Request
	// Verified is what OSS sent.
	Verified *VerifiedCallback
	// Sealed is what was permitted; nil if there is no Sealer.
	Sealed *SealedCallback
	// Seen is FirstSeen, or Repeated for the same callback again: answer as before, and do nothing else. Without a
	// ReplayGuard it is always FirstSeen.
	Seen Seen
}

// HandlerOptions are the settings of NewHandler.
type HandlerOptions struct {
	// Verifier decides whether a request is from OSS. Required.
	Verifier *Verifier
	// Sealer decides whether the upload was permitted. Required unless Unsealed is set. With Unsealed, every customer
	// of OSS can have Serve called, with any body, any number of times.
	Sealer   *Sealer
	Unsealed bool
	// ReplayGuard decides whether the callback is new; nil if Serve does that itself, using Sealed.Nonce.
	ReplayGuard *ReplayGuard
	// Serve handles a callback. What it returns becomes JSON, which OSS passes to the uploader. If it fails, OSS
	// receives a 500 and the uploader learns that the callback failed; the callback may then come again as FirstSeen.
	Serve func(*Callback) (any, error)
	// Refused receives the reason why a request was refused, or Serve's error: for a log. May be nil.
	Refused func(*http.Request, error)
}

// NewHandler makes a handler of callbacks. It reads the body up to the verifier's limit, verifies the request, the seal
// and that the callback is new, and answers in the form that OSS expects. It does not tell the peer why it refuses a
// request.
func NewHandler(options HandlerOptions) (http.Handler, error) {
	switch {
	case options.Verifier == nil:
		return nil, invalidArgument("`verifier` is nil")
	case options.Serve == nil:
		return nil, invalidArgument("`serve` is nil")
	case options.Sealer == nil && !options.Unsealed:
		return nil, invalidArgument("`sealer` is nil: every customer of OSS could call this server")
	case options.Sealer == nil && options.ReplayGuard != nil:
		return nil, invalidArgument("`replay_guard` needs a sealer")
	}
	return &handler{options}, nil
}

type handler struct{ HandlerOptions }

// A replay of someone else's permission.
var errReplayed = errors.New("the permission was used before, for another callback")

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	callback, err := h.accept(r)
	if err != nil {
		if h.Refused != nil {
			h.Refused(r, err)
		}
		refuse(w, err)
		return
	}
	answer, err := h.serve(callback)
	if err != nil {
		if h.Refused != nil {
			h.Refused(r, err)
		}
		write(w, http.StatusInternalServerError, []byte(`{"Status":"failed"}`))
		return
	}
	write(w, http.StatusOK, answer)
}

// accept returns a callback to serve.
func (h *handler) accept(r *http.Request) (*Callback, error) {
	// One byte more than the limit, so that the verifier notices a body that is too large.
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(h.Verifier.maxBodyLen)+1))
	if err != nil {
		return nil, err
	}
	callback := &Callback{Request: r, Seen: FirstSeen}
	if callback.Verified, err = h.Verifier.Verify(r.Method, r.RequestURI, r.Header, body); err != nil {
		return nil, err
	}
	if h.Sealer != nil {
		if callback.Sealed, err = h.Sealer.Check(callback.Verified); err != nil {
			return nil, err
		}
	}
	if h.ReplayGuard != nil {
		if callback.Seen, err = h.ReplayGuard.Check(callback.Sealed); err != nil {
			return nil, err
		}
		if callback.Seen == Replayed {
			return nil, errReplayed
		}
	}
	return callback, nil
}

// serve returns the answer as JSON.
func (h *handler) serve(callback *Callback) ([]byte, error) {
	served := false
	defer func() { // of a panic, too
		if !served && h.ReplayGuard != nil && callback.Seen == FirstSeen {
			_ = h.ReplayGuard.Forget(callback.Sealed)
		}
	}()
	value, err := h.Serve(callback)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	answer, err := acceptable(string(text))
	served = err == nil
	return answer, err
}

// acceptable makes an answer that OSS accepts.
func acceptable(text string) ([]byte, error) {
	var a arguments
	defer a.free()
	var reply *C.oss_callback_reply
	var failure *C.oss_callback_error
	code := C.oss_callback_reply_new_ok(a.text("json", text), &reply, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	defer C.oss_callback_reply_free(reply)
	var length C.size_t
	body := C.oss_callback_reply_body(reply, &length)
	return goBytes(body, length), nil
}

// refuse answers with a status that fits the error, and does not give the reason.
func refuse(w http.ResponseWriter, err error) {
	status, answer := http.StatusForbidden, []byte("{}")
	var failure *Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errReplayed):
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.As(err, &failure):
		status, answer = failure.reply()
	default: // the body could not be read
		status = http.StatusBadRequest
	}
	write(w, status, answer)
}

func (e *Error) reply() (int, []byte) {
	var pointer unsafe.Pointer
	if e.handle != nil {
		var err error
		if pointer, err = e.handle.acquire(); err == nil {
			defer e.handle.release()
		}
	}
	var reply *C.oss_callback_reply
	if C.oss_callback_reply_new_refused((*C.oss_callback_error)(pointer), &reply) != C.OSS_CALLBACK_CODE_OK {
		return http.StatusServiceUnavailable, []byte("{}")
	}
	defer C.oss_callback_reply_free(reply)
	var length C.size_t
	body := C.oss_callback_reply_body(reply, &length)
	return int(C.oss_callback_reply_status(reply)), goBytes(body, length)
}

func write(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}
