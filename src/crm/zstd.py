"""How what is kept is compressed (zstd, RFC 8878); a checksum in each frame tells one that is damaged."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENDING = ".zst"
Damaged = zstd.ZstdError
WHERE = str(zstd.__file__)


def compressed(content: bytes | bytearray) -> bytes:
    """In one frame, with its length and a checksum."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def decompressed(content: bytes) -> bytes:
    """As it was before; raises Damaged where that cannot be told."""
    return zstd.decompress(content)
