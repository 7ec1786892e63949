"""A flash whose n-th operation fails, once or for ever, on the interpreter's own VfsLfs2: told, and nothing is lost."""

import pytest

from host_tools import budgets


@pytest.mark.needs_chip
def test_each_of_sixty_operations_fails_once_and_for_ever():
    lines = budgets.on_chip("ledger_errors.py")
    print("\n" + "\n".join(lines))
    assert budgets.number_of(lines, "ledger_errors") == 120
    assert "120 told" in "\n".join(lines)
    assert budgets.number_of(lines, "ledger_errors_lost") == 0
