"""The account that requests are sent for."""

from __future__ import annotations

import os
from typing import Callable

from ._calls import ClientHooks, credentials_hook, destroy_hook, register, signer_hook
from ._handles import encoded, invalid, number, optional
from ._library import library


class Credentials:
    """A key pair, or something that stands for one. Printing it does not show the secret."""

    def _set(self, options: int) -> ClientHooks | None:
        raise NotImplementedError


class KeyPair(Credentials):
    """An access key with its secret: a RAM user's, or a role's with the token that STS issued and its expiry, in
    seconds since 1970."""

    def __init__(
        self,
        access_key_id: str,
        access_key_secret: str,
        security_token: str | None = None,
        expires: int | None = None,
    ) -> None:
        self.access_key_id, self._access_key_secret = access_key_id, access_key_secret
        self._security_token, self.expires = security_token, expires

    def _texts(self) -> tuple[bytes, bytes, bytes | None]:
        return (
            encoded("access_key_id", self.access_key_id),
            encoded("access_key_secret", self._access_key_secret),
            optional("security_token", self._security_token),
        )

    def _set(self, options: int) -> ClientHooks | None:
        library.oss_callback_client_options_set_credentials(options, *self._texts())
        return None

    def _fill(self, credentials: int) -> None:
        """Passes it to a hook's caller."""
        texts = self._texts()
        expires = None if self.expires is None else number("expires", self.expires)
        library.oss_callback_credentials_set_key_pair(credentials, *texts)
        if expires is not None:
            library.oss_callback_credentials_set_expires_at_s(credentials, expires)

    def __repr__(self) -> str:
        return f"KeyPair({self.access_key_id!r})"


class EnvironmentCredentials(KeyPair):
    """Reads OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role, OSS_SESSION_TOKEN when it is created."""

    def __init__(self) -> None:
        for name in ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"):
            if not os.environ.get(name):
                raise invalid(f"the environment variable {name} is not set")
        super().__init__(
            os.environ["OSS_ACCESS_KEY_ID"],
            os.environ["OSS_ACCESS_KEY_SECRET"],
            os.environ.get("OSS_SESSION_TOKEN") or None,
        )


class AnonymousCredentials(Credentials):
    """Sends unsigned requests. OSS delivers no callback for them."""

    def _set(self, options: int) -> ClientHooks | None:
        library.oss_callback_client_options_set_credentials_anonymous(options)
        return None


class ProvidedCredentials(Credentials):
    """A function that returns a `KeyPair`. It is called when a request needs one: the first time, within 5 minutes of
    its expiry (or a fifth of its lifetime if that is shorter), and after OSS has refused it as expired. If the key pair
    has no expiry, the function is called for each request.

    It runs on any thread, but never twice at once in one process, and must not use a client that calls it. If it fails
    and no earlier key pair is valid, its exception ends the operation.
    """

    def __init__(self, provider: Callable[[], KeyPair]) -> None:
        self._provider = provider

    def _set(self, options: int) -> ClientHooks | None:
        hooks = ClientHooks(self._provider)
        # The library releases it when no client uses it any more.
        library.oss_callback_client_options_set_credentials_hook(
            options, credentials_hook, register(hooks), destroy_hook
        )
        return hooks


class RemoteCredentials(Credentials):
    """A function that signs elsewhere, so that the secret stays there. It receives the text, the signature version, 4
    or 1, and for version 4 the scope, such as "20261124/cn-hangzhou/oss/aliyun_v4_request".

    Version 4 requires the HMAC-SHA256 of the text under the scope's key, in lower-case hexadecimal; version 1 requires
    the HMAC-SHA1 under the secret, in Base64. It is called once for each request; otherwise the rules of
    `ProvidedCredentials` apply.
    """

    def __init__(
        self, access_key_id: str, signer: Callable[[str, int, str | None], str], security_token: str | None = None
    ) -> None:
        self._access_key_id, self._signer, self._security_token = access_key_id, signer, security_token

    def _set(self, options: int) -> ClientHooks | None:
        key, token = encoded("access_key_id", self._access_key_id), optional("security_token", self._security_token)
        hooks = ClientHooks(self._signer)
        library.oss_callback_client_options_set_signer_hook(
            options, key, token, signer_hook, register(hooks), destroy_hook
        )
        return hooks
