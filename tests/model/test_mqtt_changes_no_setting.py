"""Whatever comes over MQTT, the settings stay as they are, above all the installation limit (faults.md I6)."""

import ast
import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.core.settings import KEYS
from firmware.services.mqtt_client import MqttConfig
from firmware.services.mqtt_service import MqttService
from firmware.wire import grid_contract, secret
from firmware.wire.acknowledgement import Moment
from host_tools.sim import world
from host_tools.sim.box import WALL_S, Box

ROOT = Path(__file__).resolve().parent.parent.parent
WIRING_MA = 10_000
CODE = "the-right-code"
NAMES = (*KEYS, "installer_code", "enable", "max_current_ma", "settings", "kind", "limit_ma", "button", "pressed_at_ms")
KINDS = (*grid_contract.KINDS, "charge_now", "settings", "unlock", "clear_fault", "commission", "update", "patch")
TOPICS = (
    *("cmd", "settings", "set/settings", "set/update", "backup", "update", "state", "ack"),
    *(f"set/{name}" for name in NAMES),
)
VALUES = st.one_of(st.sampled_from((80_000, 32_000, 1, 0, True, False, CODE, "", None)), st.integers(-5, 90_000))
FIELDS = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS), "installer_code": st.just(CODE)},
    optional={
        **{name: VALUES for name in NAMES if name not in ("kind", "installer_code")},
        "id": st.sampled_from(("a", "b")),
        "duration_s": st.integers(1, 600),
        "class": st.sampled_from(("emergency", "mandatory", "market", "advice")),
        "settings": st.just({"wiring_limit_ma": 80_000}),
    },
)
PAYLOADS = st.one_of(
    FIELDS.map(lambda fields: json.dumps(fields).encode()),
    st.sampled_from((b"80000", b"1", b"0", b"true", b"pause", b"resume", b"unlock", b"", CODE.encode())),
    st.binary(max_size=40),
)
MESSAGES = st.lists(st.tuples(st.sampled_from(TOPICS), PAYLOADS, st.booleans()), min_size=1, max_size=12)


class App:
    """What the MQTT service sees of the App, over a simulated box whose button is held all the time."""

    def __init__(self, box):
        self.box = "a"
        self.sim = box
        self.loop = box.loop
        self.config = {"installer_code": secret.kept(CODE, b"salt")}
        self.connections = self
        self.address_of = None
        self.now_ms = box.board.now_ms
        self.random_below = box.chance.randrange
        self.submit = box.inbox.put

    def tls_gate(self, ca_der):
        return None

    def signed_commands(self, ended):
        return None

    def update_announced(self, payload, is_retained):
        return "not_allowed"

    def settings(self):
        return self.loop.settings

    def moment(self):
        return Moment(self.now_ms(), WALL_S, 0)

    def context(self, number):
        chosen = self.loop.settings
        return grid_contract.Context(self.now_ms(), WALL_S, chosen.nominal_mv, chosen.phases, number, True)


def told(messages):
    """(settings before, settings after, highest duty on the wire in permille) of a charging box that hears them."""
    box = Box("polite", 0, wiring_limit_ma=WIRING_MA)
    app = App(box)
    before = box.loop.settings
    service = MqttService(MqttConfig("", 0, "a", None, 20, None, b"", 2304, 300), app)
    world.change(box.plant, {"car": {"is_plugged": True}, "panel": {"button_is_pressed": True}})
    box.run_ms(6000)
    assert box.loop.memory.stage.state == "charging"
    most = 0
    for name, payload, is_retained in messages:
        service._take(f"ebb/1/box/a/{name}", payload, is_retained)
        box.run_ms(100)
        if box.plant.pilot_mode == "pwm":
            most = max(most, box.plant.duty_permille)
    return before, box.loop.settings, most


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
@example(messages=[("set/wiring_limit_ma", b"80000", False), ("set/max_current_ma", b"80000", False)])
@example(messages=[("cmd", b'{"id":"x","kind":"limit","limit_ma":80000,"duration_s":60}', False)] * 2)
def test_any_message(messages):
    before, after, most = told(messages)
    assert after is before
    assert most <= WIRING_MA // 60, "10 A are 166 permille (requirements §1)"


def writers(folder):
    """Files of the firmware that put other settings in force or on flash."""
    found = set()
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            is_put = any(isinstance(one, ast.Attribute) and one.attr == "settings" for one in targets)
            is_saved = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("store.save")
            if is_put or is_saved:
                found.add(path.name)
    return found


def test_only_the_page_and_wifi_set_up_write_settings():
    """control_loop takes them once at the start, flight_ring notes them, storage puts those in force from the journal
    into their file, cable_proof stores them once more; a new file here needs a test of its own.
    """
    noted = {"control_loop.py", "flight_ring.py", "storage.py", "cable_proof.py"}
    assert writers(ROOT / "firmware") == noted | {"web_settings.py", "wifi_service.py"}


def test_another_writer_is_found(tmp_path):
    for text in ("app.loop.settings = 1", "app.store.save(1)", "self._app.loop.settings: int = 1"):
        (tmp_path / "planted.py").write_text(text)
        assert writers(tmp_path) == {"planted.py"}
