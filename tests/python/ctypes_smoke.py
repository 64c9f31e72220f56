"""The shared library through ctypes: what a Python program needs is there and behaves.

    LIBRARY=target/debug/liboss_callback.so OSS_ENDPOINT=... OSS_CALLBACK_URL=... python3 ctypes_smoke.py
"""

import ctypes
import os

library = ctypes.CDLL(os.environ["LIBRARY"])
for name, result in {
    "version": ctypes.c_char_p,
    "code_name": ctypes.c_char_p,
    "error_message": ctypes.c_char_p,
    "error_stored": ctypes.c_int,
    "receipt_etag": ctypes.c_char_p,
    "receipt_answer": ctypes.POINTER(ctypes.c_uint8),
}.items():
    getattr(library, f"oss_callback_{name}").restype = result

HANDLE = ctypes.c_void_p
ERROR = HANDLE()


def text(value):
    return ctypes.c_char_p(value.encode())


def make(function, *arguments):
    """Calls a function that gives a handle and may give an error."""
    handle = HANDLE()
    code = getattr(library, function)(*arguments, ctypes.byref(handle), ctypes.byref(ERROR))
    assert code == 0, library.oss_callback_error_message(ERROR)
    return handle


assert library.oss_callback_version() == b"0.1.0"
assert library.oss_callback_code_name(60) == b"CALLBACK_FAILED"

options = HANDLE()
assert library.oss_callback_client_options_new(ctypes.byref(options)) == 0
library.oss_callback_client_options_set_endpoint(options, text(os.environ["OSS_ENDPOINT"]))
library.oss_callback_client_options_set_region(options, text("cn-hangzhou"))
library.oss_callback_client_options_set_credentials_from_env(options)
client = make("oss_callback_client_new", options)
library.oss_callback_client_options_free(options)

options = HANDLE()
assert library.oss_callback_spec_options_new(ctypes.byref(options)) == 0
library.oss_callback_spec_options_add_url(options, text(os.environ["OSS_CALLBACK_URL"]))
library.oss_callback_spec_options_set_body(options, text("size=${size}"))
spec = make("oss_callback_spec_new", options)
library.oss_callback_spec_options_free(options)


def put(bucket):
    receipt = HANDLE()
    code = library.oss_put_object_with_callback(
        client, text(bucket), text("smoke.txt"), b"hello", ctypes.c_size_t(5), spec, None,
        ctypes.byref(receipt), ctypes.byref(ERROR),
    )
    return code, receipt


code, receipt = put("examplebucket")
assert code == 0, library.oss_callback_error_message(ERROR)
length = ctypes.c_size_t()
answer = library.oss_callback_receipt_answer(receipt, ctypes.byref(length))
print(bytes(answer[: length.value]).decode())
assert library.oss_callback_receipt_etag(receipt) == b"5D41402ABC4B2A76B9719D911017C592"
library.oss_callback_receipt_free(receipt)

code, receipt = put("No-Bucket")
assert library.oss_callback_code_name(code) == b"INVALID_ARGUMENT"
assert b"`bucket`" in library.oss_callback_error_message(ERROR)
assert library.oss_callback_error_stored(ERROR) == 1
assert not receipt
library.oss_callback_error_free(ERROR)
library.oss_callback_spec_free(spec)
library.oss_callback_client_free(client)
