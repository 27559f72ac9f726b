"""Starts a generated service in this process, waits until it is ready and asks for its own example:
python load_service.py SERVICE STORE"""
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, sys.argv[1])
os.environ.update(MLOPS_STORE=sys.argv[2], MLOPS_INSTANCE="test", MLOPS_PREDICTIONS=tempfile.mkdtemp(prefix="predictions-"))

from fastapi.testclient import TestClient  # noqa: E402

from app import main  # noqa: E402
from app.settings import FACTS  # noqa: E402

with TestClient(main.app) as client:
    while client.get("/readyz").status_code != 200 and client.get("/v1/model").json()["why"] is None:
        time.sleep(0.05)
    model = client.get("/v1/model").json()
    answer = client.post("/v1/predict", json={"features": FACTS["example"]["features"]}).json()
    json.dump({"why": model["why"], "golden": model["golden"], "answer": answer.get("prediction"), "expected": FACTS["example"]["output"]}, sys.stdout)
