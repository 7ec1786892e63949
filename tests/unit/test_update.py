"""Updates: one signed sample, and everything that makes it another one; nothing unsigned is ever to be written."""

import binascii
import json
import unittest

import update_sample as sample

from firmware.core.records import Refusal
from firmware.wire import rsa, update_bundle, update_header

HEAD_B = update_header.HEAD_B
SIGNED_B = HEAD_B + len(sample.MANIFEST)
FILES_AT = SIGNED_B + update_header.SIGNATURE_B
WRITES = ("clear", "open", "write", "close", "seal", "whole")


def taken(octets, announced_b=None, modulus=sample.MODULUS, board="sample"):
    """(steps without "more" and "pause", code) of an update as a box of version 1.2.3 and security 7 takes it."""
    reader = update_bundle.Bundle(len(octets) if announced_b is None else announced_b, modulus, board, sample.LEAST)
    steps, at, wanted = [], 0, 0
    while True:
        if at + wanted > len(octets):
            return steps, "cut_short"
        step = reader.feed(octets[at : at + wanted])
        at += wanted
        kind, value, wanted = step
        if kind == "refused":
            return steps, value
        if kind not in ("more", "pause"):
            steps.append((kind, value))
        if kind == "whole":
            return steps, "whole"


def flipped(octets, bit):
    """The same with one bit turned."""
    made = bytearray(octets)
    made[bit // 8] ^= 1 << bit % 8
    return bytes(made)


def with_number(at, count, value):
    """The sample's head with another number in it."""
    return sample.HEAD[:at] + value.to_bytes(count, "big") + sample.HEAD[at + count :]


class Whole(unittest.TestCase):
    def test_the_sample_is_written_file_by_file_and_its_manifest_last(self):
        steps, code = taken(sample.WHOLE)
        self.assertEqual(code, "whole")
        self.assertEqual(steps[0], ("clear", ""))
        self.assertEqual([value for kind, value in steps if kind == "open"], [path for path, _ in sample.FILES])
        written = b"".join([bytes(value) for kind, value in steps if kind == "write"])
        self.assertEqual(written, b"".join([content for _, content in sample.FILES]))
        self.assertEqual([kind for kind, _ in steps[-2:]], ["seal", "whole"])
        self.assertEqual(bytes(steps[-2][1]), sample.MANIFEST)

    def test_an_update_for_another_image_is_refused_before_a_byte_is_written(self):
        for is_fit, outcome in ((True, "whole"), (False, "other_image")):
            asked = []

            def fits(frozen, is_fit=is_fit, asked=asked):
                asked.append(frozen)
                return is_fit

            reader = update_bundle.Bundle(len(sample.WHOLE), sample.MODULUS, "sample", sample.LEAST, fits)
            at = wanted = 0
            kinds, kind, value = [], "", ""
            while kind not in ("whole", "refused"):
                kind, value, more = reader.feed(sample.WHOLE[at : at + wanted])
                kinds.append(kind)
                at, wanted = at + wanted, more
            self.assertEqual(value or kind, outcome)
            self.assertEqual("clear" in kinds, is_fit)
            self.assertEqual(asked, [""])

    def test_pieces_stay_small(self):
        reader = update_bundle.Bundle(len(sample.WHOLE), sample.MODULUS, "sample", sample.LEAST)
        at = wanted = most = 0
        kind = pauses = 0
        while kind != "whole":
            kind, _, wanted_next = reader.feed(sample.WHOLE[at : at + wanted])
            at, wanted = at + wanted, wanted_next
            most = max(most, wanted)
            pauses += kind == "pause"
        self.assertEqual(most, update_bundle.PIECE_B)
        self.assertEqual(pauses, rsa.EXPONENT_BITS + 1)

    def test_after_a_no_nothing_is_taken_any_more(self):
        reader = update_bundle.Bundle(len(sample.WHOLE), sample.MODULUS, "other", sample.LEAST)
        reader.feed(b"")
        self.assertEqual(reader.feed(sample.HEAD), ("refused", "wrong_board", 0))
        for octets in (sample.HEAD, b"", sample.MANIFEST):
            self.assertEqual(reader.feed(octets), ("refused", "wrong_board", 0))

    def test_after_the_end_nothing_is_taken_either(self):
        reader = update_bundle.Bundle(len(sample.WHOLE), sample.MODULUS, "sample", sample.LEAST)
        at = wanted = 0
        kind = ""
        while kind != "whole":
            kind, _, more = reader.feed(sample.WHOLE[at : at + wanted])
            at, wanted = at + wanted, more
        for _ in range(2):
            self.assertEqual(reader.feed(b"x"), ("refused", "over", 0))

    def test_a_signature_does_not_let_a_file_leave_its_slot(self):
        self.assertEqual(taken(sample.ODD), ([], "bad_manifest"))


class Tampered(unittest.TestCase):
    def test_every_bit_of_the_head(self):
        codes = {}
        for bit in range(HEAD_B * 8):
            steps, code = taken(flipped(sample.WHOLE, bit))
            self.assertEqual(steps, [], bit)
            codes[code] = codes.get(code, 0) + 1
        self.assertEqual(codes["no_update"], 64 + 47)  # the mark, kinds that are none and the spare bytes
        self.assertEqual(codes["wrong_board"], 256)
        # 1.2.3 and security 7: seven bits are ones, which a turn makes older; the others the signature finds.
        self.assertEqual((codes["older"], codes["bad_signature"]), (4 + 3, 48 + 32 - 7 + 1))
        self.assertEqual(codes["too_big"] + codes["wrong_length"], 64)

    def test_bits_of_manifest_and_signature(self):
        for bit in range(HEAD_B * 8, FILES_AT * 8, 97):
            self.assertEqual(taken(flipped(sample.WHOLE, bit)), ([], "bad_signature"), bit)

    def test_a_bit_of_a_file_ends_before_the_manifest(self):
        for bit in range(FILES_AT * 8, len(sample.WHOLE) * 8, 41):
            steps, code = taken(flipped(sample.WHOLE, bit))
            self.assertEqual(code, "bad_file")
            self.assertNotIn("seal", [kind for kind, _ in steps])

    def test_another_length_than_announced(self):
        for octets in (sample.WHOLE[:-1], sample.WHOLE + b"\x00", sample.WHOLE * 2, sample.WHOLE[:HEAD_B]):
            self.assertEqual(taken(octets), ([], "wrong_length"))
        self.assertEqual(taken(b""), ([], "cut_short"))

    def test_cut_at_every_byte(self):
        for length in range(0, len(sample.WHOLE), 7):
            steps, code = taken(sample.WHOLE[:length], len(sample.WHOLE))
            self.assertEqual(code, "cut_short")
            self.assertEqual([kind for kind, _ in steps if length < FILES_AT or kind in ("seal", "whole")], [])

    def test_no_signature_or_that_of_another(self):
        for signature in (bytes(384), b"\xff" * 384, sample.MODULUS, bytes(383) + b"\x01"):
            octets = sample.WHOLE[:SIGNED_B] + signature + sample.WHOLE[FILES_AT:]
            self.assertEqual(taken(octets), ([], "bad_signature"))
        # The same number once more, a modulus higher: RFC 8017 takes no second form of a signature.
        higher = int.from_bytes(sample.SIGNATURE, "big") + int.from_bytes(sample.MODULUS, "big")
        if higher >> 3072 == 0:
            octets = sample.WHOLE[:SIGNED_B] + higher.to_bytes(384, "big") + sample.WHOLE[FILES_AT:]
            self.assertEqual(taken(octets), ([], "bad_signature"))

    def test_another_key_or_none(self):
        other = sample.MODULUS[:200] + bytes((sample.MODULUS[200] ^ 1,)) + sample.MODULUS[201:]
        self.assertEqual(taken(sample.WHOLE, modulus=other), ([], "bad_signature"))
        for modulus in (b"", sample.MODULUS[1:], b"\x00" + sample.MODULUS[1:], sample.MODULUS[:-1] + b"\x00"):
            self.assertEqual(taken(sample.WHOLE, modulus=modulus), ([], "no_key"))

    def test_a_key_of_one_signs_nothing(self):
        one = bytes(383) + b"\x01"
        found = list(update_header.proof(bytes(384), one, bytes(32)))
        self.assertEqual(found, [False])


class Fit(unittest.TestCase):
    def test_the_head_is_read(self):
        head = update_header.opened(sample.HEAD, len(sample.WHOLE))
        self.assertEqual((head.board, head.version, head.security), (b"sample", (1, 2, 3), 7))
        self.assertEqual((head.manifest_b, head.payload_b), (len(sample.MANIFEST), 787))

    def test_board_version_and_security(self):
        head = update_header.opened(sample.HEAD, len(sample.WHOLE))
        for board, version, security, code in (
            ("sample", (1, 2, 3), 7, None),
            ("sample", (1, 2, 4), 7, "older"),
            ("sample", (1, 3, 0), 7, "older"),
            ("sample", (2, 0, 0), 7, "older"),
            ("sample", (1, 2, 2), 7, None),
            ("sample", (0, 9, 9), 7, None),
            ("sample", (1, 2, 3), 8, "older"),
            ("sample", (0, 0, 1), 8, "older"),
            ("sample", (1, 2, 3), 0, None),
            ("sample2", (1, 2, 3), 7, "wrong_board"),
            ("sampl", (1, 2, 3), 7, "wrong_board"),
            ("", (1, 2, 3), 7, "wrong_board"),
        ):
            found = update_header.unfit(head, board, version, security)
            self.assertEqual(found and found.code, code, (board, version, security))

    def test_lengths_are_judged_before_anything_is_made_of_them(self):
        for at, value, code in (
            (update_header.MANIFEST_AT, 0, "too_big"),
            (update_header.MANIFEST_AT, update_header.MOST_MANIFEST_B + 1, "too_big"),
            (update_header.MANIFEST_AT, update_header.MOST_MANIFEST_B, "wrong_length"),
            (update_header.MANIFEST_AT, 0xFFFFFFFF, "too_big"),
            (update_header.PAYLOAD_AT, 0, "too_big"),
            (update_header.PAYLOAD_AT, update_header.MOST_PAYLOAD_B + 1, "too_big"),
            (update_header.PAYLOAD_AT, update_header.MOST_PAYLOAD_B, "wrong_length"),
            (update_header.PAYLOAD_AT, 786, "wrong_length"),
        ):
            found = update_header.opened(with_number(at, 4, value), len(sample.WHOLE))
            self.assertEqual(found.code, code, (at, value))

    def test_a_name_has_nothing_behind_its_end(self):
        octets = sample.HEAD[:16] + b"x" + sample.HEAD[17:]
        self.assertEqual(update_header.opened(octets, len(sample.WHOLE)).board, b"sample\x00\x00x")


class Manifest(unittest.TestCase):
    """What the maker himself got wrong: it is signed, and refused all the same."""

    def rows(self, change):
        """rows_of of the sample's manifest after change(dict)."""
        found = json.loads(sample.MANIFEST.decode())
        change(found)
        return self.of(json.dumps(found).encode())

    def row(self, key, value):
        """rows_of where the first file says something else."""
        return self.rows(lambda made: made["files"][0].update({key: value}))

    def of(self, octets):
        """rows_of of these bytes under the sample's head."""
        return update_bundle.rows_of(octets, update_header.opened(sample.HEAD, len(sample.WHOLE)))

    def test_as_it_is(self):
        rows = self.of(sample.MANIFEST)
        self.assertEqual([row[:2] for row in rows], [(path, len(content)) for path, content in sample.FILES])

    def test_another_box_version_or_length_than_the_head_says(self):
        for key, value in (("board", "other"), ("version", "1.2.4"), ("security", 8), ("files", []), ("files", 3)):
            made = json.loads(sample.MANIFEST.decode())
            made[key] = value
            self.assertEqual(self.of(json.dumps(made).encode()).code, "bad_manifest", key)
            made.pop(key)
            self.assertEqual(self.of(json.dumps(made).encode()).code, "bad_manifest", key)
        for length in (786, 0, 18, -1, True, "17"):
            self.assertEqual(self.row("bytes", length).code, "bad_manifest", length)

    def test_a_value_of_another_type(self):
        for key, value in (
            ("security", 7.0),
            ("frozen", []),
            ("frozen", None),
            ("frozen", 0),
            ("images", None),
            ("images", {}),
            ("images", ""),
        ):
            made = self.rows(lambda one, key=key, value=value: one.update({key: value}))
            self.assertEqual(getattr(made, "code", "taken"), "bad_manifest", (key, value))

    def test_a_file_beside_a_folder_of_its_name(self):
        for path in ("firmware/app.mpy/b.mpy", "a.txt/b.mpy", "a.b/c.mpy"):
            self.assertFalse(update_bundle.is_path(path), path)
        self.assertTrue(update_bundle.is_path("a/b.c.mpy"))

    def test_a_negative_length_that_another_makes_up_for(self):
        def change(made):
            made["files"][0]["bytes"] = 787 + 5
            made["files"][1]["bytes"] = -5

        self.assertEqual(self.rows(change).code, "bad_manifest")

    def test_digests(self):
        for text in ("", "00" * 31, "00" * 33, "zz" * 32, "0", 5, None):
            self.assertEqual(self.row("sha256", text).code, "bad_manifest", text)

    def test_twice_the_same_file_or_out_of_order(self):
        for change in (
            lambda made: made["files"].reverse(),
            lambda made: made["files"][2].update({"path": "firmware/app.mpy"}),
        ):
            self.assertEqual(self.rows(change).code, "bad_manifest")

    def test_too_many_files(self):
        row = {"bytes": 0, "sha256": binascii.hexlify(bytes(32)).decode()}

        def many(count):
            def change(made):
                made["files"] += [dict(row, path="g%03d.mpy" % number) for number in range(count)]

            return self.rows(change)

        self.assertEqual(len(many(update_bundle.MOST_FILES - 3)), update_bundle.MOST_FILES)
        self.assertEqual(many(update_bundle.MOST_FILES - 2).code, "bad_manifest")

    def test_no_json(self):
        for octets in (b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"files":', b"[" * 3000, b"null", bytes(40)):
            self.assertTrue(isinstance(self.of(octets), Refusal), octets[:20])

    def test_paths(self):
        for path in ("a.mpy", "firmware/core/x_1.mpy", "page/index.html.gz", "a-b/c.txt", "x" * 60 + ".mpy"):
            self.assertTrue(update_bundle.is_path(path), path)
        for path in (
            "",
            "manifest.json",
            "/a.mpy",
            "../boot.mpy",
            "a/../../b.mpy",
            "a//b.mpy",
            "./a.mpy",
            "a/.mpy",
            "a/.b.mpy",
            "a/b.mpy/",
            "boot.py",
            "a/main.py",
            "mpy",
            "a\\b.mpy",
            "a\x00.mpy",
            "ä.mpy",
            "a b.mpy",
            "x" * 61 + ".mpy",
        ):
            self.assertFalse(update_bundle.is_path(path), path)


class Image(unittest.TestCase):
    """The manifest of an update that brings an app image with its slot (docs/decisions/0019)."""

    SHA = "ab" * 32
    FROZEN = "cd" * 32

    def rows(self, images, frozen=FROZEN, kind=update_header.IMAGE, takes=None, fits=None):
        """Code of the refusal, or the rows, of a manifest with one file of 5 bytes and these images."""
        files = [{"path": "board.json", "bytes": 5, "sha256": self.SHA}]
        told = {
            "version": "1.2.3",
            "security": 7,
            "board": "sample",
            "files": files,
            "frozen": frozen,
            "images": images,
        }
        head = bytearray(sample.HEAD)
        head[update_header.PAYLOAD_AT : update_header.PAYLOAD_AT + 4] = (5 + 9).to_bytes(4, "big")
        head[update_header.KIND_AT] = kind
        found = update_bundle.rows_of(json.dumps(told).encode(), update_header.Head(bytes(head)), fits, takes)
        return found.code if isinstance(found, Refusal) else found

    def image(self, **changes):
        """One row of an image of 9 bytes."""
        row = {"bytes": 9, "sha256": self.SHA}
        row.update(changes)
        return row

    def test_one_image_behind_the_files(self):
        sha = binascii.unhexlify(self.SHA)
        self.assertEqual(self.rows([self.image()]), [("board.json", 5, sha), (update_bundle.IMAGE, 9, sha)])

    def test_what_is_no_image_of_the_maker(self):
        for images in ([], [self.image(), self.image()], [self.image(bytes=0)], [self.image(bytes=True)]):
            self.assertEqual(self.rows(images), "bad_manifest", images)
        for image in (self.image(bytes=-1), self.image(bytes="9"), self.image(sha256="ab"), {"bytes": 9}):
            self.assertEqual(self.rows([image]), "bad_manifest", image)
        for frozen in ("", "cd", 7, None):
            self.assertEqual(self.rows([self.image()], frozen), "bad_manifest", frozen)
        self.assertEqual(self.rows([self.image()], kind=update_header.SLOT), "bad_manifest")
        self.assertEqual(self.rows([self.image(bytes=8)]), "bad_manifest")

    def test_a_box_without_a_place_for_it(self):
        self.assertEqual(self.rows([self.image()], takes=update_bundle.takes_none), "no_place")
        asked = []
        self.rows([self.image()], takes=lambda frozen, image_b: asked.append((frozen, image_b)) or "")
        self.assertEqual(asked, [(self.FROZEN, 9)])

    def test_it_is_read_back_and_no_file_is_opened(self):
        reader = update_bundle.Bundle(1, sample.MODULUS, "sample", sample.LEAST)
        sha = binascii.unhexlify("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")  # of "hello"
        for octets, last in ((b"hello", ("check", sha, 0)), (b"hellO", None)):
            steps = reader._file((update_bundle.IMAGE, 5, sha))
            self.assertEqual(next(steps), ("more", "", 5))
            reader._octets = octets
            self.assertEqual(next(steps), ("flash", octets, 0))
            self.assertEqual(next(steps, None), last)
        self.assertEqual(reader.refusal.code, "bad_file")
