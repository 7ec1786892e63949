"""The partition table against the bytes that ESP-IDF's own tests hold, and every refusal."""

import hashlib

import pytest

from host_tools.device.partitions import BadTable, packed, partition_table

GOOD = (
    ("nvs", "data", "nvs", 0x9000, 0x6000),
    ("phy_init", "data", "phy", 0xF000, 0x1000),
    ("factory", "app", "factory", 0x10000, 0x100000),
)


def test_sums_agree_with_those_of_esp_idf():
    # Rows and MD5 of components/partition_table/test_gen_esp32part_host; their places are not ours to accept.
    rows = (
        ("factory", 0, 0, 0x10000, 0x100000),
        ("data", 1, 0x20, 0x110000, 0x200),
        ("second", 0x10, 0, 0x150000, 0x1000),
    )
    assert packed(rows)[112:128].hex() == "f9bd061b45686f86571a2cd52a1da65b"
    assert packed((("first", 0x30, 0xEE, 0x100400, 0x300000),))[48:64].hex() == "43033f334087575169839b4061b12726"


def test_default_table():
    table = partition_table(GOOD)
    nvs = "aa500102 00900000 00600000 6e7673000000000000000000 00000000 00000000"
    phy = "aa500101 00f00000 00100000 7068795f696e697400000000 00000000 00000000"
    factory = "aa500000 00000100 00001000 666163746f72790000000000 00000000 00000000"
    entries = bytes.fromhex(nvs + phy + factory)
    assert table[:96] == entries
    assert table[96:112] == b"\xeb\xeb" + b"\xff" * 14 and table[112:128] == hashlib.md5(entries).digest()
    assert len(table) == 0xC00 and set(table[128:]) == {0xFF}


def test_two_slots_by_name_and_number():
    rows = (
        ("otadata", "data", "ota", 0x9000, 0x2000),
        ("a", "app", "ota_0", 0x10000, 0x1000),
        ("b", 0, 0x11, 1 << 21, 4096),
    )
    table = partition_table(rows)
    assert [table[at + 2 : at + 4].hex() for at in (0, 32, 64)] == ["0100", "0010", "0011"]


@pytest.mark.parametrize(
    ("row", "words"),
    (
        (("a", "data", "nvs", 0x10000, 0x1000), "'a' ends at 0x11000, inside 'factory'"),
        (("a", "data", "nvs", 0x10F000, 0x2000), "'factory' ends at 0x110000, inside 'a'"),
        (("a", "app", "ota_0", 0x118000, 0x1000), "multiple of 64 KiB"),
        (("a", "data", "nvs", 0x110800, 0x1000), "multiple of 4 KiB"),
        (("a", "data", "nvs", 0x110000, 0x1001), "multiple of 4 KiB above 0"),
        (("a", "data", "nvs", 0x110000, 0), "multiple of 4 KiB above 0"),
        (("a", "data", "nvs", 0x8000, 0x1000), "before 0x9000"),
        (("a", "data", "fat", 0x7F0000, 0x11000), "ends at 0x801000, beyond the flash of 8 MB"),
        (("nvs", "data", "nvs", 0x110000, 0x1000), "two partitions have the label 'nvs'"),
        (("seventeen_letters", "data", "nvs", 0x110000, 0x1000), "1 to 16 plain letters"),
        (("", "data", "nvs", 0x110000, 0x1000), "1 to 16 plain letters"),
        (("ä", "data", "nvs", 0x110000, 0x1000), "1 to 16 plain letters"),
        (("a", "date", "nvs", 0x110000, 0x1000), "the type of 'a' is 'date'"),
        (("a", "app", "nvs", 0x110000, 0x1000), "the subtype of 'a' is 'nvs'"),
        (("a", 1, 256, 0x110000, 0x1000), "the subtype of 'a' is '256'"),
        (("a", "data", "ota", 0x110000, 0x1000), "one OTA record at most, of 8 KiB"),
    ),
)
def test_refused_in_words(row, words):
    with pytest.raises(BadTable) as refused:
        partition_table((*GOOD, row))
    assert words in str(refused.value) and str(refused.value).endswith(".")


def test_refused_as_a_whole():
    with pytest.raises(BadTable):
        partition_table(())
    many = [(f"p{number}", "data", "nvs", 0x9000 + number * 4096, 4096) for number in range(95)]
    assert len(partition_table(many[:94])) == 0xC00
    with pytest.raises(BadTable, match="95 partitions are too many: the table holds 94"):
        partition_table(many)
