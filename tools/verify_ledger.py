"""Verifies an exported Genjin ledger, and what was signed about it, with nothing but Python's standard library.

python verify_ledger.py EXPORT.jsonl[.gz] [PUBLIC_KEY_FILE CHECKPOINT_FILE_OR_FOLDER...]     (see docs/audit.md)
"""

import base64
import gzip
import hashlib
import json
import pathlib
import struct
import sys
import uuid

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # of RFC 8032: the field, the order of the group
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)


def point(data):  # the point of the curve that 32 bytes stand for
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if len(data) != 32 or y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    return (x if x & 1 == sign else P - x), y


def add(p, q):
    (x, y), (u, v) = p, q
    t = D * x * u * y * v % P
    inverse = pow(1 - t * t, -1, P)
    return (x * v + y * u) * (1 - t) * inverse % P, (y * v + x * u) * (1 + t) * inverse % P


def times(number, p):
    rest = times(number // 2, add(p, p)) if number > 1 else (0, 1)
    return add(rest, p) if number % 2 else rest


def is_signed(key, message, signature):  # Ed25519, that is [s]B = R + [k]A
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    try:
        return s < L and times(s, base) == add(point(signature[:32]), times(k, point(key)))
    except (ValueError, IndexError):
        return False


def chain_after(link, row):  # SHA-256 of the chain before and of all columns, each after its length (-1 for none)
    numbers = row["position"], row["originator_version"], row["recorded_at"] - 946_684_800_000_000  # from 1970 to 2000
    position, version, time = (struct.pack("!q", each) for each in numbers)
    originator, customer = (row[name] and uuid.UUID(row[name]).bytes for name in ("originator_id", "customer_id"))
    columns = (position, originator, version, row["topic"].encode(), time, customer, base64.b64decode(row["state"]))
    sized = (struct.pack("!i", -1) if each is None else struct.pack("!i", len(each)) + each for each in columns)
    return hashlib.sha256(link + b"".join(sized)).digest()


def verify_chain(lines, link, wanted):  # the last sound position, the hashes that are wanted, and the fault after it
    position, latest, chains = 0, 0, {0: link.hex()}
    for row in map(json.loads, lines):
        link = chain_after(link, row)
        if row["position"] != position + 1 or link.hex() != row["chain"]:
            return position, chains, "missing" if row["position"] > position + 1 else "changed"
        if row["recorded_at"] < latest:
            return position, chains, "time-goes-back"
        position, latest = row["position"], row["recorded_at"]
        chains |= {position: link.hex()} if position in wanted else {}
    return position, chains, None


def faults(statements, keys, ledger_id, head, chains):  # of every file, the newest first: a restoration cuts older ones
    cut = sys.maxsize
    for file, said in sorted(statements, key=lambda each: each[1]["signed_at"], reverse=True):
        signature, position = base64.b64decode(said.pop("signature")), said["position"]
        signed = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        if not is_signed(base64.b64decode(said["key"]), signed, signature):
            yield f"{file}: bad-signature"
        elif said["key"] not in keys or said["ledger_id"] != str(ledger_id):
            yield f"{file}: {'other-ledger' if said['key'] in keys else 'other-key'}"
        elif position <= cut:
            cut = position if said["kind"] == "restored" else cut
            if chains.get(position) != said["chain"]:
                yield f"{file}: " + ("rewritten" if position <= head else f"cut-off, first missing: {head + 1}")


if __name__ == "__main__":
    export, *others = map(pathlib.Path, sys.argv[1:])
    files = [file for each in others[1:] for file in (each.glob("*.json") if each.is_dir() else [each])]
    statements = [(file, json.loads(file.read_text())) for file in files]
    with gzip.open(export) if export.suffix == ".gz" else export.open("rb") as lines:
        header, wanted = json.loads(next(lines)), {said["position"] for _, said in statements}
        ledger_id = uuid.UUID(header["ledger_id"])
        head, chains, fault = verify_chain(lines, ledger_id.bytes, wanted)
    fault = fault or (None if header["events"] == head else "missing")
    keys = others[0].read_text().split() if others else []
    wrong = [f"position {head + 1}: {fault}"] if fault else list(faults(statements, keys, ledger_id, head, chains))
    sys.exit("\n".join(wrong) or print(f"{head} events and {len(statements)} signed statements hold."))
