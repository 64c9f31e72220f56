package osscallback

// #include "hooks.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// How often a reader may return nothing before it counts as broken: as in package bufio.
const mostEmptyReads = 100

// An abruptEnd is how one of the caller's functions ended without returning.
type abruptEnd struct {
	exited bool // by runtime.Goexit, otherwise by a panic
	value  any
}

// resume ends this goroutine in the same way.
func (e *abruptEnd) resume() {
	if e.exited {
		runtime.Goexit()
	}
	panic(e.value)
}

// isolate runs one of the caller's functions on its own goroutine, where neither a panic nor runtime.Goexit can unwind
// the library. It waits until the function ends or, if there is a context, until the context does. In the latter case
// it returns false and leaves the function running.
func isolate(ctx context.Context, f func()) (*abruptEnd, bool) {
	ended := make(chan *abruptEnd, 1)
	go func() {
		end := &abruptEnd{exited: true}
		defer func() {
			if value := recover(); value != nil {
				end = &abruptEnd{value: value}
			}
			ended <- end
		}()
		f()
		end = nil
	}()
	var done <-chan struct{}
	if ctx != nil {
		done = ctx.Done()
	}
	select {
	case end := <-ended:
		return end, true
	case <-done:
		return nil, false
	}
}

// hooks are the caller's functions that one operation calls, and how they failed.
type hooks struct {
	ctx      context.Context
	progress func(sent, total int64)
	reader   io.Reader
	buffer   []byte
	empty    int
	pending  error // what came together with bytes
	writer   io.Writer

	err       error // of the reader or the writer
	abandoned bool  // it was under way when the context ended
	end       *abruptEnd
}

// run says whether the function returned.
func (h *hooks) run(ctx context.Context, f func()) bool {
	end, returned := isolate(ctx, f)
	switch {
	case !returned:
		h.abandoned, h.err = true, ctx.Err()
	case end != nil:
		h.end = end
	}
	return returned && end == nil
}

//export osscallbackProgress
func osscallbackProgress(sent, total C.uint64_t, handle C.uintptr_t) C.int {
	h := cgo.Handle(handle).Value().(*hooks)
	if !h.run(nil, func() { h.progress(clamped(sent), clamped(total)) }) {
		return 1
	}
	return 0
}

// clamped is a number of bytes; -1 if it is unknown.
func clamped(number C.uint64_t) int64 {
	if number > math.MaxInt64 {
		return -1
	}
	return int64(number)
}

//export osscallbackRead
func osscallbackRead(buffer *C.uint8_t, bufferLen C.size_t, handle C.uintptr_t) C.int64_t {
	h := cgo.Handle(handle).Value().(*hooks)
	count := h.read(int(bufferLen))
	if count > 0 {
		copy(unsafe.Slice((*byte)(buffer), int(bufferLen)), h.buffer[:count])
	}
	return C.int64_t(count)
}

// read reads at most that many bytes. It returns 0 at the end of the body, -1 on failure.
func (h *hooks) read(most int) int {
	if len(h.buffer) < most {
		h.buffer = make([]byte, most)
	}
	buffer := h.buffer[:most]
	for h.pending == nil {
		var count int
		var err error
		if !h.run(h.ctx, func() { count, err = h.reader.Read(buffer) }) {
			return -1
		}
		if count < 0 || count > most {
			h.err = fmt.Errorf("osscallback: the reader says that it gave %d bytes where %d had room", count, most)
			return -1
		}
		h.pending = err
		if count > 0 {
			h.empty = 0
			return count
		}
		if h.empty++; err == nil && h.empty == mostEmptyReads {
			h.pending = io.ErrNoProgress
		}
	}
	if h.pending == io.EOF {
		return 0
	}
	h.err = h.pending
	return -1
}

//export osscallbackWrite
func osscallbackWrite(bytes *C.uint8_t, bytesLen C.size_t, handle C.uintptr_t) C.int {
	h := cgo.Handle(handle).Value().(*hooks)
	// A copy, because the writer may still be running after the context has ended.
	h.buffer = append(h.buffer[:0], unsafe.Slice((*byte)(bytes), int(bytesLen))...)
	block := h.buffer
	var count int
	var err error
	if !h.run(h.ctx, func() { count, err = h.writer.Write(block) }) {
		return 1
	}
	if err == nil && count != len(block) {
		err = io.ErrShortWrite
	}
	if h.err = err; err != nil {
		return 1
	}
	return 0
}

// clientHooks are the caller's functions that belong to a client, and how they last failed. They run on any thread.
type clientHooks struct {
	provider func() (KeyPair, error)
	signer   func(SigningRequest) (string, error)

	mutex sync.Mutex
	err   error
	end   *abruptEnd
}

// run says whether the function returned without an error.
func (h *clientHooks) run(f func() error) bool {
	var err error
	end, _ := isolate(nil, func() { err = f() })
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.err, h.end = err, end
	return err == nil && end == nil
}

func (h *clientHooks) failure() (error, *abruptEnd) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.err, h.end
}

//export osscallbackProvide
func osscallbackProvide(credentials *C.oss_callback_credentials, handle C.uintptr_t) C.int {
	h := cgo.Handle(handle).Value().(*clientHooks)
	var a arguments
	defer a.free()
	var pair KeyPair
	provided := h.run(func() (err error) {
		if pair, err = h.provider(); err != nil {
			return err
		}
		return pair.check()
	})
	if !provided {
		return 1
	}
	C.oss_callback_credentials_set_key_pair(credentials, a.text("access_key_id", pair.AccessKeyID),
		a.text("access_key_secret", pair.AccessKeySecret), a.optionalText("security_token", pair.SecurityToken))
	if !pair.Expires.IsZero() {
		C.oss_callback_credentials_set_expires_at_s(credentials, a.time("expires", pair.Expires))
	}
	return 0
}

//export osscallbackSign
func osscallbackSign(stringToSign *C.char, version C.uint32_t, scope, signature *C.char, signatureLen C.size_t,
	handle C.uintptr_t) C.int64_t {
	h := cgo.Handle(handle).Value().(*clientHooks)
	request := SigningRequest{C.GoString(stringToSign), int(version), C.GoString(scope)}
	var signed string
	provided := h.run(func() (err error) {
		signed, err = h.signer(request)
		if err == nil && len(signed) > int(signatureLen) {
			err = errors.New("osscallback: the signature is too long")
		}
		return err
	})
	if !provided {
		return -1
	}
	return C.int64_t(copy(unsafe.Slice((*byte)(unsafe.Pointer(signature)), int(signatureLen)), signed))
}

//export osscallbackDestroy
func osscallbackDestroy(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}
