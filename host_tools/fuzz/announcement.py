"""Announcements of updates as any broker may send them: an address that a second reader finds too, or a refusal."""

import json
from urllib.parse import urlsplit

from firmware.core.records import Refusal
from firmware.wire import update_announcement
from host_tools.fuzz.broken import must

FIELDS = ("", "url", "version", "sha256")
DIGEST = b"0123456789abcdef" * 4
TOKENS = (
    b'"url"',
    b'"version"',
    b'"sha256"',
    b"http://",
    b"https://",
    b"ftp://",
    b"//",
    b"/",
    b"?",
    b"#",
    b"@",
    b"::1",
)
TOKENS += (b":80", b":0", b":65536", b"..", b"10.0.0.1", b"0x7f.1", b"%0d%0a", b"\\r\\n", b"\\u0000", b"\xc3\xa4", b" ")
TOKENS += (b'"0.2.0"', b"65536", b"1.2", b'"' + DIGEST + b'"', b"null", b"true", b"{", b"}", b",", b":", b'"', b"g")


def seeds():
    """Good announcements, and some that reach too far."""
    made = []
    for url in (
        b"http://updates.example.org:8080/ebb/new.ebbupdate?board=reference",
        b"https://a/",
        b"http://192.168.1.20",
        b"http://user:word@a/b",
        b"http://[::1]/b",
        b"http://1.2/b",
    ):
        made.append(b'{"url": "%s", "version": "0.2.0", "sha256": "%s"}' % (url, DIGEST))
    return [*made, b'{"url": 5, "version": "1", "sha256": "0"}', b"pause"]


def repaired(octets, chance):
    """As they are."""
    return octets


def tried(octets):
    """What became of it, as a short label. Errors: Broken, or whatever the parser lets out."""
    found = update_announcement.opened(octets)
    if isinstance(found, Refusal):
        must(found.code == "bad_announcement", "a refusal without words")
        return "refused " + (found.field if found.field in FIELDS else "other")
    told = json.loads(octets)
    split = urlsplit(told["url"])
    port = split.port or {"http": 80, "https": 443}[split.scheme]
    must((split.scheme == "https", split.hostname) == (found.is_tls, found.host.lower()), "another host")
    must(0 < port == found.port and split.username is None and not split.fragment, "another place")
    rest = told["url"].split("://", 1)[1]
    must(found.path == ("/" + rest.split("/", 1)[1] if "/" in rest else "/"), "another path")
    lines = found.request().split(b"\r\n")
    must(len(lines) == 7 and lines[5:] == [b"", b""] and lines[0].count(b" ") == 2, "another request")
    must(found.request().replace(b"\r\n", b"").isascii() and b"\n" not in b"".join(lines), "a request in two lines")
    must(
        ".".join(map(str, found.version)) == ".".join(str(int(one)) for one in told["version"].split(".")), "a version"
    )
    must(found.sha256.hex() == told["sha256"].lower(), "another digest")
    return "good %s %d" % (split.scheme, bool(split.query))
