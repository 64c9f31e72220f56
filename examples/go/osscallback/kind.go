package osscallback

// #include <oss_callback.h>
import "C"

// Kind is the cause of an [Error]. It is itself an error, for [errors.Is]: errors.Is(err, osscallback.NotFound). New
// kinds may be added.
type Kind uint32

const (
	// InvalidArgument: an argument is missing, malformed or out of range. Nothing was sent.
	InvalidArgument Kind = C.OSS_CALLBACK_CODE_INVALID_ARGUMENT
	// InvalidCallback: the callback or its variables break one of OSS's rules. Nothing was sent.
	InvalidCallback Kind = C.OSS_CALLBACK_CODE_INVALID_CALLBACK
	// CredentialsFailed: the credentials provider or the signer failed. Nothing was sent.
	CredentialsFailed Kind = C.OSS_CALLBACK_CODE_CREDENTIALS_FAILED

	// Resolve: the endpoint's name could not be resolved to an address.
	Resolve Kind = C.OSS_CALLBACK_CODE_RESOLVE
	// Connect: no connection; it was refused, unreachable, or given up by the system. If a proxy refused, Status is the
	// proxy's.
	Connect Kind = C.OSS_CALLBACK_CODE_CONNECT
	// TLS: the handshake failed, usually because of the certificate.
	TLS Kind = C.OSS_CALLBACK_CODE_TLS
	// Timeout: a time limit of the client or the options ran out.
	Timeout Kind = C.OSS_CALLBACK_CODE_TIMEOUT
	// ConnectionLost: the connection ended before the answer did.
	ConnectionLost Kind = C.OSS_CALLBACK_CODE_CONNECTION_LOST
	// Protocol: the peer does not speak HTTP properly, or answered success before it had the whole object.
	Protocol Kind = C.OSS_CALLBACK_CODE_PROTOCOL
	// UnexpectedAnswer: an HTTP answer that is not OSS's (a login page, a proxy, another server), or that OSS never
	// gives.
	UnexpectedAnswer Kind = C.OSS_CALLBACK_CODE_UNEXPECTED_ANSWER

	// Refused: OSS refused the request (a 4xx that no other kind names).
	Refused Kind = C.OSS_CALLBACK_CODE_REFUSED
	// AccessDenied: OSS refused the credentials or the signature, or they lack the permission (401, 403).
	AccessDenied Kind = C.OSS_CALLBACK_CODE_ACCESS_DENIED
	// NotFound: the bucket, the object or the upload does not exist (404).
	NotFound Kind = C.OSS_CALLBACK_CODE_NOT_FOUND
	// Conflict: the request conflicts with what is stored (409).
	Conflict Kind = C.OSS_CALLBACK_CODE_CONFLICT
	// ServerError: OSS, or something in front of it, failed (5xx).
	ServerError Kind = C.OSS_CALLBACK_CODE_SERVER_ERROR

	// CallbackFailed: HTTP 203. The object IS STORED, but the application server was not reached or did not agree.
	CallbackFailed Kind = C.OSS_CALLBACK_CODE_CALLBACK_FAILED
	// ChecksumMismatch: stored, but the CRC-64 that OSS computed differs from the one computed while sending.
	ChecksumMismatch Kind = C.OSS_CALLBACK_CODE_CHECKSUM_MISMATCH
	// AnswerDamaged: stored, and the callback was answered, but the answer was cut short or was too long.
	AnswerDamaged Kind = C.OSS_CALLBACK_CODE_ANSWER_DAMAGED
	// Cancelled: the context ended.
	Cancelled Kind = C.OSS_CALLBACK_CODE_CANCELLED

	// BodyUnreadable: a local file, or your reader, cannot be opened or read.
	BodyUnreadable Kind = C.OSS_CALLBACK_CODE_BODY_UNREADABLE
	// BodyChanged: a local file changed while it was sent, or your reader was shorter or longer than announced.
	BodyChanged Kind = C.OSS_CALLBACK_CODE_BODY_CHANGED
	// WriteFailed: the destination of a download refused the data.
	WriteFailed Kind = C.OSS_CALLBACK_CODE_WRITE_FAILED
	// CheckpointInUse: another upload uses the checkpoint.
	CheckpointInUse Kind = C.OSS_CALLBACK_CODE_CHECKPOINT_IN_USE
	// CheckpointFailed: the checkpoint cannot be read or written, or is some other file.
	CheckpointFailed Kind = C.OSS_CALLBACK_CODE_CHECKPOINT_FAILED

	// WrongMethod: a request to the application server is not a POST, so it is not a callback.
	WrongMethod Kind = C.OSS_CALLBACK_CODE_WRONG_METHOD
	// BodyTooLarge: the body of a request to the application server exceeds the limit.
	BodyTooLarge Kind = C.OSS_CALLBACK_CODE_BODY_TOO_LARGE
	// MissingAuthorization: a request to the application server is not signed.
	MissingAuthorization Kind = C.OSS_CALLBACK_CODE_MISSING_AUTHORIZATION
	// MissingPubKeyURL: a request to the application server has no x-oss-pub-key-url.
	MissingPubKeyURL Kind = C.OSS_CALLBACK_CODE_MISSING_PUB_KEY_URL
	// BadPubKeyURL: x-oss-pub-key-url is not a URL on OSS's key host, so no key was requested.
	BadPubKeyURL Kind = C.OSS_CALLBACK_CODE_BAD_PUB_KEY_URL
	// KeyUnavailable: the key could not be obtained, so it is unknown whether the callback is valid.
	KeyUnavailable Kind = C.OSS_CALLBACK_CODE_KEY_UNAVAILABLE
	// BadSignatureEncoding: Authorization is not Base64.
	BadSignatureEncoding Kind = C.OSS_CALLBACK_CODE_BAD_SIGNATURE_ENCODING
	// BadSignature: the signature does not match this request.
	BadSignature Kind = C.OSS_CALLBACK_CODE_BAD_SIGNATURE
	// BadBody: the body of a callback is unreadable, or can be read in more than one way.
	BadBody Kind = C.OSS_CALLBACK_CODE_BAD_BODY

	// SealMissing: a callback carries no seal.
	SealMissing Kind = C.OSS_CALLBACK_CODE_SEAL_MISSING
	// UnknownSealKey: a callback carries a seal made with a key that the sealer does not have.
	UnknownSealKey Kind = C.OSS_CALLBACK_CODE_UNKNOWN_SEAL_KEY
	// BadSeal: a seal is forged or damaged, or belongs to another bucket or object, or to other variables.
	BadSeal Kind = C.OSS_CALLBACK_CODE_BAD_SEAL
	// SealExpired: the sealed permission has ended.
	SealExpired Kind = C.OSS_CALLBACK_CODE_SEAL_EXPIRED
	// SealViolated: the object's size is not what the seal permits.
	SealViolated Kind = C.OSS_CALLBACK_CODE_SEAL_VIOLATED
	// ReplayUnknown: the replay guard is full, so it is unknown whether the callback was seen before.
	ReplayUnknown Kind = C.OSS_CALLBACK_CODE_REPLAY_UNKNOWN
	// NotConfirmed: the object is not there, or differs from what the callback says.
	NotConfirmed Kind = C.OSS_CALLBACK_CODE_NOT_CONFIRMED

	// Internal: a bug in this library. Please report it.
	Internal Kind = C.OSS_CALLBACK_CODE_INTERNAL
)

// String is the name of the C code, such as "CALLBACK_FAILED".
func (k Kind) String() string {
	return C.GoString(C.oss_callback_code_name(C.uint32_t(k)))
}

// Error returns the same as String.
func (k Kind) Error() string { return k.String() }

// Stored says whether an operation stored the object.
type Stored int

const (
	// StoredUnknown: the answer was lost. Check with Reconcile before you upload again.
	StoredUnknown Stored = C.OSS_CALLBACK_STORED_UNKNOWN
	// StoredNo: uploading again cannot store it twice.
	StoredNo Stored = C.OSS_CALLBACK_STORED_NO
	// StoredYes: the object is stored.
	StoredYes Stored = C.OSS_CALLBACK_STORED_YES
)

func (s Stored) String() string {
	switch s {
	case StoredNo:
		return "no"
	case StoredYes:
		return "yes"
	}
	return "unknown"
}

// Answered says whether OSS accepted the application server's answer to the callback.
type Answered int

const (
	// AnsweredUnknown: the answer was lost.
	AnsweredUnknown Answered = C.OSS_CALLBACK_ANSWERED_UNKNOWN
	// AnsweredNo: with CallbackFailed, the application server may still have received the callback.
	AnsweredNo Answered = C.OSS_CALLBACK_ANSWERED_NO
	// AnsweredYes: the application server answered, and OSS passed its answer on.
	AnsweredYes Answered = C.OSS_CALLBACK_ANSWERED_YES
	// AnsweredNotRequested: the request carried no callback.
	AnsweredNotRequested Answered = C.OSS_CALLBACK_ANSWERED_NOT_REQUESTED
)

func (a Answered) String() string {
	switch a {
	case AnsweredNo:
		return "no"
	case AnsweredYes:
		return "yes"
	case AnsweredNotRequested:
		return "not requested"
	}
	return "unknown"
}
