"""What this service says of itself: Prometheus metrics, the prediction log that `mlops drift` reads, and feedback.

The log is written by the vendored client in a thread of its own: it never waits for a disk and never fails a request.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import threading
import time
from collections import OrderedDict
from typing import Any, Dict, List, Mapping, Optional, Sequence

import mlops
from fastapi import HTTPException
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

from .settings import Contract, Settings

log = logging.getLogger("uvicorn.error")
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """All of them, in a registry of their own, so that a test may make many services in one process."""

    def __init__(self, model: str, stage: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("mlops_service", "What this service is for.", registry=self.registry).info({"model": model, "stage": stage})
        self.requests = Counter(
            "mlops_requests", "Requests answered, by what was answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mlops_request_seconds",
            "From the first byte of a request for predictions to its answer.",
            ["route", "version", "variant"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.errors = Counter(
            "mlops_errors",
            "Requests and rows that failed, by category.",
            ["category", "version"],
            registry=self.registry,
        )
        self.queue = Gauge(
            "mlops_queue_rows", "Rows that wait for the model or are being answered.", registry=self.registry
        )
        self.batch = Histogram(
            "mlops_batch_rows",
            "Rows answered by one call of the model.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
            registry=self.registry,
        )
        self.serving = Gauge(
            "mlops_serving",
            "Percent of the traffic that a version gets.",
            ["version", "manifest", "variant"],
            registry=self.registry,
        )
        self.state = Gauge("mlops_state", "1 for the state that this service is in.", ["state"], registry=self.registry)
        self.trouble = Gauge(
            "mlops_follow_failures",
            "Looks at the registry that did not end well, since the start.",
            registry=self.registry,
        )
        self.unlogged = Gauge(
            "mlops_predictions_not_logged", "Predictions that the log could not take.", registry=self.registry
        )
        self._timers: Dict[Any, Any] = {}
        self._counters: Dict[Any, Any] = {}

    def answered(self, route: str, status: int, seconds: float, version: str, variant: str) -> None:
        # Looking a child up by its labels costs more than counting.
        counter = self._counters.get((route, status))
        if counter is None:
            counter = self._counters[(route, status)] = self.requests.labels(route, str(status))
        counter.inc()
        if version:
            timer = self._timers.get((route, version, variant))
            if timer is None:
                timer = self._timers[(route, version, variant)] = self.seconds.labels(route, version, variant)
            timer.observe(seconds)

    def failed(self, category: str, version: int = 0, count: int = 1) -> None:
        self.errors.labels(category, str(version or "")).inc(count)


class Ids:
    """Ids of predictions: `<milliseconds since 1970>-<this process>-<n>`, the first two in hexadecimal digits, so that a
    label finds the day of its prediction without looking for it."""

    def __init__(self) -> None:
        self._prefix = os.urandom(6).hex()
        self._numbers = itertools.count()

    def take(self, now: float, count: int) -> List[str]:
        return [f"{int(now * 1000):011x}-{self._prefix}-{next(self._numbers):x}" for _ in range(count)]


_ID = re.compile(r"([0-9a-f]{11})-[0-9a-f]{12}-[0-9a-f]+")
_DAY = 86400


def day_of(id: str, now: float) -> Optional[str]:
    """The UTC day of one of our predictions; None for ids that are not ours, and for days that cannot be."""
    match = _ID.fullmatch(id)
    if match is None:
        return None
    seconds = int(match.group(1), 16) // 1000
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if now - 3650 * _DAY < seconds < now + _DAY else None


_YES = {"1", "1.0", "true", "yes", "y", "t", "positive"}
_NO = {"0", "0.0", "false", "no", "n", "f", "negative"}


def label_problem(output: Mapping[str, Any], label: Any) -> Optional[str]:
    """Why a label cannot be the truth about this model's predictions, None when it can: it is one of the classes, as mlops
    reads labels (upper or lower case; `true` and `1` where the classes are Yes and No), or a number."""
    if isinstance(label, (dict, list)) or label is None or len(str(label)) > 4096:
        return "A label is one bare value of at most 4096 characters"
    if output["kind"] == "number":
        is_number = isinstance(label, (int, float)) and not isinstance(label, bool)
        return None if is_number else "A label of this model is a number"
    classes = output.get("classes")
    if not classes:
        return None
    known = {_word(each) for each in classes}
    if len(known) == 2 and known & _YES and known & _NO:
        known |= _YES | _NO
    if _word(label) in known:
        return None
    shown = ", ".join(map(str, classes[:20])) + (", …" if len(classes) > 20 else "")
    return f"A label of this model is one of its classes: {shown}"


def _word(value: Any) -> str:
    """`1`, `1.0` and `"1"` are one class."""
    word = str(value).strip().lower()
    return word[:-2] if re.fullmatch(r"-?\d+\.0", word) else word


class PredictionLog:
    """@param contract its `drop` columns never reach the log"""

    def __init__(self, contract: Contract, settings: Settings):
        self._monitor = mlops.monitor(contract.model, drop=contract.drop)
        self._labels_lock = threading.Lock()
        self._said: "OrderedDict[str, Any]" = OrderedDict()
        # Why nothing is logged; None when it is. A store that happens to lie around a bundle is somebody else's.
        self.off: Optional[str] = (
            "it serves a bundle, and MLOPS_PREDICTIONS does not say where to"
            if settings.store is None and settings.predictions is None
            else self._monitor.problem
        )
        if self.off is not None:
            log.warning("predictions are not logged: %s", self.off)

    @property
    def lost(self) -> int:
        return 0 if self.off is not None else self._monitor.dropped

    def watch(self, rows: Sequence[Mapping[str, Any]], outputs: Optional[Sequence[Any]], **members: Any) -> None:
        """As `watch` of the client: never raises, never waits. A member is one value, or one for each row."""
        if self.off is None:
            self._monitor.watch(rows, outputs, **members)

    def label(self, id: str, label: Any) -> None:
        """Keeps the truth about a prediction. Waits for the disk. @raises OSError when it cannot be kept"""
        with self._labels_lock:
            if id in self._said and self._said[id] == (type(label), label):
                return  # a request that was sent again
            self._monitor.label([id], [label], day=day_of(id, time.time()))
            self._said[id] = (type(label), label)
            while len(self._said) > 10_000:
                self._said.popitem(last=False)

    def flush(self) -> None:
        if self.off is None:
            self._monitor.flush(timeout=5)


class Measured:
    """Around the whole application: counts and times what was really sent, and lets no body grow without end."""

    ROUTES = {"/v1/predict", "/v1/predict:batch", "/v1/feedback", "/v1/model", "/livez", "/readyz", "/metrics"}

    def __init__(self, app: Any, metrics: Metrics, max_body: int):
        self._app = app
        self._metrics = metrics
        self._max_body = max_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status, received = time.perf_counter(), 500, 0

        async def measured() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body:
                raise HTTPException(413, f"at most {self._max_body} bytes")
            return message

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, measured, sent)
        finally:
            route = scope["path"] if scope["path"] in self.ROUTES else "other"
            asked = scope.get("asked")
            version, variant = (
                ("", "") if asked is None or asked.served is None else (str(asked.served.version), asked.variant)
            )
            self._metrics.answered(route, status, time.perf_counter() - started, version, variant or "")
