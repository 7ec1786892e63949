"""What is replayed, stale, retained or out of order: a raise is refused, a lowering holds once and to its end (N5)."""

import itertools

from test_mqtt_changes_no_setting import App

from firmware.services.mqtt_client import MqttConfig
from firmware.services.mqtt_service import MqttService
from host_tools.sim import world
from host_tools.sim.box import WALL_S, Box


class Grid:
    """A charging box and what a broker delivers to it."""

    def __init__(self):
        self.box = Box("polite", 0)
        self.service = MqttService(MqttConfig("", 0, "a", None, 20, None, b"", 2304, 300), App(self.box))
        world.change(self.box.plant, {"car": {"is_plugged": True}})
        self.box.run_ms(20_000)
        assert self.is_charging()

    def is_charging(self):
        return self.box.loop.memory.stage.state == "charging"

    def sent(self, text, is_retained=False):
        self.service._take("ebb/1/box/a/cmd", text.encode(), is_retained)
        self.box.run_ms(100)
        return self

    def limit_ma(self):
        """What the grid allows now; 80 A where it says nothing."""
        rows = [row for row in self.box.loop.memory.claims.rows if row.source == "grid"]
        return min([row.limit_ma for row in rows], default=80_000)

    def until_ms(self):
        """When the grid's one limit ends."""
        (row,) = [row for row in self.box.loop.memory.claims.rows if row.source == "grid"]
        return row.until_ms


def limit(number, limit_ma, more=""):
    return '{"id":"p","rev":%d,"kind":"limit","limit_ma":%d,"duration_s":60%s}' % (number, limit_ma, more)


def test_revisions_in_every_order_end_with_the_newest():
    newest = limit(2, 9000)
    for order in itertools.permutations((limit(0, 0), limit(1, 12_000), newest, newest)):
        grid = Grid()
        for text in order:
            grid.sent(text)
        assert grid.limit_ma() == 9000, order


def test_a_replay_neither_lengthens_nor_brings_back():
    grid = Grid().sent(limit(0, 9000))
    end_ms = grid.until_ms()
    grid.box.run_ms(30_000)
    grid.sent(limit(0, 9000))
    assert grid.until_ms() == end_ms
    grid.box.run_ms(31_000)
    assert grid.limit_ma() == 80_000
    grid.sent(limit(0, 9000))
    assert grid.limit_ma() == 80_000, "it is over"


def test_what_is_retained_or_too_old():
    for text, is_retained in (
        ("pause", True),
        (limit(0, 0), True),
        (limit(0, 0, ',"expires_at":%d' % (WALL_S - 60)), False),
        (limit(0, 0, ',"start_at":%d' % (WALL_S - 3600)), True),
    ):
        grid = Grid().sent(text, is_retained)
        assert grid.limit_ma() == 80_000 and grid.is_charging(), text
    # A retained lowering that is not over holds for what is left of it, once.
    grid = Grid()
    begun_ms = grid.box.now_ms()
    grid.sent(limit(0, 0, ',"start_at":%d' % (WALL_S - 30)), True)
    assert grid.limit_ma() == 0
    left_ms = grid.until_ms() - begun_ms
    assert 28_000 <= left_ms <= 31_000
    grid.sent(limit(0, 0, ',"start_at":%d' % (WALL_S - 30)), True)
    assert grid.until_ms() - begun_ms == left_ms


def test_a_resume_that_is_retained_or_old_raises_nothing():
    for more, is_retained in (("", True), (',"expires_at":%d' % (WALL_S - 60), False)):
        grid = Grid().sent(limit(0, 0))
        grid.sent('{"id":"r","kind":"resume"%s}' % more, is_retained)
        assert grid.limit_ma() == 0, more
    grid = Grid().sent(limit(0, 0)).sent('{"id":"r","kind":"resume"}')
    assert grid.limit_ma() == 80_000
