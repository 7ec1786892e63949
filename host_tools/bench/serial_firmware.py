"""The firmware on a virtual chip with a serial line, which people can open with mpremote and the device tools."""

import asyncio
import json
from pathlib import Path

from firmware.connections import ISSUERS
from host_tools import frozen_chip
from host_tools.device import boards, box_file, build, install
from host_tools.device.prompt import Prompt
from host_tools.sim.serial_chip import SerialChip

BOX_KEYS = (
    *"box web_host web_port mqtt_host mqtt_port owner_password owner_token".split(),
    *"installer_code has_outside_time tells_heap".split(),
)


class SerialFirmware:
    """Built, installed over the serial line, started from flash; the same calls as FirmwareProcess."""

    runtime = "micropython"

    def __init__(self, config, link, board, is_frozen):
        """config: of the demo; link: a started LinkServer; board: a name of hardware/boards.

        is_frozen: the firmware's modules are in the interpreter, as in a maker's own image. Errors: chip.NoChip.
        """
        self.config = config
        self.built = build.made(board, is_frozen=is_frozen)
        interpreter = frozen_chip.of_board(board) if is_frozen else None
        self.folder = Path(config["data_dir"]) / "serial"
        self._chip = SerialChip(self.folder, link, config["quiet_pins"], interpreter=interpreter)
        facts = boards.loaded(board)
        self._chip.is_module(facts["chip"], facts["has_psram"])
        self.port = self._chip.port
        self._work = None

    def _put(self):
        """The built tree, the box's own file and its settings, as device flash and provision would."""
        with Prompt(self.port) as prompt:
            install.install(prompt, self.built.files, lambda path, number, of: None)
            box = {key: self.config[key] for key in BOX_KEYS}
            if self.config.get("ca_path"):
                box["mqtt_ca_path"] = "/ca.der"
                prompt.put("/ca.der", Path(self.config["ca_path"]).read_bytes())
            prompt.put("/box.json", json.dumps(box).encode())
            prompt.soft_reset()  # boot.py mounts /data: what is put there before lies hidden under it
            prompt.run(box_file.SHOWN_CODE, box_file.SHOWN_S)
            self._put_data(prompt, "settings.json", prompt.read("/data/settings.json") is None)
            self._put_data(prompt, ISSUERS, True)
            prompt.restart()

    def _put_data(self, prompt, name, is_wanted):
        """A file of the demo's folder onto the chip's own data, where there is one."""
        file = Path(self.config["data_dir"]) / name
        if is_wanted and file.exists():
            prompt.put("/data/" + name, file.read_bytes())

    async def prepare(self):
        """Bring the chip up with the firmware on its flash."""
        await self._chip.start()
        await asyncio.to_thread(self._put)

    def start(self, is_power_return):
        """Power on; the chip itself knows why it starts."""
        self._work = asyncio.get_running_loop().create_task(self._chip.power_on())

    def cut(self):
        """Power off at this instant: no farewell."""
        self._work = asyncio.get_running_loop().create_task(self._chip.cut())

    async def stop(self):
        """Power off for good."""
        await self._chip.stop()

    @property
    def resets(self):
        """Causes of all starts, oldest first."""
        return self._chip.resets

    def is_running(self):
        """Always: the chip starts itself anew."""
        return True

    def console(self):
        """The last lines that the firmware printed."""
        return bytes(self._chip.console[-2000:]).decode(errors="replace")
