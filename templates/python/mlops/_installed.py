"""What is installed in an environment, read off the folders that installers leave: `*.dist-info`, `*.egg-info`, egg links.

`importlib.metadata` parses every file of metadata, which takes half a second in a large environment; here only what is
recorded is read. Lock files are `_lockfiles`' business, conda's own records `_conda`'s; `_packages` puts all together.
Runs beside the training command too, so it imports the standard library alone, and nothing of the package's.
"""
import hashlib
import json
import os
import re

# What an installation writes itself: it says nothing about what was installed.
_WRITTEN_BY_INSTALLERS = frozenset((
    "RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json",
))
_LIBRARY = os.path.dirname(os.path.realpath(os.__file__))
_SITE_FOLDERS = ("site-packages", "dist-packages")


class Distribution(object):
    """One installed package, as its folder of metadata tells."""

    def __init__(self, folder, entry, name, version):
        self.name = name
        self.version = version
        self.folder = folder
        self.info = os.path.join(folder, entry)
        self.entry = entry
        self.is_egg = not entry.endswith(".dist-info")
        self.installer = _first_line(os.path.join(self.info, "INSTALLER"))
        #: Absolute path of the sources of an installation that only points to them, where no direct_url.json says so.
        self.linked_to = None

    @property
    def key(self):
        return normalized(self.name)

    def direct_url(self):
        """What PEP 610 says of where it came from; None for a package from an index."""
        try:
            with open(os.path.join(self.info, "direct_url.json"), "rb") as file:
                found = json.loads(file.read().decode("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("url"), str) else None

    def installed(self):
        """Digest of what RECORD says was installed, whoever installed it; None without RECORD, as in Debian's packages."""
        try:
            with open(os.path.join(self.info, "RECORD"), "rb") as file:
                text = file.read().decode("utf-8")
        except (OSError, ValueError):
            return None
        own = self.entry + "/"
        lines = []
        for line in text.split("\n"):
            path, comma, rest = line.rstrip("\r").rpartition(",")[0].rpartition(",")
            if path[:1] == '"':
                path = path[1:-1].replace('""', '"')
            path = path.replace("\\", "/")
            if not comma or path.endswith(".pyc") or path[:3] == "../" or path[:1] == "/" or path[1:3] == ":/":
                continue
            if path.startswith(own) and path[len(own):] in _WRITTEN_BY_INSTALLERS:
                continue
            lines.append("%s\0%s\n" % (path, rest))
        lines.sort()
        return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest() if lines else None


def normalized(name):
    """One spelling for all that name the same package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_installed(path):
    """(distributions sorted by name, notes). Of several with one name that counts which an import would find.

    `path`: the folders of `sys.path` in order.
    """
    found, notes = {}, []
    for folder in path:
        folder = folder or "."
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        here = {}
        for entry in names:
            each = _distribution(folder, entry)
            if each is not None:
                here.setdefault(each.key, []).append(each)
        for key, several in here.items():
            if len(several) > 1:
                several.sort(key=_newness)
                versions = sorted(set(each.version for each in several))
                if len(versions) > 1:
                    notes.append("%s is installed more than once in %s (%s); %s was written last" % (
                        several[-1].name, folder, ", ".join(versions), several[-1].version))
            each, known = several[-1], found.get(key)
            # What `pip install -e` leaves beside the sources says less than what it wrote into site-packages.
            if known is None or (known.is_egg and not each.is_egg and known.version == each.version):
                found[key] = each
    _follow_egg_links(found.values(), path)
    return sorted(found.values(), key=lambda each: (each.key, each.name)), notes


def _distribution(folder, entry):
    # A leading `~` is what pip leaves of a package it could not take away whole; nothing imports that.
    if entry[:1] == "~":
        return None
    if entry == "EGG-INFO":
        members = ("PKG-INFO",)
    elif entry.endswith((".dist-info", ".egg-info")):
        members = ("METADATA", "PKG-INFO", "")
    else:
        return None
    for member in members:
        name, version = _name_and_version(os.path.join(folder, entry, member) if member else os.path.join(folder, entry))
        if name and version:
            return Distribution(folder, entry, name, version)
    return None


def _name_and_version(path):
    name = version = None
    try:
        with open(path, "rb") as file:
            for raw in file:
                if not raw.strip():
                    break
                if raw[:5].lower() == b"name:":
                    name = raw[5:].strip().decode("utf-8", "replace")
                elif raw[:8].lower() == b"version:":
                    version = raw[8:].strip().decode("utf-8", "replace")
                if name and version:
                    break
    except OSError:
        pass
    return name, version


def _newness(each):
    """A package without RECORD is what a failed removal left behind."""
    try:
        written = os.stat(each.info).st_mtime
    except OSError:
        written = 0
    return (os.path.exists(os.path.join(each.info, "RECORD")), written, each.version)


def _follow_egg_links(distributions, path):
    """`setup.py develop` leaves a link in site-packages; the metadata lie beside the sources, on the path through a .pth."""
    linked = set()
    for folder in path:
        try:
            links = [entry for entry in os.listdir(folder or ".") if entry.endswith(".egg-link")]
        except OSError:
            continue
        for entry in links:
            target = _first_line(os.path.join(folder or ".", entry))
            if target:
                linked.add(os.path.realpath(target))
    for each in distributions:
        sources = os.path.realpath(each.folder)
        in_site = sources == _LIBRARY or any(part in _SITE_FOLDERS for part in sources.split(os.sep))
        if each.is_egg and (sources in linked or not in_site):
            each.linked_to = sources


def _first_line(path):
    try:
        with open(path, "rb") as file:
            return file.readline(4096).strip().decode("utf-8", "replace")
    except OSError:
        return ""
