"""What one box is: /box.json on the board, which of its keys are whose, and changes that are whole or not at all."""

import contextlib
import json
import re

from firmware.drivers import board_facts
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

BOX = "/box.json"
MOST_BYTES = 4096  # firmware/starter.py reads no more of it
SECRET_ENDS = ("_password", "_secret", "_token", "_key", "_code")
IDENTITY = ("box", "ap_name")
SCALES = tuple(name for name in board_facts.FACTS if "_uv" in name)
BOX_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
FRESH = ".new"

CHIP_CODE = "import machine\nprint(''.join('%02x' % byte for byte in machine.unique_id()))"
RENAME_CODE = (
    "import os\nfor path in {paths!r}: os.rename(path + {fresh!r}, path)\nos.sync() if hasattr(os, 'sync') else 0"
)


# Where nothing but the starter ran, /data is the lid of a divided flash (firmware/drivers/data_layout.py); where the
# first start was stopped, the division is ended, which erases up to 212 sectors.
SHOWN_S = 100
SHOWN_CODE = """
try:
    from firmware.drivers import data_layout
    data_layout.shown()
except ImportError:
    pass
"""


@contextlib.contextmanager
def stopped(port, before=None):
    """A Prompt, whose board starts its firmware again at the end, whatever happened. Errors: Trouble.

    before: as for Prompt; what refuses there leaves the firmware running.
    """
    prompt = Prompt(port, before)
    try:
        prompt.run(SHOWN_CODE, SHOWN_S)
        yield prompt
    finally:
        prompt.restart()


def chip_id(prompt):
    """The chip's own number, as hex."""
    found = prompt.run(CHIP_CODE).strip()
    if not re.fullmatch(r"([0-9a-f]{2}){3,16}", found):
        raise Trouble("the board does not tell its own number.")
    return found


def is_secret(key):
    """Whether a key of /box.json or of the settings may be seen by nobody."""
    return key.endswith(SECRET_ENDS)


def is_identity(key):
    """Whether a key says which box this is, or lets somebody in: such keys only go together."""
    return key in IDENTITY or is_secret(key)


def is_calibration(key):
    """Whether a key belongs to this one piece of hardware."""
    return key.startswith("calibrat") or key in SCALES


def is_box_id(text):
    """Whether a text may be a box's id, which is also its name in the network and a level of MQTT topics."""
    return type(text) is str and BOX_ID.fullmatch(text) is not None


def parsed(content, what):
    """The object in a JSON file of the board, {} where there is no file. Errors: Trouble."""
    if content is None:
        return {}
    try:
        found = json.loads(content) if len(content) <= MOST_BYTES else None
    except ValueError:
        found = None
    if type(found) is not dict:
        raise Trouble(f"{what} on the board is not readable.")
    return found


def encoded(facts):
    """Bytes of a /box.json. Errors: Trouble where the firmware would not read all of it."""
    made = json.dumps(facts, separators=(",", ":")).encode()
    if len(made) > MOST_BYTES:
        raise Trouble(f"/box.json would have {len(made)} B and the firmware reads {MOST_BYTES} B.")
    return made


def replace(prompt, files):
    """Write files ({path: bytes}) whole beside the old ones, then put all in their place at once. Errors: Trouble."""
    for path, content in files.items():
        prompt.put(path + FRESH, content)
    prompt.run(RENAME_CODE.format(paths=tuple(files), fresh=FRESH))
    for path, content in files.items():
        if prompt.read(path) != content:
            raise Trouble(f"{path} does not read back as it was written.")


def is_text(low, high):
    """Check: plain text of so many characters."""
    return lambda value: type(value) is str and low <= len(value) <= high and all(" " <= mark <= "~" for mark in value)


def is_digest(value):
    """Check: what firmware/wire/secret.py keeps of a code."""
    return type(value) is str and re.fullmatch(r"sha256\$[0-9a-f]{32}\$[0-9a-f]{64}", value) is not None


def is_number(low, high):
    """Check: a whole number in this range."""
    return lambda value: type(value) is int and low <= value <= high


def is_switch(value):
    """Check: true or false."""
    return type(value) is bool


def is_server_list(value):
    """Check: a few addresses of name servers."""
    return type(value) is list and len(value) <= 4 and all(is_text(7, 45)(one) for one in value)


# key: (check, words); keys that are not here are the firmware's affair.
CHECKS = {
    "box": (is_box_id, "1 to 32 characters a-z, 0-9 and -"),
    "owner_password": (is_text(8, 64), "8 to 64 plain characters"),
    "installer_code": (is_digest, "a digest that device provision made"),
    "ap_name": (is_text(1, 32), "1 to 32 plain characters"),
    "ap_secret": (is_text(8, 63), "8 to 63 plain characters"),
    "web_host": (is_text(1, 64), "an address"),
    "web_port": (is_number(0, 65535), "a port"),
    "mqtt_host": (is_text(0, 64), "an address"),
    "mqtt_port": (is_number(1, 65535), "a port"),
    "mqtt_ca_path": (is_text(0, 128), "a path"),
    "dns_servers": (is_server_list, "a list of addresses"),
    "tells_log": (is_switch, "true or false"),
}


def refusal(facts):
    """Words on the first key of a /box.json that may not be so, else None."""
    for key, value in facts.items():
        check, words = CHECKS.get(key, (None, ""))
        if check is not None and not check(value):
            return f"{key} must be {words}"
    return None
