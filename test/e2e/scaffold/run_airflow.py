"""Reads a file of DAGs as Airflow does and runs the task of the first one: python run_airflow.py FILE"""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("mlops_retrain", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG

dags = {dag.dag_id: {"tasks": dag.task_ids, "catchup": dag.catchup, "active": dag.max_active_runs} for dag in vars(module).values() if isinstance(dag, DAG)}
task = next(dag for dag in vars(module).values() if isinstance(dag, DAG)).get_task("retrain")
try:
    task.python_callable(*task.op_args)
    outcome = "success"
except Exception as error:
    outcome = type(error).__name__
print(json.dumps({"dags": dags, "outcome": outcome}))
