"""The service: routes, and what happens when it starts and ends. Nothing of one model is written here.

    uvicorn app.main:app --host 0.0.0.0 --port 8080
"""
from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Dict, List, Optional, Sequence

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from . import hooks
from .batching import Batcher, DeadlinePassed, Job, QueueFull, RowFailed
from .following import STATES, Follower, Route, Served
from .schema import BatchPrediction, BatchRequest, Features, Prediction, PredictRequest
from .settings import CONTRACT, FACTS, ROOT, read_settings, workers_asked_for
from .telemetry import Ids, Metrics, PredictionLog, Refusals

log = logging.getLogger("uvicorn.error")

if workers_asked_for(sys.argv, os.environ) > 1:
    print(
        "This service runs in one process: every worker would hold a model, a queue and metrics of its own, and /metrics would tell the truth "
        "about one of them. Take --workers and WEB_CONCURRENCY away, and start more replicas instead.", file=sys.stderr
    )
    if multiprocessing.parent_process() is not None:
        os.kill(os.getppid(), signal.SIGTERM)  # a supervisor would start this worker again and again
    sys.exit(1)

settings = read_settings(FACTS, os.environ)
metrics = Metrics()
follower = Follower(settings, CONTRACT)
predictions = PredictionLog(CONTRACT)
refusals = Refusals(CONTRACT.features)
ids = Ids()


class Asked:
    """One request on its way to the model."""

    __slots__ = ("ids", "now", "started", "user", "served", "variant")

    def __init__(self, count: int, user: Optional[str]):
        self.now = time.time()
        self.started = time.perf_counter()
        self.ids = [ids.take(self.now) for _ in range(count)]
        self.user = user
        self.served: Served
        self.variant: Optional[str]


def answered(jobs: Sequence[Job]) -> None:
    """Logs a batch, in one call for each version: by far cheaper than one for each request."""
    by_version: Dict[Any, List[Job]] = {}
    for job in jobs:
        by_version.setdefault((job.context.served.version, job.context.variant), []).append(job)
    ended = time.perf_counter()
    for (version, variant), some in by_version.items():
        good = [
            (id, job.context, row, value)
            for job in some
            for id, row, value in zip(job.context.ids, job.rows, job.results or ())
            if not isinstance(value, RowFailed)
        ]
        if good:
            named = any(asked.user is not None for _, asked, _, _ in good)
            predictions.answered(
                [id for id, _, _, _ in good], [asked.now for _, asked, _, _ in good], [row for _, _, row, _ in good],
                [value for _, _, _, value in good], [round((ended - asked.started) * 1000, 3) for _, asked, _, _ in good],
                [asked.user for _, asked, _, _ in good] if named else None, version, variant,
            )
        for job in some:
            for id, row, value in zip(job.context.ids, job.rows, job.results or ()):
                if isinstance(value, RowFailed):
                    failed([id], job.context, [row], "error", value.category)
                    log.error("a row failed in version %d: %s: %s", version, value.category, " ".join(value.reason.split())[:300])


def failed(some_ids: Sequence[str], asked: Asked, rows: Sequence[Dict[str, Any]], status: str, category: str) -> None:
    metrics.failed(category, asked.served.version, len(rows))
    predictions.failed(
        some_ids, asked.now, rows, status, category, time.perf_counter() - asked.started, asked.user, asked.served.version, asked.variant
    )


def show_route(route: Route) -> None:
    metrics.serving.clear()
    share = route.share.weight if route.share and route.rollout else 0
    metrics.serving.labels(str(route.stable.version), route.stable.manifest[:12], "stable").set(100 - share)
    if route.rollout is not None:
        metrics.serving.labels(str(route.rollout.version), route.rollout.manifest[:12], "rollout").set(share)
    log.info("%s@%d answers%s", CONTRACT.model, route.stable.version, " and @%d gets %g %%" % (route.rollout.version, share) if route.rollout else "")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    batcher = app.state.batcher = Batcher(settings.max_queue, settings.max_batch, settings.deadline, answered)
    batcher.on_batch = metrics.batch.observe
    batcher.start(asyncio.get_running_loop())
    metrics.queue.set_function(lambda: batcher.waiting)
    metrics.unlogged.set_function(lambda: predictions.lost)
    metrics.trouble.set_function(lambda: follower.failures)
    for state in STATES:
        metrics.state.labels(state).set_function(lambda state=state: float(state == follower.state))
    follower.on_change = show_route
    follower.start()
    drain_on_sigterm()
    yield
    follower.draining = True
    await batcher.close()
    await asyncio.get_running_loop().run_in_executor(None, predictions.flush)
    follower.close()


def drain_on_sigterm() -> None:
    """Answers on for DRAIN_SECONDS with /readyz at 503, so that load balancers stop sending before the socket closes."""
    loop = asyncio.get_running_loop()
    try:
        end = signal.getsignal(signal.SIGTERM)
        if not callable(end):
            return

        def drain(number: int, frame: Any) -> None:
            again, follower.draining = follower.draining, True
            if again or settings.drain == 0:
                end(number, frame)
            else:
                loop.call_soon_threadsafe(loop.call_later, settings.drain, end, number, frame)

        signal.signal(signal.SIGTERM, drain)
    except ValueError:
        pass  # not in the main thread: a test


app = FastAPI(title=CONTRACT.model, version=str(FACTS.get("scaffolded", {}).get("version", 0)), lifespan=lifespan, docs_url="/docs", redoc_url=None)
generated_openapi = app.openapi
# The committed file: what clients were generated from, whatever version of FastAPI is installed. tests/ compare the two.
app.openapi = lambda: json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))  # type: ignore[method-assign]


class Problem(BaseModel):
    detail: str


class Feedback(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=256, description="The id that came with the prediction.")
    label: JsonValue = Field(description="What turned out to be true: a number, a text, true or false.")


class Received(BaseModel):
    id: str


# -- predictions ------------------------------------------------------------------------------------------------------

RESPONSES: Dict[Any, Any] = {503: {"model": Problem}, 504: {"model": Problem}}


@app.post("/v1/predict", response_model=Prediction, responses={**RESPONSES, 500: {"model": Problem}}, dependencies=[Depends(hooks.authenticate)])
async def predict(body: PredictRequest, request: Request) -> Response:
    asked = Asked(1, body.user or request.headers.get("x-routing-key"))
    result = await ask(asked, [body.features], request)
    if isinstance(result, Response):
        return result
    rows, values = result
    if isinstance(values[0], RowFailed):
        return problem(500, "the model could not answer this request (%s); its id is %s" % (values[0].category, asked.ids[0]))
    return answer({"prediction": hooks.after(values[0], rows[0]), "id": asked.ids[0], "version": asked.served.version})


@app.post("/v1/predict:batch", response_model=BatchPrediction, responses=RESPONSES, dependencies=[Depends(hooks.authenticate)])
async def predict_batch(body: BatchRequest, request: Request) -> Response:
    if len(body.rows) > settings.max_queue:
        return problem(413, "at most %d rows at once" % settings.max_queue)
    asked = Asked(len(body.rows), body.user or request.headers.get("x-routing-key"))
    result = await ask(asked, body.rows, request)
    if isinstance(result, Response):
        return result
    found = [
        {"prediction": None, "id": id, "error": value.category}
        if isinstance(value, RowFailed)
        else {"prediction": hooks.after(value, row), "id": id, "error": None}
        for id, row, value in zip(asked.ids, *result)
    ]
    return answer({"predictions": found, "version": asked.served.version})


async def ask(asked: Asked, features: Sequence[Features], request: Request) -> Any:
    """(rows, answers), or the response that says why there are none."""
    route = follower.route
    if route is None:
        metrics.failed("not_ready")
        return problem(503, "no version is ready: %s" % (follower.reason or "it is loading"), retry=1)
    asked.served, asked.variant = route.choose(asked.user or asked.ids[0])
    request.scope["served"] = asked
    rows = [hooks.before(each.model_dump(by_alias=True)) for each in features]
    refused = refuse(rows, asked)
    if refused is not None:
        return refused
    try:
        return rows, await request.app.state.batcher.submit(rows, asked.served.predict, asked)
    except QueueFull:
        metrics.failed("queue_full", asked.served.version)
        return problem(503, "%d rows are waiting already; ask again" % settings.max_queue, retry=1)
    except DeadlinePassed:
        failed(asked.ids, asked, rows, "timeout", "DeadlinePassed")
        return problem(504, "there was no answer within %g ms" % (settings.deadline * 1000))


def refuse(rows: List[Dict[str, Any]], asked: Asked) -> Optional[Response]:
    for at, row in enumerate(rows):
        found = refusals.of(row)
        if found is not None:
            failed([asked.ids[at]], asked, [row], "refused", "refused:" + found["name"])
            where = ["body", "features"] if len(rows) == 1 else ["body", "rows", at]
            return JSONResponse({"detail": [{"loc": [*where, found["name"]], "msg": "Value " + found["message"], "type": "refused"}]}, 422)
    return None


def answer(content: Dict[str, Any]) -> Response:
    # Made here and valid: checking it against its model once more would cost as much as everything else.
    return Response(json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8"), media_type="application/json")


def problem(status: int, detail: str, retry: Optional[int] = None) -> Response:
    return JSONResponse({"detail": detail}, status, headers={"Retry-After": str(retry)} if retry else None)


@app.post("/v1/feedback", response_model=Received, responses={503: {"model": Problem}}, dependencies=[Depends(hooks.authenticate)])
def feedback(body: Feedback) -> Any:
    """The truth about a prediction, whenever it is known: mlops joins it by the id."""
    if predictions.off is not None:
        return problem(503, "nothing is logged here, so there is nothing to join: %s" % predictions.off)
    if isinstance(body.label, (dict, list)) or body.label is None:
        return JSONResponse({"detail": [{"loc": ["body", "label"], "msg": "A label is one bare value", "type": "label"}]}, 422)
    try:
        predictions.label(body.id, body.label)
    except OSError as error:
        metrics.failed("feedback")
        return problem(503, "the label could not be kept (%s); send it again" % (error.strerror or type(error).__name__), retry=5)
    return {"id": body.id}


# -- what is going on -------------------------------------------------------------------------------------------------


@app.get("/v1/model")
async def model() -> Dict[str, Any]:
    """Which version answers, and why."""
    hint, route = follower.hint(), follower.route
    return {
        **{key: hint[key] for key in ("model", "stage", "serving", "wanted", "rollout", "state", "why", "instance", "started")},
        "from": follower.registry.kind,
        "golden": route.stable.golden if route else None,
        "scaffolded": FACTS.get("scaffolded"),
        "contract": FACTS.get("contract"),
        "log": {"off": predictions.off, "lost": predictions.lost},
    }


@app.get("/livez")
async def livez() -> Dict[str, str]:
    """The process runs. Says nothing about the model: a service that cannot load one is not mended by a restart."""
    return {"status": "alive"}


@app.get("/readyz", responses={503: {"model": Problem}})
async def readyz() -> Any:
    """Loaded, warm, and its golden predictions came out right."""
    if follower.draining:
        return problem(503, "it is draining")
    if follower.route is None:
        return problem(503, follower.reason or "it is loading", retry=1)
    return {"status": "ready"}


@app.get("/metrics")
async def prometheus() -> Response:
    return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


# -- around every request ---------------------------------------------------------------------------------------------


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> Response:
    """Says where and what, and does not repeat the values: they may be personal."""
    metrics.failed("validation")
    return JSONResponse({"detail": [{"loc": each["loc"], "msg": each["msg"], "type": each["type"]} for each in error.errors()]}, 422)


@app.exception_handler(Exception)
async def unexpected(request: Request, error: Exception) -> Response:
    metrics.failed(type(error).__name__)
    return problem(500, "something went wrong here; it is in the log of this service")


class Measured:
    """Counts and times what was really sent."""

    ROUTES = {"/v1/predict", "/v1/predict:batch", "/v1/feedback", "/v1/model", "/livez", "/readyz", "/metrics"}

    def __init__(self, app: Any):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            asked: Optional[Asked] = scope.get("served")
            path = scope["path"] if scope["path"] in self.ROUTES else "other"
            version = str(asked.served.version) if asked else ""
            metrics.answered(path, status, time.perf_counter() - started, version, (asked.variant or "") if asked else "")


app.add_middleware(Measured)
