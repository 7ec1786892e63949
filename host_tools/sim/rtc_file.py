"""The file behind the clock of a virtual chip: seconds from the PC's clock to the chip's (sim/chip/chip_rtc.py)."""

import time

UNTIL_2000_S = 946_684_800


def power_on(path):
    """The supply comes: the chip's clock begins at 2000-01-01 00:00.

    ESP-IDF's system time is zero after power-on and goes on over other resets, its origin being kept in registers of
    the RTC (esp_libc, esp_time_impl.c); MicroPython counts it from 2000 (ports/esp32/machine_rtc.c; the same for
    certificates: platform_mbedtls_time in main.c).
    """
    path.write_text(f"{UNTIL_2000_S - time.time():+020.3f}\n")


def wall_s(path):
    """What the chip's clock tells now, in UTC seconds since 1970; exact for a chip in real time."""
    return time.time() + float(path.read_text())
