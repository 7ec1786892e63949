"""The gate: nothing of the file system is called while the coil is on, nor in the second after it."""

import asyncio
import os
import unittest

from samples import Box

from firmware.core import commands
from firmware.core.records import Memory, Outputs
from firmware.services import flash_files, flash_gate, short_pause
from firmware.services.flash_gate import BUSY, gate

FOLDER = "flash_gate_test"
PATH = FOLDER + "/a"
OUTPUTS = 8  # place in Memory


class Loop:
    """What the gate asks of a ControlLoop."""

    def __init__(self):
        self.memory = Box().memory
        self.board = self
        self.at_ms = 5000
        self.coil_on_ms = -1_000_000

    def now_ms(self):
        return self.at_ms

    def tick(self, is_closed):
        parts = list(self.memory)
        parts[OUTPUTS] = Outputs(is_closed, "pwm", 500, "green", False)
        self.memory = Memory(*parts)
        if is_closed:
            self.coil_on_ms = self.at_ms


class Case(unittest.TestCase):
    def setUp(self):
        self.loop = Loop()
        os.mkdir(FOLDER)
        flash_files.write_whole(PATH, b"before")
        gate.watch(self.loop)

    def tearDown(self):
        gate.watch(None)
        flash_files.unclosed.clear()
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER)

    def is_refused(self, call, *values):
        try:
            call(*values)
        except OSError as error:
            return error.args[0] == BUSY
        return False


class Gate(Case):
    def test_it_is_open_until_the_contactor_closes_and_again_a_second_after_it_opened(self):
        loop = self.loop
        self.assertTrue(gate.may_touch_files())
        loop.tick(True)
        self.assertFalse(gate.may_touch_files())
        loop.at_ms += 60_000
        loop.tick(True)
        loop.at_ms += 23
        loop.tick(False)
        self.assertFalse(gate.may_touch_files())
        loop.at_ms += flash_gate.AFTER_MS - 24
        self.assertFalse(gate.may_touch_files())
        loop.at_ms += 1
        self.assertTrue(gate.may_touch_files())

    def test_every_call_on_files_is_refused_while_it_is_shut(self):
        self.loop.tick(True)
        for call, values in (
            (flash_files.write_whole, (PATH, b"x")),
            (flash_files.write_beside, (PATH, b"x")),
            (flash_files.append, (PATH, b"x")),
            (flash_files.rename, (PATH, PATH + "b")),
            (flash_files.remove, (PATH,)),
            (flash_files.make_folder, (PATH + "c",)),
            (flash_files.remove_folder, (FOLDER,)),
            (flash_files.read_bounded, (PATH, 99)),
            (flash_files.read_at, (PATH, 0, 9)),
            (flash_files.Growing, (PATH,)),
        ):
            self.assertTrue(self.is_refused(call, *values), call)
        self.assertFalse(flash_files.is_gone(PATH))
        self.assertFalse(flash_files.removed(PATH))
        self.assertTrue(flash_files.is_there(PATH + "x"))  # nobody has looked: it may be there
        gate.watch(None)
        self.assertEqual(os.listdir(FOLDER), ["a"])
        self.assertEqual(flash_files.read_bounded(PATH, 99), b"before")

    def test_a_file_that_grows_waits_and_is_closed_by_the_next_writer(self):
        file = flash_files.Growing(PATH)
        file.write(b"first ")
        self.loop.tick(True)
        self.assertTrue(self.is_refused(file.write, b"second"))
        file.close()  # its writer was ended meanwhile
        self.assertEqual(len(flash_files.unclosed), 1)
        self.loop.tick(False)
        self.loop.at_ms += 2000
        flash_files.append(FOLDER + "/b", b"x")
        self.assertEqual(flash_files.unclosed, [])
        self.assertEqual(flash_files.read_bounded(PATH, 99), b"first ")
        file.close()  # once is enough


class Pausing:
    """An App whose car lets go some time after it was asked."""

    def __init__(self, loop, after_ms, room=99):
        self.loop, self.after_ms, self.room = loop, after_ms, room
        self.asked = []

    def now_ms(self):
        self.loop.at_ms += 100
        if self.asked and self.loop.at_ms >= self.asked[0][0] + self.after_ms:
            self.loop.tick(False)
        else:
            self.loop.tick(self.loop.memory.outputs.is_contactor_closed)
        return self.loop.at_ms

    def submit(self, command):
        if not self.room:
            self.room = 99
            return command
        self.asked.append((self.loop.at_ms, command))
        return None


class Pause(Case):
    def setUp(self):
        super().setUp()
        self.sleep = short_pause.asyncio.sleep

        async def at_once(for_s):
            pass

        short_pause.asyncio = type("At", (), {"sleep": staticmethod(at_once)})

    def tearDown(self):
        short_pause.asyncio = asyncio
        super().tearDown()

    def test_an_open_gate_needs_none(self):
        app = Pausing(self.loop, 3000)
        self.assertTrue(asyncio.run(short_pause.opened(app)))
        self.assertEqual(app.asked, [])
        short_pause.over(app)
        self.assertEqual(app.asked, [])

    def test_the_car_is_asked_once_and_lets_go(self):
        for room in (99, 0):
            self.loop.tick(True)
            app = Pausing(self.loop, 3000, room)
            self.assertTrue(asyncio.run(short_pause.opened(app)))
            self.assertEqual(len(app.asked), 1)
            at_ms, command = app.asked[0]
            self.assertEqual((command.kind, command.source, command.limit_ma), ("limit", "store", 0))
            self.assertTrue(commands.may_ask("store", "limit") and not commands.may_ask("store", "charge_now"))
            made, _, _ = commands.applied(self.loop.memory.claims, (), command, (at_ms, 16000))
            self.assertEqual(made.limit_ma, 0)
            parts = list(self.loop.memory)
            parts[3] = made
            self.loop.memory = Memory(*parts)
            short_pause.over(app)
            made, _, _ = commands.applied(made, (), app.asked[1][1], (at_ms, 16000))
            self.assertNotEqual(made.limit_ma, 0)
            self.loop.memory = Box().memory

    def test_a_contactor_that_stays_closed_ends_the_waiting(self):
        self.loop.tick(True)
        self.assertFalse(asyncio.run(short_pause.opened(Pausing(self.loop, 1 << 30))))


if __name__ == "__main__":
    unittest.main()
