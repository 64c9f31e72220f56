"""What to ask OSS to call."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._handles import Closeable, Handle, encoded, made, new, optional
from ._library import library, optional_string, string
from .errors import check


@dataclass(frozen=True)
class Variable:
    """In a callback's body: a variable of OSS's such as "object", or of yours such as "x:uid"."""

    name: str


class CallbackSpec(Closeable):
    """What OSS is to call once it has stored an object. It is immutable and may be used for any number of uploads.

    `body` is the body that OSS sends, as text with placeholders: "filename=${object}&size=${size}". In a JSON body OSS
    adds the quotes around a string itself: '{"filename":${object}}'. Or `body` maps names to `Variable`s and fixed
    texts: {"filename": Variable("object"), "source": "web"}.

    If there are several URLs, OSS tries them in order until one agrees.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        body: str | Mapping[str, Variable | str],
        *,
        host: str | None = None,
        json_body: bool = False,
        sni: bool = False,
        variables: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        with SpecOptions(url, body, host, json_body, sni, variables, members) as options:
            self._own(made(library.oss_callback_spec_new, options))

    def _own(self, pointer: int) -> None:
        self._handle = Handle("spec", pointer, library.oss_callback_spec_free)

    @classmethod
    def _of(cls, pointer: int) -> CallbackSpec:
        spec = cls.__new__(cls)
        spec._own(pointer)
        return spec

    @classmethod
    def from_base64(cls, callback: str, callback_var: str | None = None) -> CallbackSpec:
        """A callback that someone else issued: the values of x-oss-callback and x-oss-callback-var. They are sent byte
        for byte and unchecked: see `check`."""
        arguments = encoded("callback", callback), optional("callback_var", callback_var)
        return cls._of(made(library.oss_callback_spec_new_from_base64, *arguments))

    def check(self) -> None:
        """Checks a spec made elsewhere against OSS's rules."""
        with self._handle as spec:
            error = ctypes.c_void_p()
            check(library.oss_callback_spec_check(spec, ctypes.byref(error)), error)

    @property
    def callback(self) -> str:
        """The value of the header x-oss-callback: Base64 of JSON."""
        with self._handle as spec:
            return string(library.oss_callback_spec_callback(spec))

    @property
    def callback_var(self) -> str | None:
        """The value of the header x-oss-callback-var; None without variables."""
        with self._handle as spec:
            return optional_string(library.oss_callback_spec_callback_var(spec))

    @property
    def warnings(self) -> list[str]:
        """What OSS accepts but is probably a mistake."""
        with self._handle as spec:
            count = library.oss_callback_spec_warnings_len(spec)
            return [string(library.oss_callback_spec_warning(spec, index)) for index in range(count)]


class SpecOptions:
    """The library's options, for as long as they are needed."""

    def __init__(
        self,
        url: str | Sequence[str],
        body: str | Mapping[str, Variable | str],
        host: str | None,
        json_body: bool,
        sni: bool,
        variables: Mapping[str, str] | None,
        members: Mapping[str, Any] | None,
    ) -> None:
        self._pointer = new("spec_options")
        try:
            self._fill([url] if isinstance(url, str) else url, body, host, json_body)
            library.oss_callback_spec_options_set_sni(self._pointer, sni)
            for name, value in (variables or {}).items():
                library.oss_callback_spec_options_add_variable(
                    self._pointer, encoded("variables: name", name), encoded("variables: value", value)
                )
            for name, value in (members or {}).items():
                library.oss_callback_spec_options_add_member(
                    self._pointer, encoded("members: name", name), encoded("members: value", json.dumps(value))
                )
        except BaseException:
            self.__exit__()
            raise

    def _fill(
        self, urls: Sequence[str], body: str | Mapping[str, Variable | str], host: str | None, json_body: bool
    ) -> None:
        for url in urls:
            library.oss_callback_spec_options_add_url(self._pointer, encoded("url", url))
        if host is not None:
            library.oss_callback_spec_options_set_host(self._pointer, encoded("host", host))
        if isinstance(body, str):
            library.oss_callback_spec_options_set_body(self._pointer, encoded("body", body))
            library.oss_callback_spec_options_set_body_type(self._pointer, int(json_body))
            return
        template = new("body_template", int(json_body))
        try:
            for name, value in body.items():
                if isinstance(value, Variable):
                    add, text = library.oss_callback_body_template_add_variable, value.name
                else:
                    add, text = library.oss_callback_body_template_add_text, value
                add(template, encoded("body: name", name), encoded("body: value", text))
            library.oss_callback_spec_options_set_body_template(self._pointer, template)
        finally:
            library.oss_callback_body_template_free(template)

    def __enter__(self) -> int:
        return self._pointer

    def __exit__(self, *_: object) -> None:
        library.oss_callback_spec_options_free(self._pointer)
