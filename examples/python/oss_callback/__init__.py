"""Uploads to Alibaba Cloud OSS with an upload callback, and verifies such callbacks.

    with oss_callback.Client("https://oss-cn-hangzhou.aliyuncs.com") as client:
        receipt = client.put_object("photos", "cat.jpg", pathlib.Path("cat.jpg"), callback=spec)

Every failure says whether the object is stored and whether the callback was answered: see `OssCallbackError`. Other
threads run while the library works. Called from the main thread, it works on a thread of its own, so that Ctrl-C ends
an upload at once; your functions, such as readers, still run on the calling thread.

On the application server, a `Verifier` says whether a request is from OSS, and a `Sealer` whether the upload was
permitted; `CallbackReceiver` offers both under WSGI, ASGI or http.server.
"""

from ._calls import Cancellation
from ._library import version
from .client import Client, FileRange
from .credentials import (
    AnonymousCredentials,
    Credentials,
    EnvironmentCredentials,
    KeyPair,
    ProvidedCredentials,
    RemoteCredentials,
)
from .errors import CallbackFailed, InvalidArgument, OssCallbackError
from .kinds import Answered, Attempt, ErrorKind, Stored
from .multipart import ListedUpload, MultipartUpload, Part
from .options import RetryPolicy
from .permission import PostForm, PresignedUrl
from .receipt import ObjectMetadata, Outcome, Receipt, Reconciled
from .receiver import Callback, CallbackReceiver, Replayed, Reply
from .sealer import Permission, ReplayGuard, SealedCallback, Sealer, SealKey, Seen
from .spec import CallbackSpec, Variable
from .verifier import VerifiedCallback, Verifier

__version__ = "0.1.0"

__all__ = [
    "AnonymousCredentials",
    "Answered",
    "Attempt",
    "Callback",
    "CallbackFailed",
    "CallbackReceiver",
    "CallbackSpec",
    "Cancellation",
    "Client",
    "Credentials",
    "EnvironmentCredentials",
    "ErrorKind",
    "FileRange",
    "InvalidArgument",
    "KeyPair",
    "ListedUpload",
    "MultipartUpload",
    "ObjectMetadata",
    "OssCallbackError",
    "Outcome",
    "Part",
    "Permission",
    "PostForm",
    "PresignedUrl",
    "ProvidedCredentials",
    "Receipt",
    "Reconciled",
    "RemoteCredentials",
    "ReplayGuard",
    "Replayed",
    "Reply",
    "RetryPolicy",
    "SealKey",
    "SealedCallback",
    "Sealer",
    "Seen",
    "Stored",
    "Variable",
    "VerifiedCallback",
    "Verifier",
    "version",
]
