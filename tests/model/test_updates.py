"""No tampered update is taken, nothing unsigned is written, and planted mistakes in the check are found."""

import random

import pytest

from firmware.wire import rsa, update_bundle, update_header
from host_tools import jobs
from host_tools.device import bundle
from host_tools.updates import cuts, tampered, task

SEED = random.SystemRandom().randrange(1 << 31)
ALL_SIGNED_BITS = (update_header.HEAD_B + update_header.SIGNATURE_B) * 8
AT_RANDOM = 1500
MOST_PLANTED = 10_000  # one forgery in 160 is the one that the rarest mistake takes


@pytest.fixture(scope="module")
def known():
    print("seed", SEED)
    return tampered.made(SEED)


def test_the_right_one_is_taken_whole(known):
    files, manifest, code = bundle.outcome(known.good, known.modulus, tampered.BOARD, tampered.LEAST)
    assert code == "whole"
    assert manifest == tampered.parts(known.good)[1]
    assert b"".join(files.values()) == tampered.parts(known.good)[3]


def test_every_bit_of_head_and_signature(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jobs, "LOG", tmp_path / "campaigns.csv")
    assert task.report(ALL_SIGNED_BITS + 4, SEED, False)
    said = capsys.readouterr().out
    print(said)
    assert "tampered_head_bit: 512 updates" in said and "tampered_signature_bit: 3072 updates" in said
    assert "tampered_older_security: 1 updates" in said and "tampered_accepted: 0 updates" in said
    assert ",tampered," in (tmp_path / "campaigns.csv").read_text()


def test_files_cuts_and_random_ones(known):
    rows = tampered.systematic(known)
    kinds = [kind for kind, _ in rows]
    assert kinds.count("file bit") >= 1000 and kinds.count("cut") == len(known.good)
    for first, count in ((kinds.index("file bit"), 300), (kinds.index("cut"), 300), (len(rows), AT_RANDOM)):
        found = tampered.batch((SEED, first, first + count))
        print(found)
        assert found["found"] == []
        assert sum(found["kinds"].values()) == count


class Equal(bytes):
    """A digest that agrees with every other."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = bytes.__hash__


def only_the_digest(signature, modulus, digest):
    """A signature of which only the end is judged."""
    number = pow(int.from_bytes(signature, "big"), 65537, int.from_bytes(modulus, "big"))
    yield number.to_bytes(384, "big").endswith(digest)


def loose_padding(signature, modulus, digest):
    """As many checked it in 2006: what follows the digest is not looked at."""
    number = pow(int.from_bytes(signature, "big"), 65537, int.from_bytes(modulus, "big"))
    octets = number.to_bytes(384, "big")
    yield octets[:2] == b"\0\1" and octets[2:].lstrip(b"\xff").startswith(b"\0" + rsa.DIGEST_INFO + digest)


REAL_ROWS, REAL_OPENED = update_bundle.rows_of, update_header.opened


def any_content(*asked):
    """Digests of the files that are not compared."""
    rows = REAL_ROWS(*asked)
    return [(path, length, Equal(sha256)) for path, length, sha256 in rows] if isinstance(rows, list) else rows


def any_length(octets, announced_b):
    """The announced length is believed."""
    if len(octets) == update_header.HEAD_B and octets.startswith(update_header.MAGIC):
        announced_b = update_header.Head(octets).whole_b()
    return REAL_OPENED(octets, announced_b)


@pytest.mark.parametrize(
    ("module", "name", "planted"),
    (
        (update_header, "proof", lambda signature, modulus, digest: iter((True,))),
        (update_header, "proof", only_the_digest),
        (update_header, "proof", loose_padding),
        (update_header, "unfit", lambda head, board, version, security: None),
        (update_bundle, "rows_of", any_content),
        (update_header, "opened", any_length),
    ),
    ids=("no proof", "only the digest", "loose padding", "any age and board", "any content", "any length"),
)
def test_a_planted_mistake_is_found(known, monkeypatch, module, name, planted):
    monkeypatch.setattr(module, name, planted)
    rows = len(tampered.systematic(known))
    begins = (ALL_SIGNED_BITS, *range(rows, rows + MOST_PLANTED, 200))
    for number, first in enumerate(begins):
        found = tampered.batch((SEED, first, first + (200 if number else 4)))["found"]
        if found:
            print(found[0])
            return
    raise AssertionError(f"seed {SEED}: not found")


def test_a_cut_at_any_byte_leaves_old_or_new():
    found = cuts.counts(SEED, 24)
    assert found["bad"] == 0 and found["none"] == 0, f"seed {SEED}"
    assert found["bytes"] == 65_537 and found["operations"] > 300
    assert found["old"] > 50 and found["second"] > 0 and found["new"] >= 14
    assert found["again"] >= 12 and found["again"] + found["second"] == 24, "each of 12 is cut once more, then whole"


@pytest.mark.parametrize("bug", ("own slot", "unchecked"))
def test_a_planted_mistake_is_found_by_cuts(bug):
    """An update into the slot that runs; a slot that is chosen before it is whole and taken without a look."""
    assert cuts.counts(SEED, 24, bug)["bad"] > 0
