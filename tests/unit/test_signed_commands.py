"""The box's end of signed mode: one proof after the other, nothing believed before it, and forgeries told."""

import asyncio
import json
import os
import unittest

import signed_sample as sample

from firmware.core.records import Ref, Refusal
from firmware.services import signed_commands
from firmware.services.signed_commands import SignedCommands
from firmware.wire import grid_contract, jws

PATH = "issuers_test.json"
CONTEXT = grid_contract.Context(1_000_000, 1795266010, 230_000, 3, 7, False)
REF = Ref("dso1", "peak-1", 0)


class App:
    """What the service asks of the app."""

    def __init__(self):
        self.state = self.loop = self.memory = self.log = self
        self.seqs = self.seen = ()
        self.at_ms = 0
        self.told, self.noticed = [], []
        self.random_below = lambda count: count - 1

    def now_ms(self):
        return self.at_ms

    def put(self, now_ms, event):
        self.told.append((event.code, event.args))

    def notice(self, name, code):
        self.noticed.append((name, code))


class Commands(unittest.TestCase):
    def setUp(self):
        keys = [{"issuer": "dso1", "kid": "2026a", "modulus": sample.MODULUS.hex()}]
        self.write(json.dumps({"keys": keys, "secret": sample.SECRET.hex()}))
        self.app = App()
        self.ended = []

    def tearDown(self):
        if PATH in os.listdir():
            os.remove(PATH)

    def write(self, text):
        with open(PATH, "w") as file:
            file.write(text)

    def run_for(self, texts, scope="box", name=""):
        """What became of these texts, taken at once: [(code of a Refusal or ms of a Command, id)]."""
        self.ended = []

        async def main():
            box = SignedCommands(self.app, PATH, lambda made, scope: self.ended.append(made))
            for text in texts:
                box.take(grid_contract.Message(scope, text, False), name, CONTEXT)
            while box._task is not None and not box._task.done():
                await asyncio.sleep(0)

        asyncio.run(main())
        return [one.code if isinstance(one, Refusal) else one.limit_ma for one in self.ended]

    def test_a_proved_command_counts_and_its_number_is_kept(self):
        self.assertEqual(self.run_for([sample.RS256]), [8000])
        self.assertEqual(self.ended[0].ref, REF)
        self.assertEqual(self.app.seqs, (("dso1", "box", 7),))
        self.assertEqual(self.run_for([sample.RESUME]), [0])
        self.assertEqual(self.app.seqs, (("dso1", "box", 9),))

    def test_each_group_counts_apart(self):
        self.assertEqual(self.run_for([sample.PS256], "group", "north"), [8000])
        self.assertEqual(self.app.seqs, (("dso1", "group north", 7),))
        self.assertEqual(self.run_for([sample.PS256], "group", "north"), ["replayed"])
        self.assertEqual(self.run_for([sample.PS256], "group", "south"), [8000])

    def test_the_same_command_once_more_is_for_the_core_to_answer(self):
        self.run_for([sample.RS256])
        self.app.seen = (REF,)
        self.assertEqual(self.run_for([sample.RS256]), [8000])

    def test_two_of_one_number_at_once(self):
        """The second was looked at before the first was proved."""
        self.assertEqual(self.run_for([sample.RS256, sample.HS256]), [8000, "replayed"])

    def test_a_forgery_moves_no_number(self):
        head, payload, signature = sample.RS256.split(b".")
        forged = b".".join([head, payload, jws.encoded(b"x" * 256)])
        self.assertEqual(self.run_for([forged]), ["bad_signature"])
        self.assertEqual((self.app.seqs, self.ended[0].ref), ((), REF))

    def test_only_four_wait(self):
        texts = [sample.RS256] * 6
        self.app.seen = (REF,)
        self.assertEqual(self.run_for(texts), ["busy", "busy", 8000, 8000, 8000, 8000])

    def test_ten_forgeries_in_a_minute_are_told_once(self):
        async def forged(apart_ms):
            box = SignedCommands(self.app, PATH, lambda made, scope: None)
            for number in range(25):
                self.app.at_ms = number * apart_ms
                box.take(grid_contract.Message("box", b"pause", False), "", CONTEXT)

        asyncio.run(forged(5000))
        self.assertEqual(self.app.told, [("security", ("bad_signatures",))] * 2)
        self.app.told = []
        asyncio.run(forged(7000))
        self.assertEqual(self.app.told, [])

    def test_no_memory_for_a_proof(self):
        def short(found, keys):
            raise MemoryError()

        kept = jws.proof
        signed_commands.jws.proof = short
        try:
            self.assertEqual(self.run_for([sample.RS256]), ["busy"])
        finally:
            signed_commands.jws.proof = kept
        self.assertEqual(self.app.seqs, ())

    def test_keys_that_cannot_be_read_let_nobody_speak(self):
        for text in ("", "{", "[]", '{"keys": [{"issuer": "a"}]}', " " * 9000):
            self.write(text)
            self.app.noticed = []
            self.assertEqual(self.run_for([sample.RS256, b"pause"]), ["bad_signature", "bad_signature"])
            self.assertEqual(self.app.noticed, [("mqtt", "stored.issuers_lost")])
        os.remove(PATH)
        self.assertEqual(self.run_for([sample.RS256]), ["bad_signature"])


if __name__ == "__main__":
    unittest.main()
