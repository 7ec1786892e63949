"""Fuzzing in small: nothing comes out of a parser that should not, and what is planted in one is found."""

import base64
import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from firmware.core import settings
from firmware.services import bounded_reader, web_service, web_settings
from firmware.wire import (
    grid_contract,
    http_response,
    jws,
    ledger_record,
    log_lines,
    signed_seqs,
    state_restored,
    strict_json,
    update_announcement,
    update_bundle,
    update_header,
    utf8,
    web_api,
)
from host_tools import bootstrap, fast, jobs
from host_tools.faults import task as faults_task
from host_tools.fuzz import broken, campaign, corpus, guided, targets, task

INPUTS = 80_000
NAMES = [row[0] for row in targets.TARGETS]
# (target, part of a label, least permille of its inputs): situations that must be reached again and again
REACHED = (
    ("mqtt", "boxlimit", 10),
    ("mqtt", "set ", 2),
    ("commands", "limit market", 30),
    ("commands", "resume market", 10),
    ("commands", " page ", 100),
    ("signed", "limit market True", 3),
    ("signed", " RS256", 5),
    ("signed", "replayed", 7),
    ("signed", "False", 2),
    ("http", " 200", 40),
    ("http", " 202", 2),
    ("http", " 401", 20),
    ("http", "/api/settings 200+", 1),
    ("settings", "good taken", 50),
    ("settings", "button", 5),
    ("log", "fault", 20),
    ("log", "new", 2),
    ("ledger", "head", 50),
    ("ledger", "quarter", 50),
    ("ledger", "session", 50),
    ("stored", "good", 50),
    ("stored", "refused", 100),
    ("settings", "backup taken", 10),
    ("state", "good", 50),
    ("state", "refused", 50),
    ("update", "whole", 10),
    ("update", "bad_file", 10),
    ("update", "bad_manifest", 50),
    ("response", "good", 50),
    ("response", "redirect", 10),
    ("response", "no_length", 10),
    ("announcement", "good http ", 10),
    ("announcement", "good https", 3),
    ("announcement", "refused url", 50),
)


@pytest.fixture(scope="module")
def made():
    """{name: counts of labels} of a campaign with the commit as seed, and what it found."""
    seed = faults_task.seed_of_commit()
    found = []
    counts = {}
    for name, share in targets.shares(INPUTS).items():
        result = campaign.batch((name, seed, 0, share))
        counts[name] = result["counts"]
        found += result["found"]
    print(f"seed {seed}: {INPUTS} inputs, {len(found)} finds")
    return counts, found


def test_nothing_comes_out(made):
    assert made[1] == []
    assert sum(sum(counts.values()) for counts in made[0].values()) == INPUTS


@pytest.mark.parametrize(("name", "part", "least_permille"), REACHED)
def test_what_matters_is_reached(made, name, part, least_permille):
    counts = made[0][name]
    reached = sum(times for label, times in counts.items() if part in label)
    assert 1000 * reached >= least_permille * sum(counts.values()), (reached, sum(counts.values()))


# Found by this task on 2026-11-21: what was let in before.
FOUND = (
    # The chip takes UTF-8 with surrogates and overlong forms, which PyPy's str() showed.
    ("commands", b'{"id": "a5", "kind": "pause", "dur\xed\xa0\x80ation_s": 60, "note": "\xc0\xa2"}'),
    ("mqtt", b"\x3b\x1b\x00\x15ebb/1/group/no\xed\xa0\x80/cmd\x00\x07\xc0\x80"),
    # A length of -1 went to the stream, which on the chip then reads without an end.
    ("http", b"POST /api/login HTTP/1.1\r\nHost: box.lan\r\nContent-Length: -1\r\n\r\n{}"),
    # A mistake of the judge: this field is another than that of a coding.
    ("response", b"HTTP/1.1 200\r\nTransfer-Encodingh:\r\nContent-Length:6\r\n\r\n"),
)


@pytest.mark.parametrize(("name", "octets"), FOUND)
def test_what_was_found_stays_out(name, octets):
    assert campaign.words_of(targets.target(name), octets) == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_a_guided_run_kept_is_tried_again(name):
    kept = corpus.of(name)
    assert 0 < len(kept) <= corpus.MOST and sum(map(len, kept)) <= corpus.MOST_B
    for octets in kept:
        assert campaign.words_of(targets.target(name), octets) == ""


def test_the_shortest_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "corpora")
    assert corpus.of("mqtt") == []
    inputs = [bytes([number]) * 500 for number in range(1, 100)] + [b"\n\x00", b"", b"\n\x00"]
    assert corpus.keep("mqtt", inputs) == 25
    assert corpus.of("mqtt")[:3] == [b"", b"\n\x00", b"\x01" * 500]


class Fuzzer:
    """Stands in for atheris: hands on three inputs, the second of them changed by the target's own mutator."""

    @staticmethod
    def instrument_imports(include):
        return contextlib.nullcontext()

    @staticmethod
    def Mutate(octets, most_b):
        return (octets + b"\xff")[:most_b]

    def Setup(self, options, one, custom_mutator):
        self.options, self.one, self.mutator = options, one, custom_mutator

    def Fuzz(self):
        for seed in range(40):
            self.one(self.mutator(b"HTTP/1.1 200\r\nContent-Length:6\r\n\r\n", 200, seed))
        self.one(b"HTTP/1.1 200\r\nContent-Length:6\r\n\r\n")


def test_a_guided_run_asks_the_same_judges(monkeypatch):
    fuzzer = Fuzzer()
    monkeypatch.setitem(sys.modules, "atheris", fuzzer)
    guided.run_one("response", ["-runs=41"])
    assert fuzzer.options[0].endswith(" -m host_tools.fuzz.guided response") and fuzzer.options[1:] == ["-runs=41"]
    # Half of the inputs get their end back, and none is longer than asked.
    ends = [fuzzer.mutator(b"HTTP/1.1 200\r\n", 64, seed).endswith(b"\r\n\r\n") for seed in range(200)]
    assert 40 < sum(ends) < 160
    assert max(len(fuzzer.mutator(bytes(300), 64, seed)) for seed in range(200)) <= 64
    monkeypatch.setattr(http_response, "told_by", told_without_coding)
    with pytest.raises(broken.Broken, match="a coding"):
        fuzzer.one(b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nContent-Length:6\r\n\r\n")


def text_of_the_chip(octets):
    """What MicroPython's str() does: its check looks at lengths only."""
    return bytes(octets).decode("utf-8", "surrogatepass")


def opened_loosely(octets, at):
    """The reader of the log without its check of the text."""
    entry = OPENED(octets, at)
    if entry is None and len(octets) >= at + 64 and octets[at + 16 : at + 18] != b"\0\0":
        row = log_lines.struct.unpack(log_lines.FORM, bytes(octets[at : at + 60]))
        text = [part.rstrip(b"\0").decode("latin1") for part in row[9:11]]
        return log_lines.Entry(row[0], row[4], row[3] << 32 | row[2], row[1], row[5], row[6] or 1, 0, *text, row[8])
    return entry


OPENED = log_lines.opened


async def read_of_anything(self, count):
    """A body without a lower bound."""
    if count > bounded_reader.MOST_BODY:
        raise bounded_reader.TooMuch("the body is too long")
    return await self._reader.readexactly(count)


def told_without_coding(lines, most_b):
    """The fields of an answer without the one that says how it is coded."""
    return TOLD_BY([line for line in lines if not line.lower().startswith(b"transfer-encoding:")], most_b)


TOLD_BY = http_response.told_by

PLANTED = (
    (
        "mqtt",
        utf8,
        "text_of",
        lambda octets: bytes(octets).decode("utf-8", "replace"),
        "a message that reads otherwise",
    ),
    ("commands", utf8, "text_of", text_of_the_chip, "text that is no JSON is taken"),
    ("commands", grid_contract, "MOST_EMERGENCY_S", 10**6, "a limit without end"),
    ("commands", grid_contract, "ID_MARKS", "._:- \n", "an id with other characters"),
    ("signed", signed_seqs, "is_replayed", lambda rows, row, is_seen: False, "a number that"),
    ("signed", jws, "is_same", lambda one, other: True, "proved, or not"),
    ("signed", jws, "decoded", lambda part: base64.urlsafe_b64decode(part + b"=="), "another"),
    ("http", bounded_reader.BoundedReader, "readexactly", read_of_anything, "a body of -"),
    ("http", web_service.WebService, "_is_known", lambda self, request: True, "a stranger"),
    ("http", web_api, "fields_of", lambda payload, most_bytes: {}["x"], "answer 500"),
    ("settings", settings, "refused_int", lambda value, low, high, step: None, "of"),
    ("settings", web_settings, "installers", lambda before, made: "", "an installer's setting"),
    ("log", log_lines, "opened", opened_loosely, "a record that reads otherwise"),
    ("ledger", ledger_record, "minutes_of", lambda octets: tuple(octets[:45:3]), "a record that reads otherwise"),
    ("stored", settings, "refused_int", lambda value, low, high, step: None, "of"),
    ("stored", strict_json, "opened", lambda payload: {}["x"], "KeyError"),
    ("state", state_restored, "whole_of", lambda value: value, "TypeError"),
    ("state", state_restored, "rows_of", lambda fields, key, width: fields.get(key), "Error"),
    ("update", update_bundle, "is_path", lambda path: True, "a path out of its slot"),
    ("update", update_header, "unfit", lambda head, board, version, security: None, "an "),
    ("log", log_lines, "MOST_TIMES", -1, "a count that falls"),
    ("response", http_response, "is_plain", lambda octets: True, "a bare line end"),
    ("response", http_response, "told_by", told_without_coding, "a coding"),
    ("response", http_response, "status_of", lambda line: 200, "another status"),
    ("announcement", update_announcement, "is_path", lambda path: True, "another"),
    ("announcement", update_announcement, "is_host", lambda host: True, "another"),
)


@pytest.mark.parametrize(("name", "module", "attribute", "planted", "words"), PLANTED)
def test_what_is_planted_is_found(monkeypatch, name, module, attribute, planted, words):
    monkeypatch.setattr(module, attribute, planted)
    told = []
    for seed in range(30):
        told += [one[0] for one in campaign.batch((name, seed, 0, 2500))["found"]]
        if any(words in one for one in told):
            return
    raise AssertionError(f"not found: {words}; but {told}")


def test_a_find_is_told_as_short_as_it_gets(monkeypatch, capsys):
    monkeypatch.setattr(grid_contract, "ID_MARKS", "._:- \n")
    monkeypatch.setattr(jobs, "logged", lambda *args: None)
    monkeypatch.setattr(jobs, "PROCESSES", 1)
    assert not task.report(16_000, 5, False)
    said = capsys.readouterr().out
    assert "commands: an id with other characters" in said
    line = next(line for line in said.splitlines() if "--show commands:" in line)
    octets = bytes.fromhex(line.split(":")[-1])
    assert len(octets) < 100, octets
    assert not task.shown("commands:" + octets.hex())
    monkeypatch.undo()
    assert task.shown("commands:" + octets.hex())


def test_a_broken_off_campaign_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr(campaign, "BATCH", 500)
    parts = campaign.jobs_of(4000, 7)
    whole = jobs.done(parts, campaign.batch, jobs.Results("fuzz", 7, False), has_processes=False)
    jobs.done(parts[:3], campaign.batch, jobs.Results("fuzz", 7, False, tmp_path), has_processes=False)
    results = jobs.Results("fuzz", 7, True, tmp_path)
    assert len(results.by_name) == 3
    assert jobs.done(parts, campaign.batch, results, has_processes=False) == whole


def test_every_share_is_tried():
    for count in (1, 7, 1000, 99_999):
        assert sum(targets.shares(count).values()) == count
        assert sum(job[3] - job[2] for _, job in campaign.jobs_of(count, 1)) == count


def test_pypy_counts_the_same():
    # But for requests: PyPy's split() takes other characters for blanks (U+001C to U+001F), and so does the chip's.
    names = [name for name in NAMES if name != "http"]
    script = "import json; from host_tools.fuzz import campaign\n"
    script += f"print(json.dumps([campaign.batch((name, 9, 0, 2500)) for name in {names}], sort_keys=True))"
    found = []
    for program in (sys.executable, shutil.which(fast.PROGRAM)):
        done = subprocess.run([program, "-c", script], cwd=bootstrap.ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
