"""The maker's keys: made once and never written over, their owner's alone, and what a signed build makes of them."""

import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from host_tools.device import build, bundle, keys, slot, task

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8

BUILD = ("build", "--experimental", "--board", "compact")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Folder with a pair of keys."""
    folder = tmp_path_factory.mktemp("keys") / "made"
    assert task.run(["keys", "--out", str(folder)]) == 0
    return folder


def test_the_private_key_is_its_owners_alone_and_stays(pair, capsys):
    assert (pair / keys.PRIVATE).stat().st_mode & 0o777 == 0o600
    before = (pair / keys.PRIVATE).read_bytes(), (pair / keys.PUBLIC).read_bytes()
    assert task.run(["keys", "--out", str(pair)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is there already and stays" in said
    assert before == ((pair / keys.PRIVATE).read_bytes(), (pair / keys.PUBLIC).read_bytes())
    assert keys.modulus(keys.loaded(pair / keys.PRIVATE).public_key(), "") == keys.public_of(pair / keys.PUBLIC)


def test_openssl_agrees_with_the_signature(pair, tmp_path):
    (tmp_path / "text").write_bytes(b"head and manifest")
    (tmp_path / "signature").write_bytes(bundle.signature(keys.loaded(pair / keys.PRIVATE), b"head and manifest"))
    command = ["openssl", "dgst", "-sha256", "-verify", str(pair / keys.PUBLIC), "-signature"]
    done = subprocess.run(
        [*command, str(tmp_path / "signature"), str(tmp_path / "text")], capture_output=True, text=True
    )
    assert done.stdout == "Verified OK\n"


def test_a_passphrase_seals_it(tmp_path, monkeypatch, capsys):
    told = iter(("a long passphrase", "a long passphrase", "another one here", "a long passphrase"))
    monkeypatch.setattr(keys, "passphrase", lambda words: next(told).encode())
    assert task.run(["keys", "--out", str(tmp_path / "sealed"), "--passphrase"]) == 0
    assert b"ENCRYPTED" in (tmp_path / "sealed" / keys.PRIVATE).read_bytes()
    with pytest.raises(keys.BadKey, match="passphrase is wrong"):
        keys.loaded(tmp_path / "sealed" / keys.PRIVATE)
    assert keys.loaded(tmp_path / "sealed" / keys.PRIVATE)
    for answers in (("short", "short"), ("a long passphrase", "a longer passphrase")):
        told = iter(answers)
        assert task.run(["keys", "--out", str(tmp_path / "none"), "--passphrase"]) == 2
        assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "key",
    (
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(3, 3072),
        ec.generate_private_key(ec.SECP256R1()),
    ),
    ids=("2048 bits", "exponent 3", "no RSA"),
)
def test_other_keys_are_refused_in_one_line(tmp_path, capsys, key):
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    for option in ("--sign", "--update-key"):
        assert task.run([*BUILD, "--out", str(tmp_path / "out"), option, str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_signed_build_makes_an_update_that_its_own_boxes_take(pair, tmp_path, capsys):
    out = tmp_path / "out"
    assert task.run([*BUILD, "--out", str(out), "--sign", str(pair / keys.PRIVATE)]) == 0
    octets = (out / f"compact-{slot.version()}{bundle.SUFFIX}").read_bytes()
    print(capsys.readouterr().out)
    modulus = (out / build.TREE / "a" / slot.UPDATE_KEY).read_bytes()
    assert modulus == keys.public_of(pair / keys.PUBLIC)
    files, manifest, code = bundle.outcome(octets, modulus, "compact", ((0, 1, 0), slot.SECURITY_VERSION))
    assert code == "whole"
    on_disk = {str(path.relative_to(out / build.TREE / "a")) for path in (out / build.TREE / "a").rglob("*.*")}
    assert {*files, "manifest.json"} == on_disk
    for path, data in {**files, "manifest.json": manifest}.items():
        assert data == (out / build.TREE / "a" / path).read_bytes(), path
    assert bundle.outcome(octets, modulus, "reference", ((0, 1, 0), 0))[2] == "wrong_board"
    # PKCS#1 v1.5 takes no chance: the same files and key make the same bytes.
    of_build = {f"a/{path}": data for path, data in {**files, "manifest.json": manifest}.items()}
    assert bundle.packed(of_build, keys.loaded(pair / keys.PRIVATE)) == octets


def test_without_a_key_nothing_is_taken():
    assert bundle.outcome(b"anything", b"", "compact", ((0, 1, 0), 0))[2] == "no_key"


@pytest.mark.parametrize(
    ("version", "security", "board"), (("1.2", 1, "x"), ("1.2.70000", 1, "x"), ("1.2.3", 1, "x" * 33))
)
def test_a_head_that_cannot_be_is_refused(version, security, board):
    with pytest.raises(bundle.BadBundle):
        bundle.head(board, version, security, (1, 1))
