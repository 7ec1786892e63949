"""A real-time test that failed is played again alone: what passes then is told, what fails again stays failed."""

import pytest

from host_tools import bootstrap, test_task

SHAKY = """
import pathlib
def test_shaky():
    seen = pathlib.Path("seen")
    was_seen = seen.exists()
    seen.write_text("")
    assert was_seen
def test_sound():
    pass
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Function (sources by name) -> (counts of a first run, counts with its second try)."""

    def play(**sources):
        folder = tmp_path / "tests" / "end_to_end"
        folder.mkdir(parents=True)
        for name, source in sources.items():
            (folder / f"test_{name}.py").write_text(source)
        monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
        first = test_task.ended(test_task.begun("half", ["tests/end_to_end"], []))
        return first, test_task.second_try("half", first, [])

    return play


def test_a_shaky_test_passes_at_the_second_try_and_is_named(played, capsys):
    assert played(shaky=SHAKY) == ((1, 1), (2, 0))
    said = capsys.readouterr().out
    assert "test_shaky PASSED" in said and "passed_at_the_second_try: 1 tests" in said


def test_what_fails_again_stays_failed(played):
    assert played(shaky=SHAKY, broken="def test_broken():\n    assert False\n") == ((1, 2), (2, 1))


def test_nothing_is_played_again_where_all_passed_or_much_failed(played, capsys):
    broken = "".join(f"def test_{number}():\n    assert False\n" for number in range(4))
    assert played(broken=broken) == ((0, 4), (0, 4))
    assert test_task.second_try("half", (5, 0), []) == (5, 0)
    assert "second" not in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_no_accident(played):
    assert played(torn="def (:\n")[1][1] == 1
