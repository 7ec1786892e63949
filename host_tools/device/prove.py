"""Command `device prove`: asks a board what only a board can answer, and writes a report that may be sent to anybody.

The firmware stops and then starts anew; the coil's enable is never raised. What is not asked is named with its reason.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import serial

from firmware.wire import memory_floor
from host_tools import bootstrap
from host_tools.device import (
    asked,
    chips,
    examined_files,
    examined_pins,
    flash,
    install,
    prove_running,
    slot,
    unit_tests,
    watch,
)
from host_tools.device import prove_report as report
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "proving.py"
CLOCK_S = 5
START_S = 60
# name, the least that may be (firmware/wire/memory_floor.py)
MEMORY = (
    ("heap free", None),
    ("heap live", None),
    ("IDF free", memory_floor.HANDSHAKE_B),
    ("IDF largest block", memory_floor.HANDSHAKE_BLOCK_B),
    ("IDF least free", memory_floor.LEAST_B),
)
RADIO_CODE = "import network\nnetwork.WLAN(network.STA_IF).active(True)"
TICKS_CODE = "import time\nprint(time.ticks_us())"
CAUSES = {1: "power on", 2: "hard reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}
VIRTUAL = "Virtual "  # how the machine of host_tools/sim/serial_chip.py calls itself
VERSION = re.compile(r"[0-9A-Za-z.+-]{1,24}")
NOT_YET = (
    ("linearity of the ADC against known levels", "it needs a meter: 'device calibrate' takes its readings"),
    ("coil pins low through a reset", "it needs a wire to a second pin, not asked for yet: use a scope"),
)


def version_of(manifest):
    """The firmware's version, as far as it is nothing else."""
    found = str(manifest.get("version"))
    return found if VERSION.fullmatch(found) else "unknown"


def build_on(prompt, letter):
    """The board's `build_sha256` as `device build` prints it, where all of it is of one build. Errors: Trouble."""
    manifest = f"/{letter}/manifest.json"
    found = prompt.digests([manifest, *(f"/{name}" for name in install.ROOT_FILES)])
    made = {path[1:]: sha256 or "" for path, sha256 in found.items() if path != manifest}
    return slot.digest_of({**made, "a/manifest.json": found[manifest] or ""})


class Proof:
    """Figures and what was not asked, of one board."""

    def __init__(self, port, page=None, broker=None):
        """page, broker: "host:port" of the box's page and broker as this PC reaches them, or None."""
        self._port, self._page, self._broker = port, page, broker
        self.figures = []
        self.not_asked = [{"what": what, "why": why} for what, why in NOT_YET]
        self.facts = {}

    def make(self):
        """Ask everything. Errors: Trouble; the board starts anew in any case once it was stopped."""
        with Prompt(self._port, asked.guard(False, "", needs_answer=True)) as prompt:
            try:
                self._inside(prompt)
            finally:
                prompt.interrupt()
                begun_s = time.monotonic()
                prompt.restart()
        if self._start(begun_s):
            prove_running.make(self._port, self, self._page, self._broker)

    def _ask(self, prompt, call):
        """What a call of the script gives, as JSON. Errors: Trouble."""
        return json.loads(prompt.run(f"import json\nprint(json.dumps({call}))").strip().splitlines()[-1])

    def _add(self, name, unit, values, limit=(None, "")):
        self.figures.append(report.figure(name, unit, values, limit))

    def skip(self, what, why):
        """Note what was not asked."""
        self.not_asked.append({"what": what, "why": why})

    def _memory(self, prompt, stage):
        """Memory at one stage."""
        for (name, least_b), value in zip(MEMORY, self._ask(prompt, "memory()"), strict=True):
            if value is None:
                self.skip(f"{name}, {stage}", "this interpreter does not tell it")
            else:
                source = "" if least_b is None else "the firmware's floor"
                self.figures.append(report.figure(f"{name}, {stage}", "B", [value], (least_b, source), True))

    def _inside(self, prompt):
        """Everything that is asked at the prompt. Errors: Trouble."""
        chip = examined_files.look_at_chip(prompt)
        found, letter, manifest = examined_files.slot_findings(prompt, chip)
        if not letter:
            raise Trouble(f"{found[0][0]}: {found[0][1]}.")
        board, found = examined_files.board_of(manifest)
        if board is None:
            raise Trouble(f"{found[0][0]}: {found[0][1]}.")
        rules = chips.loaded(board["chip"])
        self.facts = {"board": board["name"], "chip": board["chip"]}
        self.facts["micropython"] = ".".join(str(int(part)) for part in chip["version"])
        self.facts["is_virtual"] = chip["machine"].startswith(VIRTUAL)
        self.facts["firmware"] = version_of(manifest)
        self.facts["build_sha256"] = build_on(prompt, letter)
        self.facts["date"] = time.strftime("%Y-%m-%d", time.gmtime())
        self.facts["last_start"] = CAUSES.get(chip["cause"], "unknown")
        prompt.run(SCRIPT.read_text("utf-8"))
        self._memory(prompt, "the firmware's, stopped")
        prompt.run(unit_tests.DOG_CODE)
        prompt.soft_reset()
        prompt.run(unit_tests.DOG_CODE)
        prompt.run(SCRIPT.read_text("utf-8"))
        self._memory(prompt, "after boot.py alone")
        prompt.run(RADIO_CODE)
        self._memory(prompt, "with the radio")
        self._flash(prompt, rules)
        self._clock(prompt)
        prompt.run(f"import sys\nsys.path.insert(0, '/{letter}')")
        examined_pins.Bench(prompt, letter, {})
        self._pins(prompt, board, rules)

    def _flash(self, prompt, rules):
        """Times of a spare sector. Errors: Trouble."""
        made = self._ask(prompt, "flash()")
        if made is None:
            self.skip("flash times", "no sector of the file system holds nothing")
            return
        limits = {
            "read": report.limit(rules, "flash.read_command_us", add=[(4, "flash.read_us_per_kb")]),
            "program": report.limit(rules, "flash.program_command_us", "flash.program_page_us"),
            "erase": report.limit(rules, "flash.erase_command_us", "flash.erase_sector_us"),
        }
        for name, words in (("read", "read 4 kB"), ("program", "program a page of 256 B"), ("erase", "erase 4 kB")):
            self._add("flash: " + words, "us", made[name], limits[name])

    def _clock(self, prompt):
        """How far the chip's clock is from this PC's, as far as the line lets it be seen."""
        prompt.run(TICKS_CODE)
        pairs = []
        for wait_s in (0, CLOCK_S):
            time.sleep(wait_s)
            before_s = time.monotonic()
            ticks_us = int(prompt.run(TICKS_CODE))
            after_s = time.monotonic()
            pairs.append(((before_s + after_s) / 2, ticks_us, after_s - before_s))
        (first_s, first_us, doubt_s), (last_s, last_us, more_s) = pairs
        apart_us = ((last_us - first_us) & 0x3FFFFFFF) - (last_s - first_s) * 1e6
        self._add(f"clock: apart from the PC's after {CLOCK_S} s", "us", [abs(round(apart_us))])
        self._add("clock: doubt of that by the line", "us", [round((doubt_s + more_s) * 1e6 / 2)])

    def _pins(self, prompt, board, rules):
        """The ADC and the turns of sensing and acting. Errors: Trouble."""
        self._add("sensing and acting, coil off", "us", self._ask(prompt, "ticks(bench)"))
        adc = self._ask(prompt, f"bench.raw({board['pins']['pilot_high_adc']}, 'high')")
        self._add("ADC: one read", "us", [round(adc[2] / 100, 1)], report.limit(rules, "cpu.adc_read_us"))
        for mode, pin in (("high", "pilot_high_adc"), ("low", "pilot_low_adc")):
            found = self._ask(prompt, f"levels(bench, {board['pins'][pin]}, {mode!r})")
            self._add(f"ADC: pilot {mode}", "uV", found)
            mean = sum(found) / len(found)
            noise = (sum((one - mean) ** 2 for one in found) / len(found)) ** 0.5
            most_uv = examined_pins.MOST_NOISE_MV * board["pilot_uv_per_v"] // 1000
            self._add(f"ADC: noise, pilot {mode}", "uV", [round(noise)], (most_uv, "the bound of 'device doctor'"))

    def _start(self, begun_s):
        """From the reset to the first answer, which comes once a second; whether one came. Errors: Trouble."""
        line = watch.opened(self._port)
        try:
            found = None
            while found is None and time.monotonic() - begun_s < START_S:
                found = asked.stands(line)
        except (OSError, serial.SerialException) as error:
            raise Trouble(f"the board's line broke off ({error}).") from None
        finally:
            watch.close(line)
        if found is None or found == "prompt":
            self.skip("time of a start", "the firmware did not answer after it: 'device doctor' says why")
            return False
        self._add("start: from reset to the first answer", "ms", [round((time.monotonic() - begun_s) * 1000)])
        return True

    def whole(self):
        """The report as a dict."""
        return {**self.facts, "figures": self.figures, "not_asked": self.not_asked}


def written(folder, whole):
    """Paths of the report in three forms."""
    forms = {"txt": "\n".join(report.text(whole)) + "\n", "html": report.page(whole)}
    forms["json"] = json.dumps(whole, indent=1) + "\n"
    paths = []
    for ending in sorted(forms):
        paths.append(folder / f"proof.{ending}")
        paths[-1].write_text(forms[ending], "utf-8")
    return paths


def run(argv):
    """Run the command; 0 when all is within or unknown, 1 when a figure is outside, 2 when nothing was asked."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device prove", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("--out", type=Path, default=Path("proof"), metavar="FOLDER", help="a new folder (proof)")
    where = "HOST:PORT"
    parser.add_argument("--page", metavar=where, help="where the box's page is (default: where the box says)")
    parser.add_argument("--broker", metavar=where, help="the box's broker, to flood it with messages that are refused")
    options = parser.parse_args(argv)
    try:
        prove_running.check(options.page, options.broker)
        try:
            options.out.mkdir()
        except OSError as error:
            raise Trouble(f"{options.out} cannot be made: {error.strerror}. Nothing was asked.", code=2) from None
        try:
            proof = Proof(flash.find_port(options.port), options.page, options.broker)
            proof.make()
        except BaseException:
            options.out.rmdir()
            raise
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    except KeyboardInterrupt:
        print("ebb: stopped; there is no report, and the board starts anew.", file=sys.stderr)
        return 1
    whole = proof.whole()
    paths = written(options.out, whole)
    print("\n".join(report.text(whole)))
    print("report: " + ", ".join(map(str, paths)))
    return report.code_of(whole)
