package osscallback

import (
	"testing"
	"unsafe"
)

func TestAHandleIsFreedOnceAndNotWhileItIsUsed(t *testing.T) {
	var something byte
	freed := 0
	h := newHandle("handle", unsafe.Pointer(&something), func(pointer unsafe.Pointer) {
		if pointer != unsafe.Pointer(&something) {
			t.Error("another pointer")
		}
		freed++
	})
	if pointer, err := h.acquire(); pointer != unsafe.Pointer(&something) || err != nil {
		t.Fatal(pointer, err)
	}
	h.close()
	if _, err := h.acquire(); err == nil || freed != 0 {
		t.Error(err, freed)
	}
	h.release()
	h.close()
	if freed != 1 {
		t.Error(freed)
	}
}
