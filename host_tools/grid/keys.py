"""Command `grid keys`: who may sign commands (grid-contract.md, trust), and the file by which a box learns them."""

import argparse
import json
import os
import re
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from firmware.connections import ISSUERS
from firmware.wire import signed_command
from host_tools.device import box_file

PUBLIC, PRIVATE, SECRET = "-public.pem", "-private.pem", ".hmac"
BITS, EXPONENT = 3072, 65537
SECRET_B = 32
ISSUER = re.compile(r"[A-Za-z0-9._-]{1,32}")  # of the contract's names those that are file names everywhere
PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class BadKeys(ValueError):
    """The keys cannot be used; the text is one clear line."""


def put(path, octets):
    """A new file that nobody else may read, from its first byte on. Errors: BadKeys, OSError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadKeys(f"{path} is there already and stays: boxes may know it.") from None
    with open(number, "wb") as file:
        file.write(octets)


def made(out, issuer, box):
    """Write what is missing of an issuer's pair and a box's own key; names of the new files. Errors: BadKeys, OSError.

    Neither is ever written over: boxes that know only the old one would believe nobody any more.
    """
    private, public, own = out / (issuer + PRIVATE), out / (issuer + PUBLIC), out / (box + SECRET)
    if private.exists() != public.exists():
        raise BadKeys(f"of the pair of {issuer} only one half is in {out}.")
    wanted = {}
    if not private.exists():
        key = rsa.generate_private_key(EXPONENT, BITS)
        form = serialization.PrivateFormat.PKCS8
        wanted[private] = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        wanted[public] = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    if not own.exists():
        wanted[own] = secrets.token_hex(SECRET_B).encode() + b"\n"
    out.mkdir(parents=True, exist_ok=True)
    for path, octets in wanted.items():
        put(path, octets)
    return [path.name for path in wanted]


def moduli(path):
    """Moduli of the public keys in one file: two while they are changed. Errors: BadKeys, OSError."""
    found = []
    for text in PEM.findall(path.read_bytes()):
        try:
            key = serialization.load_pem_public_key(text)
        except ValueError:
            raise BadKeys(f"{path} holds no public key.") from None
        if not isinstance(key, rsa.RSAPublicKey) or key.public_numbers().e != EXPONENT:
            raise BadKeys(f"{path} holds a key that is not RSA with the exponent {EXPONENT}.")
        found.append(key.public_numbers().n.to_bytes((key.key_size + 7) // 8, "big"))
    if not found:
        raise BadKeys(f"{path} holds no public key.")
    return found


def box_file_of(folder, box):
    """Bytes of the file by which a box learns all issuers of a folder, and its own key. Errors: BadKeys, OSError."""
    folder = Path(folder)
    keys = []
    for path in sorted(folder.glob("*" + PUBLIC)):
        issuer = path.name[: -len(PUBLIC)]
        keys += [{"issuer": issuer, "modulus": modulus.hex()} for modulus in moduli(path)]
    if not keys:
        raise BadKeys(f"there is no file NAME{PUBLIC} in {folder}.")
    own = folder / (box + SECRET)
    fields = {"keys": keys, "secret": own.read_text().strip() if own.exists() else ""}
    try:
        signed_command.trust_of(fields)
    except ValueError as error:
        raise BadKeys(f"the keys in {folder} cannot be used: {error}.") from None
    return json.dumps(fields).encode()


def taught(flash, folder, box):
    """Put the keys of a folder on a virtual flash; whether it holds any: without a folder those it has stay.

    Errors: BadKeys.
    """
    path = Path(flash) / ISSUERS
    try:
        if folder:
            path.write_bytes(box_file_of(folder, box))
    except OSError as error:
        raise BadKeys(f"the keys in {folder} cannot be read: {error.strerror}.") from None
    return path.exists()


def run(argv):
    """Run the command; exit 2 when nothing was made."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools grid keys", description=__doc__)
    parser.add_argument("--issuer", required=True, metavar="NAME", help="who signs")
    parser.add_argument("--box", required=True, metavar="BOX", help="id of the box that gets a key of its own")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="outside the repository")
    options = parser.parse_args(argv)
    try:
        if not ISSUER.fullmatch(options.issuer):
            raise BadKeys("--issuer takes 1 to 32 letters, digits, dots, - and _.")
        if not box_file.is_box_id(options.box):
            raise BadKeys("--box takes 1 to 32 characters a-z, 0-9 and -, and neither begins nor ends with -.")
        names = made(options.out, options.issuer, options.box)
    except (BadKeys, OSError) as error:
        print(f"ebb: no keys were made: {error}", file=sys.stderr)
        return 2
    for name in names:
        print(f"new: {options.out / name}")
    print(f"Keep *{PRIVATE} and *{SECRET} secret. A box learns the rest by 'device issuers --keys {options.out}', and")
    print(f"the virtual one by 'demo --keys {options.out}'.")
    return 0
