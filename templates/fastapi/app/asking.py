"""One request from its rows to its answers: which version answers, what is refused, the queue, and what is recorded."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from starlette.exceptions import HTTPException

from . import hooks
from .batching import Batcher, DeadlinePassed, Job, QueueFull, RowFailed, checked
from .checks import kind_problem
from .following import Follower, Route
from .loading import Served
from .schema import Features
from .settings import Contract, Settings
from .telemetry import Ids, Metrics, PredictionLog

log = logging.getLogger("uvicorn.error")
_INT64 = (-(2**63), 2**63 - 1)


class NoAnswer(Exception):
    """Why there is none, as a status of HTTP and a sentence. `retry` in seconds."""

    def __init__(self, status: int, detail: str, retry: Optional[int] = None):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry = retry


class Refused(Exception):
    """A value that service.json says to refuse. `where` is its path in the body."""

    def __init__(self, where: Sequence[Any], message: str):
        super().__init__(message)
        self.where = where
        self.message = message


class Asked:
    """One request on its way. `key` keeps somebody with one version during a rollout."""

    __slots__ = ("key", "now", "started", "ids", "rows", "places", "answers", "served", "variant")

    def __init__(self, key: Optional[str]):
        self.key = key
        self.now = time.time()
        self.started = time.perf_counter()
        self.ids: List[str] = []
        self.rows: List[Dict[str, Any]] = []
        # Those of the rows that the model is asked about, and what the client gets for each of the rows.
        self.places: Sequence[int] = ()
        self.answers: List[Any] = []
        self.served: Served = None  # type: ignore[assignment]  # until a version was chosen
        self.variant: Optional[str] = None


class Desk:
    def __init__(
        self, settings: Settings, contract: Contract, follower: Follower, metrics: Metrics, predictions: PredictionLog
    ):
        self._settings = settings
        self._follower = follower
        self._metrics = metrics
        self._predictions = predictions
        self._refusals = Refusals(contract.features)
        self._ids = Ids()
        self.batcher = Batcher(
            settings.max_queue, settings.max_batch, settings.deadline, self._record, problem=kind_problem(contract)
        )
        self._failures = Seldom(log)
        self.batcher.on_batch = metrics.batch.observe

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.batcher.start(loop)
        self._follower.is_stuck = lambda served: self.batcher.stuck(served.predict) is not None

    def moved(self, route: Route) -> None:
        """Another route was taken, in the thread that follows: who is asked no more loses its thread, which may be stuck."""
        asked = [served.predict for served in (route.stable, route.rollout) if served is not None]
        self._loop.call_soon_threadsafe(self.batcher.keep, asked)

    async def ask(self, asked: Asked, features: Sequence[Features]) -> List[Any]:
        """An answer or RowFailed for each row. @raises NoAnswer, Refused"""
        route = self._follower.route
        if route is None:
            self._metrics.failed("not_ready")
            raise NoAnswer(503, f"no version is ready: {self._follower.why or 'it is loading'}", retry=1)
        if len(features) > self._settings.max_queue:
            raise NoAnswer(413, f"at most {self._settings.max_queue} rows at once")
        asked.ids = self._ids.take(asked.now, len(features))
        asked.served, asked.variant = route.choose(asked.key or asked.ids[0])
        asked.rows = [each.model_dump(by_alias=True) for each in features]
        asked.answers = [None] * len(asked.rows)
        asked.places = [at for at in range(len(asked.rows)) if self._is_prepared(asked, at)]
        if not asked.places:
            return asked.answers
        try:
            await self.batcher.submit([asked.rows[at] for at in asked.places], asked.served.predict, asked)
            return asked.answers
        except QueueFull:
            self._metrics.failed("queue_full", asked.served.version)
            raise NoAnswer(503, f"{self._settings.max_queue} rows are waiting already; ask again", retry=1) from None
        except DeadlinePassed:
            self._failed(asked, asked.places, "timeout", "DeadlinePassed")
            raise NoAnswer(504, f"there was no answer within {self._settings.deadline * 1000:g} ms") from None

    def _is_prepared(self, asked: Asked, at: int) -> bool:
        """Whether the model is to be asked about a row. A hook that fails, fails this row. @raises Refused"""
        try:
            row = hooks.before(dict(asked.rows[at]))
            if not isinstance(row, dict):
                raise TypeError("before() of hooks.py returned no row")
            found = self._refusals.of(row)
        except Exception as error:
            self._hook_failed(asked, at, error)
            return False
        asked.rows[at] = row
        if found is not None:
            name, message = found
            self._failed(asked, [at], "refused", "refused:" + name)
            raise Refused(["features", name] if len(asked.rows) == 1 else ["rows", at, name], "Value " + message)
        return True

    def _hook_failed(self, asked: Asked, at: int, error: Exception) -> None:
        """An HTTPException is what the hook wants to be answered; any other is a mistake in it."""
        category = type(error).__name__
        wanted = error if isinstance(error, HTTPException) else None
        asked.answers[at] = RowFailed(category, "", wanted)
        meant = wanted is not None and wanted.status_code < 500
        self._failed(asked, [at], "refused" if meant else "error", category)
        if not meant:
            self._say_failed(asked, at, RowFailed(category, str(error)), "a hook")

    def _finish(self, asked: Asked, at: int, value: Any) -> bool:
        """Whether there is an answer, which `after` may have changed."""
        try:
            answer = hooks.after(value, asked.rows[at])
            if answer is not value:
                answer = checked(answer)
                if isinstance(answer, RowFailed):
                    raise TypeError("after() of hooks.py returned " + answer.reason)
        except Exception as error:
            self._hook_failed(asked, at, error)
            return False
        asked.answers[at] = answer
        return True

    def _record(self, jobs: Sequence[Job]) -> None:
        """Finishes the answers of a batch and logs them, in one call for each version: by far cheaper than one for each
        request. Runs before anybody who waits for these answers goes on."""
        by_version: Dict[Tuple[int, Optional[str]], List[Tuple[Asked, int, Any]]] = {}
        for job in jobs:
            asked: Asked = job.context
            answered = by_version.setdefault((asked.served.version, asked.variant), [])
            for at, value in zip(asked.places, job.results or ()):
                if isinstance(value, RowFailed):
                    asked.answers[at] = value
                    self._failed(asked, [at], "error", value.category)
                    self._say_failed(asked, at, value)
                elif self._finish(asked, at, value):
                    answered.append((asked, at, value))
        ended = time.perf_counter()
        for (version, variant), some in by_version.items():
            if some:
                keys = [asked.key for asked, _, _ in some]
                self._predictions.watch(
                    [asked.rows[at] for asked, at, _ in some],
                    [value for _, _, value in some],
                    ids=[asked.ids[at] for asked, at, _ in some],
                    time=[asked.now for asked, _, _ in some],
                    latency_ms=[round((ended - asked.started) * 1000, 3) for asked, _, _ in some],
                    user=keys if any(keys) else None,
                    version=version,
                    variant=variant,
                )

    def _say_failed(self, asked: Asked, at: int, value: RowFailed, what: str = "a row") -> None:
        """What an exception says may hold values of the row, and this output is kept by others than the prediction log."""
        reason = ": " + " ".join(value.reason.split())[:300] if self._settings.show_reasons else ""
        self._failures.error(
            (what, asked.served.version, value.category),
            f"{what} failed in version {asked.served.version}: {value.category}; its id is {asked.ids[at]}{reason}",
        )

    def _failed(self, asked: Asked, rows: Sequence[int], status: str, category: str) -> None:
        """`category` holds no data of the request."""
        self._metrics.failed(category, asked.served.version, len(rows))
        self._predictions.watch(
            [asked.rows[at] for at in rows],
            None,
            ids=[asked.ids[at] for at in rows],
            time=asked.now,
            status=status,
            error=category,
            latency_ms=round((time.perf_counter() - asked.started) * 1000, 3),
            user=asked.key,
            version=asked.served.version,
            variant=asked.variant,
        )


class Seldom:
    """Says something of a sort once in ten seconds, and how often it was left out: a model that fails on every row must not
    fill a disk with lines."""

    def __init__(self, to: logging.Logger, seconds: float = 10):
        self._to = to
        self._seconds = seconds
        self._said: Dict[Any, Tuple[float, int]] = {}

    def error(self, sort: Any, line: str) -> None:
        now = time.monotonic()
        at, left_out = self._said.get(sort, (-self._seconds, 0))
        if now - at < self._seconds:
            self._said[sort] = (at, left_out + 1)
            return
        if len(self._said) > 1000:
            self._said.clear()
        self._said[sort] = (now, 0)
        self._to.error("%s%s", line, f" (and {left_out} more since the last one)" if left_out else "")


class Refusals:
    """What service.json says to refuse: values outside of the categories or the range that the model was trained on. By
    default only integers that no column can hold are: what is refused is never predicted on, and drift stays unseen."""

    def __init__(self, features: Sequence[Mapping[str, Any]]):
        self._rules: List[Tuple[str, Optional[Set[Any]], Optional[Sequence[float]]]] = []
        for each in features:
            categories = set(each["categories"]) if each.get("refuse") and each.get("categories") else None
            bounds = each.get("range") if each.get("refuse") else None
            if bounds is None and categories is None and each["type"] == "integer":
                bounds = _INT64
            if bounds is not None or categories is not None:
                self._rules.append((each["name"], categories, bounds))

    def of(self, row: Mapping[str, Any]) -> Optional[Tuple[str, str]]:
        """The column of the first value that is refused, and why."""
        for name, categories, bounds in self._rules:
            value = row.get(name)
            if value is None:
                continue
            if categories is not None and value not in categories:
                return name, "is none of the categories that the model knows"
            if bounds is not None and not bounds[0] <= value <= bounds[1]:
                return name, f"is not between {bounds[0]} and {bounds[1]}"
        return None
