"""Heads of HTTP answers as any server may send them: one length that a second reader finds too, or a refusal."""

import re

from firmware.core.records import Refusal
from firmware.wire import http_response
from host_tools.fuzz.broken import must

MOST_B = 803_264
CODES = ("bad_answer", "redirect", "not_there", "no_length", "too_big")
TOKENS = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b":",
    b" ",
    b"\t",
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 ",
    b"HTTP/2 200",
    b"200",
)
TOKENS += (b"Content-Length: ", b"content-length:", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n")
TOKENS += (b"302", b"404", b"Location: http://a/\r\n", b"identity", b" folded", b"a: b\r\n" * 40, b"803264", b"803265")
START = re.compile(rb"HTTP/1\.[0-9] 200(?: [^\r\n]*)?\r\n")
CODING = re.compile(rb"\ntransfer-encoding[ \t]*:", re.I)
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*(?=\r\n)", re.I)


def seeds():
    """Answers of common servers, and what is no such answer."""
    head = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
    rest = b'Content-Type: application/octet-stream\r\nETag: "5f"\r\nAccept-Ranges: bytes\r\n\r\n'
    return [
        head + b"Content-Length: 134217\r\nConnection: close\r\n" + rest,
        b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11\r\nContent-Length: 803264\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n" + rest,
        b"HTTP/1.1 302 Found\r\nLocation: https://a.example/new\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200\r\ncontent-length:1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + head + b"Content-Length: 5\r\n" + rest,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ]


def repaired(octets, chance):
    """Most of them with their end, so that more than that is looked at."""
    return octets if chance() < 0.3 else octets.rstrip(b"\r\n") + http_response.END


def tried(octets):
    """What became of the head, as a short label. Errors: Broken, or whatever the parser lets out."""
    found = http_response.length_of(octets, MOST_B)
    if isinstance(found, Refusal):
        must(found.code in CODES, "a refusal without words")
        return "refused %s %s" % (found.code, found.field[:6])
    must(type(found) is int and 0 < found <= MOST_B, "a length out of bounds")
    must(octets.endswith(http_response.END) and octets.count(http_response.END) == 1, "a head without its end")
    must(START.match(octets) is not None, "another status than 200")
    told = LENGTH.findall(octets)
    must(len(told) == 1 and int(told[0]) == found, "a length that reads otherwise")
    must(CODING.search(octets) is None, "a coding")
    must(b"\n" not in octets.replace(b"\r\n", b"") and b"\r" not in octets.replace(b"\r\n", b""), "a bare line end")
    return "good %d" % len(str(found))
