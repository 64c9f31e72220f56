package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// ErrClosed is the cause of an error when an operation uses something closed; [errors.Is] finds it.
var ErrClosed = errors.New("it is closed")

// A handle is one of the library's. It is freed once: when it has been closed or is garbage, and has no users.
type handle struct {
	name string
	free func(unsafe.Pointer)

	mutex   sync.Mutex
	pointer unsafe.Pointer
	users   int
	closed  bool
}

func newHandle(name string, pointer unsafe.Pointer, free func(unsafe.Pointer)) *handle {
	h := &handle{name: name, pointer: pointer, free: free}
	// A user keeps the handle reachable, so it becomes garbage only when it has no users.
	runtime.SetFinalizer(h, (*handle).close)
	return h
}

// acquire returns the pointer, which is valid until release.
func (h *handle) acquire() (unsafe.Pointer, error) {
	if h == nil {
		return nil, invalidArgument("the value was not made by a function of this package")
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.closed {
		err := invalidArgument("`%s` is closed", h.name)
		err.cause = ErrClosed
		return nil, err
	}
	h.users++
	return h.pointer, nil
}

func (h *handle) release() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.users--
	h.freeIfUnused()
}

func (h *handle) close() {
	if h == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.closed = true
	h.freeIfUnused()
}

func (h *handle) freeIfUnused() {
	if h.closed && h.users == 0 && h.pointer != nil {
		runtime.SetFinalizer(h, nil)
		h.free(h.pointer)
		h.pointer = nil
	}
}

// arguments are the arguments of one library call. The first error is kept; nothing is sent then.
type arguments struct {
	err       error
	allocated []unsafe.Pointer
	handles   []*handle
}

func (a *arguments) fault(format string, values ...any) {
	a.fail(invalidArgument(format, values...))
}

func (a *arguments) fail(err error) {
	if a.err == nil && err != nil {
		a.err = err
	}
}

// text copies a string into C's memory. A NUL would end it early there.
func (a *arguments) text(name, value string) *C.char {
	if strings.ContainsRune(value, 0) {
		a.fault("`%s` contains a NUL", name)
		return nil
	}
	text := C.CString(value)
	a.allocated = append(a.allocated, unsafe.Pointer(text))
	return text
}

// optionalText returns nil for an empty string.
func (a *arguments) optionalText(name, value string) *C.char {
	if value == "" {
		return nil
	}
	return a.text(name, value)
}

// use returns the pointer of a handle, which stays valid until the arguments are freed.
func (a *arguments) use(h *handle) unsafe.Pointer {
	pointer, err := h.acquire()
	if err != nil {
		a.fail(err)
		return nil
	}
	a.handles = append(a.handles, h)
	return pointer
}

// length is a number, such as one of bytes, that must not be negative.
func (a *arguments) length(name string, value int64) C.uint64_t {
	if value < 0 {
		a.fault("`%s` is negative", name)
		return 0
	}
	return C.uint64_t(value)
}

func (a *arguments) number(name string, value int) C.uint32_t {
	if value < 0 || int64(value) > math.MaxUint32 {
		a.fault("`%s` is %d", name, value)
		return 0
	}
	return C.uint32_t(value)
}

// milliseconds rounds up, so that a short time does not become 0.
func (a *arguments) milliseconds(name string, value time.Duration) C.uint64_t {
	if value < 0 {
		a.fault("`%s` is negative", name)
		return 0
	}
	rounded := value / time.Millisecond
	if value%time.Millisecond > 0 {
		rounded++
	}
	return C.uint64_t(rounded)
}

// seconds rounds down, so that a permission does not last longer than stated.
func (a *arguments) seconds(name string, value time.Duration) C.uint64_t {
	if value < 0 {
		a.fault("`%s` is negative", name)
		return 0
	}
	return C.uint64_t(value / time.Second)
}

func (a *arguments) time(name string, value time.Time) C.uint64_t {
	if value.Unix() < 0 {
		a.fault("`%s` is before 1970", name)
		return 0
	}
	return C.uint64_t(value.Unix())
}

// free frees what was allocated and releases what was used.
func (a *arguments) free() {
	for _, pointer := range a.allocated {
		C.free(pointer)
	}
	for _, h := range a.handles {
		h.release()
	}
}

// bytesPointer is the start of a slice, which the library reads only during the call.
func bytesPointer(bytes []byte) *C.uint8_t {
	if len(bytes) == 0 {
		return nil
	}
	return (*C.uint8_t)(unsafe.Pointer(&bytes[0]))
}

// goBytes makes a copy; it is never nil.
func goBytes(bytes *C.uint8_t, length C.size_t) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(bytes), int(length))...)
}

func goTime(seconds C.uint64_t) time.Time {
	if seconds > math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

func goMilliseconds(milliseconds C.uint64_t) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	if milliseconds > C.uint64_t(most) {
		return math.MaxInt64
	}
	return time.Duration(milliseconds) * time.Millisecond
}

func invalidArgument(format string, values ...any) *Error {
	return &Error{
		Kind:     InvalidArgument,
		Stored:   StoredNo,
		Answered: AnsweredNotRequested,
		Attempts: 1,
		message:  fmt.Sprintf(format, values...),
	}
}
