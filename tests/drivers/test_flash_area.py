"""Areas of flash under the journal: of a partition and of a file alike, and what a device refuses is an error."""

import pytest

from firmware.drivers.flash_area import SECTOR_B, FileArea, PartitionArea, found
from firmware.services.journal import Journal
from firmware.wire.journal_record import ENERGY, STATE

FIRST, SECTORS = 5, 6


class Device:
    """A block device in memory, as esp32.Partition; `refuses` is what it answers then."""

    def __init__(self):
        self.octets = bytearray(b"\xa5" * (FIRST + SECTORS) * SECTOR_B)
        self.refuses = 0

    def readblocks(self, number, buffer, offset=0):
        at = number * SECTOR_B + offset
        buffer[:] = self.octets[at : at + len(buffer)]
        return self.refuses

    def writeblocks(self, number, octets, offset=0):
        assert offset + len(octets) <= SECTOR_B
        at = number * SECTOR_B + offset
        for index, octet in enumerate(octets):
            self.octets[at + index] &= octet
        return self.refuses

    def ioctl(self, what, number):
        assert what == 6
        self.octets[number * SECTOR_B : (number + 1) * SECTOR_B] = b"\xff" * SECTOR_B
        return self.refuses


@pytest.fixture(params=("partition", "file"))
def made(request, tmp_path):
    """Function -> an area on the same flash as before, as after a restart."""
    device = Device()
    if request.param == "partition":
        yield lambda: PartitionArea(device, FIRST, SECTORS)
        assert device.octets[: FIRST * SECTOR_B] == b"\xa5" * FIRST * SECTOR_B
    else:
        yield lambda: FileArea(tmp_path / "ring", SECTORS)


def test_a_journal_lives_on_it(made):
    for round_no in range(3):
        journal = Journal(made())
        assert len(list(journal.values())) == round_no * 101
        while journal.step(True):
            pass
        for number in range(100):
            assert journal.put(ENERGY, b"%d" % number)
            while journal.step(False):
                pass
        journal.put(STATE, bytes(100))
        while journal.step(False):
            pass
        if round_no == 2:
            journal.checkpoint()
            while journal.step(True):
                pass
            assert list(Journal(made()).values()) == []


def test_bits_only_fall(made):
    area = made()
    area.erase(1)
    area.program(SECTOR_B + 64, b"\x0f")
    area.program(SECTOR_B + 64, b"\x3c")
    octet = bytearray(1)
    area.read_into(SECTOR_B + 64, octet)
    assert octet == b"\x0c"


@pytest.mark.parametrize("answer, errno", ((-5, 5), (-28, 28), (True, 5)))
def test_what_a_device_refuses_is_an_error(answer, errno):
    device = Device()
    device.refuses = answer
    area = PartitionArea(device, FIRST, SECTORS)
    for call in (lambda: area.read_into(0, bytearray(1)), lambda: area.program(0, b"a"), lambda: area.erase(0)):
        with pytest.raises(OSError) as error:
            call()
        assert error.value.args == (errno,)


def test_a_file_of_another_length_is_made_anew(tmp_path):
    (tmp_path / "journal.ring").write_bytes(b"\xff" * 5000)
    area = found({"data_dir": str(tmp_path) + "/"})
    octets = bytearray(32)
    area.read_into(0, octets)
    assert octets == bytes(32)  # and not taken for erased


def test_where_there_is_no_folder_there_is_none(tmp_path):
    assert found({"data_dir": str(tmp_path / "nowhere")}) is None
