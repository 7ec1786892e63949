"""Command `device doctor`: what is wrong with a board, in plain words. The firmware stops and then starts anew.

With a car on it (--force) the pilot stays at +12 V, which a car reads as "not ready".
"""

import argparse
import json
import sys

from host_tools.device import asked, esptool_call, examined_files, examined_pins, flash, unprompted
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

HEALTHY = "Nothing is wrong that can be seen from here."


class Visit:
    """What one look at a board has found: findings ((what, do) each), notes and measured values."""

    def __init__(self, is_forced=False):
        self._is_forced = is_forced
        self.findings = []
        self.notes = []
        self.measured = {}

    def look(self, port):
        """Look at everything. Errors: Trouble when there is no board."""
        try:
            prompt = Prompt(port, asked.guard(self._is_forced))
        except Trouble as trouble:
            if trouble.kind != esptool_call.SILENT:
                raise
            self.findings.append(unprompted.meaning(unprompted.heard(port)))
            return
        try:
            with prompt:
                self._inside(prompt)
                prompt.restart()
        except Trouble as trouble:
            self.findings.append((f"The examination broke off: {str(trouble).rstrip('.')}", "run this again"))

    def _inside(self, prompt):
        """Chip, then files, then pins, each only where the one before makes sense. Errors: Trouble."""
        chip = self.measured["chip"] = examined_files.look_at_chip(prompt)
        self.findings += examined_files.version_findings(chip)
        found, letter, manifest = examined_files.slot_findings(prompt, chip)
        self.findings += found
        if not letter:
            self.notes.append("Pins and sensors were not looked at: that needs a whole firmware.")
            return
        board, found = examined_files.board_of(manifest)
        self.findings += found
        box, found = examined_files.box_of(prompt)
        self.findings += [*found, *examined_files.data_findings(chip), *examined_files.start_findings(chip)]
        if board is None:
            return
        self.findings += examined_files.chip_findings(chip, board)
        bench = examined_pins.Bench(prompt, letter, box.get("facts", {}))
        made = self.measured["pins"] = examined_pins.look_at_pins(bench, board)
        self.measured["pilot_noise_mv"] = examined_pins.noise_mv(made["adc"], board)
        self.measured["adc_read_us"] = made["adc"][2] / 100
        self.findings += examined_pins.findings(made, board)
        self.notes += examined_pins.notes(made["rest"], board)

    def tell(self, is_json):
        """Print it."""
        if is_json:
            rows = [{"what": what, "do": do} for what, do in self.findings]
            print(json.dumps({"findings": rows, "notes": self.notes, "measured": self.measured}, indent=1))
            return
        for what, do in self.findings:
            print(f"{what}: {do}.")
        for words in self.notes:
            print(f"({words})")
        if not self.findings:
            print(HEALTHY)


def run(argv):
    """Run the command; 0 for a healthy board, 1 with findings, 2 without a board."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device doctor", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("--json", action="store_true", help="findings, notes and all measured values as JSON")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    visit = Visit(options.force)
    try:
        visit.look(flash.find_port(options.port))
    except Trouble as error:
        print(f"ebb: {error}", file=sys.stderr)
        return error.code
    visit.tell(options.json)
    return 1 if visit.findings else 0
