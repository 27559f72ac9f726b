"""Which version answers: a thread that follows the registry, loads what the stage says, and takes it only when it is
verified, fits the contract and gives its golden predictions. On any trouble the last good version goes on answering.

    python -m app.following --check     loads and checks what would be served, and says so in one line (exit code 0 or 1)
"""
from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from pydantic import ValidationError

from .predictor import Incompatible, Predict, Row, environment_differs, golden_differs, load
from .registry import (
    Bundle, Registry, Share, Store, Unreadable, Wanted, copy_object, read_environment, read_examples, read_manifest, read_object,
)
from .schema import Features
from .settings import CONTRACT, FACTS, Contract, Settings, read_settings

log = logging.getLogger("uvicorn.error")
_HINT_SECONDS = 5
_RETRY_SECONDS = 2
STATES = ("starting", "serving", "keeping", "draining")
_STABLE, _ROLLOUT = "stable", "rollout"


@dataclass(frozen=True)
class Served:
    """A version that may answer."""

    version: int
    manifest: str
    predict: Predict
    folder: str
    golden: int


@dataclass(frozen=True)
class Route:
    """Replaced as a whole: a request sees one route or the next, never half of each."""

    stable: Served
    rollout: Optional[Served] = None
    share: Optional[Share] = None

    def choose(self, key: str) -> Tuple[Served, Optional[str]]:
        """The version for this key, the same every time: a share that grows keeps those whom it has. The second is the
        variant, None when there is no rollout."""
        if self.rollout is None or self.share is None:
            return self.stable, None
        place = int.from_bytes(hashlib.sha256(("%s:%d" % (key, self.share.start)).encode("utf-8", "replace")).digest()[:6], "big")
        return (self.rollout, _ROLLOUT) if place * 100 < self.share.weight * (1 << 48) else (self.stable, _STABLE)


class Follower:
    def __init__(self, settings: Settings, contract: Contract):
        self.settings = settings
        self.contract = contract
        self.registry = open_registry(settings, contract)
        self.route: Optional[Route] = None
        self.wanted: Optional[Wanted] = None
        self.why: Optional[str] = None
        self.draining = False
        self.failures = 0
        self.on_change: Callable[[Route], None] = lambda route: None
        self.started = _now()
        self._loaded: Dict[str, Served] = {}
        # What cannot be served, by manifest: nobody needs to try again what no time will mend.
        self._refused: Dict[str, str] = {}
        self._retry_at: Optional[float] = None
        self._hint: Optional[bytes] = None
        self._hint_at = 0.0
        self._hint_failed = False
        self._stop = threading.Event()
        # Two, so that the hint says that this service lives also while a large version is loaded.
        self._threads = [
            threading.Thread(target=self._often, args=(step,), name=name, daemon=True)
            for name, step in (("follow", self.look), ("hint", self._leave_hint))
        ]

    @property
    def state(self) -> str:
        if self.draining:
            return "draining"
        if self.route is None:
            return "starting"
        return "serving" if self.reason is None else "keeping"

    @property
    def reason(self) -> Optional[str]:
        """Why something else answers than the stage wants, in one line; None when all is as it should be."""
        wanted, route = self.wanted, self.route
        if self.why is None and wanted and route and wanted.manifest != route.stable.manifest:
            return "version %d is loading" % wanted.version
        return self.why

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)
        self._take_hint_away()
        for served in self._loaded.values():
            shutil.rmtree(served.folder, ignore_errors=True)

    def _often(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            step()
            self._stop.wait(self.settings.follow)

    # -- from the stage to a route ------------------------------------------------------------------------------------

    def look(self) -> None:
        """One look at the registry. Never raises: a service that answers goes on answering."""
        try:
            retry = self._retry_at is not None and time.monotonic() >= self._retry_at
            if not self.registry.moved() and not retry:
                return
            self.wanted = self.registry.wanted()
            why = self._take(self.wanted)
            self._retry_at = None
            self._say(why)
        except Exception as error:
            # Whatever went wrong may be mended: bytes restored, a disk mounted again.
            self.failures += 1
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._say(_one_line(error))

    def _take(self, wanted: Wanted) -> Optional[str]:
        """Makes the route. Returns what could not be taken, in one line."""
        why: List[str] = []
        stable = self._serve(wanted.version, wanted.manifest, why)
        share = wanted.rollout
        rollout = self._serve(share.version, share.manifest, why) if share is not None else None
        before = self.route
        if stable is None and before is None:
            return why[0]
        if stable is None and before is not None:
            # The last good version goes on, without a share for anybody: what it would be a share of is not here.
            stable, rollout, share = before.stable, None, None
        if stable is not None:
            route = Route(stable, rollout, share if rollout is not None else None)
            if route != before:
                self.route = route
                self.on_change(route)
                self._let_go(route, before)
        return why[0] if why else None

    def _serve(self, version: int, manifest: str, why: List[str]) -> Optional[Served]:
        known = self._loaded.get(manifest)
        if known is not None:
            if known.version == version:
                return known
            return Served(version, manifest, known.predict, known.folder, known.golden)
        if manifest not in self._refused:
            try:
                served = self._loaded[manifest] = load_version(self.registry, self.contract, version, manifest, self.settings.max_batch)
                settle_collector()
                return served
            except Incompatible as error:
                self.failures += 1
                self._refused[manifest] = "version %d is kept out: %s" % (version, error)
        why.append(self._refused[manifest])
        return None

    def _let_go(self, route: Route, before: Optional[Route]) -> None:
        """Keeps what answers and what answered last, so that going back is immediate."""
        kept = {served.manifest for each in (route, before) if each for served in (each.stable, each.rollout) if served}
        for manifest in [each for each in self._loaded if each not in kept]:
            shutil.rmtree(self._loaded.pop(manifest).folder, ignore_errors=True)
            gc.unfreeze()  # else what it leaves behind would never be collected

    def _say(self, why: Optional[str]) -> None:
        if why is not None and why != self.why:
            kept = "nothing answers yet" if self.route is None else "version %d goes on answering" % self.route.stable.version
            log.error("%s: %s; %s", self.contract.model, why, kept)
        self.why = why

    # -- the serving hint: what mlops status, promote and rollback read (docs/store-format.md, section 4) --------------

    def hint(self) -> Dict[str, Any]:
        wanted, route = self.wanted, self.route
        share = route.share if route else None
        return {
            "v": 1, "instance": self.settings.instance, "model": self.contract.model, "stage": self.settings.stage,
            "wanted": wanted and {"version": wanted.version, "manifest": wanted.manifest, "seq": wanted.seq},
            "serving": route and {"version": route.stable.version, "manifest": route.stable.manifest},
            "rollout": share and {"version": share.version, "manifest": share.manifest, "seq": share.seq, "weight": share.weight},
            "state": self.state, "why": self.reason, "host": socket.gethostname(), "pid": os.getpid(), "started": self.started,
        }

    def _leave_hint(self) -> None:
        if not isinstance(self.registry, Store):
            return
        content = json.dumps(self.hint()).encode("utf-8")
        if content == self._hint and time.monotonic() - self._hint_at < _HINT_SECONDS:
            return
        path = self._hint_path()
        try:
            _make_folder(path.parent)
            temporary = path.with_name(".%s.%s" % (path.name, os.urandom(4).hex()))
            temporary.write_bytes(content[:-1] + (', "time": "%s"}\n' % _now()).encode("utf-8"))
            os.replace(temporary, path)
            self._hint_failed = False
        except OSError as error:
            if not self._hint_failed:
                log.warning("mlops status cannot see this service: %s", _one_line(error))
            self._hint_failed = True
        # Also after a failure: a store that is mounted read-only is not tried five times a second.
        self._hint, self._hint_at = content, time.monotonic()

    def _take_hint_away(self) -> None:
        if isinstance(self.registry, Store):
            try:
                self._hint_path().unlink()
            except OSError:
                pass

    def _hint_path(self) -> Path:
        return self.registry.root / "models" / self.contract.model / "serving" / (self.settings.instance + ".json")  # type: ignore[attr-defined]


# -- loading one version ----------------------------------------------------------------------------------------------


def open_registry(settings: Settings, contract: Contract) -> Registry:
    if settings.store is not None:
        return Store(settings.store, contract.model, settings.stage)
    if settings.bundle is None:
        raise Unreadable("set MLOPS_STORE to a mounted store, or MLOPS_BUNDLE to an unpacked archive of mlops model export")
    return Bundle(settings.bundle, contract.model)


def load_version(registry: Registry, contract: Contract, version: int, digest: str, max_batch: int) -> Served:
    """@raises Incompatible, Unreadable, and what libraries raise"""
    manifest = read_manifest(registry, digest)
    environment = read_environment(registry, version)
    examples = read_examples(registry, manifest)
    differs = environment_differs(contract.flavour, environment.get("python"), environment.get("lock", []))
    if differs is None and digest != contract.made_from:
        differs = contract_differs(registry, contract, manifest, examples)
    if differs is not None:
        raise Incompatible(differs)
    # Private: nobody else may change a file between its check and its use.
    folder = tempfile.mkdtemp(prefix="mlops-%s-%d-" % (contract.model, version))
    try:
        for file in manifest["files"]:
            copy_object(registry, file["sha256"], Path(folder) / file["path"])
        predict = load(Path(folder), artifact_of(contract, manifest), contract)
        golden = check_golden(predict, examples, contract, max_batch)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Served(version, digest, predict, folder, golden)


def artifact_of(contract: Contract, manifest: Dict[str, Any]) -> str:
    """The file to load: of the name that the contract says, else the only one of its kind."""
    paths = [file["path"] for file in manifest["files"]]
    if contract.artifact in paths:
        return contract.artifact
    alike = [path for path in paths if Path(path).suffix == Path(contract.artifact).suffix]
    if len(alike) != 1:
        raise Incompatible("it has no file %s, and %d others ending in %s" % (contract.artifact, len(alike), Path(contract.artifact).suffix))
    return alike[0]


_PROFILE_TYPES = {
    "numeric": ("integer", "number", "boolean"), "categorical": ("string", "boolean", "integer", "number"),
    "timestamp": ("datetime", "string"), "text": ("string",),
}


def contract_differs(registry: Registry, contract: Contract, manifest: Dict[str, Any], examples: List[Dict[str, Any]]) -> Optional[str]:
    """How the columns that it was trained on differ from what this service takes; None when they fit or none are recorded."""
    baseline = manifest.get("baseline")
    columns = json.loads(read_object(registry, baseline["profile"]))["columns"] if baseline else []
    answers = (manifest.get("target"), manifest.get("prediction"))
    if examples:
        wanted = {name for example in examples for name in example["features"]}
    else:
        wanted = {each["name"] for each in columns if each.get("role") == "feature" and each["type"] not in ("id", "ignore")}.difference(answers)
    if not wanted:
        return None
    known = {feature["name"]: feature for feature in contract.features}
    gone = [name for name in known if name not in wanted and not (examples and name in contract.drop)]
    new = sorted(wanted.difference(known))
    if gone or new:
        parts = [("it wants " + ", ".join(new[:5])) if new else "", ("it does not know " + ", ".join(gone[:5])) if gone else ""]
        return "another contract: %s" % " and ".join(part for part in parts if part)
    for column in columns:
        feature, kind = known.get(column["name"]), column["type"]
        if feature and feature["type"] not in _PROFILE_TYPES.get(kind, (feature["type"],)):
            return "another contract: %s is %s there, and %s here" % (column["name"], kind, feature["type"])
    return None


def check_golden(predict: Predict, examples: List[Dict[str, Any]], contract: Contract, max_batch: int) -> int:
    """Runs the golden predictions, which warms the model up too. Returns how many there were. @raises Incompatible"""
    if not examples and contract.example:
        examples = [dict(contract.example, output=None)]
    rows = [_as_row(example, at, contract) for at, example in enumerate(examples)]
    whole = [row for row in rows if row is not None]
    found: List[Any] = []
    for start in range(0, len(whole), max_batch):
        found += predict(whole[start : start + max_batch])
    answers = iter(found)
    checked = 0
    for at, (row, example) in enumerate(zip(rows, examples)):
        answer = next(answers) if row is not None else None
        if row is None or example.get("output") is None:
            continue
        checked += 1
        differs = golden_differs(example["output"], answer)
        if differs:
            raise Incompatible("golden prediction %d of %d gives %s" % (at + 1, len(examples), differs))
    for at, row in enumerate(whole[:3]):
        differs = golden_differs(found[at], predict([row])[0])
        if differs:
            raise Incompatible("a row alone gives %s in a batch: set MAX_BATCH=1" % differs)
    return checked


def _as_row(example: Dict[str, Any], at: int, contract: Contract) -> Optional[Row]:
    """None for an example without its personal columns, which were dropped when it was recorded."""
    features = example["features"]
    lacking = [feature["name"] for feature in contract.features if feature["name"] not in features and not feature.get("nullable")]
    if lacking and all(name in contract.drop for name in lacking):
        return None
    try:
        return Features.model_validate(features).model_dump(by_alias=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Incompatible("golden prediction %d does not fit the contract: %s: %s" % (at + 1, ".".join(map(str, first["loc"])), first["msg"])) from None


def settle_collector() -> None:
    """Takes the heap of the libraries and the model out of the collector's sight: its pauses were the slowest requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    if os.stat(folder.parent).st_mode & 0o2020 == 0o2020:
        os.chmod(folder, 0o2775)  # a shared store: every member of the group writes here


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:500]
    return text if isinstance(error, (Unreadable, Incompatible)) and text else "%s: %s" % (type(error).__name__, text)


def main() -> int:
    try:
        settings = read_settings(FACTS, os.environ)
        registry = open_registry(settings, CONTRACT)
        wanted = registry.wanted()
        served = load_version(registry, CONTRACT, wanted.version, wanted.manifest, settings.max_batch)
    except Exception as error:
        print("%s is not fit to be served: %s" % (CONTRACT.model, _one_line(error)), file=sys.stderr)
        return 1
    shutil.rmtree(served.folder, ignore_errors=True)
    print("%s@%d is fit to be served: %d golden predictions, manifest %s" % (CONTRACT.model, served.version, served.golden, served.manifest[:12]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
