"""The whole environment record of an interpreter (docs/tracking.md, "Environment"): what is installed, where it came from, and
the digests of its archives where lock files know them. Both writers of runs use it: this client within the script, and
`mlops track` through the probe `_environment.py`, beside the command. Runs no package manager, and reads no network.
"""
import os
import sys
import sysconfig

if __package__:
    from ._conda import conda_packages, pixi_folder
    from ._installed import find_installed
    from ._lockfiles import find_locks
    from ._redact import redact
else:  # the probe is a script of this folder, which has no package
    from _conda import conda_packages, pixi_folder
    from _installed import find_installed
    from _lockfiles import find_locks
    from _redact import redact

# Tools that come with an environment and are in no lock file.
_BOOTSTRAP = frozenset(("pip", "setuptools", "wheel", "distribute", "pkg-resources"))


class Environment(object):
    """`lines`: the old lock; `record`: without `locks`; `locks`: (path relative to the project, text)."""

    def __init__(self, lines, record, locks, notes):
        self.lines = lines
        self.record = record
        self.locks = locks
        self.notes = notes


def read_environment(path, cwd, root):
    """`path`: folders of sys.path; `cwd`: where the command runs; `root`: the folder of the project, absolute."""
    distributions, notes = find_installed(path)
    root = os.path.realpath(root)
    prefix = sys.prefix
    conda = conda_packages(prefix)
    pixi = pixi_folder(prefix) if conda is not None else None
    extra = [each for each in (pixi, os.path.dirname(prefix) if _is_virtual() else None) if each]
    locks = find_locks(os.path.realpath(cwd), root, extra)
    relevant = [lock for lock in locks if lock.kind == "pixi" and pixi or _describes(lock, distributions)]
    manager = _manager(distributions, conda, pixi, relevant)
    packages = _locked(distributions, conda or [], relevant, root)
    record = {"format": 1, "manager": manager, "python": _python(), "packages": packages}
    pinned = sorted((_inside(lock.path, root) or lock.path, redact(lock.text)) for lock in relevant)
    lines = sorted((each.name + "==" + each.version for each in distributions), key=lambda line: (line.lower(), line))
    return Environment([_well_formed(line) for line in lines], record, pinned, [_well_formed(each) for each in notes])


def hashed(record):
    """Of how many packages the bytes of the archives are known by digest."""
    return sum(1 for each in record["packages"] if each.get("hashes"))


def _is_virtual():
    return sys.prefix != getattr(sys, "base_prefix", sys.prefix)


def _python():
    return {
        "version": "%d.%d.%d" % sys.version_info[:3] + ("" if sys.version_info[3] == "final" else _release_level()),
        "implementation": sys.implementation.name,
        "platform": sysconfig.get_platform(),
        "base": _well_formed(_base()),
    }


def _release_level():
    return {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info[3], "") + str(sys.version_info[4])


def _base():
    if not _is_virtual():
        return sys.executable or ""
    facts = _venv_facts()
    named = facts.get("base-executable") or facts.get("executable")
    if named:
        return named
    name = "python.exe" if os.name == "nt" else "python%d.%d" % sys.version_info[:2]
    return os.path.join(facts["home"], name) if facts.get("home") else getattr(sys, "_base_executable", "") or ""


def _venv_facts():
    facts = {}
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), "rb") as file:
            for line in file.read().decode("utf-8", "replace").splitlines():
                key, equals, value = line.partition("=")
                if equals:
                    facts[key.strip().lower()] = value.strip()
    except OSError:
        pass
    return facts


def _describes(lock, distributions):
    """Whether the file is a lock of this environment: most of the smaller of the two is in the other."""
    asked = [each for each in distributions if _from_index(each) and each.key not in _BOOTSTRAP]
    common = sum(1 for each in asked if lock.knows(each.key, each.version))
    return common > 0 and 2 * common >= min(len(asked), lock.size())


def _from_index(each):
    """Installed as an archive by a tool that says so: Debian's and conda's own packages are other bytes."""
    return not each.is_egg and each.installer not in ("", "conda", "debian") and each.linked_to is None


def _manager(distributions, conda, pixi, locks):
    if conda is not None:
        return "pixi" if pixi else "conda"
    kinds = set(lock.kind for lock in locks)
    installers = set(each.installer.split(" ")[0].lower() for each in distributions)
    if "poetry" in installers:
        return "poetry"
    if "uv" in installers or "uv" in _venv_facts():
        return "uv"
    return "poetry" if "poetry" in kinds else "uv" if "uv" in kinds else "pip"


def _locked(distributions, conda, locks, root):
    owners = {}
    entries = []
    for package in conda:
        if package.is_replaced():
            continue
        entry = {"name": package.name, "version": package.version, "from": {"kind": "conda", "url": _clean(package.url)}}
        digests = package.hashes or [lock.addresses[package.url] for lock in locks if package.url in lock.addresses][:1]
        if digests:
            entry["hashes"] = digests
        entries.append(entry)
        for metadata in package.metadata:
            owners[os.path.realpath(metadata)] = (package, entry)
    for each in distributions:
        package, entry = owners.get(os.path.realpath(each.info), (None, None))
        if entry is not None:
            # Several Python packages in one of conda have no digest together.
            digest = each.installed() if len(package.metadata) == 1 else None
            if digest:
                entry["installed"] = digest
        else:
            entries.append(_entry(each, locks, root))
    return sorted((_all_well_formed(each) for each in entries), key=lambda each: (each["name"].lower(), each["name"]))


def _entry(each, locks, root):
    entry = {"name": each.name, "version": each.version}
    hashes = []
    origin = each.direct_url()
    if origin is not None:
        entry["from"], hashes = _origin(origin, root)
    elif each.linked_to is not None:
        entry["from"] = {"kind": "editable", "url": _inside(each.linked_to, root) or "file://" + each.linked_to}
    if not hashes and origin is None and _from_index(each):
        hashes = [digest for lock in locks for digest in lock.index.get((each.key, each.version), ())]
    elif not hashes and entry.get("from", {}).get("kind") == "archive":
        hashes = [digest for lock in locks for digest in lock.elsewhere.get((each.key, each.version), ())]
    if hashes:
        entry["hashes"] = sorted(set(hashes))
    # Of an editable one RECORD names a pointer; the sources are what runs.
    installed = None if entry.get("from", {}).get("kind") == "editable" else each.installed()
    if installed:
        entry["installed"] = installed
    return entry


def _origin(origin, root):
    url = origin["url"]
    local = _local_path(url)
    place = (_inside(local, root) if local else None) or _clean(url)
    vcs, archive, folder = (_mapping(origin.get(key)) for key in ("vcs_info", "archive_info", "dir_info"))
    if vcs is not None:
        found = {"kind": "vcs", "url": _clean(url), "vcs": str(vcs.get("vcs", "")), "commit": str(vcs.get("commit_id", ""))}
    elif folder is not None or archive is None and local:
        found = {"kind": "editable" if folder and folder.get("editable") is True else "path", "url": place}
    else:
        found = {"kind": "archive", "url": place}
    if isinstance(origin.get("subdirectory"), str):
        found["subdirectory"] = origin["subdirectory"]
    hashes = []
    if archive is not None:
        several = _mapping(archive.get("hashes")) or {}
        hashes = ["%s:%s" % each for each in sorted(several.items()) if isinstance(each[1], str)]
        if not hashes and isinstance(archive.get("hash"), str):
            hashes = [archive["hash"].replace("=", ":", 1)]
    return found, hashes


def _mapping(value):
    return value if isinstance(value, dict) else None


def _local_path(url):
    if not url.startswith("file:"):
        return None
    from urllib.parse import unquote

    path = unquote(url[5:])
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def _inside(path, root):
    """Relative to the project, `.` for itself; None outside of it."""
    real = os.path.realpath(path)
    if real == root:
        return "."
    top = root.rstrip(os.sep) + os.sep
    return real[len(top):].replace(os.sep, "/") if real.startswith(top) else None


def _clean(url):
    """Without what grants access. The user of `ssh://git@host` is none, and without it there is no way back in."""
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.partition("@")
    if separator and at and scheme.split("+")[-1] == "ssh" and not set(user) & set(":/"):
        return scheme + separator + user + at + redact(scheme + separator + host)[len(scheme + separator):]
    return redact(url)


def _well_formed(text):
    return text.encode("utf-8", "replace").decode("utf-8")


def _all_well_formed(value):
    if isinstance(value, str):
        return _well_formed(value)
    if isinstance(value, list):
        return [_all_well_formed(each) for each in value]
    if isinstance(value, dict):
        return dict((key, _all_well_formed(each)) for key, each in value.items())
    return value
