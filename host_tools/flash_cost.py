"""What flash costs by the chip file: the longest call into littlefs, a turn of the loop, `device flash` as a whole.

Counts are made on the 32-bit interpreter with its own littlefs; only their times are reckoned.
"""

import subprocess
import tempfile

from host_tools import bootstrap, chip, sessions
from host_tools.device import boards, build, chips, prompt, stock_image

READSIZES = (32, 128)  # of a stock image, and of what the firmware mounts itself
OPERATIONS = 2000
FLIGHTS, SINGLE = 2, 9  # flight records, and files that there are once (littlefs_cost.py)
CALL_MS = 4000  # goal: half of what the watchdog waits with the coil off; with it on there is no call at all
OPEN_MS = 40  # goal: to open a file that is there, or ask how long it is
SESSIONS = 3
BAUD, BITS = 460_800, 10  # device flash; a byte with its start and stop bit
BLOCK_B = 65_536
LID_BLOCKS = 2  # firmware/drivers/data_layout.py, which a PC cannot import
ESPTOOL_CALLS = 4  # name the board, look at its file system, write, compare
FLASH_S = 180  # goal: from an empty chip to the first tick


def files_of(board):
    """(quarter hours, sessions, log, security): most files of each row that a box of this board has in its folder."""
    from firmware.services import ledger_start, log_store

    days = max(board["history_days"], ledger_start.LEAST_DAYS)
    quarters = -(-days * ledger_start.QUARTERS_A_DAY // ledger_start.QUARTERS_IN_FILE)
    return quarters + 1, ledger_start.SESSION_FILES + 1, *(kept for _, kept in log_store.STREAMS)


def calls(readsize, board, seed=1):
    """{"open_reads": (reads, programs, erases, bytes read), …}: the most of each kind of call into littlefs."""
    from firmware.drivers import flash_area
    from host_tools.power_cuts.wear import DATA_BYTES

    script = bootstrap.ROOT / "host_tools" / "chip_scripts" / "littlefs_cost.py"
    blocks = DATA_BYTES[board["flash_mb"]] // flash_area.SECTOR_B
    blocks -= LID_BLOCKS + next(sectors for least, sectors in flash_area.RINGS if blocks >= least)
    numbers = [str(number) for number in (readsize, blocks, *files_of(board), OPERATIONS, seed)]
    command = [*chip.interpreter(), "-X", "heapsize=32m", str(script), *numbers]
    done = subprocess.run(command, capture_output=True, text=True, cwd=script.parent)
    if done.returncode:
        raise SystemExit(f"budgets: littlefs_cost.py failed:\n{done.stdout}{done.stderr}")
    rows = [line.removeprefix("littlefs_").split(": ") for line in done.stdout.splitlines()]
    found = {name: tuple(map(int, counts.split())) for name, counts in rows if " " in counts}
    if rows[-1] != ["files", str(sum(files_of(board)) + FLIGHTS + SINGLE)]:
        raise SystemExit(f"budgets: the folder of littlefs_cost.py has {rows[-1]}")
    return found


def us_of(counts, times):
    """Time of (reads, programs, erases, bytes read) in us; times: chips.flash_times()."""
    reads, programs, erases, read_b = counts
    read_us = reads * times["read_command_us"] + read_b * times["read_us_per_kb"] // 1024
    program_us = programs * (times["program_command_us"] + times["program_page_us"])
    return read_us + program_us + erases * (times["erase_command_us"] + times["erase_sector_us"])


def longest(found, times, kinds=()):
    """(name, counts) of the call of calls() that takes most by these times; kinds: only of these."""
    names = [name for name in found if not kinds or name.partition("_")[0] in kinds]
    name = max(names, key=lambda row: us_of(found[row], times))
    return name.partition("_")[0], found[name]


def littlefs(readsize, board, times, seed):
    """Print the longest call of all, and of those that open a file that is there; whether both are within goals."""
    found, is_good = calls(readsize, board, seed), True
    for title, kinds, goal_ms in (("call", (), CALL_MS), ("open", ("open", "stat"), OPEN_MS)):
        name, counts = longest(found, times["worst"], kinds)
        words = f"{counts[0]} reads, {counts[1]} programs, {counts[2]} erases"
        low, high = (us_of(counts, times[which]) / 1000 for which in chips.WHICH)
        print(f"littlefs_{title}_reads_of_{readsize}: {words} ({name}): {low:.0f} ms typical, {high:.0f} ms at worst")
        is_good = is_good and high <= goal_ms
    return is_good


def flashing(board, which, installed, first_tick_us):
    """[(words, s)] of `device flash` with an image, from an empty chip to the first tick.

    installed: what sessions.prepared() gives. The image is as long as its partition and not pressed, so an upper bound.
    """
    facts = boards.loaded(board)
    own = chips.loaded(facts["chip"])
    times = chips.flash_times(own, which)
    image_b = stock_image.APP + stock_image.APP_BYTES
    files = build.made(board).files
    statements_b = sum(
        len(prompt.statement(data[at : at + prompt.CHUNK]))
        for data in files.values()
        for at in range(0, len(data), prompt.CHUNK)
    )
    pages = image_b // times["page_b"]
    firmware_kb = sum(map(len, files.values())) / 1024
    start = {name: chips.number(own, "start." + name, which) for name in chips.NEEDED["start"]}
    wire_s = image_b * BITS / BAUD
    erase_s = -(-image_b // BLOCK_B) * times["erase_block_us"] / 1e6
    program_s = pages * times["program_page_us"] / 1e6
    # esptool's stub takes the next block while it works on the last: 1.48 MB at this baud and 2.5 MB programmed took
    # 35 s together (idolpx/meatloaf issue 34), the wire alone takes 32 s.
    image = f"image: the longer of {wire_s:.1f} s wire and {erase_s:.1f} s erase with {program_s:.1f} s program"
    return [
        (f"{ESPTOOL_CALLS} calls of esptool begin", ESPTOOL_CALLS * start["esptool_call_us"] / 1e6),
        (image, max(wire_s, erase_s + program_s)),
        ("image compared, twice", 2 * image_b / 1024 * start["verify_us_per_kb"] / 1e6),
        ("MicroPython starts", start["rom_and_image_us"] / 1e6),
        ("firmware over the wire", statements_b / start["console_bytes_a_s"]),
        ("statements taken and answered", firmware_kb * start["statement_us_per_kb"] / 1e6),
        ("firmware into littlefs and read back", us_of(installed, times) / 1e6),
        ("hashes of it", firmware_kb * chips.number(own, "cpu.sha256_us_per_kb", which) / 1e6),
        ("start to the first tick", first_tick_us / 1e6),
    ]


def report(seed):
    """Print all of it for the reference board; True when the goals are reached."""
    facts = boards.loaded(sessions.BOARD)
    own = chips.loaded(facts["chip"])
    times = {which: chips.flash_times(own, which) for which in chips.WHICH}
    print(f"littlefs_files: {sum(files_of(facts)) + FLIGHTS + SINGLE} in the folder of a box with a full history")
    is_good = all([littlefs(readsize, facts, times, seed) for readsize in READSIZES][1:])
    with tempfile.TemporaryDirectory(prefix="ebb-box-") as folder:
        installed = sessions.prepared(folder)
        lived = sessions.lived(folder, SESSIONS, seed, "worst")
    print(f"flash_turn_coil_on: {lived['turn_us_on'] / 1000:.1f} ms at worst ({lived['worst_turn'] or 'no command'})")
    print(f"flash_turn_coil_off: {lived['turn_us_off'] / 1000:.1f} ms at worst")
    is_good = is_good and lived["turn_us_on"] <= sessions.TURN_US
    for which in chips.WHICH:
        rows = flashing(sessions.BOARD, which, installed, lived["first_tick_ms"] * 1000)
        for words, seconds in rows:
            print(f"device_flash_{which}: {seconds:.1f} s {words}")
        total_s = sum(seconds for _, seconds in rows)
        print(f"device_flash_{which}_total: {total_s:.0f} s (goal {FLASH_S} s)")
        is_good = is_good and total_s <= FLASH_S
    return is_good
