"""What flash commands cost by a chip file: each takes its time while the program stands still."""

SHORTEST_US = 1000  # a PC sleeps no shorter with any truth: less waits for the next command
_owed_us = [0]


def stand_still(us):
    """The program sleeps so long in real time, which the plant of a bench lives in."""
    import utime

    _owed_us[0] += us
    if _owed_us[0] >= SHORTEST_US:
        utime.sleep_us(_owed_us[0])
        _owed_us[0] = 0


class FlashTime:
    """Charges and counts the commands of every partition and of the store; runs on both interpreters."""

    def __init__(self, times, pass_us):
        """times: flash_times() of host_tools/device/chips.py; pass_us: function (us) that lets so much time pass."""
        self._times = times
        self._pass_us = pass_us
        self.reads = self.programs = self.erases = self.read_b = 0
        self.busy_us = 0

    def read(self, count):
        """One command that reads so many bytes."""
        self.reads += 1
        self.read_b += count
        self._charge(self._times["read_command_us"] + count * self._times["read_us_per_kb"] // 1024)

    def program(self, at, count):
        """As many commands as pages are touched from byte `at` on: none programs across the end of a page."""
        page_b = self._times["page_b"]
        pages = (at % page_b + count + page_b - 1) // page_b
        self.programs += pages
        self._charge(pages * (self._times["program_command_us"] + self._times["program_page_us"]))

    def erase(self):
        """One sector."""
        self.erases += 1
        self._charge(self._times["erase_command_us"] + self._times["erase_sector_us"])

    def commands(self):
        """How many there were since the start."""
        return self.reads + self.programs + self.erases

    def _charge(self, us):
        self.busy_us += us
        self._pass_us(us)
