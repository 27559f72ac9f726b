"""Between the event loop and the model: a bounded queue, one thread that predicts, and answers within a deadline.

While the thread predicts, requests queue up; it then takes all of them at once, because a model answers a hundred rows
in little more time than one. Nobody ever waits for a batch to fill. All bookkeeping is done in the event loop, so it
needs no lock; between loop and thread there are one queue and `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import math
import queue
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from .predictor import Predict, Row


class QueueFull(Exception):
    """More rows are waiting than MAX_QUEUE: answering later would be answering too late."""


class DeadlinePassed(Exception):
    """The answer did not come within DEADLINE_MS."""


class RowFailed:
    """In the place of an answer: the model could not give one for this row. `category` holds no data of the request,
    `reason` may, and is for this service's own output alone."""

    __slots__ = ("category", "reason")

    def __init__(self, category: str, reason: str):
        self.category = category
        self.reason = reason


class Job:
    """The rows of one request. `future` gets one answer or RowFailed for each of them."""

    __slots__ = ("rows", "predict", "future", "deadline", "timer", "context", "results")

    def __init__(
        self, rows: List[Row], predict: Predict, future: "asyncio.Future[List[Any]]", deadline: float, context: Any
    ):
        self.rows = rows
        self.predict = predict
        self.future = future
        self.deadline = deadline
        self.context = context
        self.timer: Optional[asyncio.TimerHandle] = None
        self.results: Optional[List[Any]] = None


class Batcher:
    """`answered(jobs)` is called in the event loop, once for each batch, with the jobs that got their answers in time."""

    def __init__(self, max_queue: int, max_batch: int, deadline: float, answered: Callable[[List[Job]], None]):
        self.waiting = 0
        self.max_queue = max_queue
        self._max_batch = max_batch
        self._deadline = deadline
        self._answered = answered
        self._jobs: "queue.SimpleQueue[Optional[Job]]" = queue.SimpleQueue()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread = threading.Thread(target=self._run, name="predict", daemon=True)
        self.on_batch: Callable[[int], None] = lambda rows: None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    async def close(self) -> None:
        """Answers what is queued, then ends the thread."""
        self._jobs.put(None)
        while self._thread.is_alive():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    def submit(self, rows: List[Row], predict: Predict, context: Any = None) -> "asyncio.Future[List[Any]]":
        """@raises QueueFull. The future fails with DeadlinePassed."""
        if self._loop is None:
            raise RuntimeError("start() comes first")
        # A request larger than the queue is let in when nothing else waits; main.py limits its size.
        if self.waiting and self.waiting + len(rows) > self.max_queue:
            raise QueueFull
        future: "asyncio.Future[List[Any]]" = self._loop.create_future()
        job = Job(rows, predict, future, time.monotonic() + self._deadline, context)
        job.timer = self._loop.call_later(self._deadline, _expire, future)
        self.waiting += len(rows)
        self._jobs.put(job)
        return future

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        left: Optional[Job] = None
        while True:
            job = left if left is not None else self._jobs.get()
            if job is None:
                return
            batch, left, ended = self._drain(job)
            try:
                self._answer(batch)
            except BaseException as error:  # a model that calls sys.exit() ends no service
                for each in batch:
                    each.results = [RowFailed(type(error).__name__, str(error)) for _ in each.rows]
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._deliver, batch)
            if ended and left is None:
                return

    def _drain(self, first: Job) -> Tuple[List[Job], Optional[Job], bool]:
        """What has queued up, to at most MAX_BATCH rows. The second is the job that did not fit any more."""
        batch, rows = [first], len(first.rows)
        while rows < self._max_batch:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, None, False
            if job is None:
                return batch, None, True
            if rows + len(job.rows) > self._max_batch:
                return batch, job, False
            batch.append(job)
            rows += len(job.rows)
        return batch, None, False

    def _answer(self, batch: Sequence[Job]) -> None:
        now = time.monotonic()
        by_model: Dict[int, List[Job]] = {}
        for job in batch:
            # Nobody waits any more for those that were cancelled or are too late.
            if not job.future.done() and job.deadline > now:
                by_model.setdefault(id(job.predict), []).append(job)
        for jobs in by_model.values():
            rows = [row for job in jobs for row in job.rows]
            self.on_batch(len(rows))
            results: List[Any] = []
            for start in range(0, len(rows), self._max_batch):
                results += predict_each(jobs[0].predict, rows[start : start + self._max_batch])
            at = 0
            for job in jobs:
                job.results = results[at : at + len(job.rows)]
                at += len(job.rows)

    # -- back in the event loop ---------------------------------------------------------------------------------------

    def _deliver(self, batch: List[Job]) -> None:
        answered = []
        for job in batch:
            self.waiting -= len(job.rows)
            if job.timer is not None:
                job.timer.cancel()
            if job.future.done():
                continue
            if job.results is None:
                job.future.set_exception(DeadlinePassed())
            else:
                job.future.set_result(job.results)
                answered.append(job)
        if answered:
            self._answered(answered)


def _expire(future: "asyncio.Future[List[Any]]") -> None:
    if not future.done():
        future.set_exception(DeadlinePassed())


def predict_each(predict: Predict, rows: List[Row]) -> List[Any]:
    """One answer or RowFailed for each row: a row that makes the model fail is looked for by halving."""
    try:
        found = predict(rows)
        if len(found) != len(rows):
            raise ValueError(f"{len(found)} answers for {len(rows)} rows")
    except Exception as error:
        if len(rows) == 1:
            return [RowFailed(type(error).__name__, str(error))]
        middle = len(rows) // 2
        return predict_each(predict, rows[:middle]) + predict_each(predict, rows[middle:])
    return [
        RowFailed("NotFinite", f"the model answered {value!r}") if _is_not_finite(value) else value for value in found
    ]


def _is_not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
