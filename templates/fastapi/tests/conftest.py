"""The service under test, in this process. Its model comes from where the service would take it: MLOPS_STORE, MLOPS_BUNDLE
or bundle/. Nothing is written but the prediction log, and that goes into a temporary folder.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["MLOPS_PREDICTIONS"] = tempfile.mkdtemp(prefix="predictions-")
os.environ["MLOPS_INSTANCE"] = f"tests-{os.getpid()}"
os.environ.pop("WEB_CONCURRENCY", None)


@pytest.fixture(scope="session")
def service():
    """A client of the running service, which may have no model yet."""
    from fastapi.testclient import TestClient

    from app.main import app

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def client(service):
    """A client of the service with its model."""
    from app.settings import FACTS, read_settings

    settings = read_settings(FACTS, os.environ)
    if settings.store is None and not (settings.bundle / "archive.json").exists():
        pytest.skip("there is no model here: set MLOPS_STORE, or unpack an archive of mlops model export into bundle/")
    until = time.monotonic() + 120
    while True:
        model = service.get("/v1/model").json()
        if model["serving"]:
            return service
        assert model["why"] is None, model["why"]
        assert time.monotonic() < until, "the model is still loading"
        time.sleep(0.1)
