"""A spy on the flash of the whole firmware while the coil is on; chip_scripts/quiet_flash.py is its story."""

import json
import os
import subprocess
from pathlib import Path

from host_tools import bootstrap, chip, whole_soak
from host_tools.mosquitto import free_port

HEAP, TICK_MS, FOR_S = "1m", 230, 500


class Broken(Exception):
    """The firmware ended; the text says how."""


def told(folder, seed, firmware=None):
    """{part: counts} of one run, its files under a folder. firmware: folder of another compiled one. Errors: Broken."""
    folders, folder = bootstrap.ROOT / "host_tools", Path(folder)
    page = folder / "page.gz"
    page.write_bytes(bytes(12_000))
    config = {"web_host": "127.0.0.1", "web_port": free_port(), "mqtt_host": "127.0.0.1", "mqtt_port": free_port()}
    config |= {"board_path": str(bootstrap.ROOT / "hardware" / "boards" / "reference.json"), "page_path": str(page)}
    config |= {"box": "garage", "owner_token": "soak", "owner_password": "right", "data_dir": "/flash/data"}
    config |= {"has_outside_time": True, "flash_path": str(folder / "flash"), "seed": seed, "tick_ms": TICK_MS}
    (folder / "config.json").write_text(json.dumps(config))
    path = f"{folders / 'chip_scripts'}:{folders / 'sim'}:{firmware or whole_soak.firmware()}:.frozen"
    command = [*chip.interpreter(), "-X", f"heapsize={HEAP}", str(folders / "chip_scripts" / "quiet_flash.py")]
    done = subprocess.run(
        [*command, str(folder / "config.json")],
        env={**os.environ, "MICROPYPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FOR_S,
    )
    if done.returncode:
        raise Broken("\n".join(done.stdout.split("\n")[-16:]))
    rows = [line.partition(": ") for line in done.stdout.split("\n")]
    return {name: json.loads(text) for name, _, text in rows if text.startswith("{")}
