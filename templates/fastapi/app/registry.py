"""Reads the registry: a mounted store (docs/store-format.md of mlops), or the unpacked archive of one version. Nothing is
believed that its digest does not vouch for, and nothing is written.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Optional, Protocol

from mlops._canonical import seal

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 64 << 20
# Of an event: docs/store-format.md of mlops.
_MOST_EVENT = 64 << 10


class Unreadable(Exception):
    """The registry is not there, or not what it should be: damaged, cut short, somebody else's. It may be mended."""


@dataclass(frozen=True)
class Share:
    """A rollout: this version gets `weight` percent of the traffic. `start` numbers the rollout."""

    version: int
    manifest: str
    start: int
    seq: int
    weight: float


@dataclass(frozen=True)
class Wanted:
    """What the stage says. `seq` is the event that said it."""

    version: int
    manifest: str
    seq: int
    rollout: Optional[Share] = None


class Registry(Protocol):
    kind: str

    def moved(self) -> bool: ...
    def wanted(self) -> Wanted: ...
    def registered(self, version: int) -> Dict[str, Any]: ...
    def path_of(self, digest: str) -> Path: ...


class Store:
    """The stage of a model in a mounted store. `moved` costs two looks at file names, so it can be asked every 0.2 s."""

    kind = "store"

    def __init__(self, root: Path, model: str, stage: str):
        self.root = root
        self._model = model
        self._stage = stage
        self._log = root / "models" / model / "log"
        self._id: Optional[str] = None
        # The newest event that was read; 0 before the first.
        self._newest = 0
        # The newest one that was looked at, which may be damaged: it is read again when it is time, not at every look. None
        # before the first look.
        self._tried: Optional[int] = None

    def moved(self) -> bool:
        """Whether there is something new. @raises Unreadable when what was there has gone: a store that is not mounted"""
        if self._tried is None:
            return True
        if self._newest and not self._event_file(self._newest).exists():
            raise Unreadable(f"event {self._newest} of {self._model} is not in the store at {self.root} any more")
        return self._event_file(max(self._newest, self._tried) + 1).exists()

    def wanted(self) -> Wanted:
        self._tried = self._tried or 0
        number = self._tried = self._last_event()
        registry = _sealed(self.root / "registry.json")
        if registry.get("format") != 1:
            raise Unreadable(f"the store at {self.root} has a format that this service does not know")
        if self._id not in (None, registry["id"]):
            raise Unreadable(f"another store is mounted at {self.root}")
        event = self._event(number)
        stages = event["stages"]
        if self._stage not in stages:
            raise Unreadable(f"no version of {self._model} is in {self._stage}")
        self._id, self._newest = registry["id"], number
        entry = stages[self._stage]
        share = entry.get("rollout")
        return Wanted(
            version=int(entry["version"]),
            manifest=entry["manifest"],
            seq=int(entry["seq"]),
            rollout=share
            and Share(
                int(share["version"]), share["manifest"], int(share["start"]), int(share["seq"]), float(share["weight"])
            ),
        )

    def registered(self, version: int) -> Dict[str, Any]:
        """The event that registered a version. Reads the whole log at worst."""
        for number in range(self._last_event(), 0, -1):
            event = _sealed(self._event_file(number))
            if event["type"] == "register" and event["model"] == self._model and event["body"]["version"] == version:
                return event
        raise Unreadable(f"no event registers version {version} of {self._model}")

    def path_of(self, digest: str) -> Path:
        path = self.root / "objects" / "sha256" / digest[:2] / digest[2:]
        if path.exists():
            return path
        # A clean-up that was stopped may have put it aside; until it is removed for good it is still of the store.
        return next((self.root / "trash" / "objects").glob(f"*/{digest}"), path)

    def _event_file(self, number: int) -> Path:
        return self._log / f"{number:010d}.json"

    def _last_event(self) -> int:
        number = self._newest
        if number == 0:
            try:
                names = [name for name in os.listdir(self._log) if re.fullmatch(r"\d{10}\.json", name)]
            except OSError as error:
                raise Unreadable(
                    f"there is no log of {self._model} in the store at {self.root} ({error.strerror})"
                ) from None
            number = max((int(name[:10]) for name in names), default=0)
            if number == 0:
                raise Unreadable(f"{self._model} has no version in the store at {self.root}")
        # By name: a folder that is read while others write may leave out files.
        while self._event_file(number + 1).exists():
            number += 1
        return number

    def _event(self, number: int) -> Dict[str, Any]:
        event = _sealed(self._event_file(number))
        before = self._event_file(number - 1) if number > 1 else self.root / "registry.json"
        if (
            event["seq"] != number
            or event["model"] != self._model
            or event["prev"] != hashlib.sha256(_bytes(before, _MOST_EVENT)).hexdigest()
        ):
            raise Unreadable(f"event {number} of {self._model} does not follow from the one before it")
        return event


class Bundle:
    """One version: an archive of `mlops model export`, unpacked. It never moves."""

    kind = "bundle"

    def __init__(self, root: Path, model: str):
        self.root = root
        self._model = model
        self._read = False

    def moved(self) -> bool:
        return not self._read

    def wanted(self) -> Wanted:
        self._read = True
        path = self.root / "archive.json"
        if not path.exists():
            raise Unreadable(
                f"there is no version to serve at {self.root}: set MLOPS_STORE to a mounted store, or MLOPS_BUNDLE to a "
                "folder with the unpacked archive of mlops model export"
            )
        index = _json(_bytes(path), path)
        if index.get("format") != 1 or index.get("kind") != "mlops model version":
            raise Unreadable(f"{self.root} is no archive of a version that this service can read")
        if index["model"] != self._model:
            raise Unreadable(
                "the bundle at {} holds {}, and this service is for {}".format(self.root, index["model"], self._model)
            )
        return Wanted(version=int(index["version"]), manifest=index["manifest"], seq=0)

    def registered(self, version: int) -> Dict[str, Any]:
        path = self.root / "origin.json"
        event: Dict[str, Any] = _json(_bytes(path), path)["event"]
        if event["type"] != "register" or event["model"] != self._model or event["body"]["version"] != version:
            raise Unreadable(f"{path} does not register version {version} of {self._model}")
        return event

    def path_of(self, digest: str) -> Path:
        # The manifest is the one object that has a name of its own.
        named = self.root / "objects" / digest
        return named if named.exists() else self.root / "manifest.json"


# -- verified bytes ---------------------------------------------------------------------------------------------------


def read_object(registry: Registry, digest: str) -> bytes:
    """@raises Unreadable for bytes that are missing or not what their name says"""
    if not _DIGEST.fullmatch(digest):
        raise Unreadable(f"{digest!r} is no digest")
    data = _bytes(registry.path_of(digest))
    if hashlib.sha256(data).hexdigest() != digest:
        raise Unreadable(f"object {digest[:12]}… is damaged: its bytes are others")
    return data


def copy_object(registry: Registry, digest: str, size: int, target: Path) -> None:
    """Copies while hashing, so that the bytes that were verified are the bytes that will be loaded; and stops at their size, so
    that a file that was put there instead cannot fill the disk."""
    if not _DIGEST.fullmatch(digest):
        raise Unreadable(f"{digest!r} is no digest")
    target.parent.mkdir(parents=True, exist_ok=True)
    found, left = hashlib.sha256(), size
    try:
        source = _opened(registry.path_of(digest))
    except FileNotFoundError:
        raise Unreadable(f"object {digest[:12]}… is not in the {registry.kind}") from None
    except OSError as error:
        raise Unreadable(f"object {digest[:12]}… cannot be read ({error.strerror or error})") from None
    with source, open(target, "xb") as copy:
        while True:
            chunk = source.read(min(1 << 20, left + 1))
            left -= len(chunk)
            if left < 0 or not chunk:
                break
            found.update(chunk)
            copy.write(chunk)
    if left != 0 or found.hexdigest() != digest:
        raise Unreadable(f"object {digest[:12]}… is damaged: its bytes are others")


def check_registered(registry: Registry, version: int, digest: str) -> None:
    """Whether this number is that of these bytes: the event that moves a stage says both, and the one that registered the
    version decides. @raises Unreadable"""
    said = registry.registered(version)["body"]["manifest"]
    if said != digest:
        raise Unreadable(f"version {version} was registered as manifest {str(said)[:12]}, and the stage says {digest[:12]}")


def read_manifest(registry: Registry, digest: str) -> Dict[str, Any]:
    manifest = _json(read_object(registry, digest), registry.path_of(digest))
    for file in manifest["files"]:
        parts = file["path"].split("/")
        if not all(parts) or any(part in (".", "..") or "\\" in part or ":" in part for part in parts):
            raise Unreadable("the manifest names a file outside of its folder: {!r}".format(file["path"]))
    return manifest


def read_examples(registry: Registry, manifest: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The golden predictions; [] when none were recorded."""
    found = manifest.get("examples")
    if not found or found.get("format", "jsonl") != "jsonl":
        return []
    data = read_object(registry, found["sha256"])
    # At line feeds alone: what else separates lines somewhere may stand in the middle of a text.
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]


def read_environment(registry: Registry, version: int) -> Dict[str, Any]:
    """{"python": "3.11.7", "lock": [lines]} of the training run; {} for a version that no run made."""
    pin = registry.registered(version)["body"].get("run")
    if not pin:
        return {}
    facts: Dict[str, Any] = {}
    for record in (pin.get("run"), pin.get("end")):
        if record:
            found = _json(read_object(registry, record["sha256"]), registry.path_of(record["sha256"]))
            facts = found.get("python") or found.get("late", {}).get("python") or facts
    if not facts:
        return {}
    try:
        lock = read_object(registry, facts["lock"]["sha256"]).decode("utf-8").split("\n")
    except (KeyError, Unreadable):
        lock = []  # an archive may lack it
    return {"python": facts.get("version"), "lock": lock}


def _opened(path: Path) -> BinaryIO:
    """A regular file: no link, and nothing that waits for somebody to write. @raises OSError"""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is no regular file")
    return os.fdopen(descriptor, "rb")


def _bytes(path: Path, most: int = _MOST_BYTES) -> bytes:
    try:
        with _opened(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read ({error.strerror or error})") from None
    if len(data) > most:
        raise Unreadable(f"{path} is larger than any record")
    return data


def _json(data: bytes, path: Path) -> Dict[str, Any]:
    try:
        found = json.loads(data.decode("utf-8"))
    except ValueError:
        raise Unreadable(f"{path} is damaged: it is no JSON") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{path} is damaged: it is no record")
    return found


def _sealed(path: Path) -> Dict[str, Any]:
    """A write-once record, whose `self` is the digest of its other bytes."""
    data = _bytes(path, _MOST_EVENT)
    record = _json(data, path)
    found = dict(record)
    found.pop("self", None)
    if seal(found) != data:
        raise Unreadable(f"{path} is damaged: its digest does not match")
    return record
