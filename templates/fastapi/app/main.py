"""The service: routes, and what happens when it starts and ends. Nothing of one model is written here.

uvicorn app.main:app --host 0.0.0.0 --port 8080
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, AsyncIterator, Dict, Optional

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from . import hooks
from .asking import Asked, Desk, NoAnswer, Refused
from .batching import RowFailed
from .following import STATES, Follower, Route
from .schema import BatchPrediction, BatchRequest, Prediction, PredictRequest
from .settings import CONTRACT, FACTS, ROOT, SettingsError, read_settings, refuse_more_workers
from .telemetry import Measured, Metrics, PredictionLog

log = logging.getLogger("uvicorn.error")

refuse_more_workers()
try:
    settings = read_settings(FACTS, os.environ)
except SettingsError as error:
    sys.exit(str(error))
metrics = Metrics()
follower = Follower(settings, CONTRACT)
predictions = PredictionLog(CONTRACT)
desk = Desk(settings, CONTRACT, follower, metrics, predictions)


def show_route(route: Route) -> None:
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


app = FastAPI(
    title=CONTRACT.model,
    version=str(FACTS.get("contract", ""))[:12],
    lifespan=lifespan,
    docs_url="/docs",
    redoc_url=None,
)
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


@app.post(
    "/v1/predict",
    response_model=Prediction,
    responses={**RESPONSES, 500: {"model": Problem}},
    dependencies=[Depends(hooks.authenticate)],
)
async def predict(body: PredictRequest, request: Request) -> Response:
    asked = Asked(body.user or request.headers.get("x-routing-key"))
    request.scope["asked"] = asked
    [value] = await desk.ask(asked, [body.features])
    if isinstance(value, RowFailed):
        raise NoAnswer(500, f"the model could not answer this request ({value.category}); its id is {asked.ids[0]}")
    prediction = hooks.after(value, asked.rows[0])
    return answer({"prediction": prediction, "id": asked.ids[0], "version": asked.served.version})


@app.post(
    "/v1/predict:batch", response_model=BatchPrediction, responses=RESPONSES, dependencies=[Depends(hooks.authenticate)]
)
async def predict_batch(body: BatchRequest, request: Request) -> Response:
    asked = Asked(body.user or request.headers.get("x-routing-key"))
    request.scope["asked"] = asked
    values = await desk.ask(asked, body.rows)
    found = [
        {"prediction": None, "id": id, "error": value.category}
        if isinstance(value, RowFailed)
        else {"prediction": hooks.after(value, row), "id": id, "error": None}
        for id, row, value in zip(asked.ids, asked.rows, values)
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
    responses={503: {"model": Problem}},
    dependencies=[Depends(hooks.authenticate)],
)
def feedback(body: Feedback) -> Any:
    """The truth about a prediction, whenever it is known: mlops joins it by the id."""
    if predictions.off is not None:
        return problem(503, f"nothing is logged here, so there is nothing to join: {predictions.off}")
    if isinstance(body.label, (dict, list)) or body.label is None or len(str(body.label)) > 4096:
        return JSONResponse(
            {
                "detail": [
                    {
                        "loc": ["body", "label"],
                        "msg": "A label is one bare value of at most 4096 characters",
                        "type": "label",
                    }
                ]
            },
            422,
        )
    try:
        predictions.label(body.id, body.label)
    except OSError as error:
        metrics.failed("feedback")
        return problem(
            503, "the label could not be kept (%s); send it again" % (error.strerror or type(error).__name__), retry=5
        )
    return {"id": body.id}


# -- what is going on -------------------------------------------------------------------------------------------------


@app.get("/v1/model")
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
    return {"status": "ready"}


@app.get("/metrics")
async def prometheus() -> Response:
    return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


# -- around every request ---------------------------------------------------------------------------------------------


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> Response:
    """Says where and what, and does not repeat the values: they may be personal."""
    metrics.failed("validation")
    return JSONResponse(
        {"detail": [{"loc": each["loc"], "msg": each["msg"], "type": each["type"]} for each in error.errors()]}, 422
    )


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
