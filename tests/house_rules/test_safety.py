"""Every row of the fault table is proved by a test that exists."""

import pytest

from firmware.core.faults import FAULTS
from host_tools import bootstrap, other_faults
from host_tools.safety_proofs import PROOFS


def test_every_row_has_a_proof_and_only_those():
    assert sorted(row[0] for row in PROOFS) == sorted(row[0] for row in FAULTS + other_faults.ROWS)


def missing(tests):
    """Those of the tests, with a blank between, that are not there."""
    for test in tests.split():
        path, _, name = test.partition("::")
        file = bootstrap.ROOT / path
        if not file.is_file() or (name and f"def {name}(" not in file.read_text()):
            yield test


@pytest.mark.parametrize("row", PROOFS, ids=lambda row: row[0])
def test_the_tests_exist(row):
    assert row[1].split() and list(missing(row[1])) == []


def test_one_that_does_not_is_found():
    good = PROOFS[0][1]
    for planted in ("tests/unit/test_nothing.py", "tests/unit/test_faults.py::test_nothing_at_all"):
        assert list(missing(f"{good} {planted}")) == [planted]
