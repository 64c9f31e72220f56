"""Writes callback_seal.json: seals made from their description in docs/TRUSTING_A_CALLBACK.md, without the library.

    python3 tests/vectors/callback_seal.py > tests/vectors/callback_seal.json
"""

import base64
import hashlib
import hmac
import json
import sys
import urllib.parse

SECRETS = {"2026-01": b"0123456789abcdef0123456789abcdef", "old_key": bytes(range(200, 240))}
NONCE = bytes(range(16))
END = 1_800_000_000


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(bucket, object_, size, variables=(), key_id="2026-01", prefix=False, end=END, nonce=NONCE):
    """`object_` is the prefix if `prefix` is true; `size` is `s5` or `m5`; `variables` are pairs."""
    variables = sorted(variables)
    rule = f"p{len(object_.encode())}" if prefix else "o"
    names = ",".join(name for name, _ in variables)
    terms = ["v1", key_id, str(end), rule, size, names, b64(nonce)]
    fields = ["oss-callback seal", *terms, bucket, object_, *(value for _, value in variables)]
    text = b"".join(len(f.encode()).to_bytes(8, "big") + f.encode() for f in fields)
    return ".".join([*terms, b64(hmac.digest(SECRETS[key_id], text, hashlib.sha256))])


FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def form(**members):
    return "&".join(f"{name}={urllib.parse.quote(str(value), safe='')}" for name, value in members.items())


def row(id_, body, expect, content_type=FORM, now=END - 1, note="", **made):
    rows.append({"id": id_, "note": note, "content_type": content_type, "body": body, "now": now, "expect": expect,
                 **made})


rows = []
exact = seal("photos", "a/目.jpg", "s5")
made = {"seal": exact, "permission": {"bucket": "photos", "object": "a/目.jpg", "size": "s5", "end": END},
        "variables": {}}
row("seal-01", form(bucket="photos", object="a/目.jpg", size=5, seal=exact), "OK", note="exact object and size", **made)
row("seal-02", json.dumps({"bucket": "photos", "object": "a/目.jpg", "size": 5, "x:seal": exact}), "OK", JSON,
    note="the same in JSON, member named x:seal")
row("seal-03", form(bucket="photos", filename="a/目.jpg", size=5, seal=exact), "OK", note="object as filename")
row("seal-04", form(bucket="photos", object="a/目.jpg", size=6, seal=exact), "SEAL_VIOLATED", note="another size")
row("seal-05", form(bucket="photos", object="a/目.jpg", size=5, seal=exact), "SEAL_EXPIRED", now=END)
row("seal-06", form(bucket="photo", object="a/目.jpg", size=5, seal=exact), "BAD_SEAL", note="another bucket")
row("seal-07", form(bucket="photos", object="a/目.png", size=5, seal=exact), "BAD_SEAL", note="another object")
row("seal-08", form(bucket="photosa", object="/目.jpg", size=5, seal=exact), "BAD_SEAL",
    note="a byte moved from one field to the next")
row("seal-09", form(bucket="photos", object="a/目.jpg", size=5), "SEAL_MISSING")
row("seal-10", form(bucket="photos", object="a/目.jpg", size=5, seal=""), "SEAL_MISSING")
row("seal-11", form(bucket="photos", object="a/目.jpg", seal=exact), "BAD_SEAL", note="no size to check")
for number, (old, new) in enumerate([("v1.", "v2."), (f".{END}.", f".{END + 1}."), (".s5.", ".s6."), (".s5.", ".m5."),
                                     (".s5.", ".s05."), (".o.", ".p4."), (".s5..", ".s5.a."), (".s5.", ".s5.."),
                                     (exact[-43:], exact[-43:-1] + ("A" if exact[-1] != "A" else "E")),
                                     (exact[-43:], exact[-43:] + "="), (exact[-43:], exact[-43:-1])]):
    changed = exact.replace(old, new)
    assert changed != exact
    body = form(bucket="photos", object="a/目.jpg", size=5, seal=changed, a="")
    row(f"seal-{12 + number}", body, "BAD_SEAL", note=f"{old} changed into {new}")
row("seal-23", form(bucket="photos", object="a/目.jpg", size=5, seal=exact.replace("2026-01", "2026-02")),
    "UNKNOWN_SEAL_KEY")

variables = [("user", "4711"), ("order", "R&D \"1\" 目+"), ("empty", "")]
below = seal("photos", "users/4711/目-", "m1000", variables, "old_key", prefix=True)
made = {"seal": below, "key_id": "old_key", "variables": dict(variables),
        "permission": {"bucket": "photos", "prefix": "users/4711/目-", "size": "m1000", "end": END}}
facts = {"bucket": "photos", "object": "users/4711/目-1.jpg", "size": 1000, **dict(variables), "seal": below}
row("seal-24", form(**facts), "OK", note="prefix, most size, variables, the older key", **made)
row("seal-25", json.dumps({**facts, "object": "users/4711/目-", "size": "0"}), "OK", JSON,
    note="the prefix alone; a size as text")
row("seal-26", form(**{**facts, "size": 1001}), "SEAL_VIOLATED")
row("seal-27", form(**{**facts, "object": "users/4712/目-1.jpg"}), "BAD_SEAL", note="another prefix")
row("seal-28", form(**{**facts, "object": "users"}), "BAD_SEAL", note="shorter than the prefix")
row("seal-29", form(**{**facts, "user": "4712"}), "BAD_SEAL", note="a changed variable")
row("seal-30", form(**{**facts, "user": "R&D \"1\" 目+", "order": "4711"}), "BAD_SEAL", note="two variables swapped")
row("seal-31", form(**{name: value for name, value in facts.items() if name != "empty"}), "BAD_SEAL",
    note="a variable left out")
row("seal-32", form(**facts) + "&bucket=other", "BAD_BODY", note="a member twice")
row("seal-33", form(bucket="photos", object="a/目.jpg", size=5, seal=seal("photos", "a/目.jpg", "s5", end=2**63)),
    "BAD_SEAL", note="an end that no clock reaches")

json.dump({
    "title": "sealed callbacks",
    "generator": "tests/vectors/callback_seal.py, from the description of the format; shares nothing with the library",
    "format": "secrets: key id -> Base64. body is what OSS sent, now the time of the check in seconds since 1970. "
              "expect is OK or the name of a code. A row with permission was sealed with it, with the variables and the "
              "nonce; prefix in place of object; size s<n> exact, m<n> at most; end in seconds since 1970.",
    "secrets": {key_id: base64.b64encode(secret).decode() for key_id, secret in SECRETS.items()},
    "nonce": base64.b64encode(NONCE).decode(),
    "count": len(rows),
    "vectors": rows,
}, sys.stdout, ensure_ascii=False, indent=1)
print()
