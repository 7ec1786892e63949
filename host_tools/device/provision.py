"""Command `device provision`: a box of its own, with secrets of its own, and a label that says them once."""

import argparse
import contextlib
import os
import secrets
import sys
from pathlib import Path

from firmware.wire import secret as secrets_kept
from host_tools.device import asked, box_file, flash, label
from host_tools.device.esptool_call import Trouble

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like another on a label
GROUPS, GROUP = 3, 5  # 15 of 31 letters: 74 bits
MOST_SSID = 32  # IEEE 802.11
WEB = {"web_host": "0.0.0.0", "web_port": 80}


def secret():
    """15 letters nobody can guess, in groups that a person can type."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def access_point(box):
    """Name of a box's own Wi-Fi."""
    return (box if box.startswith("ebb-") else "ebb-" + box)[:MOST_SSID]


def provisioned(known, box, code):
    """/box.json of a box with this id and installer's code: new secrets, and of what is known all that is none."""
    kept = {key: value for key, value in known.items() if not box_file.is_identity(key)}
    made = {"box": box, "owner_password": secret(), "ap_name": access_point(box), "ap_secret": secret()}
    # The box never has to show this one again, so only its digest goes there.
    made["installer_code"] = secrets_kept.kept(code, secrets.token_bytes(16))
    return {**WEB, **kept, **made}


def label_facts(facts, code):
    """label.Facts of a /box.json and the installer's code."""
    port = "" if facts["web_port"] == 80 else f":{facts['web_port']}"
    address = f"http://{facts['box']}.local{port}"
    return label.Facts(facts["box"], address, facts["owner_password"], facts["ap_name"], facts["ap_secret"], code)


def known_facts(prompt, is_forced):
    """What /box.json holds already. Errors: Trouble for a box that has its secrets, unless forced."""
    try:
        known = box_file.parsed(prompt.read(box_file.BOX), box_file.BOX)
    except Trouble as trouble:
        if not is_forced:
            raise Trouble(f"{trouble} With --force it is replaced; what it held is lost.", code=2) from None
        print(f"ebb: {trouble} It is replaced, and what it held is lost.", file=sys.stderr)
        return {}
    had = sorted(key for key in known if box_file.is_secret(key))
    if had and not is_forced:
        words = f"this board is the box '{known.get('box', '')}' already, with secrets of its own"
        raise Trouble(words + ": nothing was changed (--force makes new ones).", code=2)
    if had:
        print(
            f"ebb: lost for good: {', '.join(had)} of the box '{known.get('box', '')}'. Its label is void, whoever is "
            "logged in is logged out, and a broker that knows it by that id may not know the new one.",
            file=sys.stderr,
        )
    return known


@contextlib.contextmanager
def new_file(path):
    """An open file that was not there before and that only its owner reads; gone again after an error."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Trouble(f"{path} is there already, and stays: it may be another box's label.", code=2) from None
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}.", code=2) from None
    try:
        with os.fdopen(number, "wb") as file:
            yield file
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def provision(port, box, path, is_forced, may_be_plugged=False):
    """label.Facts of the box that the board on this port has become; its label lies at the path, if any.

    Errors: Trouble.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(new_file(path)) if path else None
        prompt = stack.enter_context(box_file.stopped(port, asked.guard(may_be_plugged, "--plugged")))
        known = known_facts(prompt, is_forced)
        code = secret()
        facts = provisioned(known, box or "ebb-" + box_file.chip_id(prompt)[-6:], code)
        wrong = box_file.refusal(facts)
        if wrong:
            raise Trouble(f"/box.json on the board cannot be kept: {wrong}. Nothing was changed.", code=2)
        content = box_file.encoded(facts)
        if file is not None:  # first the label: a box whose password nobody knows is of no use
            file.write(label.drawn(label_facts(facts, code), path.suffix.lower()))
            file.flush()
            os.fsync(file.fileno())
        box_file.replace(prompt, {box_file.BOX: content})
    return label_facts(facts, code)


def check(options):
    """Refuse what cannot be, before the board is touched. Errors: Trouble."""
    if options.box is not None and not box_file.is_box_id(options.box):
        raise Trouble("--box takes 1 to 32 characters a-z, 0-9 and -, and neither begins nor ends with -.", code=2)
    if options.label is None and not options.show:
        raise Trouble("nobody would know the new password: add --label FILE, or --show to see it here.", code=2)
    if options.label is not None and options.label.suffix.lower() not in label.PAPERS:
        raise Trouble("--label takes a file whose name ends in .pdf or .png.", code=2)


def run(argv):
    """Run the command; 0 when the board has become a box of its own, 2 when nothing was begun."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device provision", description=__doc__)
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("--box", metavar="ID", help="id of the box (default: ebb- and the end of the chip's number)")
    parser.add_argument("--label", type=Path, metavar="FILE", help=f"the label to print, .pdf or .png, {label.SIZE}")
    parser.add_argument("--show", action="store_true", help="say the secrets on the terminal")
    parser.add_argument("--force", action="store_true", help="give new secrets to a box that has some")
    parser.add_argument("--plugged", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    try:
        check(options)
        port = flash.find_port(options.port)
        shown = provision(port, options.box, options.label, options.force, options.plugged)
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    print(f"box: {shown.box}\npage: {shown.address}\naccess_point: {shown.ap_name}")
    if options.show:
        print(f"owner_password: {shown.password}\nap_secret: {shown.ap_secret}")
        print(f"installer_code: {shown.installer_code} (for the installer alone; the box cannot say it again)")
    if options.label:
        print(f"label: {options.label} (it holds the secrets: print it, stick it on, delete it)")
    return 0
