"""App images over the network: refused in words, cut inside every step, back when they fail; the chip is a model."""

import json
import random
import re

import pytest

from firmware.wire import update_bundle, update_header
from host_tools.device import bundle
from host_tools.docs_task import phrase
from host_tools.sim import app_images
from host_tools.updates import image_cuts, tampered, trial_keys

SEED = random.SystemRandom().randrange(1 << 31)
BOX = (tampered.BOARD, ((1, 1, 0), 1))
BUGS = ("number behind", "chosen first", "slot first", "no reset", "own partition", "valid at once")


@pytest.fixture(scope="module")
def key():
    print("seed", SEED)
    return trial_keys.key(SEED)


@pytest.fixture(scope="module")
def new():
    """The version that comes."""
    return image_cuts.version_of(random.Random(SEED), "1.2.0", 2)


@pytest.fixture(scope="module")
def good(key, new):
    return bundle.packed(new.files, key, new.image)


def outcome(key, octets, announced_b=None, takes=lambda frozen, image_b: ""):
    return bundle.outcome(octets, trial_keys.modulus(key), *BOX, announced_b, takes)


def test_files_first_then_the_image_and_all_of_it_signed(key, new, good):
    asked = []
    files, manifest, code = outcome(key, good, takes=lambda *told: asked.append(told) or "")
    assert code == "whole" and files.pop(update_bundle.IMAGE) == new.image
    assert asked == [(new.frozen, len(new.image))] and len(files) == len(image_cuts.SIZES)
    assert json.loads(manifest)["images"][0]["bytes"] == len(new.image)


def test_a_box_of_before_says_that_it_is_no_update(good):
    """The line that it looked at the head with, in every version up to this one."""
    head = good[: update_header.HEAD_B]
    assert head[:8] == update_header.MAGIC and head[58:] != bytes(6), "it wanted zeros behind the lengths"
    assert phrase("update.no_update")[0] == "This is no update of ebb"


def test_no_bit_of_what_is_signed_may_turn_and_nothing_is_written_before(key, good):
    signed_b = len(good) - len(tampered.parts(good)[3])
    chance = random.Random(SEED)
    bits = [*range(update_header.HEAD_B * 8), *chance.sample(range(update_header.HEAD_B * 8, signed_b * 8), 600)]
    for bit in bits:
        files, manifest, code = outcome(key, tampered.flipped(good, (bit,)))
        assert (files, manifest) == ({}, None) and code != "whole", f"seed {SEED}, bit {bit}"
    for bit in chance.sample(range(signed_b * 8, len(good) * 8), 200):
        assert outcome(key, tampered.flipped(good, (bit,)))[1:] == (None, "bad_file"), f"seed {SEED}, bit {bit}"


def test_cut_anywhere_it_has_no_manifest(key, good):
    for length in sorted(random.Random(SEED).sample(range(len(good)), 200)):
        files, manifest, code = outcome(key, good[:length], len(good))
        assert (manifest, code) == (None, "cut_short"), f"seed {SEED}, {length} bytes"
        assert outcome(key, good[:length])[2] in ("wrong_length", "cut_short")


@pytest.mark.parametrize(
    ("images", "head"),
    (
        ([], {}),
        ([{"bytes": 0}], {}),
        ([{"bytes": -1}], {}),
        ([{"bytes": True}], {}),
        ([{"bytes": "7"}], {}),
        ([{"sha256": "00"}], {}),
        ([{"sha256": 5}], {}),
        ([{}, {}], {}),
        (7, {}),
        ([7], {}),
        ([{}], {"frozen": ""}),
        ([{}], {"frozen": 7}),
        ([{}], {"frozen": "00"}),
    ),
)
def test_what_the_maker_got_wrong_ends_before_the_first_byte(key, new, images, head):
    """It is signed, and refused all the same."""
    whole = bundle.packed(new.files, key, new.image)
    manifest = json.loads(tampered.parts(whole)[1])
    row = manifest["images"][0]
    rows = [{**row, **one} if isinstance(one, dict) else one for one in images] if isinstance(images, list) else images
    made = json.dumps({**manifest, **head, "images": rows}).encode()
    payload = tampered.parts(whole)[3]
    first = bundle.head(tampered.BOARD, "1.2.0", 2, (len(made), len(payload)), update_header.IMAGE)
    octets = first + made + bundle.signature(key, first + made) + payload
    assert outcome(key, octets) == ({}, None, "bad_manifest")


def test_a_slot_alone_has_no_image_and_a_box_without_a_place_takes_none(key, new, good):
    head, manifest, _, payload = tampered.parts(good)
    head = bundle.head(tampered.BOARD, "1.2.0", 2, (len(manifest), len(payload)))
    octets = head + manifest + bundle.signature(key, head + manifest) + payload
    assert outcome(key, octets) == ({}, None, "bad_manifest")
    assert bundle.outcome(good, trial_keys.modulus(key), *BOX) == ({}, None, "no_place")
    assert outcome(key, good, takes=lambda *_: "image_too_big") == ({}, None, "image_too_big")


def cases(key, new, good):
    """{name: (update, code, what of the flash was written)}; the script knows the first word of some names."""
    chance = random.Random(SEED)
    foreign = image_cuts.version_of(chance, "1.2.0", 2, board="burst")
    older = image_cuts.version_of(chance, "1.2.0", 0)
    other = image_cuts.version_of(chance, "1.2.0", 2)
    unsigned = app_images.made(new.image[32 : 32 + image_cuts.IMAGE_B])
    noise = chance.randbytes(3000) + new.frozen.encode() + chance.randbytes(9224)
    flip = tampered.flipped(good, ((len(good) - 9000) * 8,))
    signed_b = len(good) - len(tampered.parts(good)[3])
    forged = good[: signed_b - 384] + bytes(384) + good[signed_b:]
    return {
        "bit": (flip, "bad_file", "app+files"),
        "short": (good[:-512], "wrong_length", "nothing"),
        "long": (good + bytes(512), "wrong_length", "nothing"),
        "forged": (forged, "bad_signature", "nothing"),
        "foreign": (bundle.packed(foreign.files, key, new.image), "wrong_board", "nothing"),
        "older": (bundle.packed(older.files, key, new.image), "older", "nothing"),
        "few": (good, "image_too_big", "nothing"),
        "factory": (good, "no_place", "nothing"),
        "one": (good, "no_place", "nothing"),
        "stock": (good, "no_place", "nothing"),
        "modules": (bundle.packed(other.files, key, new.image), "no_own_slot", "app+files"),
        "unsigned": (bundle.packed(new.files, key, unsigned), "image_refused", "app+files"),
        "noise": (bundle.packed(new.files, key, noise), "image_refused", "app+files"),
        "weak": (good, "bad_flash", "app+files"),
    }


def test_each_no_is_said_in_words_and_the_old_version_starts(key, new, good):
    wanted = cases(key, new, good)
    said = image_cuts.said(SEED, 1000, "", {name: octets for name, (octets, _, _) in wanted.items()})
    found = {name: (code, written) for name, code, written in re.findall(r"case (\w+)\.case (\w+) (\S+)", said)}
    assert found == {name: (code, written) for name, (_, code, written) in wanted.items()}
    assert " bad: 0 " in " " + said.splitlines()[-1], f"seed {SEED}"
    for code, _ in found.values():
        assert len(phrase("update." + code)[0]) > 15


def test_a_cut_inside_every_step_leaves_old_or_new():
    found = image_cuts.counts(SEED)
    assert found["bad"] == 0 and found["none"] == 0, f"seed {SEED}"
    assert found["operations"] > 90 and found["old"] > 1000 and found["new"] >= 14 and found["second"] > 50


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_mistake_is_found(bug):
    assert image_cuts.counts(SEED, 16, bug)["bad"] > 0, f"seed {SEED}"


def test_an_image_that_is_not_read_back_is_found(key, good):
    said = image_cuts.said(SEED, 1000, "not read back", {"weak": good})
    assert "case weak.case bad_flash" not in said, f"seed {SEED}"
