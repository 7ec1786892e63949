"""What a ROM loader can read of its chip: identity, fuses, and the flash's own id through the SPI registers."""

CHIP_IDS = {"esp32": 0, "esp32s3": 9}  # of GET_SECURITY_INFO, which the ESP32 does not know
MAC = bytes.fromhex("240ac4ebb001")
MAGIC_ADDRESS = 0x40001000
SPI_START = 1 << 18
READ_ID, READ_PARAMETERS = 0x9F, 0x5A
FLASH_MAKER, FLASH_KIND = 0xC8, 0x40
PARAMETERS_SIGNATURE = int.from_bytes(b"SFDP", "little")

# base of the SPI block, offsets of its second user register and of its first data word, bits left of an address
SPI = {"esp32": (0x3FF42000, 0x24, 0x80, 8), "esp32s3": (0x60002000, 0x20, 0x58, 0)}
MAC_WORDS = {"esp32": (0x3FF5A008, 0x3FF5A004), "esp32s3": (0x60007048, 0x60007044)}  # first two bytes, last four
IDENTITY = {
    "esp32": {
        MAGIC_ADDRESS: 0x00F01D83,
        0x3FF5A00C: 1 << 9 | 1 << 15,  # package D0WD, first bit of revision 3
        0x3FF5A014: 1 << 20,  # second bit
        0x3FF6607C: 1 << 31,  # third bit
        0x3FF5A010: 40,  # the 8 MHz clock by the fuses, and below how the crystal compares with it: 40 MHz exactly,
        0x3FF5F06C: 2560 << 7,  # so a rate asked for is the rate one gets
        0x3FF40014: 40_000_000 // 115_200,  # the UART's divider of a 40 MHz crystal
    },
    "esp32s3": {
        MAGIC_ADDRESS: 0x00000009,
        0x60007050: 2 << 18,  # revision 0.2
    },
}


class Registers:
    """The registers of one chip; unknown ones read 0 and keep what was written."""

    def __init__(self, chip, flash_bytes, mac):
        high, low = MAC_WORDS[chip]
        self._words = {**IDENTITY[chip], high: int.from_bytes(mac[:2], "big"), low: int.from_bytes(mac[2:], "big")}
        self._base, self._user2, self._data, self._address_shift = SPI[chip]
        self._flash_id = FLASH_MAKER | FLASH_KIND << 8 | (flash_bytes.bit_length() - 1) << 16

    def read(self, address):
        """One word of 32 bit."""
        return self._words.get(address, 0)

    def write(self, address, value, mask):
        """Write the bits of the mask; starting the SPI block runs its command at once."""
        self._words[address] = self.read(address) & ~mask | value & mask
        if address == self._base and value & SPI_START:
            self._words[address] &= ~SPI_START
            self._words[self._base + self._data] = self._flash_answer()

    def _flash_answer(self):
        command = self.read(self._base + self._user2) & 0xFF
        at = self.read(self._base + 4) >> self._address_shift
        if command == READ_ID:
            return self._flash_id
        if command == READ_PARAMETERS:
            return FLASH_MAKER if at else PARAMETERS_SIGNATURE
        return 0
