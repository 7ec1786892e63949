"""Updates with an app image on a virtual chip with two app partitions: from its page to its trial's end, and back."""

import json
import shutil

import pytest
from chips import RunningChip, free_port
from new_versions import is_up, stored
from test_update import posted, told, tried

from host_tools.device import boards, build, bundle, install, slot
from host_tools.device.prompt import Prompt
from host_tools.sim import app_images, boot_loader
from host_tools.updates import trial_keys

APP_B = 1 << 20
RAISES = b"raise ValueError('a bad version')\n"


def version_of(key, version, changes=None):
    """({path: bytes} of the slot, app image) of a version; changes: {path: source} of the image's modules."""
    board = boards.loaded("reference")
    plain = slot.sources(board, slot.wheels(board))[0]
    app = plain["firmware/app.py"].replace(slot.version().encode(), version.encode())
    assert app != plain["firmware/app.py"] or version == slot.version()
    sources, frozen = slot.frozen_of(board, {**plain, "firmware/app.py": app, **(changes or {})})
    files = build.made("reference", trial_keys.modulus(key), is_frozen=True).files
    manifest = {**json.loads(files["a/manifest.json"]), "version": version, "frozen": frozen}
    return {**files, "a/manifest.json": slot.compact(manifest)}, boot_loader.image_of(sources)


@pytest.fixture(scope="module")
def new(key):
    """The next version as an update with an image."""
    return bundle.packed(*apart(version_of(key, "0.2.0"), key))


def apart(version, key):
    """Arguments of bundle.packed()."""
    return version[0], key, version[1]


@pytest.fixture(scope="module")
def installed(key, tmp_path_factory):
    """(folder of the flash of a chip with an own image and its slot, port of its page)."""
    folder, port = tmp_path_factory.mktemp("installed") / "chip", free_port()
    files, image = version_of(key, slot.version())
    boot_loader.flashed(folder, image)
    box = {
        "box": "garage",
        "owner_token": "t",
        "owner_password": "a-good-one",
        "web_host": "127.0.0.1",
        "web_port": port,
    }
    with own_image(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps(box).encode())
    return folder, port


@pytest.fixture
def flash(installed, tmp_path):
    """A copy of it."""
    shutil.copytree(installed[0], tmp_path / "chip")
    return tmp_path / "chip", installed[1]


def own_image(folder, speed=1):
    """A RunningChip with two app partitions."""
    running = RunningChip(folder, speed=speed)
    running.app_b = APP_B
    return running


def state(folder):
    """What ESP-IDF says of the image that starts next."""
    return boot_loader.ota(folder, APP_B).state()


def test_from_the_page_to_an_image_that_stays(flash, new):
    folder, port = flash
    with own_image(folder, 3) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        assert chip.chip.images == [0] and state(folder) == app_images.VALID
        status, said = posted(port, new)
        assert (status, said["code"]) == (200, "stored"), said
        assert stored(folder)["slot"] == 1 | 2 | 16 | 32 and state(folder) == app_images.NEW
        chip.wait(lambda: chip.chip.images == [0, 1], "the new image starts", 30)
        chip.wait(lambda: is_up(port), "its page answers", 40)
        assert stored(folder)["slot"] == 1 | 4 | 16 | 32 and state(folder) == app_images.PENDING
        chip.wait_said("has passed its trial", 90)
        chip.wait(lambda: stored(folder)["slot"] == 1, "the slot stays", 30)
        assert state(folder) == app_images.VALID
        chip.wait(lambda: ("update", "confirmed") in told(port), "the log tells of it", 30)
        chip.power_cut()
        chip.wait(lambda: is_up(port), "it stays", 40)
        assert chip.chip.images == [0, 1, 1] and not chip.plant.is_coil_on


def test_power_goes_on_its_trial_and_the_one_before_is_back(flash, new):
    folder, port = flash
    with own_image(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        assert posted(port, new)[1]["code"] == "stored"
        chip.wait(lambda: chip.chip.images == [0, 1], "the new image starts", 30)
        chip.wait_runs()
        chip.wait(lambda: is_up(port), "its page answers", 40)
        chip.power_cut()
        chip.wait_said("the image of slot b has not passed its trial", 40)
        chip.wait(lambda: is_up(port), "the page of the one before answers", 40)
        assert chip.chip.images == [0, 1, 0] and stored(folder)["slot"] == 0 | 8
        chip.wait(lambda: ("rolled_back", "") in told(port), "the log tells of it", 30)


def test_an_image_that_cannot_start_goes_back_and_the_car_is_charged(flash, key):
    folder, port = flash
    bad = version_of(key, "0.2.0", {"firmware/app.py": RAISES})
    with own_image(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        assert posted(port, bundle.packed(*apart(bad, key)))[1]["code"] == "stored"
        chip.wait_said("the image of slot b has not passed its trial", 60)
        assert chip.said().count("a bad version") == 1
        chip.wait(lambda: is_up(port), "the version before answers", 40)
        assert chip.chip.images == [0, 1, 0] and stored(folder)["slot"] == 0 | 8 and stored(folder)["crashes"] == 0
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "it charges as ever", 60)


def test_refusals_leave_the_image_that_runs(flash, key):
    folder, port = flash
    other = version_of(key, "0.2.0", {"firmware/more.py": b"more = 1\n"})
    third = version_of(key, "0.2.0", {"firmware/more.py": b"more = 2\n"})
    mixed = bundle.packed(third[0], key, other[1])
    # Of third: behind other's image its signature would still lie in the flash.
    unsigned = bundle.packed(third[0], key, third[1][: -app_images.SECTOR_B])
    record = (folder / boot_loader.RECORD).read_bytes()
    with own_image(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        for octets, code in ((mixed, "no_own_slot"), (unsigned, "image_refused")):
            status, said = posted(port, octets)
            assert (status, said["code"]) == (400, code) and len(said["words"]) > 15, said
        assert not stored(folder).get("slot") and chip.chip.images == [0]
    assert (folder / boot_loader.RECORD).read_bytes() == record


def test_over_the_serial_line(flash, new, tmp_path, capsys):
    folder, port = flash
    (tmp_path / "new.ebbupdate").write_bytes(new)
    with own_image(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 40)
        code, said = tried(chip, tmp_path, capsys)
        assert code == 0, said
        chip.wait(lambda: chip.chip.images == [0, 1], "the new image starts", 40)
        chip.wait(lambda: is_up(port), "its page answers", 40)
        assert stored(folder)["slot"] == 1 | 4 | 16 | 32 and state(folder) == app_images.PENDING


def test_a_stock_image_takes_none(tmp_path, key, made, new):
    folder, port = tmp_path / "chip", free_port()
    box = {
        "box": "garage",
        "owner_token": "t",
        "owner_password": "a-good-one",
        "web_host": "127.0.0.1",
        "web_port": port,
    }
    with RunningChip(folder) as chip:
        with Prompt(chip.port) as prompt:
            install.install(prompt, made.files, lambda path, number, of: None)
            prompt.put("/box.json", json.dumps(box).encode())
            prompt.restart()
        chip.wait(lambda: is_up(port), "the page answers", 40)
        before = stored(folder)
        status, said = posted(port, new)
        assert (status, said["code"]) == (400, "no_place") and "no second place for an image" in said["words"]
        assert stored(folder) == before
