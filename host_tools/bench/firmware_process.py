"""The firmware in a process of its own, as the chip would run it: started, cut off, and started again."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.sim import rtc_file

CHIP_FOLDER = bootstrap.ROOT / "host_tools" / "sim" / "chip"
NAMES_FOLDER = bootstrap.ROOT / "host_tools" / "sim" / "chip_names"  # on the path where the bench answers names
SIM_FOLDER = bootstrap.ROOT / "host_tools" / "sim"
HEAP = "1m"  # the reference board has PSRAM (design: whole firmware within 320 kB live of this)


class FirmwareProcess:
    """One firmware; `config` is what its config.json says."""

    def __init__(self, config, runtime, heap=HEAP):
        """runtime: "micropython" or "cpython". Errors: chip.NoChip."""
        self.runtime = runtime
        self.config = dict(config)
        self.folder = Path(config["data_dir"])
        self.process = None
        self.starts = 0
        page = self.folder / "index.html.gz"
        page.write_bytes(gzip.compress((bootstrap.ROOT / "web" / "index.html").read_bytes(), 9, mtime=0))
        self.config.setdefault("page_path", str(page))
        self.rtc = self.folder.resolve() / "rtc.txt"  # the clock of the chip: it lives as long as the supply
        self._clock = {}
        self.config["kept_files"] = ["config.json", "console.txt", "index.html.gz", "rtc.txt"]  # the harness's own
        root = str(bootstrap.ROOT)
        if runtime == "micropython":
            compiled = str(chip.compiled(chip.firmware_sources(), "demo"))
            self.config["paths"] = [str(NAMES_FOLDER)] if "dns_at" in config else []
            self.config["paths"] += [str(CHIP_FOLDER), str(SIM_FOLDER), compiled, compiled + "/firmware", root]
            interpreter, self._clock = chip.with_own_clock(chip.interpreter(), self.rtc)
            self.config.update({"rtc_path": str(self.rtc), "is_rtc_felt": bool(self._clock)})
            self.command = [*interpreter, "-X", f"heapsize={heap}", str(CHIP_FOLDER / "start.py")]
        else:
            self.config["paths"] = [str(CHIP_FOLDER), str(SIM_FOLDER), root, root + "/firmware"]
            self.command = [sys.executable, "-S", str(CHIP_FOLDER / "start.py")]
            self.config["paths"] += [path for path in sys.path if path.endswith("site-packages")]

    def start(self, is_power_return):
        """Power on; after a restart of the firmware's own, is_power_return False, the chip's clock has gone on."""
        if is_power_return or not self.starts:
            rtc_file.power_on(self.rtc)
        self.config["is_power_return"] = is_power_return
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config))
        path.chmod(0o600)
        log = (self.folder / "console.txt").open("ab")
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **self._clock}
        env.pop("MICROPYPATH", None)
        # Its own session: Ctrl-C reaches the demo, which then stops the firmware in order.
        self.process = subprocess.Popen(
            [*self.command, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
        )
        log.close()
        self.starts += 1

    def cut(self):
        """Power off at this instant: no farewell."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def is_running(self):
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def console(self):
        """The last lines that the firmware printed."""
        path = self.folder / "console.txt"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""
