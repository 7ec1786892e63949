"""Fixtures: a real mosquitto."""

import os
import signal

import pytest

from host_tools.mosquitto import Mosquitto

os.environ["PATH"] += os.pathsep + "/usr/sbin"
# A run in the background of a shell ignores Ctrl-C, and so would all that it starts; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def mosquitto(tmp_path):
    """A fresh broker, killed at the end."""
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()
