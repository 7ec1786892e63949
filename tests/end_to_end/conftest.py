"""Fixtures: a real mosquitto."""

import os
import signal

import pytest
from new_versions import with_changes

from host_tools.device import build, bundle
from host_tools.mosquitto import Mosquitto
from host_tools.updates import trial_keys

UPDATE_SEED = 20261121

os.environ["PATH"] += os.pathsep + "/usr/sbin"
# A run in the background of a shell ignores Ctrl-C, and so would all that it starts; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def mosquitto(tmp_path):
    """A fresh broker, killed at the end."""
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def key():
    """A maker's key for trials, from a seed."""
    return trial_keys.key(UPDATE_SEED)


@pytest.fixture(scope="session")
def made(key):
    """A Build that knows the key."""
    return build.made("reference", trial_keys.modulus(key))


@pytest.fixture(scope="session")
def files(made):
    """{path: bytes} of it."""
    return made.files


@pytest.fixture(scope="session")
def good(files, key):
    """The next version as an update."""
    return bundle.packed(with_changes(files, {}, version="0.2.0"), key)
