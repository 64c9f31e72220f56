//go:build !oss_callback_small

package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"time"
	"unsafe"
)

// Permission is what an uploader may do: upload one object, or one below a prefix, up to a size, until a time.
type Permission struct {
	Bucket string
	// Object is the object's name. Set Object or Prefix; with Prefix the uploader chooses the rest of the name.
	Object string
	Prefix string
	// MaxSize or ExactSize, in bytes. With neither, only an empty object is permitted.
	MaxSize   int64
	ExactSize *int64
	// ValidFor or ExpiresAt. The callback must arrive before then, so leave time for the upload.
	ValidFor  time.Duration
	ExpiresAt time.Time
}

// Sealer seals callbacks on the application server, and checks the seals of those that come back. The secret stays
// there; the uploader gets the finished callback and cannot change what is sealed. Many goroutines may use it at once.
type Sealer struct {
	handle *handle
}

// A SealKey has an id of 1 to 32 letters, digits, - and _, which is not secret, and a secret of at least 32 random
// bytes.
type SealKey struct {
	ID     string
	Secret []byte
}

// String shows only the id.
func (k SealKey) String() string { return "SealKey(" + k.ID + ")" }

// GoString shows only the id.
func (k SealKey) GoString() string { return k.String() }

// NewSealer makes a sealer with a key. It also accepts the seals of the other keys, for rotation.
func NewSealer(key SealKey, accepted ...SealKey) (*Sealer, error) {
	var a arguments
	defer a.free()
	id := a.text("key_id", key.ID)
	ids := make([]*C.char, len(accepted))
	for i := range accepted {
		ids[i] = a.text("key_id", accepted[i].ID)
	}
	if a.err != nil {
		return nil, a.err
	}
	var sealer *C.oss_callback_sealer
	var failure *C.oss_callback_error
	code := C.oss_callback_sealer_new(id, bytesPointer(key.Secret), C.size_t(len(key.Secret)), &sealer, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	s := &Sealer{newHandle("sealer", unsafe.Pointer(sealer), func(pointer unsafe.Pointer) {
		C.oss_callback_sealer_free((*C.oss_callback_sealer)(pointer))
	})}
	for i, other := range accepted {
		code := C.oss_callback_sealer_accept(sealer, ids[i], bytesPointer(other.Secret), C.size_t(len(other.Secret)), &failure)
		if err := newError(code, failure); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Seal makes a spec from these options, with a seal in the variable x:seal, for one upload. The body must carry
// ${bucket}, ${object}, ${size}, ${x:seal} and every variable. Give the uploader the spec's Callback and CallbackVar.
func (s *Sealer) Seal(options CallbackSpecOptions, permission Permission) (*CallbackSpec, error) {
	var a arguments
	defer a.free()
	sealer := (*C.oss_callback_sealer)(a.use(s.handle))
	p := permission.new(&a)
	defer C.oss_callback_permission_free(p)
	o, err := options.new(&a)
	if err != nil {
		return nil, err
	}
	defer C.oss_callback_spec_options_free(o)
	if a.err != nil {
		return nil, a.err
	}
	var spec *C.oss_callback_spec
	var failure *C.oss_callback_error
	code := C.oss_callback_sealer_seal(sealer, o, p, &spec, &failure)
	return ownedSpec(spec, code, failure)
}

func (permission *Permission) new(a *arguments) *C.oss_callback_permission {
	bucket := a.text("bucket", permission.Bucket)
	object, prefix := a.text("object", permission.Object), a.text("prefix", permission.Prefix)
	if (permission.Object == "") == (permission.Prefix == "") {
		a.fault("either `object` or `prefix` of a permission is given")
	}
	if a.err != nil {
		return nil
	}
	var p *C.oss_callback_permission
	var failure *C.oss_callback_error
	var code C.oss_callback_code
	if permission.Object != "" {
		code = C.oss_callback_permission_new_object(bucket, object, &p, &failure)
	} else {
		code = C.oss_callback_permission_new_prefix(bucket, prefix, &p, &failure)
	}
	if err := newError(code, failure); err != nil {
		a.fail(err)
		return nil
	}
	if permission.ExactSize != nil {
		C.oss_callback_permission_set_exact_size(p, a.length("exact_size", *permission.ExactSize))
	} else {
		C.oss_callback_permission_set_max_size(p, a.length("max_size", permission.MaxSize))
	}
	if !permission.ExpiresAt.IsZero() {
		C.oss_callback_permission_set_expires_at_s(p, a.time("expires_at", permission.ExpiresAt))
	} else if permission.ValidFor != 0 {
		C.oss_callback_permission_set_valid_for_s(p, a.seconds("valid_for", permission.ValidFor))
	}
	return p
}

// Check checks a verified callback's seal against the callback's body, by this machine's clock.
func (s *Sealer) Check(callback *VerifiedCallback) (*SealedCallback, error) {
	var a arguments
	defer a.free()
	sealer, verified := (*C.oss_callback_sealer)(a.use(s.handle)), (*C.oss_callback_verified)(a.use(callback.handle))
	if a.err != nil {
		return nil, a.err
	}
	var sealed *C.oss_callback_sealed
	var failure *C.oss_callback_error
	code := C.oss_callback_sealer_check(sealer, verified, &sealed, &failure)
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return ownedSealed(sealed), nil
}

// Close frees the sealer once it has no users. It always returns nil, even when called again.
func (s *Sealer) Close() error {
	s.handle.close()
	return nil
}

// SealedCallback is a callback whose upload was permitted: what the seal covers, and nothing else.
type SealedCallback struct {
	Bucket string
	Object string
	// Size is the size in bytes that the callback reports; it is within the permission.
	Size uint64
	// KeyID is the id of the key that sealed it.
	KeyID string
	// Expires is when the permission ends.
	Expires time.Time
	// Nonce is 16 random bytes that no other seal has, and BodyDigest is the SHA-256 of the body. Servers that share a
	// database can use them instead of a ReplayGuard.
	Nonce      []byte
	BodyDigest []byte

	handle *handle
}

func ownedSealed(sealed *C.oss_callback_sealed) *SealedCallback {
	return &SealedCallback{
		Bucket:     C.GoString(C.oss_callback_sealed_bucket(sealed)),
		Object:     C.GoString(C.oss_callback_sealed_object(sealed)),
		Size:       uint64(C.oss_callback_sealed_size(sealed)),
		KeyID:      C.GoString(C.oss_callback_sealed_key_id(sealed)),
		Expires:    goTime(C.oss_callback_sealed_expires_at_s(sealed)),
		Nonce:      goBytes(C.oss_callback_sealed_nonce(sealed), 16),
		BodyDigest: goBytes(C.oss_callback_sealed_body_digest(sealed), 32),
		handle: newHandle("sealed", unsafe.Pointer(sealed), func(pointer unsafe.Pointer) {
			C.oss_callback_sealed_free((*C.oss_callback_sealed)(pointer))
		}),
	}
}

// Variable returns a sealed variable by name, with or without the prefix "x:"; false if it was not sealed.
func (s *SealedCallback) Variable(name string) (string, bool) {
	return lookUp(s.handle, name, func(pointer unsafe.Pointer, name *C.char) *C.char {
		return C.oss_callback_sealed_variable((*C.oss_callback_sealed)(pointer), name)
	})
}

// Seen is what a replay guard knows about a callback.
type Seen int

const (
	// FirstSeen: the first time; handle it.
	FirstSeen Seen = C.OSS_CALLBACK_SEEN_FIRST
	// Repeated: the same callback again, byte for byte; answer as before, and do nothing else.
	Repeated Seen = C.OSS_CALLBACK_SEEN_REPEATED
	// Replayed: the same seal with another body; refuse it.
	Replayed Seen = C.OSS_CALLBACK_SEEN_REPLAYED
)

// ReplayGuard tells new callbacks from repeated ones, in this process only. Many goroutines may use it at once.
type ReplayGuard struct {
	handle *handle
}

// NewReplayGuard makes a guard that remembers up to capacity permissions that have not yet ended, at about 200 bytes
// each.
func NewReplayGuard(capacity int) (*ReplayGuard, error) {
	var a arguments
	length := C.size_t(a.length("capacity", int64(capacity)))
	if a.err != nil {
		return nil, a.err
	}
	var guard *C.oss_callback_replay_guard
	if err := newError(C.oss_callback_replay_guard_new(length, &guard), nil); err != nil {
		return nil, err
	}
	return &ReplayGuard{newHandle("replay_guard", unsafe.Pointer(guard), func(pointer unsafe.Pointer) {
		C.oss_callback_replay_guard_free((*C.oss_callback_replay_guard)(pointer))
	})}, nil
}

// Check checks a callback and remembers it. It fails with ReplayUnknown if the guard is full.
func (g *ReplayGuard) Check(callback *SealedCallback) (Seen, error) {
	var a arguments
	defer a.free()
	guard, sealed := (*C.oss_callback_replay_guard)(a.use(g.handle)), (*C.oss_callback_sealed)(a.use(callback.handle))
	if a.err != nil {
		return Replayed, a.err
	}
	seen := C.oss_callback_seen(C.OSS_CALLBACK_SEEN_REPLAYED)
	var failure *C.oss_callback_error
	code := C.oss_callback_replay_guard_check(guard, sealed, &seen, &failure)
	if err := newError(code, failure); err != nil {
		return Replayed, err
	}
	return Seen(seen), nil
}

// Forget takes FirstSeen back, because handling the callback failed and a repetition is welcome.
func (g *ReplayGuard) Forget(callback *SealedCallback) error {
	var a arguments
	defer a.free()
	guard, sealed := (*C.oss_callback_replay_guard)(a.use(g.handle)), (*C.oss_callback_sealed)(a.use(callback.handle))
	if a.err != nil {
		return a.err
	}
	var failure *C.oss_callback_error
	code := C.oss_callback_replay_guard_forget(guard, sealed, &failure)
	if err := newError(code, failure); err != nil {
		return err
	}
	return nil
}

// Close frees the guard once it has no users. It always returns nil, even when called again.
func (g *ReplayGuard) Close() error {
	g.handle.close()
	return nil
}
