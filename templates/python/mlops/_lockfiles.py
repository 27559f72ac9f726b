"""Lock files of package managers: where they lie, and which digests they know. Found and read; their tools are never run.

Programs write these files, in one shape each, so patterns read them: Python has no parser of TOML before 3.11 and none
of YAML. What a pattern misses leaves a package without hashes, never with wrong ones.
"""
import os
import re

_MOST_BYTES = 16 << 20
_MOST_REQUIREMENTS = 20
_HASH = re.compile(r'\bhash = "([a-z0-9]+:[0-9a-f]{32,128})"')
_SHA256 = re.compile(r'\bsha256 = "([0-9a-f]{64})"')
_NAME = re.compile(r'^name = "([^"]+)"', re.M)
_VERSION = re.compile(r'^version = "([^"]+)"', re.M)
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;]+)")
_REQUIREMENT_HASH = re.compile(r"--hash[=\s]\s*([a-z0-9]+:[0-9a-f]{32,128})")


class Lock(object):
    """One lock file. `entries`: of each (normalized name, version) the digests, apart for index and elsewhere."""

    def __init__(self, kind, path, text):
        self.kind = kind
        self.path = path
        self.text = text
        self.index = {}
        self.elsewhere = {}
        #: Of conda packages: digests by address.
        self.addresses = {}

    def add(self, name, version, hashes, from_index=True):
        known = (self.index if from_index else self.elsewhere).setdefault((_normalized(name), version), [])
        known.extend(each for each in hashes if each not in known)

    def size(self):
        return len(self.index) + len(self.elsewhere)

    def knows(self, key, version):
        return (key, version) in self.index or (key, version) in self.elsewhere


def find_locks(cwd, root, extra):
    """Of each kind the nearest lock file upwards from `cwd`, or in the folders `extra`; requirements only with hashes.

    The search ends at the top of the repository, else of the project, whose folder is `root`.
    """
    locks = []
    folders = _upwards(cwd, root)
    for kind, name, read in (
        ("uv", "uv.lock", _read_uv), ("poetry", "poetry.lock", _read_poetry), ("pixi", "pixi.lock", _read_pixi),
        ("pip", "pylock.toml", _read_pylock),
    ):
        for folder in folders + [each for each in extra if each not in folders]:
            text = _text(os.path.join(folder, name))
            if text is not None:
                lock = Lock(kind, os.path.join(folder, name), text)
                read(lock)
                locks.append(lock)
                break
    for folder in folders:
        found = _requirements(folder)
        if found:
            return locks + found
    return locks


def _upwards(cwd, root):
    folders, here = [], os.path.abspath(cwd)
    home = os.path.expanduser("~")
    inside = here == root or here.startswith(root.rstrip(os.sep) + os.sep)
    passed_root = False
    while True:
        if here == home and folders and (passed_root or not inside):
            break
        folders.append(here)
        passed_root = passed_root or here == root
        above = os.path.dirname(here)
        if above == here or os.path.exists(os.path.join(here, ".git")) or len(folders) > 20:
            return folders
        here = above
    return folders


def _text(path):
    try:
        if os.stat(path).st_size > _MOST_BYTES:
            return None
        with open(path, "rb") as file:
            return file.read().decode("utf-8")
    except (OSError, ValueError):
        return None


def _normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _blocks(text, header):
    return re.split(r"^%s[ \t]*\r?$" % re.escape(header), text, flags=re.M)[1:]


def _named(block):
    name, version = _NAME.search(block), _VERSION.search(block)
    return (name.group(1), version.group(1)) if name and version else None


def _read_uv(lock):
    for block in _blocks(lock.text, "[[package]]"):
        named = _named(block)
        if named:
            from_index = re.search(r"^source = \{ registry = ", block, re.M) is not None
            lock.add(named[0], named[1], _HASH.findall(block), from_index)


def _read_poetry(lock):
    body, _, tail = lock.text.replace("\r\n", "\n").partition("\n[metadata]\n")
    versions = {}
    for block in _blocks(body, "[[package]]"):
        named = _named(block)
        if named:
            source = re.search(r'^\[package\.source\]\s+type = "([a-z]+)"', block, re.M)
            from_index = source is None or source.group(1) == "legacy"
            lock.add(named[0], named[1], _HASH.findall(block.split("\n[package.")[0]), from_index)
            versions.setdefault(_normalized(named[0]), []).append((named[1], from_index))
    # Poetry before 1.3 kept the digests of all packages in one table at the end.
    files = tail.partition("\n[metadata.files]\n")[2]
    for found in re.finditer(r'^"?([A-Za-z0-9._-]+)"? = \[(.*?)\]$', files, re.M | re.S):
        several = versions.get(_normalized(found.group(1)), [])
        if len(several) == 1:
            lock.add(found.group(1), several[0][0], _HASH.findall(found.group(2)), several[0][1])


def _read_pylock(lock):
    for block in _blocks(lock.text, "[[packages]]"):
        named = _named(block)
        if named:
            elsewhere = re.search(r"^(?:\[packages\.)?(?:vcs|directory|archive)\b", block, re.M) is not None
            lock.add(named[0], named[1], ["sha256:" + each for each in _SHA256.findall(block)], not elsewhere)


def _read_pixi(lock):
    packages = re.split(r"^packages:[ \t]*\r?$", lock.text, flags=re.M)
    for item in re.split(r"^- ", packages[-1], flags=re.M)[1:] if len(packages) > 1 else []:
        fields = {}
        for line in item.split("\n"):
            found = re.match(r"(?:  )?([a-z0-9_]+): *['\"]?([^'\"\r]*)['\"]?\r?$", line)
            if found:
                fields.setdefault(found.group(1), found.group(2))
        kind = fields.get("kind") or ("pypi" if "pypi" in fields else "conda")
        address = fields.get(kind) or fields.get("url") or ""
        if not re.match(r"[0-9a-f]{64}$", fields.get("sha256", "")):
            continue
        digest = "sha256:" + fields["sha256"]
        if kind == "conda":
            lock.addresses[address] = digest
        elif "name" in fields and "version" in fields:
            lock.add(fields["name"], fields["version"], [digest], address.startswith(("http:", "https:")))


def _requirements(folder):
    """Files of requirements that pin with hashes, as pip-compile, `uv export` and `poetry export` write them."""
    locks = []
    for inner in (folder, os.path.join(folder, "requirements")):
        try:
            names = sorted(os.listdir(inner))
        except OSError:
            continue
        for name in names:
            if not name.endswith(".txt") or (inner == folder and not name.startswith("requirements")):
                continue
            text = _text(os.path.join(inner, name)) if len(locks) < _MOST_REQUIREMENTS else None
            if text is None or "--hash" not in text:
                continue
            lock = Lock("pip", os.path.join(inner, name), text)
            for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
                pinned = _PINNED.match(line)
                if pinned:
                    lock.add(pinned.group(1), pinned.group(2), _REQUIREMENT_HASH.findall(line))
            if lock.index:
                locks.append(lock)
    return locks
