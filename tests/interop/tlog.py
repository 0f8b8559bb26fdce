"""The arithmetic of the second reader: canonical JSON, signatures, the tree, proofs, signed notes. Each piece is a published standard.

RFC 8785 (JSON), RFC 8032 (Ed25519), RFC 6962 and RFC 9162 (the tree and its proofs), C2SP signed-note, tlog-checkpoint, tlog-cosignature.
"""
import base64
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Fault(Exception):
    pass


def b64(text, length):
    data = base64.b64decode(text, validate=True)
    if len(data) != length or base64.b64encode(data).decode() != text:
        raise Fault("base64 of another length or form")
    return data


def unique(pairs):
    record = dict(pairs)
    if len(record) != len(pairs):
        raise Fault("a key stands twice")
    return record


def no_fraction(text):
    raise Fault(f"{text} is no integer")


def whole(text):
    if abs(int(text)) >= 2**53:
        raise Fault("an integer of 2^53 or more")
    return int(text)


def canonical(value, depth=0):
    """RFC 8785 for what occurs here: no fractions; keys sorted by UTF-16 code units."""
    if depth > 32:
        raise Fault("nested deeper than 32")
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(v, depth + 1)}" for k, v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def parse(data):
    """JSON with each key once and integers below 2^53 only."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_float=no_fraction, parse_int=whole,
                      parse_constant=no_fraction)


def read(data):
    """Canonical JSON, and nothing else."""
    value = parse(data)
    if canonical(value).encode() != data:
        raise Fault("not canonical JSON")
    return value


def signed(key, message, sig, context=None):
    if context:
        message = context.encode() + b"\n" + message
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    except InvalidSignature:
        return False
    return True


def without_sig(record):
    return canonical({k: v for k, v in record.items() if k != "sig"}).encode()


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """RFC 6962: the roots of complete subtrees, from the left."""

    def __init__(self):
        self.size, self.stack = 0, []

    def push(self, leaf):
        self.size += 1
        self.stack.append(leaf)
        size = self.size
        while size % 2 == 0:
            right = self.stack.pop()
            self.stack.append(node_hash(self.stack.pop(), right))
            size //= 2

    def root(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node_hash(left, root)
        return root


def included(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def extends(old, old_root, new, new_root, path):
    """RFC 9162, section 2.1.4.2: the tree of `new` leaves begins with the `old` ones."""
    if old in (0, new):
        return not path and (old == 0 or old_root == new_root)
    if old > new or not path:
        return False
    path = [old_root, *path] if old & (old - 1) == 0 else path
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


def key_id(name, algorithm, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]


def checkpoint(note, origin, key, boards=()):
    """Size and root of a signed note (C2SP signed-note, tlog-checkpoint), and the boards that cosigned it, once the ledger's signature holds."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    first, size, root = text.split("\n")[:3]
    if first != origin or not re.fullmatch(r"0|[1-9]\d*", size):
        raise Fault("a checkpoint is of another ledger or not in its form")
    held, cosigned = False, []
    for line in lines.splitlines():
        match = re.fullmatch(r"\u2014 (\S+) (\S+)", line)
        if not match:
            raise Fault("a line below a checkpoint is no signature")
        name, data = match[1], base64.b64decode(match[2], validate=True)
        if name == origin and data[:4] == key_id(origin, 1, key):
            if not signed(key, text.encode(), data[4:]):
                raise Fault("the signature of a checkpoint does not hold")
            held = True
        for board in boards:
            if data[:4] == key_id(name, 4, board):
                # C2SP tlog-cosignature: eight bytes of time, then the signature over it and the text.
                time = int.from_bytes(data[4:12], "big")
                if not signed(board, f"cosignature/v1\ntime {time}\n{text}".encode(), data[12:]):
                    raise Fault("a board's line below a checkpoint does not hold")
                cosigned.append(name)
    if not held:
        raise Fault("a checkpoint is not signed by the ledger's key")
    return int(size), b64(root, 32), cosigned
