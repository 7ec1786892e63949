"""Memory runs out, flash fails or is full while the box stores: the next save works, and nothing is lost (F3, X4)."""

import re

import pytest

from host_tools import budgets

HEAP = "700k"
STORES = ("ledger", "clockless", "settings", "state", "log")
pytestmark = pytest.mark.needs_chip


def troubles():
    """{(trouble, store): [tries, failed or told, bad]} and what was printed."""
    printed = "\n".join(budgets.on_chip("squeezed_stores.py", HEAP))
    rows = re.findall(r"^(memory|flash|full)_(\w+): (\d+) tries, (\d+) \w+, (\d+) bad", printed, re.MULTILINE)
    return {row[:2]: [int(count) for count in row[2:]] for row in rows}, printed


def test_each_allocation_and_each_operation_may_fail():
    found, printed = troubles()
    print("\n" + printed)
    assert set(found) == {(trouble, store) for trouble in ("memory", "flash", "full") for store in STORES}
    assert not [row for row, counts in found.items() if counts[2]], printed
    for store in STORES:
        assert found["memory", store][1] >= 20, "the squeeze was felt"
        assert found["flash", store][:2] == [60, 60], "each is told"
