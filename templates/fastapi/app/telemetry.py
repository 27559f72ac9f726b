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
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from .settings import Contract

log = logging.getLogger("uvicorn.error")
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """All of them, in a registry of their own, so that a test may make many services in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("mlops_requests", "Requests answered, by what was answered.", ["route", "status"], registry=self.registry)
        self.seconds = Histogram(
            "mlops_request_seconds", "From the first byte of a request for predictions to its answer.", ["route", "version", "variant"],
            buckets=_BUCKETS, registry=self.registry,
        )
        self.errors = Counter("mlops_errors", "Requests and rows that failed, by category.", ["category", "version"], registry=self.registry)
        self.queue = Gauge("mlops_queue_rows", "Rows that wait for the model or are being answered.", registry=self.registry)
        self.batch = Histogram(
            "mlops_batch_rows", "Rows answered by one call of the model.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), registry=self.registry
        )
        self.serving = Gauge("mlops_serving", "Percent of the traffic that a version gets.", ["version", "manifest", "variant"], registry=self.registry)
        self.state = Gauge("mlops_state", "1 for the state that this service is in.", ["state"], registry=self.registry)
        self.trouble = Gauge("mlops_follow_failures", "Looks at the registry that did not end well, since the start.", registry=self.registry)
        self.unlogged = Gauge("mlops_predictions_not_logged", "Predictions that the log could not take.", registry=self.registry)
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

    def take(self, now: float) -> str:
        return "%011x-%s-%x" % (int(now * 1000), self._prefix, next(self._numbers))


_ID = re.compile(r"([0-9a-f]{11})-[0-9a-f]{12}-[0-9a-f]+")
_DAY = 86400


def day_of(id: str, now: float) -> Optional[str]:
    """The UTC day of one of our predictions; None for ids that are not ours, and for days that cannot be."""
    match = _ID.fullmatch(id)
    if match is None:
        return None
    seconds = int(match.group(1), 16) // 1000
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if now - 3650 * _DAY < seconds < now + _DAY else None


class PredictionLog:
    """@param contract its `drop` columns never reach the log"""

    def __init__(self, contract: Contract):
        self._monitor = mlops.monitor(contract.model, drop=contract.drop)
        self._labels_lock = threading.Lock()
        self._said: "OrderedDict[str, Any]" = OrderedDict()
        self.off = self._monitor.problem
        if self.off is not None:
            log.warning("predictions are not logged: %s", self.off)

    @property
    def lost(self) -> int:
        return self._monitor.dropped

    def answered(self, ids: Sequence[str], times: Sequence[float], rows: Sequence[Mapping[str, Any]], outputs: Sequence[Any],
                 latencies: Sequence[float], users: Optional[Sequence[Optional[str]]], version: int, variant: Optional[str]) -> None:
        if self.off is None:
            self._monitor.watch(
                list(rows), list(outputs), ids=list(ids), time=list(times), latency_ms=list(latencies), user=users, version=version, variant=variant
            )

    def failed(self, ids: Sequence[str], now: float, rows: Sequence[Mapping[str, Any]], status: str, category: str, seconds: float,
               user: Optional[str], version: int, variant: Optional[str]) -> None:
        """A request without an answer: `refused`, `timeout` or `error`. `category` holds no data of the request."""
        if self.off is None:
            self._monitor.watch(
                list(rows), ids=list(ids), time=now, status=status, error=category, latency_ms=round(seconds * 1000, 3), user=user,
                version=version, variant=variant,
            )

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
        self._monitor.flush(timeout=5)


class Refusals:
    """What service.json says to refuse: values outside of the categories or the range that the model was trained on. By
    default nothing is: what is refused is never predicted on, and drift would stay unseen."""

    def __init__(self, features: Sequence[Mapping[str, Any]]):
        self._rules: List[Any] = []
        for feature in features:
            if feature.get("refuse"):
                categories = feature.get("categories")
                self._rules.append((feature["name"], set(categories) if categories else None, feature.get("range")))

    def of(self, row: Mapping[str, Any]) -> Optional[Dict[str, str]]:
        """{"name", "message"} of the first value that is refused."""
        for name, categories, bounds in self._rules:
            value = row[name]
            if value is None:
                continue
            if categories is not None and value not in categories:
                return {"name": name, "message": "is none of the categories that the model knows"}
            if bounds is not None and not bounds[0] <= value <= bounds[1]:
                return {"name": name, "message": "is not between %s and %s" % (bounds[0], bounds[1])}
        return None
