"""YOURS: who may ask, and what happens to a row before the model and to an answer after it. `mlops scaffold` wrote this
file once and never changes it again.
"""

from __future__ import annotations

from typing import Any, Dict

from fastapi import Request


async def authenticate(request: Request) -> None:
    """Raise HTTPException(401) for a request that may not be answered. Asked before predictions,
    feedback and /v1/model; not before /livez, /readyz, /metrics, /openapi.json and /docs, which anybody may read who reaches
    the port: names of columns, versions, counts, no values of requests. For example:

        import hmac, os
        from fastapi import HTTPException

        if not hmac.compare_digest(request.headers.get("authorization", ""), "Bearer " + os.environ["API_KEY"]):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    """


def before(features: Dict[str, Any]) -> Dict[str, Any]:
    """What the model gets, and the prediction log records. Called for every row in the event loop: compute, do not wait."""
    return features


def after(prediction: Any, features: Dict[str, Any]) -> Any:
    """What the client gets. The log keeps what the model said."""
    return prediction
