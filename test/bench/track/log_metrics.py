"""A script that logs metrics: python log_metrics.py WAY NUMBER PLACE. Prints the seconds from the start of the run to its end.

Each metric has a key, a value and a step, as a training loop has them: three keys in turn.
WAY: bare (one line of JSON and one write each), mlops, mlflow (`log_metric` each), mlflow-batch (`log_batch` of 1,000, the most
that MLflow takes at once).
"""
import json
import sys
import time

way, number, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]
KEYS = ("loss", "auc", "grad_norm")


def values():
    for step in range(number):
        yield KEYS[step % 3], 1.0 / (step + 1), step // 3


def bare():
    with open(place, "ab", buffering=0) as file:
        for key, value, step in values():
            file.write(json.dumps({"key": key, "value": value, "step": step, "t": time.time()}).encode() + b"\n")


def mlops_client():
    import mlops

    begun = time.perf_counter()
    with mlops.track() as run:
        for key, value, step in values():
            run.log_metric(key, value, step=step)
    return begun


def mlflow_client(batch):
    import mlflow
    from mlflow.entities import Metric

    mlflow.set_tracking_uri(place)
    mlflow.set_experiment("bench")
    client = mlflow.MlflowClient()
    begun = time.perf_counter()
    with mlflow.start_run() as run:
        if not batch:
            for key, value, step in values():
                mlflow.log_metric(key, value, step=step)
            return begun
        held = []
        for key, value, step in values():
            held.append(Metric(key, value, int(time.time() * 1000), step))
            if len(held) == 1000:
                client.log_batch(run.info.run_id, metrics=held)
                held = []
        if held:
            client.log_batch(run.info.run_id, metrics=held)
    return begun


begun = time.perf_counter()
if way == "mlops":
    begun = mlops_client()
elif way == "bare":
    bare()
else:
    begun = mlflow_client(way == "mlflow-batch")
print(time.perf_counter() - begun)
