"""Which connection to the broker follows from the owner's settings and from box.json."""

from types import SimpleNamespace

import pytest

from firmware.connections import Connections
from firmware.core import settings


def made(tmp_path, chosen, config):
    """(MqttConfig or None, words of the page) of a box with these settings and this box.json."""
    kept = settings.changed(settings.defaults(), {"wiring_limit_ma": 16_000, **chosen})
    if config.get("mqtt_ca_path"):
        path = tmp_path / "ca.der"
        path.write_bytes(b"authority")
        config["mqtt_ca_path"] = str(path)
    app = SimpleNamespace(config=config, box="a1", loop=SimpleNamespace(settings=kept))
    connections = Connections(app)
    connections.wifi = None
    return connections._mqtt_config(), connections.status(lambda code: (code, ""))["mqtt_words"]


@pytest.mark.parametrize(
    ("chosen", "config", "authority"),
    (
        ({"mqtt_host": "b", "mqtt_is_tls": False}, {}, b""),
        ({"mqtt_host": "b", "mqtt_is_tls": False}, {"mqtt_ca_path": "x"}, b""),
        ({"mqtt_host": "b"}, {"mqtt_ca_path": "x"}, b"authority"),
        ({}, {"mqtt_host": "b"}, b""),
        ({}, {"mqtt_host": "b", "mqtt_ca_path": "x"}, b"authority"),
    ),
)
def test_what_is_encrypted(tmp_path, chosen, config, authority):
    found, _ = made(tmp_path, chosen, config)
    assert found is not None and found.host == "b" and found.ca_der == authority


def test_nothing_goes_in_the_clear_that_is_to_be_encrypted(tmp_path):
    found, words = made(tmp_path, {"mqtt_host": "b", "mqtt_password": "secret"}, {})
    assert found is None and words == "mqtt.no_authority."
    assert made(tmp_path, {}, {}) == (None, "mqtt.off.")
