"""Every row of the fault table is proved by a test that exists."""

import pytest

from firmware.core.faults import FAULTS
from host_tools import bootstrap, other_faults
from host_tools.safety_proofs import PROOFS


def test_every_row_has_a_proof_and_only_those():
    assert sorted(row[0] for row in PROOFS) == sorted(row[0] for row in FAULTS + other_faults.ROWS)


@pytest.mark.parametrize("row", PROOFS, ids=lambda row: row[0])
def test_the_test_exists(row):
    path, _, name = row[1].partition("::")
    assert (bootstrap.ROOT / path).is_file(), path
    assert not name or f"def {name}(" in (bootstrap.ROOT / path).read_text(), row[1]
