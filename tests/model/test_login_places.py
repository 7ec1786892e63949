"""Wrong passwords of one address through the page's own call: the owner at another one logs in meanwhile."""

import asyncio
import json

from firmware.services import bounded_reader, web_service
from host_tools.fuzz import http

BODY = {"right": '{"password": "%s"}' % http.PASSWORD, "wrong": '{"password": "guess"}'}


class Writer(http.Writer):
    """Of a viewer at this address."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def get_extra_info(self, name):
        return self.address, 50_000


def test_strangers_wrong_passwords_do_not_keep_the_owner_out():
    app = http.App()
    now_ms = [0]
    app.now_ms = lambda: now_ms[0]
    service = web_service.WebService({"owner_password": http.PASSWORD}, app)

    def login(address, which):
        octets = http.request("POST", "/api/login", "", BODY[which])
        writer = Writer(address)
        reader = bounded_reader.BoundedReader(http.Stream(octets), lambda: now_ms[0])
        asyncio.run(service.answered(reader, writer))
        head, _, body = bytes(writer.octets).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body).get("code")

    found = []
    for second in range(65):
        now_ms[0] = second * 1000
        wrong = [login("10.0.1.%d" % number, "wrong") for number in range(4)]
        assert all(one in ((401, "wrong_password"), (429, "wait")) for one in wrong)
        found.append(login("10.0.0.2", "right")[0])
    assert found == [200] * 65
    assert (429, "wait") in wrong, "the strangers wait"
    assert login("10.0.1.0", "right") == (429, "wait")
