"""A name server and a time server that lie, fall silent or tell the truth, each on its own loopback address."""

import socket
import threading
import time

from firmware.wire import ntp


class UdpServer:
    """Answers datagrams in a thread: reply(payload) gives the bytes to send back, or None for silence."""

    def __init__(self, reply, address="127.0.0.1", port=0):
        self.reply = reply
        self.heard = []
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind((address, port))
        self.link.settimeout(0.1)
        self.address, self.port = self.link.getsockname()
        self.sender = self.link
        self.is_ended = False
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ended = True
        self.thread.join()
        self.link.close()

    def _serve(self):
        while not self.is_ended:
            try:
                payload, source = self.link.recvfrom(2000)
            except TimeoutError:
                continue
            self.heard.append(payload)
            for part in self.reply(payload) or ():
                self.sender.sendto(part, source)


def asked_name(payload):
    """The name in a question, with dots."""
    labels, at = [], 12
    while payload[at]:
        labels.append(payload[at + 1 : at + 1 + payload[at]].decode())
        at += payload[at] + 1
    return ".".join(labels)


def dns_reply(names, ttl_s=60, number_change=0):
    """Reply function of a name server that knows {name: address} and says so of all others; a ready code is 0–15."""

    def reply(payload):
        number = (int.from_bytes(payload[:2], "big") ^ number_change).to_bytes(2, "big")
        address = names.get(asked_name(payload), 3)
        if isinstance(address, int):
            return (number + bytes((0x81, 0x80 | address)) + b"\x00\x01" + bytes(6) + payload[12:],)
        data = bytes(int(part) for part in address.split("."))
        record = b"\xc0\x0c\x00\x01\x00\x01" + ttl_s.to_bytes(4, "big") + b"\x00\x04" + data
        return (number + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + payload[12:] + record,)

    return reply


def ntp_reply(wall_s=None, stratum=2, leap=0):
    """Reply function of a time server; without wall_s it tells the time of this machine."""

    def reply(payload):
        seconds = (int(time.time()) if wall_s is None else wall_s) + ntp.EPOCH_S & 0xFFFFFFFF
        stamp = seconds.to_bytes(4, "big") + bytes(4)
        return (bytes((leap << 6 | 0x24, stratum, 6, 0xE9)) + bytes(20) + payload[40:48] + bytes(8) + stamp,)

    return reply


def silent(payload):
    """Reply function of a server that never answers."""
    return ()
