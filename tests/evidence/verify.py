"""Receipts read by whoever has the bucket and the public key: DSSE by securesystemslib, in-toto by
its own bindings, and the same signatures by openssl. Each check is made once more on what was
altered, where it has to fail."""

import base64
import copy
import hashlib
import json
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

DATA = pathlib.Path(sys.argv[1])
STORE = pathlib.Path((DATA / "store").read_text().strip())
PEM = DATA / "key.pem"


def verified_by_dsse(envelope):
    keyid = envelope["signatures"][0]["keyid"]
    key = SSlibKey.from_crypto(load_pem_public_key(PEM.read_bytes()), keyid=keyid)
    try:
        Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
    except VerificationError:
        return False
    return True


def verified_by_openssl(envelope):
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (DATA / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "dgst", "-sha256", "-verify", PEM, "-signature", DATA / "signature"]
    return subprocess.run(command, input=signed, capture_output=True, check=False).returncode == 0


def altered(envelope):
    other = copy.deepcopy(envelope)
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[-3] ^= 1
    other["payload"] = base64.b64encode(bytes(payload)).decode()
    return other


def main():
    lines = (DATA / "receipts.jsonl").read_text().splitlines()
    kinds, hashes, named = [], set(), set()
    for line in lines:
        envelope = json.loads(line)
        for verified in (verified_by_dsse, verified_by_openssl):
            assert verified(envelope), f"{verified.__name__}: {line}"
            assert not verified(altered(envelope)), f"{verified.__name__} takes what was altered"
        statement = json.loads(base64.b64decode(envelope["payload"]))
        parsed = json_format.ParseDict(statement, statement_pb2.Statement())
        Statement.copy_from_pb(parsed).validate()
        (subject,) = statement["subject"]
        if subject["name"].startswith("v1/snap/"):
            record = (STORE / subject["name"]).read_bytes()
            assert hashlib.sha256(record).hexdigest() == subject["digest"]["sha256"], subject
        predicate = statement["predicate"]
        kinds.append(predicate["kind"])
        hashes.add(hashlib.sha256(line.encode() + b"\n").hexdigest())
        named.update(predicate["previous"])
    # The chain: all of them but the last are named by another, and nothing else is.
    assert len(hashes) == len(lines) and len(hashes - named) == 1 and named < hashes, (hashes, named)
    assert sorted(kinds) == ["backup", "backup", "pin", "verification"], kinds
    print(f"{len(lines)} receipts, each verified by securesystemslib, in-toto-attestation and openssl")


main()
