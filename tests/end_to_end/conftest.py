"""Fixtures: a real mosquitto."""

import os

import pytest

from host_tools.mosquitto import Mosquitto

os.environ["PATH"] += os.pathsep + "/usr/sbin"


@pytest.fixture
def mosquitto(tmp_path):
    """A fresh broker, killed at the end."""
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()
