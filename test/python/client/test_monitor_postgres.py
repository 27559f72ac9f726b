"""The prediction log in a real PostgreSQL server, started by test/support/postgres.ts; and without one."""
import json
import os
import signal
import subprocess
import sys

import pytest
from conftest import CLIENT
from mlops import _monitor, _postgres, monitor

ROOT = os.path.abspath(os.path.join(CLIENT, "../.."))
TABLE = """CREATE TABLE mlops_predictions (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL, time timestamptz NOT NULL, model text NOT NULL, version integer NOT NULL,
  variant text, features jsonb, output jsonb, latency_ms double precision, status text, error text,
  "user" text, segment text, tokens double precision, cost double precision, tags jsonb,
  sample_rate double precision)"""


@pytest.fixture(scope="module")
def server():
    process = subprocess.Popen(
        ["node", "--import", "tsx", "test/support/postgres.ts"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    url = process.stdout.readline().strip()
    if not url:
        if process.wait() == 77:
            pytest.skip(process.stderr.read().strip())
        raise AssertionError(process.stderr.read())
    yield url
    process.stdin.close()
    process.wait()


@pytest.fixture(params=["psycopg", "psycopg2"])
def driver(request, monkeypatch):
    found = pytest.importorskip(request.param)
    monkeypatch.setattr(_postgres, "_driver", lambda: found)
    return found


@pytest.fixture
def table(server, driver):
    connection = driver.connect(server)
    connection.autocommit = True

    def ask(statement):
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None

    ask("DROP TABLE IF EXISTS mlops_predictions")
    ask(TABLE)
    yield ask
    connection.close()


def test_rows_arrive_as_they_are_in_the_file_log(shop, server, table, monkeypatch):
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    rows = [{"a": 1, "b": None, "n": "x\0y", "big": 2**70, "text": "50 % \\u0000 \u2028"}]
    m.watch(rows, {"p": 0.5}, ids="i-1", version=3, variant="v", latency_ms=1.25, user="u", tags={"k": 1}, time="2026-01-02T03:04:05.678Z")
    m.watch([{"a": n} for n in range(5000)], output=list(range(5000)))
    m.watch({"a": 1}, status="error", error="Timeout")
    assert m.flush(60)
    assert (m.dropped, m.last_error) == (0, None)
    assert table("SELECT count(*), count(DISTINCT id), count(DISTINCT output) FROM mlops_predictions")[0] == (5002, 5002, 5001)
    (found,) = table("SELECT row_to_json(p) FROM mlops_predictions p WHERE id = 'i-1'")[0]
    found = found if isinstance(found, dict) else json.loads(found)
    assert found["features"] == dict(rows[0], n="x\ufffdy", big=str(2**70))
    assert found["output"] == {"p": 0.5} and found["tags"] == {"k": "1"} and found["time"].startswith("2026-01-02T")
    assert (found["version"], found["variant"], found["latency_ms"], found["user"]) == (3, "v", 1.25, "u")
    assert found["status"] is None and found["sample_rate"] is None
    assert table("SELECT status, error, output FROM mlops_predictions WHERE error IS NOT NULL") == [("error", "Timeout", None)]
    assert not shop.files()


def test_mlops_yaml_may_name_the_server(shop, server, table):
    shop.config("models:\n  churn-model:\n    predictions: {at: '%s', drop: [email]}\n" % server)
    m = monitor("churn-model")
    m.watch({"a": 1, "email": "x"})
    assert m.flush(60) and m.dropped == 0
    assert table("SELECT features FROM mlops_predictions")[0][0] == {"a": 1}


def test_lines_go_into_files_while_the_server_is_away(shop, driver, monkeypatch, capsys):
    monkeypatch.setenv("MLOPS_PREDICTIONS", "postgres://u:SECRET@127.0.0.1:1/db")
    m = monitor("churn-model")
    for n in range(50):
        m.watch({"n": n})
    assert m.flush(60) and m.dropped == 0
    assert [r["features"]["n"] for r in shop.records()] == list(range(50))
    said = capsys.readouterr().err
    assert said.count("mlops:") == 1 and "files" in said and "SECRET" not in said


def test_without_a_store_to_fall_back_on_lines_are_dropped(tmp_path, driver, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    monkeypatch.setenv("MLOPS_PREDICTIONS", "postgres://u:SECRET@127.0.0.1:1/db")
    m = monitor("churn-model")
    m.watch([{"n": 1}] * 10)
    assert m.flush(60) and m.dropped == 10 and "SECRET" not in m.last_error + capsys.readouterr().err
    _monitor._logs.clear()


def test_a_missing_table_or_permission_names_the_command_and_loses_nothing(shop, server, table, monkeypatch, capsys):
    table("DROP TABLE mlops_predictions")
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    m.watch({"n": 1})
    assert m.flush(60) and m.dropped == 0 and len(shop.records()) == 1
    assert "--create-tables" in capsys.readouterr().err


def test_a_wrong_password_is_not_tried_again_and_not_shown(shop, server, table, monkeypatch, capsys):
    monkeypatch.setenv("MLOPS_PREDICTIONS", server.replace("mlops:", "mlops:WRONG"))
    m = monitor("churn-model")
    m.watch({"n": 1})
    assert m.flush(60) and m.dropped == 0 and len(shop.records()) == 1
    said = capsys.readouterr().err
    assert "password authentication failed" in said and "WRONG" not in said


def test_a_writer_that_may_only_insert_is_enough(shop, server, table, monkeypatch):
    table("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'w') THEN CREATE ROLE w LOGIN PASSWORD 'w'; END IF; END $$")
    table("GRANT INSERT ON mlops_predictions TO w")
    monkeypatch.setenv("MLOPS_PREDICTIONS", "postgres://w:w@" + server.rpartition("@")[2])
    m = monitor("churn-model")
    m.watch({"n": 1})
    assert m.flush(60) and m.dropped == 0 and table("SELECT count(*) FROM mlops_predictions") == [(1,)]


def test_a_connection_that_breaks_is_made_again_and_no_row_is_there_twice(shop, server, table, monkeypatch):
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    for n in range(20):
        m.watch([{"n": n}] * 10)
        assert m.flush(60)
        if n % 5 == 0:
            table("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mlops'")
    assert m.dropped == 0 and not shop.files()
    assert table("SELECT count(*), count(DISTINCT id) FROM mlops_predictions") == [(200, 200)]


def test_a_row_the_server_refuses_is_dropped_alone(shop, server, table, monkeypatch):
    table("ALTER TABLE mlops_predictions ADD CHECK (segment IS DISTINCT FROM 'bad')")
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    m.watch([{"n": n} for n in range(100)], segment=["bad" if n in (3, 77) else "good" for n in range(100)])
    assert m.flush(60) and m.dropped == 2
    assert table("SELECT count(*) FROM mlops_predictions") == [(98,)]


def test_a_forked_child_opens_a_connection_of_its_own(shop, server, table, monkeypatch):
    monkeypatch.setenv("MLOPS_PREDICTIONS", server)
    m = monitor("churn-model")
    m.watch({"who": 0})
    assert m.flush(60)
    child = os.fork()
    if child == 0:
        try:
            m.watch({"who": 1})
            ok = m.flush(60) and m.dropped == 0
        finally:
            os.kill(os.getpid(), signal.SIGKILL) if not ok else os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    m.watch({"who": 2})
    assert m.flush(60) and m.dropped == 0
    assert table("SELECT count(*) FROM mlops_predictions") == [(3,)]


def test_without_a_driver_the_line_to_type_is_said(shop):
    code = (
        "import sys; sys.path.insert(0, %r); sys.modules['psycopg'] = sys.modules['psycopg2'] = None\n"
        "from mlops import monitor\nm = monitor('churn-model')\nm.watch({'a': 1})\nassert m.flush(60)\n" % CLIENT
    )
    env = dict(os.environ, MLOPS_PREDICTIONS="postgres://127.0.0.1:1/db", PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, "-c", code], cwd=str(shop.root), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "pip install" in done.stderr and len(shop.records()) == 1
