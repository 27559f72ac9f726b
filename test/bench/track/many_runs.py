"""Runs of MLflow's: python many_runs.py make NUMBER PLACE makes some, each with three metrics and three parameters (those of
make-runs.ts); python many_runs.py list|filter 0 PLACE asks for them, and
prints last how many milliseconds that took without starting Python.
"""
import sys
import time

import mlflow
from mlflow.entities import Metric, Param

way, number, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]
mlflow.set_tracking_uri(place)
client = mlflow.MlflowClient()


def make():
    experiment = client.create_experiment("bench")
    for at in range(number):
        auc = 0.5 + (at * 7919 % 5000) / 10000
        metrics = {"auc": auc, "loss": 1 - auc, "rows": float(at)}
        params = {"depth": at % 10, "rate": 0.1 * (at % 7), "kind": "gbm"}
        run = client.create_run(experiment)
        client.log_batch(
            run.info.run_id,
            metrics=[Metric(key, value, 1_700_000_000_000 + at, 0) for key, value in metrics.items()],
            params=[Param(key, str(value)) for key, value in params.items()],
        )
        client.set_terminated(run.info.run_id)


def ask():
    begun = time.perf_counter()
    experiment = client.get_experiment_by_name("bench").experiment_id
    if way == "list":
        runs = client.search_runs([experiment], order_by=["attributes.start_time DESC"], max_results=50)
    else:
        where = "metrics.auc > 0.8 and params.depth = '6'"
        runs = client.search_runs([experiment], filter_string=where, order_by=["metrics.auc DESC"], max_results=50)
    for run in runs:
        print(run.info.run_id, run.data.metrics["auc"], run.data.params["depth"])
    if not runs:
        raise SystemExit("nothing was found")
    print(1000 * (time.perf_counter() - begun))


make() if way == "make" else ask()
