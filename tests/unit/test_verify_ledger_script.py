"""The standalone script: short, without anything but the standard library, and right about signatures."""

from __future__ import annotations

import runpy
import secrets
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scripted import SCRIPT


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script defines."""
    return runpy.run_path(str(SCRIPT))


def test_it_can_be_read_in_one_go() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 100
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names


def test_it_judges_signatures_as_another_implementation_does(script: dict[str, Any]) -> None:
    is_signed = script["is_signed"]
    for size in (0, 1, 300):
        key, message = Ed25519PrivateKey.generate(), secrets.token_bytes(size)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert is_signed(public, message, signature)
        assert not is_signed(public, message + b"!", signature)
        assert not is_signed(Ed25519PrivateKey.generate().public_key().public_bytes_raw(), message, signature)
        for at in (0, 31, 32, 63):
            spoilt = bytearray(signature)
            spoilt[at] ^= 1
            assert not is_signed(public, message, bytes(spoilt))
        larger = int.from_bytes(signature[32:], "little") + script["L"]
        assert not is_signed(public, message, signature[:32] + larger.to_bytes(32, "little"))
        assert not is_signed(public, message, b"")
        assert not is_signed(b"\xff" * 32, message, signature)


def test_it_agrees_with_the_examples_of_the_standard(script: dict[str, Any]) -> None:
    """RFC 8032, 7.1, tests 1 and 2."""
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert script["is_signed"](public, b"", signature)
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert script["is_signed"](public, b"\x72", signature)
