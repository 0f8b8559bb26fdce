"""A second reader of a whole vault, written from docs/format.md alone (sections 1 to 6): from a person's identity and passphrase to the rows of
both databases and the files. Needs stock `age`, and the packages of requirements.txt. Reads everything into memory: it is here to be read.
"""
import base64
import hashlib
import hmac
import sqlite3
import struct
import subprocess
import tempfile
import unicodedata
import zlib
from pathlib import Path

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tlog import Fault, b64, canonical, parse, read, signed, without_sig

PAGE, RESERVE = 4096, 80
# Of each sealed column: the table of the row that its key belongs to, and the column there that names the key's slot.
SEALED = {
    "participant": {"meta": "meta_slot", "content": "content_slot"},
    "interview": {"body": "slot", "content": "content_slot"},
    "object": {"body": "interview.slot"},
    "transcript": {"outline": "interview.slot", "turns": "slot", "marks": "slot"},
    "consent": {"body": "participant.meta_slot"},
}
# Section 4: packed before they are sealed.
PACKED, MOST_UNPACKED = {("transcript", "outline"), ("transcript", "turns")}, 96 << 20


class Identity:
    """Section 1: a person's own keys."""

    def __init__(self, path, passphrase):
        whole = read(Path(path).read_bytes())
        kdf, self.card = whole["kdf"], whole["card"]
        if whole["format"] != "subrosa-identity/1" or kdf["alg"] != "argon2id":
            raise Fault("not an identity")
        if not (19_456 <= kdf["m"] <= 2_097_152 and 1 <= kdf["t"] <= 16 and 1 <= kdf["p"] <= 16):
            raise Fault("parameters of Argon2id out of bounds")
        phrase = unicodedata.normalize("NFC", passphrase).encode()
        key = Argon2id(salt=b64(kdf["salt"], 16), length=32, iterations=kdf["t"], lanes=kdf["p"], memory_cost=kdf["m"]).derive(phrase)
        aad = b"subrosa/identity/1\n" + canonical({name: whole[name] for name in ("card", "format", "kdf")}).encode()
        secret = read(xchacha(key, b64(whole["nonce"], 24), aad, base64.b64decode(whole["sealed"], validate=True)))
        self.age, self.seed = secret["age"], b64(secret["sign"], 32)
        self.sign = b64(self.card["sign"], 32)
        if not signed(self.sign, without_sig(self.card), b64(self.card["sig"], 64), "subrosa/card/1"):
            raise Fault("the signature of the card does not hold")
        self.id = hashlib.sha256(f"subrosa/person/1\n{self.card['age']}\n{self.card['sign']}".encode()).hexdigest()[:32]


class Vault:
    """What one person can open."""

    def __init__(self, folder, identity):
        self.folder, self.me = Path(folder), identity
        place = read((self.folder / "vault.json").read_bytes())
        if place["format"] != "subrosa-vault/1":
            raise Fault("not a vault")
        self.hex, self.id = place["vault"], bytes.fromhex(place["vault"])
        self.compartments = self.keyring()
        self.slots = self.keyfile(self.folder / place["keys"] / "keyfile")
        self.ledger, self.catalogue = self.database("ledger"), self.database("catalogue")

    def derive(self, key, info):
        return HKDF(SHA256(), 32, self.id, info.encode()).derive(key)

    def keyring(self):
        """Section 3: my compartments, each with its keys, newest first."""
        ring = read((self.folder / "keyring.json").read_bytes())
        wraps = {label: read(unage(self.me.age, base64.b64decode(wrap))) for label, wrap in ring["wraps"][self.me.id].items()}
        for wrap in wraps.values():
            if wrap["name"] == "ledger":
                roster = try_open(self.derive(b64(wrap["key"], 32), "subrosa/roster/1"), b"subrosa/roster/1", base64.b64decode(ring["roster"]))
                if roster:
                    break
        else:
            raise Fault("no key opens the roster")
        self.roster, self.roster_digest = read(roster), hashlib.sha256(roster).digest()
        signer = next(person for person in self.roster["people"] if person["id"] == ring["signer"])
        if not any(grant["role"] == "steward" for grant in signer["roles"]):
            raise Fault("the keyring is signed by somebody who is no steward")
        if not signed(b64(signer["sign"], 32), roster, b64(ring["sig"], 64), "subrosa/roster/1"):
            raise Fault("the signature of the keyring does not hold")
        if (self.roster["vault"], self.roster["version"]) != (ring["vault"], ring["version"]) or ring["vault"] != self.hex:
            raise Fault("the keyring is of another vault or version")
        mine = {}
        for name, facts in self.roster["compartments"].items():
            for age, commitment in enumerate([facts["commitment"], *facts["former"]]):
                wrap = wraps.pop(hashlib.sha256(commitment.encode()).hexdigest()[:16], None)
                if wrap:
                    key, generation = b64(wrap["key"], 32), facts["generation"] - age
                    if hashlib.sha256(f"subrosa/compartment/1\n{name}\n".encode() + key).digest() != b64(commitment, 32):
                        raise Fault(f"the key of {name} is not the one that was committed to")
                    if (wrap["name"], wrap["generation"]) != (name, generation):
                        raise Fault(f"a wrap of {name} says that it is another")
                    mine.setdefault(name, {})[generation] = key
        if wraps:
            raise Fault("a wrap is of no compartment on the roster")
        return mine

    def keyfile(self, path):
        """Section 4: slot → key, of the classes that I may open."""
        data = path.read_bytes()
        (length,) = struct.unpack(">I", data[8:12])
        header, records, mac = read(data[12:12 + length]), data[12 + length:-32], data[-32:]
        if data[:8] != b"SBRKEYS1" or header["format"] != "subrosa-keyfile/1" or header["vault"] != self.hex or len(records) != 64 * header["records"]:
            raise Fault("not the key file of this vault")
        for key in self.compartments["catalogue"].values():
            if hmac.compare_digest(blake3(data[:-32], key=self.derive(key, "subrosa/keyfile/mac/1")).digest(), mac):
                break
        else:
            raise Fault("the key file is damaged, or of another time than the keyring")
        sealed = read(unseal(self.derive(key, "subrosa/keyfile/outer/1"), b"subrosa/keyfile/1", base64.b64decode(header["sealed"])))
        epochs = [b64(sealed["meta"], 32)]
        for site, facts in sealed["sites"].items():
            held = self.compartments.get(f"content/{site}", {}).get(facts["generation"])
            if held:
                inner = self.derive(held, "subrosa/keyfile/inner/1")
                epochs.append(unseal(inner, f"subrosa/keyfile/1/{site}".encode(), base64.b64decode(facts["key"])))
        slots = {}
        for at in range(0, len(records), 64):
            slot, box = records[at:at + 16], records[at + 16:at + 64]
            for epoch in epochs:
                key = try_xchacha(epoch, slot + bytes(8), self.id, box)
                if key:
                    slots[slot] = key
        return slots

    def database(self, name):
        """Section 5: a SQLCipher database, as an SQLite one in memory."""
        for key in self.compartments[name].values():
            plain = unsqlcipher(self.folder / f"{name}.db", self.derive(key, f"subrosa/sqlcipher/{name}/1"))
            if plain:
                db = sqlite3.connect(":memory:")
                db.deserialize(plain)
                db.row_factory = sqlite3.Row
                return db
        raise Fault(f"no key opens {name}.db")

    def rows(self, table):
        """Section 6: every row of a table, its sealed columns opened. A column whose key I do not hold is None."""
        for row in map(dict, self.catalogue.execute(f"SELECT * FROM {table}").fetchall()):
            for column, slot in SEALED[table].items():
                owner, _, name = slot.rpartition(".")
                at = row if not owner else self.catalogue.execute(f"SELECT * FROM {owner} WHERE id = ?", (row[owner],)).fetchone()
                key = self.slots.get(at[name])
                aad = f"subrosa/row/1\n{self.hex}\n{table}\n{row['id'].hex()}\n{column}".encode()
                plain = unseal(key, aad, row[column]) if key else None
                if plain is not None and (table, column) in PACKED:
                    plain = unpack(plain)
                row[column] = parse(plain) if key else None
            yield row

    def entries(self):
        """The ledger's entries, each as its bytes."""
        return [bytes(leaf) for (leaf,) in self.ledger.execute("SELECT leaf FROM entry ORDER BY seq")]

    def object(self, row, length, digest):
        """Section 4: the file of an object, and how long it was with its padding."""
        path = self.folder / "objects" / row["id"].hex()[:2] / f"{row['id'].hex()}.age"
        if blake3(path.read_bytes()).digest() != digest:
            raise Fault("an object is not the one that was kept")
        plain = unage(bech32("age-secret-key-", self.slots[row["slot"]]).upper(), path.read_bytes())
        if len(plain) != padme(max(length, 65_536)) or any(plain[length:]):
            raise Fault("an object is not padded as it should be")
        return plain[:length], len(plain)


def xchacha(key, nonce, aad, sealed):
    """XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): HChaCha20 of the first 16 bytes of the nonce gives the key for the other 8."""
    block = Cipher(ChaCha20(key, nonce[:16]), None).encryptor().update(bytes(64))
    start = struct.unpack("<16I", b"expand 32-byte k" + key + nonce[:16])
    words = [(a - b) % 2**32 for a, b in zip(struct.unpack("<16I", block), start)]
    return ChaCha20Poly1305(struct.pack("<8I", *words[:4], *words[12:])).decrypt(bytes(4) + nonce[16:], sealed, aad)


def try_xchacha(*args):
    try:
        return xchacha(*args)
    except InvalidTag:
        return None


def unseal(key, aad, sealed):
    """Section 4, row seal."""
    if sealed[:1] != b"\1":
        raise Fault("a seal of an unknown kind")
    return xchacha(key, sealed[1:25], aad, sealed[25:])


def try_open(*args):
    try:
        return unseal(*args)
    except InvalidTag:
        return None


def unage(identity, sealed):
    """Opens an age file with the stock program."""
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(identity + "\n")
        secret.flush()
        run = subprocess.run(["age", "-d", "-i", secret.name], input=sealed, capture_output=True)
    if run.returncode != 0:
        raise Fault("age: " + run.stderr.decode("utf-8", "replace").strip())
    return run.stdout


def unpack(packed):
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflate.decompress(packed, MOST_UNPACKED)
    if not inflate.eof or inflate.unused_data:
        raise Fault("a packed column does not end as it should")
    return plain


def bech32(prefix, data):
    """BIP 173, without its bound on the length."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{byte:08b}" for byte in data)
    words = [int(bits[at:at + 5].ljust(5, "0"), 2) for at in range(0, len(bits), 5)]
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + words + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    check ^= 1
    return prefix + "1" + "".join(letters[word] for word in words + [check >> 5 * (5 - at) & 31 for at in range(6)])


def padme(length):
    exponent = length.bit_length() - 1
    step = 1 << exponent - exponent.bit_length()
    return (length + step - 1) // step * step


def unsqlcipher(path, key):
    """Section 5: the pages of a SQLCipher 4 database with a raw key, decrypted; None if the key is another one."""
    data, wal = path.read_bytes(), path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise Fault(f"{path.name} has a write-ahead log: open the vault once with the program, and close it")
    mac_key = hashlib.pbkdf2_hmac("sha512", key, bytes(byte ^ 0x3A for byte in data[:16]), 2, 32)
    plain = bytearray()
    for number, at in enumerate(range(0, len(data), PAGE), 1):
        page = data[at + (16 if number == 1 else 0):at + PAGE]
        body, iv, mac = page[:-RESERVE], page[-RESERVE:-64], page[-64:]
        if not hmac.compare_digest(hmac.digest(mac_key, body + iv + struct.pack("<I", number), "sha512"), mac):
            if number == 1:
                return None
            raise Fault(f"page {number} of {path.name} is damaged")
        opened = Cipher(AES(key), CBC(iv)).decryptor().update(body)
        plain += (b"SQLite format 3\0" if number == 1 else b"") + opened + bytes(RESERVE)
    # Not a write-ahead log, which a database in memory cannot have.
    plain[18:20] = b"\1\1"
    return bytes(plain)
