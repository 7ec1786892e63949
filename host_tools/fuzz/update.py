"""Updates as anybody may send them, with the signature taken for good: what lies behind it is judged all the same."""

import hashlib
import json
import struct
from typing import Any

from firmware.wire import update_bundle, update_header
from host_tools.fuzz.broken import Broken, must

BOARD, VERSION, SECURITY = "reference", (1, 2, 3), 7
MODULUS = b"\xc0" + bytes(382) + b"\x01"
CODES = "no_update too_big wrong_length wrong_board older bad_signature bad_manifest bad_file over no_key".split()
MOST_STEPS = 20_000
TOKENS = (
    b'"path"',
    b'"bytes"',
    b'"sha256"',
    b'"files"',
    b'"board"',
    b"../",
    b"/",
    b".mpy",
    b"manifest.json",
    b"[]",
    b"{}",
)
TOKENS += (b"ebbupd1\n", b"reference", b"null", b"-1", b"1e9", b"true", b'"1.2.3"', b"[" * 40, b"00" * 32, b"\xff" * 4)


def bundle(files, version=VERSION, security=SECURITY, board=BOARD):
    """An update of {path: bytes} with an empty signature."""
    rows = [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items()
    ]
    text = {"board": board, "version": ".".join(map(str, version)), "security": security, "files": rows}
    manifest = json.dumps(text).encode()
    payload = b"".join(files.values())
    head = update_header.MAGIC + board.encode().ljust(32, b"\0") + struct.pack(">HHH", *version)
    head += struct.pack(">III", security, len(manifest), len(payload)) + bytes(6)
    return head + manifest + bytes(update_header.SIGNATURE_B) + payload


def seeds():
    """Good updates, an older one, one for another board, and some that reach out of their slot."""
    files = {"firmware/app.mpy": b"app" * 100, "firmware/words_en.txt": b"", "page.gz": bytes(600)}
    made = [bundle(files), bundle({"a.mpy": b"a"}), bundle(files, security=6), bundle(files, board="burst")]
    made += [bundle({path: b"x"}) for path in ("../a.mpy", "a/../../b.mpy", "/a.mpy", "manifest.json")]
    return [*made, bundle(files, version=(2, 0, 0)), made[0][: update_header.HEAD_B]]


def repaired(octets, chance):
    """Most of them with lengths and digests that fit, so that more than these is looked at."""
    head_b, signature_b = update_header.HEAD_B, update_header.SIGNATURE_B
    mark = octets.find(bytes(signature_b))
    if mark < head_b or chance() < 0.3:
        return octets
    manifest, payload = octets[head_b:mark], octets[mark + signature_b :]
    at = update_header.MANIFEST_AT
    head = octets[:at] + struct.pack(">II", len(manifest), len(payload)) + octets[at + 8 : head_b]
    return head + manifest + bytes(signature_b) + payload


def proven(signature, modulus, digest):
    """In place of the proof: every signature is good."""
    yield None
    yield True


def tried(octets):
    """What became of the update, as a short label. Errors: Broken, or whatever the parser lets out."""
    kept, update_header.proof = update_header.proof, proven
    try:
        return taken(octets)
    finally:
        update_header.proof = kept


def taken(octets):
    """Label of an update that is fed piece by piece. Errors: Broken."""
    bundle_in = update_bundle.Bundle(len(octets), MODULUS, BOARD, (VERSION, SECURITY))
    at, wanted, path = 0, 0, ""
    files: dict[str, bytes] = {}
    value: Any
    is_cleared = False
    for _ in range(MOST_STEPS):
        what, value, more = bundle_in.feed(octets[at : at + wanted])
        at += wanted
        must(0 <= more <= max(update_bundle.PIECE_B, update_header.SIGNATURE_B), "too much is wanted at once")
        if not at and more > len(octets):
            return "short"
        must(at + more <= len(octets), "more is wanted than was announced")
        wanted = more
        if what == "refused":
            must(value in CODES, "a refusal without words")
            return "refused " + str(value)
        must(is_cleared or what in ("more", "pause", "clear"), "something is done before the signature")
        is_cleared = is_cleared or what == "clear"
        if what == "open":
            path = value
            must(
                path not in files and ".." not in path.split("/") and not path.startswith("/"), "a path out of its slot"
            )
            files[path] = b""
        elif what == "write":
            files[path] += bytes(value)
        elif what == "whole":
            judged(octets, files)
            return "whole %d" % len(files)
    raise Broken("an update without an end")


def judged(octets, files):
    """What was written is what the manifest says. Errors: Broken."""
    head = update_header.Head(octets[: update_header.HEAD_B])
    text = json.loads(octets[update_header.HEAD_B : update_header.HEAD_B + head.manifest_b].decode())
    told = {row["path"]: row["sha256"].lower() for row in text["files"]}
    must({path: hashlib.sha256(data).hexdigest() for path, data in files.items()} == told, "another file is written")
    must(sum(map(len, files.values())) == head.payload_b, "bytes that belong to no file")
    must((head.board, text["board"]) == (BOARD.encode(), BOARD), "an update of another board")
    must(head.security >= SECURITY and head.version >= VERSION, "an older update")
