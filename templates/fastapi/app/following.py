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
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from .loading import Served, load_version, settle_collector, sweep_folders
from .predictor import Incompatible
from .registry import Bundle, Registry, Share, Store, Unreadable, Wanted, check_registered
from .settings import CONTRACT, FACTS, Contract, Settings, SettingsError, read_settings

log = logging.getLogger("uvicorn.error")
_HINT_SECONDS = 5
_RETRY_SECONDS = 2
_DEAD_SECONDS = 3600
STATES = ("starting", "serving", "keeping", "draining")
_STABLE, _ROLLOUT = "stable", "rollout"


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
        place = int.from_bytes(
            hashlib.sha256((f"{key}:{self.share.start}").encode("utf-8", "replace")).digest()[:6], "big"
        )
        return (self.rollout, _ROLLOUT) if place * 100 < self.share.weight * (1 << 48) else (self.stable, _STABLE)


class Follower:
    def __init__(self, settings: Settings, contract: Contract):
        self.settings = settings
        self.contract = contract
        self.registry = open_registry(settings, contract)
        self.route: Optional[Route] = None
        # The stage as it was last acted upon.
        self.wanted: Optional[Wanted] = None
        self.why: Optional[str] = None
        self.draining = False
        self.failures = 0
        self.on_change: Callable[[Route], None] = lambda route: None
        # Whether a version's model was called and does not return.
        self.is_stuck: Callable[[Served], bool] = lambda served: False
        self._stuck_said: Optional[str] = None
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
        return "serving" if self.trouble() is None else "keeping"

    def trouble(self) -> Optional[str]:
        """What is not as the stage wants it, in one line."""
        return self.why or self._stuck()

    def _stuck(self) -> Optional[str]:
        route = self.route
        for served in (route.stable, route.rollout) if route is not None else ():
            if served is not None and self.is_stuck(served):
                return f"version {served.version} is stuck: its model was asked, and does not return"
        return None

    def start(self) -> None:
        self._sweep_hints()
        sweep_folders(self.contract.model)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Takes some seconds at most, whatever a version that is being loaded does."""
        self._stop.set()
        follow, hint = self._threads
        if hint.is_alive():
            hint.join(timeout=3)
        self._take_hint_away()
        if follow.is_alive():
            follow.join(timeout=3)
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
            self._say_stuck()
            retry = self._retry_at is not None and time.monotonic() >= self._retry_at
            if not self.registry.moved() and not retry:
                return
            wanted = self.registry.wanted()
            self._retry_at = None
            why = self._take(wanted)
            # Only now: whoever reads the hint sees that this service has decided, and how.
            self._say(why)
            self.wanted = wanted
        except BaseException as error:  # a model that calls sys.exit() when it is loaded ends no follower
            self._again_later()
            self._say(_one_line(error))

    def _take(self, wanted: Wanted) -> Optional[str]:
        """Makes the route. Returns what could not be taken, in one line."""
        why: List[str] = []
        share, before = wanted.rollout, self.route
        stable = self._serve(wanted.version, wanted.manifest, why)
        rollout = self._serve(share.version, share.manifest, why) if share is not None else None
        if stable is not None:
            route = Route(stable, rollout, share if rollout is not None else None)
        elif before is not None:
            # The last good version goes on, and alone: a rollout that has ended must not outlive the stage.
            route = Route(before.stable)
        else:
            return why[0]
        if route != before:
            self._let_go(route, before)
            settle_collector()
            self.route = route
            self.on_change(route)
        return why[0] if why else None

    def _serve(self, version: int, manifest: str, why: List[str]) -> Optional[Served]:
        known = self._loaded.get(manifest)
        if known is not None and known.version == version:
            return known
        if manifest in self._refused:
            why.append(self._refused[manifest])
            return None
        try:
            if known is not None:
                # The same bytes under another number: registered twice.
                check_registered(self.registry, version, manifest)
                return replace(known, version=version)
            served = load_version(self.registry, self.contract, version, manifest, self.settings.max_batch)
            self._loaded[manifest] = served
            return served
        except Incompatible as error:
            self.failures += 1
            self._refused[manifest] = f"version {version} is kept out: {error}"
            why.append(self._refused[manifest])
        except BaseException as error:
            self._again_later()
            why.append(f"version {version} cannot be loaded: {_one_line(error)}")
        return None

    def _again_later(self) -> None:
        """Whatever went wrong may be mended: bytes restored, a disk mounted again."""
        self.failures += 1
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _let_go(self, route: Route, before: Optional[Route]) -> None:
        """Keeps what answers and what answered last, so that going back is immediate."""
        kept = {served.manifest for each in (route, before) if each for served in (each.stable, each.rollout) if served}
        for manifest in [each for each in self._loaded if each not in kept]:
            shutil.rmtree(self._loaded.pop(manifest).folder, ignore_errors=True)
            gc.unfreeze()  # else what it leaves behind would never be collected

    def _say(self, why: Optional[str]) -> None:
        if why is not None and why != self.why:
            kept = (
                "nothing answers yet"
                if self.route is None
                else f"version {self.route.stable.version} goes on answering"
            )
            log.error("%s: %s; %s", self.contract.model, why, kept)
        self.why = why

    def _say_stuck(self) -> None:
        stuck = self._stuck()
        if stuck is not None and stuck != self._stuck_said:
            log.error("%s: %s; roll it back, or restart this service", self.contract.model, stuck)
        self._stuck_said = stuck

    # -- the serving hint: what mlops status, promote and rollback read (docs/store-format.md, section 4) --------------

    def hint(self) -> Dict[str, Any]:
        wanted, route = self.wanted, self.route
        share = route.share if route else None
        return {
            "v": 1,
            "instance": self.settings.instance,
            "model": self.contract.model,
            "stage": self.settings.stage,
            "wanted": wanted and {"version": wanted.version, "manifest": wanted.manifest, "seq": wanted.seq},
            "serving": route and {"version": route.stable.version, "manifest": route.stable.manifest},
            "rollout": share
            and {"version": share.version, "manifest": share.manifest, "seq": share.seq, "weight": share.weight},
            "state": self.state,
            "why": self.trouble(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": self.started,
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
            temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
            temporary.write_bytes(content[:-1] + (f', "time": "{_now()}"}}\n').encode("utf-8"))
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

    def _sweep_hints(self) -> None:
        """Takes away what killed services left behind: whoever lives writes every 5 s."""
        if not isinstance(self.registry, Store):
            return
        try:
            for file in list(self._hint_path().parent.iterdir()):
                if ".json" in file.name and time.time() - file.stat().st_mtime > _DEAD_SECONDS:
                    file.unlink()
        except OSError:
            pass  # not there yet, or mounted read-only: others will do it

    def _hint_path(self) -> Path:
        return self.registry.root / "models" / self.contract.model / "serving" / (self.settings.instance + ".json")  # type: ignore[attr-defined]


def open_registry(settings: Settings, contract: Contract) -> Registry:
    if settings.store is not None:
        return Store(settings.store, contract.model, settings.stage)
    if settings.bundle is None:
        raise Unreadable(
            "set MLOPS_STORE to a mounted store, or MLOPS_BUNDLE to an unpacked archive of mlops model export"
        )
    return Bundle(settings.bundle, contract.model)


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
    return (
        text
        if isinstance(error, (Unreadable, Incompatible, SettingsError)) and text
        else f"{type(error).__name__}: {text}"
    )


def main() -> int:
    try:
        settings = read_settings(FACTS, os.environ)
        registry = open_registry(settings, CONTRACT)
        wanted = registry.wanted()
        served = load_version(registry, CONTRACT, wanted.version, wanted.manifest, settings.max_batch)
    except Exception as error:
        print(f"{CONTRACT.model} is not fit to be served: {_one_line(error)}", file=sys.stderr)
        return 1
    shutil.rmtree(served.folder, ignore_errors=True)
    print(
        f"{CONTRACT.model}@{served.version} is fit to be served: {served.golden} golden predictions, manifest {served.manifest[:12]}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
