"""`monitor.label`: the truth about predictions, as a service hears it one by one."""
import json

import pytest
from mlops import monitor
from test_monitor_postgres import driver, server, table  # noqa: F401

LABELS = """CREATE TABLE mlops_labels (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model text NOT NULL, id text NOT NULL, time timestamptz NOT NULL, label jsonb)"""


def lines(folder):
    return [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]


def test_a_label_stands_beside_the_day_of_its_prediction(shop):
    m = monitor("churn-model")
    m.label(["a", "b"], [True, "Yes"], day="2026-01-02")
    m.label(["c"], [0.5], day="2026-01-02")
    found = lines(shop.root / ".mlops/predictions/churn-model/date=2026-01-02/labels")
    assert [(each["v"], each["id"], each["label"]) for each in found] == [(1, "a", True), (1, "b", "Yes"), (1, "c", 0.5)]
    assert len(list((shop.root / ".mlops/predictions/churn-model/date=2026-01-02/labels").iterdir())) == 1


def test_a_label_whose_day_nobody_knows_is_unmatched(shop):
    monitor("churn-model").label(["a"], [1])
    assert [each["id"] for each in lines(shop.root / ".mlops/predictions/churn-model/unmatched")] == ["a"]


def test_a_label_that_cannot_be_kept_is_an_error_of_the_caller(shop, monkeypatch):
    shop.config("models: {}")
    monkeypatch.setenv("MLOPS_PREDICTIONS", str(shop.root / "mlops.yaml" / "no folder"))
    with pytest.raises(OSError):
        monitor("churn-model").label(["a"], [1])
    monkeypatch.setenv("MLOPS_PREDICTIONS", "relative")
    m = monitor("churn-model")
    assert "absolute path" in m.problem
    with pytest.raises(OSError, match="absolute path"):
        m.label(["a"], [1])


def test_labels_go_into_postgres_where_predictions_do(shop, server, table, monkeypatch):  # noqa: F811
    table("DROP TABLE IF EXISTS mlops_labels")
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    with pytest.raises(OSError, match="does not take labels"):
        m.label(["a"], [1])
    table(LABELS)
    m.label(["a", "b"], [True, "Yes"])
    assert table("SELECT model, id, label FROM mlops_labels ORDER BY id") == [("churn-model", "a", True), ("churn-model", "b", "Yes")]
