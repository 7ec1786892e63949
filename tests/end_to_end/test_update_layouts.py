"""From a slot of 64 files to one with an archive and back: each starts the other, and each is the other's way back."""

import json
import urllib.request

import pytest
from chips import RunningChip, free_port
from new_versions import is_up, one_file_each, stored, with_changes
from test_update import posted

from host_tools.device import archive, bundle, install, slot
from host_tools.device.prompt import Prompt


def prepared(folder, files):
    """Port of the page of a box whose slot a holds these files."""
    port = free_port()
    box = {"box": "garage", "owner_token": "t", "owner_password": "right", "web_host": "127.0.0.1", "web_port": port}
    with RunningChip(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps(box).encode())
    return port


def page(port):
    """The page, packed as it lies in the slot."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as found:
        assert found.headers["Content-Encoding"] == "gzip"
        return found.read()


@pytest.mark.parametrize("is_to_archive", (True, False))
def test_an_update_to_the_other_layout_starts_and_goes_back(tmp_path, made, key, is_to_archive):
    folder = tmp_path / "chip"
    apart = one_file_each(made)
    if is_to_archive:
        port, update = prepared(folder, apart), with_changes(made.files, {}, version="0.2.0")
    else:
        port, update = prepared(folder, made.files), one_file_each(made, version="0.2.0")
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        assert page(port) == made.inside[slot.PAGE]
        assert posted(port, bundle.packed(update, key))[1]["code"] == "stored"
        chip.wait(lambda: stored(folder)["slot"] == 1 | 4, "slot b is on trial", 40)
        chip.wait_runs()
        chip.wait(lambda: is_up(port), "the page of the new version answers", 40)
        assert page(port) == made.inside[slot.PAGE]
        chip.power_cut()
        chip.wait(lambda: stored(folder)["slot"] == 1 | 6, "its second start is counted", 40)
        chip.power_cut()
        chip.wait_said("slot b has not passed its trial", 40)
        chip.wait(lambda: is_up(port) and stored(folder)["slot"] == 0 | 8, "the version before runs again", 40)
        assert page(port) == made.inside[slot.PAGE]
        assert not chip.plant.is_coil_on


def test_one_byte_of_the_archive_changed_and_the_other_slot_starts(tmp_path, made):
    folder = tmp_path / "chip"
    port = prepared(folder, made.files)
    damaged = bytearray(made.files["a/" + archive.PATH])
    damaged[len(damaged) // 3] ^= 4
    other = {path.replace("a/", "b/", 1): data for path, data in made.files.items() if path.startswith("a/")}
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        with Prompt(chip.port) as prompt:
            for path, data in other.items():
                prompt.put("/" + path, data)
            prompt.put("/a/" + archive.PATH, bytes(damaged))
            prompt.restart()
        chip.wait_said("slot a is not whole; slot b is started", 40)
        assert not chip.plant.is_coil_on and not chip.plant.is_coil_enabled
        chip.wait(lambda: is_up(port), "slot b runs", 40)
