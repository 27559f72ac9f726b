"""The service: routes, and what happens when it starts and ends. Nothing of one model is written here.

uvicorn app.main:app --host 0.0.0.0 --port 8080
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal
import sys
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Annotated, Any, AsyncIterator, Dict, Optional

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from . import hooks
from .asking import Asked, Desk, NoAnswer, Refused
from .batching import RowFailed
from .following import STATES, Follower, Route
from .schema import BatchPrediction, BatchRequest, Prediction, PredictRequest
from .settings import CONTRACT, FACTS, ROOT, SettingsError, read_settings, refuse_more_workers
from .telemetry import Measured, Metrics, PredictionLog, label_problem

log = logging.getLogger("uvicorn.error")

refuse_more_workers()
try:
    settings = read_settings(FACTS, os.environ)
except SettingsError as error:
    sys.exit(str(error))
metrics = Metrics(CONTRACT.model, settings.stage)
follower = Follower(settings, CONTRACT)
predictions = PredictionLog(CONTRACT, settings)
desk = Desk(settings, CONTRACT, follower, metrics, predictions)


def show_route(route: Route) -> None:
    desk.moved(route)
    metrics.serving.clear()
    share = route.share.weight if route.share and route.rollout else 0
    metrics.serving.labels(str(route.stable.version), route.stable.manifest[:12], "stable").set(100 - share)
    if route.rollout is not None:
        metrics.serving.labels(str(route.rollout.version), route.rollout.manifest[:12], "rollout").set(share)
    log.info(
        "%s@%s answers%s",
        CONTRACT.model,
        route.stable.version,
        f" and @{route.rollout.version} gets {share:g} %" if route.rollout else "",
    )


def is_in(state: str) -> float:
    return float(state == follower.state)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk.open(asyncio.get_running_loop())
    metrics.queue.set_function(lambda: desk.batcher.waiting)
    metrics.unlogged.set_function(lambda: predictions.lost)
    metrics.trouble.set_function(lambda: follower.failures)
    for state in STATES:
        metrics.state.labels(state).set_function(partial(is_in, state))
    follower.on_change = show_route
    follower.start()
    drain_on_sigterm()
    yield
    follower.draining = True
    await desk.batcher.close()
    await asyncio.get_running_loop().run_in_executor(None, predictions.flush)
    follower.close()


_GRACE_SECONDS = 5


def drain_on_sigterm() -> None:
    """Answers on for DRAIN_SECONDS with /readyz at 503, so that load balancers stop sending before the socket closes. Whoever is
    still sending or reading then has some seconds more: uvicorn itself would wait for slow clients without end."""
    loop = asyncio.get_running_loop()
    try:
        end = signal.getsignal(signal.SIGTERM)
        if not callable(end):
            return
        server = getattr(getattr(end, "__self__", None), "config", None)
        if getattr(server, "timeout_graceful_shutdown", 0) is None:
            server.timeout_graceful_shutdown = math.ceil(settings.deadline) + _GRACE_SECONDS

        def drain(number: int, frame: Any) -> None:
            again, follower.draining = follower.draining, True
            if not again:
                # Not here: a handler may have interrupted the logger itself.
                loop.call_soon_threadsafe(
                    log.info, "draining: /readyz says 503, and the socket closes in %g s", settings.drain
                )
            if again or settings.drain == 0:
                end(number, frame)
            else:
                loop.call_soon_threadsafe(loop.call_later, settings.drain, end, number, frame)

        signal.signal(signal.SIGTERM, drain)
    except ValueError:
        pass  # not in the main thread: a test


app = FastAPI(
    title=CONTRACT.model,
    version=str(FACTS.get("contract", ""))[:12],
    lifespan=lifespan,
    docs_url="/docs",
    redoc_url=None,
)
generated_openapi = app.openapi


@lru_cache(maxsize=1)
def committed_openapi() -> Dict[str, Any]:
    """The committed file: what clients were generated from, whatever version of FastAPI is installed (tests/ compare the two);
    and the routes that were added to this service, as FastAPI describes them."""
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    own = generated_openapi()
    for path, operations in own["paths"].items():
        document["paths"].setdefault(path, operations)
    for kind, named in own.get("components", {}).items():
        document["components"][kind] = {**named, **document["components"].get(kind, {})}
    return document


app.openapi = committed_openapi  # type: ignore[method-assign]


_MOST_UNKNOWN = 1000
# Entries of one 422.
_MOST_DETAIL = 50


class Problem(BaseModel):
    detail: str


def few(body: Any) -> Any:
    """Counted before anything is validated: a hundred thousand empty rows, each with what is missing in it, would hold the event
    loop for seconds. @raises NoAnswer"""
    rows = body.get("rows") if isinstance(body, dict) else None
    if isinstance(rows, list) and len(rows) > settings.max_queue:
        raise NoAnswer(413, f"at most {settings.max_queue} rows at once")
    given = [body.get("features"), *(rows if isinstance(rows, list) else ())] if isinstance(body, dict) else []
    if sum(len(row) - len(CONTRACT.features) for row in given if isinstance(row, dict)) > _MOST_UNKNOWN:
        raise NoAnswer(413, f"at most {_MOST_UNKNOWN} unknown fields")
    return body


class Feedback(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=256, description="The id that came with the prediction.")
    label: JsonValue = Field(description="What turned out to be true: a number, a text, true or false.")


class Received(BaseModel):
    id: str


# -- predictions ------------------------------------------------------------------------------------------------------

# Described here, because Pythons disagree about the words.
TOO_LARGE = {"model": Problem, "description": "Too large"}
RESPONSES: Dict[Any, Any] = {413: TOO_LARGE, 503: {"model": Problem}, 504: {"model": Problem}}


@app.post(
    "/v1/predict",
    response_model=Prediction,
    responses={**RESPONSES, 500: {"model": Problem}},
    dependencies=[Depends(hooks.authenticate)],
)
async def predict(body: Annotated[PredictRequest, BeforeValidator(few)], request: Request) -> Response:
    asked = Asked(body.user or request.headers.get("x-routing-key"))
    request.scope["asked"] = asked
    [value] = await desk.ask(asked, [body.features])
    if isinstance(value, RowFailed):
        if value.raised is not None:
            raise value.raised
        raise NoAnswer(500, f"this request could not be answered ({value.category}); its id is {asked.ids[0]}")
    return answer({"prediction": value, "id": asked.ids[0], "version": asked.served.version})


@app.post(
    "/v1/predict:batch", response_model=BatchPrediction, responses=RESPONSES, dependencies=[Depends(hooks.authenticate)]
)
async def predict_batch(body: Annotated[BatchRequest, BeforeValidator(few)], request: Request) -> Response:
    asked = Asked(body.user or request.headers.get("x-routing-key"))
    request.scope["asked"] = asked
    values = await desk.ask(asked, body.rows)
    found = [
        {"prediction": None, "id": id, "error": value.category}
        if isinstance(value, RowFailed)
        else {"prediction": value, "id": id, "error": None}
        for id, value in zip(asked.ids, values)
    ]
    return answer({"predictions": found, "version": asked.served.version})


def answer(content: Dict[str, Any]) -> Response:
    # Made here and valid: checking it against its model once more would cost as much as everything else.
    return Response(
        json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8"),
        media_type="application/json",
    )


def problem(status: int, detail: str, retry: Optional[int] = None) -> Response:
    return JSONResponse({"detail": detail}, status, headers={"Retry-After": str(retry)} if retry else None)


@app.post(
    "/v1/feedback",
    response_model=Received,
    responses={413: TOO_LARGE, 503: {"model": Problem}},
    dependencies=[Depends(hooks.authenticate)],
)
def feedback(body: Feedback) -> Any:
    """The truth about a prediction, whenever it is known: mlops joins it by the id."""
    if predictions.off is not None:
        return problem(503, f"nothing is logged here, so there is nothing to join: {predictions.off}")
    wrong = label_problem(CONTRACT.output, body.label)
    if wrong is not None:
        return JSONResponse({"detail": [{"loc": ["body", "label"], "msg": wrong, "type": "label"}]}, 422)
    try:
        predictions.label(body.id, body.label)
    except OSError as error:
        metrics.failed("feedback")
        return problem(
            503, "the label could not be kept (%s); send it again" % (error.strerror or type(error).__name__), retry=5
        )
    return {"id": body.id}


# -- what is going on -------------------------------------------------------------------------------------------------


@app.get("/v1/model", dependencies=[Depends(hooks.authenticate)])
async def model() -> Dict[str, Any]:
    """Which version answers, and why."""
    hint, route = follower.hint(), follower.route
    return {
        **{
            key: hint[key]
            for key in ("model", "stage", "serving", "wanted", "rollout", "state", "why", "instance", "started")
        },
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
        return problem(503, follower.why or "it is loading", retry=1)
    if follower.is_stuck(follower.route.stable):
        return problem(503, follower.trouble() or "it is stuck")
    return {"status": "ready"}


@app.get("/metrics")
async def prometheus() -> Response:
    return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


# -- around every request ---------------------------------------------------------------------------------------------


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> Response:
    """Says where and what, and does not repeat the values: they may be personal."""
    metrics.failed("validation")
    some = error.errors()[:_MOST_DETAIL]
    return JSONResponse({"detail": [{"loc": each["loc"], "msg": each["msg"], "type": each["type"]} for each in some]}, 422)


@app.exception_handler(NoAnswer)
async def unanswered(request: Request, error: NoAnswer) -> Response:
    return problem(error.status, error.detail, error.retry)


@app.exception_handler(Refused)
async def refused(request: Request, error: Refused) -> Response:
    return JSONResponse({"detail": [{"loc": ["body", *error.where], "msg": error.message, "type": "refused"}]}, 422)


@app.exception_handler(Exception)
async def unexpected(request: Request, error: Exception) -> Response:
    metrics.failed(type(error).__name__)
    return problem(500, "something went wrong here; it is in the log of this service")


app.add_middleware(Measured, metrics=metrics, max_body=settings.max_body)
