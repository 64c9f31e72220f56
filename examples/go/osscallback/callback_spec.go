package osscallback

// #include <oss_callback.h>
// #include <stdlib.h>
import "C"

import (
	"encoding/json"
	"unsafe"
)

// BodyType is the type of a callback's body, which becomes its Content-Type.
type BodyType int

const (
	// BodyForm is application/x-www-form-urlencoded.
	BodyForm BodyType = C.OSS_CALLBACK_BODY_TYPE_FORM
	// BodyJSON is application/json.
	BodyJSON BodyType = C.OSS_CALLBACK_BODY_TYPE_JSON
)

// CallbackSpecOptions are the settings of a callback; only a URL and a body are required.
type CallbackSpecOptions struct {
	// URLs of the application server, percent-encoded: up to five. OSS tries them in this order until one agrees.
	URLs []string
	// Host is the Host header of the callback. Default: the host of the URL.
	Host string
	// Body is the body that OSS sends: "filename=${object}&size=${size}". In a JSON body OSS adds the quotes around a
	// string itself: {"filename":${object}}. Set Body or Members.
	Body string
	// Members build the body one by one, so that names and values are escaped properly.
	Members []BodyMember
	// BodyType applies to Body and to Members. Default: BodyForm.
	BodyType BodyType
	// SNI makes OSS name the host in the TLS handshake of an https URL.
	SNI bool
	// Variables are the caller's own; the body names them as ${x:name}.
	Variables map[string]string
	// Further members of the callback, by name, such as "callbackPolicy".
	Further map[string]json.RawMessage
}

// A BodyMember is one name in a callback's body with its value: a variable of OSS's such as "object" or of the caller's
// such as "x:uid", or else fixed text.
type BodyMember struct {
	Name     string
	Variable string
	Text     string
}

// CallbackSpec is what OSS is to call once it has stored an object. It is immutable and may be used for any number of
// uploads at once.
type CallbackSpec struct {
	handle *handle
}

// NewCallbackSpec encodes a callback and checks it against OSS's rules. An InvalidCallback error names the member and
// its problem.
func NewCallbackSpec(options CallbackSpecOptions) (*CallbackSpec, error) {
	var a arguments
	defer a.free()
	o, err := options.new(&a)
	if err != nil {
		return nil, err
	}
	defer C.oss_callback_spec_options_free(o)
	var spec *C.oss_callback_spec
	var failure *C.oss_callback_error
	code := C.oss_callback_spec_new(o, &spec, &failure)
	return ownedSpec(spec, code, failure)
}

// CallbackSpecFromBase64 takes a callback that someone else issued: the values of x-oss-callback and, if there are
// variables, x-oss-callback-var. They are sent byte for byte and unchecked.
func CallbackSpecFromBase64(callback, callbackVar string) (*CallbackSpec, error) {
	var a arguments
	defer a.free()
	callbackText, varText := a.text("callback", callback), a.optionalText("callback_var", callbackVar)
	if a.err != nil {
		return nil, a.err
	}
	var spec *C.oss_callback_spec
	var failure *C.oss_callback_error
	code := C.oss_callback_spec_new_from_base64(callbackText, varText, &spec, &failure)
	return ownedSpec(spec, code, failure)
}

func ownedSpec(spec *C.oss_callback_spec, code C.oss_callback_code, failure *C.oss_callback_error) (*CallbackSpec, error) {
	if err := newError(code, failure); err != nil {
		return nil, err
	}
	return &CallbackSpec{newHandle("spec", unsafe.Pointer(spec), func(pointer unsafe.Pointer) {
		C.oss_callback_spec_free((*C.oss_callback_spec)(pointer))
	})}, nil
}

// new makes the library's options, which the caller frees.
func (options *CallbackSpecOptions) new(a *arguments) (*C.oss_callback_spec_options, error) {
	var o *C.oss_callback_spec_options
	if err := newError(C.oss_callback_spec_options_new(&o), nil); err != nil {
		return nil, err
	}
	for _, url := range options.URLs {
		C.oss_callback_spec_options_add_url(o, a.text("url", url))
	}
	if options.Host != "" {
		C.oss_callback_spec_options_set_host(o, a.text("host", options.Host))
	}
	switch {
	case options.Body != "" && options.Members != nil:
		a.fault("`body` and `members` are both given")
	case options.Members != nil:
		options.setMembers(a, o)
	case options.Body != "":
		C.oss_callback_spec_options_set_body(o, a.text("body", options.Body))
		if options.BodyType != BodyForm {
			C.oss_callback_spec_options_set_body_type(o, a.number("body_type", int(options.BodyType)))
		}
	}
	if options.SNI {
		C.oss_callback_spec_options_set_sni(o, true)
	}
	for name, value := range options.Variables {
		C.oss_callback_spec_options_add_variable(o, a.text("name", name), a.text("value", value))
	}
	for name, value := range options.Further {
		C.oss_callback_spec_options_add_member(o, a.text("name", name), a.text("json", string(value)))
	}
	if a.err != nil {
		C.oss_callback_spec_options_free(o)
		return nil, a.err
	}
	return o, nil
}

func (options *CallbackSpecOptions) setMembers(a *arguments, o *C.oss_callback_spec_options) {
	var template *C.oss_callback_body_template
	code := C.oss_callback_body_template_new(a.number("body_type", int(options.BodyType)), &template)
	if err := newError(code, nil); err != nil {
		a.fail(err)
		return
	}
	defer C.oss_callback_body_template_free(template)
	for _, member := range options.Members {
		name := a.text("name", member.Name)
		switch {
		case member.Variable != "" && member.Text != "":
			a.fault("the member `%s` has both a variable and a text", member.Name)
		case member.Variable != "":
			C.oss_callback_body_template_add_variable(template, name, a.text("variable", member.Variable))
		default:
			C.oss_callback_body_template_add_text(template, name, a.text("value", member.Text))
		}
	}
	C.oss_callback_spec_options_set_body_template(o, template)
}

// Check checks a spec made elsewhere against OSS's rules.
func (s *CallbackSpec) Check() error {
	var err error
	s.with(func(spec *C.oss_callback_spec) {
		var failure *C.oss_callback_error
		code := C.oss_callback_spec_check(spec, &failure)
		if e := newError(code, failure); e != nil {
			err = e
		}
	}, &err)
	return err
}

// Callback is the value of the header x-oss-callback: Base64 of JSON. Empty once the spec is closed.
func (s *CallbackSpec) Callback() (value string) {
	s.with(func(spec *C.oss_callback_spec) { value = C.GoString(C.oss_callback_spec_callback(spec)) }, nil)
	return value
}

// CallbackVar is the value of the header x-oss-callback-var; empty if there are no variables or the spec is closed.
func (s *CallbackSpec) CallbackVar() (value string) {
	s.with(func(spec *C.oss_callback_spec) { value = C.GoString(C.oss_callback_spec_callback_var(spec)) }, nil)
	return value
}

// Warnings lists what OSS accepts but is probably a mistake.
func (s *CallbackSpec) Warnings() (warnings []string) {
	s.with(func(spec *C.oss_callback_spec) {
		for i := C.size_t(0); i < C.oss_callback_spec_warnings_len(spec); i++ {
			warnings = append(warnings, C.GoString(C.oss_callback_spec_warning(spec, i)))
		}
	}, nil)
	return warnings
}

func (s *CallbackSpec) with(use func(*C.oss_callback_spec), err *error) {
	pointer, fault := s.handle.acquire()
	if fault != nil {
		if err != nil {
			*err = fault
		}
		return
	}
	defer s.handle.release()
	use((*C.oss_callback_spec)(pointer))
}

// Close frees the spec once no upload uses it. It always returns nil, even when called again.
func (s *CallbackSpec) Close() error {
	s.handle.close()
	return nil
}

// spec is the library's pointer, also for no callback.
func (a *arguments) spec(spec *CallbackSpec) *C.oss_callback_spec {
	if spec == nil {
		return C.oss_callback_spec_none()
	}
	return (*C.oss_callback_spec)(a.use(spec.handle))
}
