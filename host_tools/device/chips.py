"""Chip files: what a chip has and how long it takes; read, checked for all that a budget needs, refused in words."""

import difflib
import json

import jsonschema

from host_tools import bootstrap

FOLDER = bootstrap.ROOT / "hardware" / "chips"
WHICH = ("typical", "worst")
# The most that a number of a section, or one of its own, may be: more is a slip of the pen or a unit confused.
MOST = {
    "memory": 64 << 20,
    "memory.heap_fill_percent": 100,
    "memory.radio_rx_buffers": 64,
    "flash": 10_000_000,
    "flash.page_b": 4096,
    "flash.sector_b": 65_536,
    "cpu": 60_000_000,
    "clock": 1 << 32,
    "analog": 100_000,
    "analog.pwm_duty_bits": 20,
    "analog.adc_bits": 16,
    "analog.adc_linear_low_uv": 3_300_000,
    "analog.adc_linear_high_uv": 3_300_000,
    "start": 120_000_000,
}

# What somebody reckons with, by section: a file that lacks one of them is no chip file.
NEEDED = {
    "memory": (
        *("region_totals_b", "region_free_b", "psram_b", "always_internal_b", "initial_heap_b", "heap_growth_rule"),
        *(
            "heap_fill_percent",
            "radio_init_b",
            "radio_rx_buffers",
            "radio_rx_buffer_b",
            "radio_active_b",
            "radio_join_b",
        ),
        *("radio_psram_extra_b", "access_point_b", "socket_b", "tls_in_b", "tls_out_b", "tls_handshake_b"),
    ),
    "flash": (
        *("read_command_us", "read_us_per_kb", "program_command_us", "program_page_us", "erase_command_us"),
        *("erase_sector_us", "erase_block_us", "page_b", "sector_b", "erase_cycles"),
    ),
    "cpu": (
        *("tick_us", "adc_read_us", "gc_us", "gc_us_per_live_kb", "import_us_per_kb", "request_us"),
        *(
            "page_us_per_kb",
            "file_us_per_kb",
            "mqtt_message_us",
            "sha256_us_per_kb",
            "tls_handshake_us",
            "rsa3072_verify_us",
        ),
    ),
    "clock": ("rtc_epoch_s", "wlan_status_rule"),
    "analog": ("pwm_hz", "pwm_duty_bits", "adc_bits", "adc_linear_low_uv", "adc_linear_high_uv"),
    "start": (
        *("rom_and_image_us", "prompt_us", "console_bytes_a_s", "esptool_call_us", "verify_us_per_kb"),
        "statement_us_per_kb",
    ),
}


class BadChip(ValueError):
    """The chip file cannot be used; the text says why, one line a reason."""


def names():
    """Names of all chips, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "schema")


def loaded(name):
    """Dict of a chip by its name. Errors: BadChip."""
    path = FOLDER / f"{name}.json"
    if "/" in name or name == "schema" or not path.exists():
        raise BadChip(f"there is no chip '{name}'; there are {', '.join(names())}.")
    try:
        chip = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadChip(f"hardware/chips/{name}.json is not JSON: {error}.") from None
    found = reasons(chip)
    if not found and chip["name"] != name:
        found = [f"the file is called {name} and the chip {chip['name']}."]
    if found:
        raise BadChip(f"the chip file hardware/chips/{name}.json is refused:\n  " + "\n  ".join(found))
    return chip


def reasons(chip):
    """List of sentences, each a reason to refuse a chip file's content; empty for a good one."""
    schema = json.loads((FOLDER / "schema.json").read_text("utf-8"))
    wrong = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(chip), key=lambda error: list(map(str, error.path))
    )
    if wrong:
        return [f"{'.'.join(map(str, error.path)) or 'the file'}: {error.message}." for error in wrong]
    return [*lacking(chip), *unknown(chip), *backwards(chip), *beyond(chip)]


def lacking(chip):
    """Sentences on values that a budget needs and the file does not have."""
    for section, rows in NEEDED.items():
        for row in rows:
            if row not in chip[section]:
                yield f"{section}.{row} is missing, and a budget reckons with it."


def unknown(chip):
    """Sentences on values that nobody reckons with: a name with a slip in it would be one."""
    for section, rows in NEEDED.items():
        for row in chip[section]:
            if row not in rows:
                near = difflib.get_close_matches(row, rows, 1)
                yield f"{section}.{row} is no value of a chip file{f'; is {near[0]} meant?' if near else '.'}"


def beyond(chip):
    """Sentences on numbers that no chip has."""
    for section in NEEDED:
        for row, value in chip[section].items():
            most = MOST.get(f"{section}.{row}", MOST[section])
            for which in ("value", *WHICH):
                numbers = value.get(which, 0)
                if type(numbers) is str:
                    continue
                greatest = max(numbers, default=0) if type(numbers) is list else numbers
                if greatest > most:
                    yield f"{section}.{row}: {which} is {greatest}, and no chip has more than {most}."


def backwards(chip):
    """Sentences on values whose worst case is better than the typical one: here each is a time."""
    for section in NEEDED:
        for row, value in chip[section].items():
            if "worst" in value and value["worst"] < value["typical"]:
                yield f"{section}.{row}: the worst value {value['worst']} is below the typical {value['typical']}."


def number(chip, path, which="worst"):
    """The value at "section.row" of a chip's dict; which: "typical" or "worst" where it has both. Errors: BadChip."""
    section, _, row = path.partition(".")
    found = chip.get(section, {}).get(row)
    if found is None:
        raise BadChip(f"the chip '{chip['name']}' has no {path} in hardware/chips/{chip['name']}.json.")
    if which not in WHICH:
        raise BadChip(f"a chip's values are {' or '.join(WHICH)}, not '{which}'.")
    return found.get("value", found.get(which))


def flash_times(chip, which="worst"):
    """Dict of the flash section for host_tools/sim/flash_time.py: {row: number}."""
    return {row: number(chip, "flash." + row, which) for row in NEEDED["flash"]}


def memory(chip):
    """Dict of the memory section for host_tools/sim/idf_memory.py: {row: number or list of numbers}."""
    return {row: number(chip, "memory." + row) for row in NEEDED["memory"]}


def estimates(chip):
    """["section.row", …] of all that is neither from a data sheet nor measured."""
    return [
        f"{section}.{row}" for section in NEEDED for row in chip[section] if chip[section][row]["kind"] == "estimate"
    ]
