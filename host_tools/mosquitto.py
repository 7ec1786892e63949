"""A real mosquitto on a free loopback port, for tests and measurements; stopped by its process id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

START_S = 10


def free_port():
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mosquitto:
    """One broker with its state in `folder`; `lines` are further lines of its configuration."""

    def __init__(self, folder, lines=("allow_anonymous true",)):
        self.folder = Path(folder)
        self.port = free_port()
        self.lines = lines
        self.process = None

    def start(self):
        """Start and wait until it answers. Errors: RuntimeError with its log."""
        program = shutil.which("mosquitto", path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
        if program is None:
            raise RuntimeError("mosquitto is not installed")
        config = self.folder / "mosquitto.conf"
        config.write_text(
            "\n".join(
                (
                    f"listener {self.port} 127.0.0.1",
                    "persistence true",
                    f"persistence_location {self.folder}/",
                    "max_queued_messages 0",
                    "autosave_interval 1",
                    *self.lines,
                    "",
                )
            )
        )
        log = (self.folder / "mosquitto.log").open("ab")
        if os.geteuid() == 0:
            # As root mosquitto would change to a user that cannot read the folder.
            config.write_text("user root\n" + config.read_text())
        self.process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("mosquitto did not start: " + (self.folder / "mosquitto.log").read_text()[-500:])

    def stop(self, is_killed=False):
        """End it in order, or kill it as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if is_killed else signal.SIGTERM)
            self.process.wait(10)
        self.process = None
