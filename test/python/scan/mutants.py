"""Damages pickles in thousands of ways and asks Python's own unpickler which imports it makes before it ends.

Nothing is imported or called: find_class records the name and returns a harmless stand-in. Writes m<n>.pkl and
mutants.json with the names of each.
"""
import io
import json
import pathlib
import pickle
import random
import resource
import sys
import warnings

warnings.simplefilter("ignore")
# A damaged index may ask for gigabytes.
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
rng = random.Random(7)

PIECES = [b"cos\nsystem\n", b"(S'x'\n", b"\x8c\x02os\x94", b"\x8c\x06system\x94", b"\x93", b"h\x00", b"h\x01", b"h\x02",
          b"0", b"1", b"2", b"(", b"t", b"R", b"b", b"}", b"]", b")", b"\x85", b"\x86", b"\x94", b"q\x01", b"r\x07\x00\x00\x00",
          b"p3\n", b"g3\n", b"ios\nsystem\n", b"o", b"\x81", b"\x92", b"N", b"K\x01", b"\x82\x01", b"P1\n", b"Q", b".", b"a", b"e",
          b"u", b"s", b"d", b"l", b"\x90", b"\x91", b"\x8f", b"I01\n", b"L1L\n", b"F1.5\n", b"Vos\n", b"X\x02\x00\x00\x00os",
          b"U\x06system", b"\x95\x05\x00\x00\x00\x00\x00\x00\x00", b"\x80\x04", b"\x80\x02", b"C\x02os", b"\x88", b"\x97", b"\x98"]


class Standin:
    def __new__(cls, *args, **keywords):
        return object.__new__(cls)

    def __init__(self, *args, **keywords):
        pass

    def __setstate__(self, state):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def __setitem__(self, key, value):
        pass

    def add(self, item):
        pass


def imports(data, base):
    found = set()

    class Recorder(base):
        def find_class(self, module, name):
            found.add("%s.%s" % (module, name))
            return Standin

    try:
        Recorder(io.BytesIO(data)).load()
    except (Exception, MemoryError, RecursionError):
        pass
    return found


def mutant(seeds):
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        kind = rng.random()
        if kind < 0.6:
            data[at:at] = b"".join(rng.choice(PIECES) for _ in range(rng.randint(1, 4)))
        elif kind < 0.8:
            del data[at:at + rng.randint(1, 6)]
        elif at < len(data):
            data[at] = rng.randrange(256)
    return bytes(data)


seeds = [p.read_bytes() for p in sorted(folder.glob("*.pkl")) if p.stat().st_size < 2_000]
seeds += [b"." , b"\x80\x04."] * 20
result = []
for i in range(count):
    data = mutant(seeds)
    found = imports(data, pickle.Unpickler) | imports(data, pickle._Unpickler)
    (folder / ("m%d.mutant" % i)).write_bytes(data)
    result.append(sorted(found))
(folder / "mutants.json").write_text(json.dumps(result))
