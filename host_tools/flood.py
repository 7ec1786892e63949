"""A flood of messages for one box, at a steady rate from a process of its own: `python -m host_tools.flood …`."""

import argparse
import itertools
import random
import socket
import sys
import time

from firmware.wire import mqtt_packets

STEP_S = 0.005


def payloads(chance):
    """(what follows ebb/1/box/<id>/, payload) for ever: good ones, bad ones, and the same one again."""
    for number in itertools.count():
        limit_ma = chance.randrange(16_000, 32_000)
        yield chance.choice(
            (
                ("set/max_current_ma", b"%d" % limit_ma),
                ("cmd", b'{"id":"flood","rev":%d,"kind":"limit","limit_ma":%d,"duration_s":60}' % (number, limit_ma)),
                ("cmd", b'{"id":"flood","kind":"limit","limit_ma":16000,"duration_s":60}'),
                ("cmd", b'{"id":"late-%d","kind":"limit","limit_ma":9000,"duration_s":60,"expires_at":5}' % number),
                ("cmd", b"nonsense"),
                ("set/enable", b"maybe"),
            )
        )


def run(argv):
    """Send until the time is over; prints how many were written."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools.flood", description=__doc__)
    for name in ("port", "rate", "for-s", "seed"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--box", required=True)
    options = parser.parse_args(argv)
    link = socket.create_connection(("127.0.0.1", options.port))
    link.sendall(mqtt_packets.connect(f"flood-{options.seed}", None, 0, None))
    link.recv(4)
    rows = payloads(random.Random(options.seed))
    begun_s = time.monotonic()
    sent = 0
    while (elapsed_s := time.monotonic() - begun_s) < options.for_s:
        due = int(elapsed_s * options.rate) - sent
        sent += due
        packets = [
            mqtt_packets.publish(f"ebb/1/box/{options.box}/{name}", payload, 0, (False, False))
            for name, payload in itertools.islice(rows, due)
        ]
        link.sendall(b"".join(packets))
        time.sleep(STEP_S)
    print(sent)
    link.sendall(mqtt_packets.PINGREQ_BYTES)
    link.close()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
