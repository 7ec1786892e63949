"""Command `device keys`: the maker's pair of keys for updates, RSA-3072: one file to keep secret, one to build in."""

import argparse
import contextlib
import getpass
import os
import sys
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from firmware.wire import update_header

PRIVATE, PUBLIC = "update_private.pem", "update_public.pem"
BITS, EXPONENT = update_header.SIGNATURE_B * 8, 65537
LEAST_PASSPHRASE = 12


class BadKey(Exception):
    """The key cannot be used; the text is one clear line."""


def passphrase(words):
    """A passphrase from the terminal, as bytes; b"" for none."""
    return getpass.getpass(words).encode()


def pair(out, secret):
    """Write a new pair into the folder `out`; secret: bytes that seal the private key, b"" for none.

    Errors: BadKey, OSError. Never writes over a key: boxes that know only the old one could not be updated any more.
    """
    for name in (PRIVATE, PUBLIC):
        if (out / name).exists():
            raise BadKey(f"{out / name} is there already and stays: boxes in the field may know it.")
    key = rsa.generate_private_key(EXPONENT, BITS)
    seal = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    out.mkdir(parents=True, exist_ok=True)
    # Nobody else may read it, from its first byte on.
    with open(os.open(out / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    (out / PUBLIC).write_bytes(public)


def loaded(path):
    """Private key of a file, its passphrase asked for where it has one. Errors: BadKey, OSError."""
    text = Path(path).read_bytes()
    try:
        try:
            key = serialization.load_pem_private_key(text, None)
        except TypeError:  # it has a passphrase
            key = serialization.load_pem_private_key(text, passphrase("passphrase of the key: "))
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey(f"{path} is no private key, or the passphrase is wrong.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadKey(f"{path} is no RSA key.")
    modulus(key.public_key(), path)
    return key


def modulus(public, path):
    """The modulus as the box keeps it. Errors: BadKey for any key but RSA-3072 with the exponent 65537."""
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size != BITS or public.public_numbers().e != EXPONENT:
        raise BadKey(f"{path} is not a key of RSA-{BITS} with the exponent {EXPONENT}.")
    return public.public_numbers().n.to_bytes(update_header.SIGNATURE_B, "big")


def public_of(path):
    """Modulus of the file of a public key. Errors: BadKey, OSError."""
    try:
        return modulus(serialization.load_pem_public_key(Path(path).read_bytes()), path)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey(f"{path} is no public key.") from None


def asked_twice():
    """A new passphrase. Errors: BadKey."""
    secret = passphrase(f"new passphrase, {LEAST_PASSPHRASE} characters at least: ")
    if len(secret) < LEAST_PASSPHRASE:
        raise BadKey(f"a passphrase has {LEAST_PASSPHRASE} characters at least.")
    if passphrase("once more: ") != secret:
        raise BadKey("these were two different passphrases.")
    return secret


def run(argv):
    """Run the command; exit 2 when no pair was made."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device keys", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="outside the repository")
    parser.add_argument("--passphrase", action="store_true", help="ask for one that seals the private key")
    options = parser.parse_args(argv)
    try:
        pair(options.out, asked_twice() if options.passphrase else b"")
    except (BadKey, OSError) as error:
        print(f"ebb: no keys were made: {error}", file=sys.stderr)
        return 2
    with contextlib.suppress(OSError):
        mode = (options.out / PRIVATE).stat().st_mode & 0o777
        if mode & 0o077:
            print("ebb: others may read the private key: this file system keeps no modes.", file=sys.stderr)
    print(
        f"{options.out / PRIVATE}: keep it secret and safe. Who has it can write the firmware of every box that knows"
    )
    print("its public part; without it no box can be updated but over USB.")
    print(f"{options.out / PUBLIC}: builds with --sign or --update-key carry it.")
    return 0
