"""An embedded MQTT broker (amqtt) in a process of its own; `python -m host_tools.bench.broker --port N`."""

import argparse
import asyncio
import contextlib
import logging
import signal

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin


class NamedClients(BaseAuthPlugin):
    """Lets everybody in on loopback, and gives each client a name, so that amqtt keeps its session.

    amqtt drops the session of an anonymous client when it leaves.
    """

    async def authenticate(self, *, session):
        """Accept; the client id is the user name where none was given."""
        if session.username is None and session.client_id:
            session.username = session.client_id
        return True


def settings(host, port):
    """Configuration of the broker."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"host_tools.bench.broker.NamedClients": {}},
    }


async def serve(host, port):
    """Run until SIGTERM or SIGINT."""
    broker = Broker(settings(host, port))
    await broker.start()
    print("broker ready", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(broker.shutdown(), 3)


def main():
    """Start from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve(options.host, options.port))


if __name__ == "__main__":
    main()
