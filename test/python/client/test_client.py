"""What the client promises to a training script. The records it writes are checked from TypeScript."""
import json
import math
import os
import subprocess
import sys
import threading
from decimal import Decimal

import pytest

CLIENT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../templates/python"))
sys.path.insert(0, CLIENT)

import mlops  # noqa: E402
from mlops import _run, _store  # noqa: E402


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("MLOPS_", "_MLOPS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no mlops program
    monkeypatch.chdir(tmp_path)
    _store.create_store(str(tmp_path / ".mlops"))
    _run._said.clear()
    yield tmp_path
    for run in _run.all_active():
        run.end()


def record(project, run, name):
    return json.loads((project / ".mlops/runs" / run.id / name).read_text())


def end_of(project, run):
    return record(project, run, "end.json")


def test_a_with_block_records_a_finished_run(project):
    (project / "model.bin").write_text("weights")
    with mlops.track("churn-model", tags=["nightly"], params={"depth": 4}) as run:
        run.log_metric("auc", 0.91, step=1)
        run.log_metrics({"auc": 0.92, "loss": 0.3}, step=2)
        run.log_param("kind", "rf")
        run.log_artifact("model.bin")
        run.set_tag("candidate")
    end = end_of(project, run)
    assert end["status"] == "finished"
    assert end["metrics"] == {"auc": 0.92, "loss": 0.3}
    assert end["params"] == {"depth": 4, "kind": "rf"}
    assert end["tags"] == ["nightly", "candidate"]
    assert [each["path"] for each in end["artifacts"]] == ["model.bin"]
    start = record(project, run, "run.json")
    assert (start["model"], start["source"], start["cwd"]) == ("churn-model", "python", ".")
    assert start["python"]["lock"]["packages"] > 0


def test_an_exception_marks_the_run_failed_and_goes_on_up(project):
    with pytest.raises(ZeroDivisionError):
        with mlops.track("m") as run:
            1 / 0
    assert end_of(project, run)["status"] == "failed"


def test_ctrl_c_marks_the_run_interrupted_and_sys_exit_0_is_a_good_end(project):
    with pytest.raises(KeyboardInterrupt):
        with mlops.track("m") as run:
            raise KeyboardInterrupt
    assert end_of(project, run)["status"] == "interrupted"
    with pytest.raises(SystemExit):
        with mlops.track("m") as run:
            sys.exit(0)
    assert end_of(project, run)["status"] == "finished"


def test_start_and_end_in_different_cells(project):
    run = mlops.start("m")
    mlops.log_metric("auc", 1)
    mlops.log_params({"a": 1})
    mlops.end()
    assert end_of(project, run)["metrics"] == {"auc": 1}
    assert mlops.active_run() is None


def test_a_cell_that_starts_a_run_again_ends_the_first_one(project):
    first = mlops.start("m")
    second = mlops.start("m")
    second.end()
    assert end_of(project, first)["status"] == "interrupted"
    assert end_of(project, second)["status"] == "finished"


def test_a_run_inside_of_a_run_has_it_as_its_parent(project):
    with mlops.track("m") as outer:
        with mlops.track("m") as inner:
            mlops.log_metric("auc", 0.5)
        mlops.log_metric("auc", 0.9)
    assert record(project, inner, "run.json")["parent"] == outer.id
    assert end_of(project, inner)["metrics"] == {"auc": 0.5}
    assert end_of(project, outer)["metrics"] == {"auc": 0.9}


def test_what_a_metric_may_be(project):
    numpy = pytest.importorskip("numpy")
    values = {
        "int": 3, "bool": True, "float": 0.1, "big": 2 ** 70, "nan": math.nan, "inf": -math.inf, "zero": -0.0,
        "np64": numpy.float64(0.25), "np32": numpy.float32(0.5), "npint": numpy.int64(7), "npbool": numpy.bool_(True),
        "array0": numpy.array(2.5), "array1": numpy.array([4.5]), "decimal": Decimal("1.5"),
    }
    with mlops.track() as run:
        run.log_metrics(values)
    assert end_of(project, run)["metrics"] == {
        "int": 3, "bool": 1, "float": 0.1, "big": str(2 ** 70), "nan": "NaN", "inf": "-Infinity", "zero": "-0",
        "np64": 0.25, "np32": 0.5, "npint": 7, "npbool": 1, "array0": 2.5, "array1": 4.5, "decimal": 1.5,
    }


@pytest.mark.parametrize("name, value, error", [
    ("auc", "0.9", TypeError), ("auc", None, TypeError), ("auc", [1, 2], TypeError), ("auc", object(), TypeError),
    ("", 1, ValueError), ("a\nb", 1, ValueError), (3, 1, TypeError), ("x" * 257, 1, ValueError),
])
def test_misuse_is_a_clear_exception(project, name, value, error):
    with mlops.track() as run:
        with pytest.raises(error) as caught:
            run.log_metric(name, value)
        assert "metric" in str(caught.value)


def test_a_tag_that_looks_like_a_secret_is_refused_without_repeating_it(project):
    with pytest.raises(ValueError, match=r"token=\[redacted\]"):
        mlops.track(tags=["nightly", "token=hunter2"])
    with mlops.track() as run:
        for put in (run.set_tag, lambda tag: run.register(tags=[tag], model="m")):
            with pytest.raises(ValueError, match="looks like a secret") as caught:
                put("password: hunter2")
            assert "hunter2" not in str(caught.value)
        run.set_tag("pad_token=<pad>")


def test_more_misuse(project):
    with pytest.raises(ValueError, match="name of a model"):
        mlops.track("Churn Model")
    with mlops.track() as run:
        with pytest.raises(ValueError, match="needs a model"):
            run.register()
        with pytest.raises(ValueError, match="person approves"):
            run.register(stage="production", model="m")
        with pytest.raises(FileNotFoundError, match="nope.bin"):
            run.log_artifact("nope.bin")
        with pytest.raises(TypeError, match="whole number"):
            run.log_metric("auc", 1, step=1.5)
        with pytest.raises(TypeError, match="dict"):
            run.log_metrics([1])
    with pytest.raises(RuntimeError, match="has ended"):
        run.log_metric("auc", 1)


def test_numpy_is_not_imported_and_nothing_but_the_standard_library_is(project):
    code = (
        "import sys; before = set(sys.modules); import mlops\n"
        "with mlops.track('m') as run: run.log_metric('a', 1.5)\n"
        "extra = {name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names - {'mlops'}\n"
        "assert not extra, extra"
    )
    env = dict(os.environ, PYTHONPATH=CLIENT)
    assert subprocess.run([sys.executable, "-S", "-c", code], env=env).returncode == 0


def test_without_a_store_it_warns_once_and_the_script_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    monkeypatch.delenv("MLOPS_RUN_ID", raising=False)
    _run._said.clear()
    for _ in range(2):
        with mlops.track("m") as run:
            run.log_metric("auc", 0.9)
            run.log_artifact(__file__)
            run.register(stage="staging")
            mlops.monitor("m").set_baseline({"a": [1]})
    assert capsys.readouterr().err.count("mlops init") == 1
    assert run.id is None
    assert os.listdir(tmp_path) == []


def test_a_project_without_its_store_gets_one(tmp_path, monkeypatch, capsys):
    (tmp_path / "mlops.yaml").write_text("store: work/store  # here\nmodels: {}\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    with mlops.track("m") as run:
        run.log_metric("auc", 1)
    assert (tmp_path / "work/store/runs" / run.id / "end.json").exists()
    assert json.loads((tmp_path / "work/store/runs" / run.id / "run.json").read_text())["cwd"] == "sub"


def test_a_store_of_a_newer_format_is_not_written_into(project, capsys):
    registry = project / ".mlops/registry.json"
    registry.chmod(0o644)
    registry.write_text('{"format":2,"id":"0"}\n')
    with mlops.track("m") as run:
        run.log_metric("auc", 1)
    assert "format 2" in capsys.readouterr().err
    assert os.listdir(project / ".mlops/runs") == []


def test_a_disk_that_fails_never_stops_the_script(project, monkeypatch, capsys):
    with mlops.track("m") as run:
        run.log_metric("auc", 0.5)

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_store.Store, "appender", full)
        monkeypatch.setattr(_store.Store, "put_object", full)
        run.log_metric("auc", 0.9)
        run.log_param("a", 1)
        run.log_artifact(__file__)
        monkeypatch.undo()
    end = end_of(project, run)
    assert end["status"] == "finished"
    assert any("No space left" in warning for warning in end["warnings"])
    assert "Training goes on" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["runs", "objects", "objects/sha256", "tmp"])
def test_a_link_in_the_place_of_a_folder_of_the_store_is_not_followed(project, capsys, place):
    elsewhere = project / "elsewhere"
    folder = project / ".mlops" / place
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    with mlops.track("m") as run:
        run.log_metric("auc", 0.9)
        run.log_artifact(__file__)
    assert sorted(elsewhere.rglob("*")) == before
    assert "%s is a symbolic link" % folder in capsys.readouterr().err


def test_a_link_that_appears_while_a_run_goes_on_is_not_followed(project, capsys):
    with mlops.track("m") as run:
        (project / "elsewhere").mkdir()
        (project / ".mlops/runs" / run.id / "metrics").symlink_to(project / "elsewhere")
        run.log_metric("auc", 0.9)
        run.log_param("depth", 4)
    assert list((project / "elsewhere").iterdir()) == []
    assert end_of(project, run)["params"] == {"depth": 4}
    assert "metrics is a symbolic link" in capsys.readouterr().err


def test_threads_log_whole_lines(project):
    with mlops.track() as run:
        threads = [
            threading.Thread(target=lambda n=n: [run.log_metric("t%d" % n, i, step=i) for i in range(200)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (stream,) = (project / ".mlops/runs" / run.id / "metrics").iterdir()
    lines = [json.loads(line) for line in stream.read_text().splitlines()]
    assert len(lines) == 1600
    assert end_of(project, run)["metrics"] == {"t%d" % n: 199 for n in range(8)}


def test_forked_workers_write_files_of_their_own_and_do_not_end_the_run(project):
    with mlops.track() as run:
        run.log_metric("parent", 1)
        children = []
        for n in range(3):
            pid = os.fork()
            if pid == 0:
                run.log_metric("child%d" % n, n)
                run.end()
                os._exit(0)
            children.append(pid)
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
        run.log_metric("after", 1)
    assert len(list((project / ".mlops/runs" / run.id / "metrics").iterdir())) == 4
    assert set(end_of(project, run)["metrics"]) == {"parent", "child0", "child1", "child2", "after"}


def test_workers_started_anew_write_into_the_same_run(project):
    code = "import mlops; mlops.log_metric('worker', 5)"
    with mlops.track("m") as run:
        subprocess.run([sys.executable, "-c", code], env=dict(os.environ, PYTHONPATH=CLIENT), check=True)
    assert end_of(project, run)["metrics"] == {"worker": 5}
    assert len(list((project / ".mlops/runs").iterdir())) == 1
    assert "MLOPS_RUN_ID" not in os.environ


def script(project, code, **env):
    (project / "train.py").write_text(code)
    return subprocess.run(
        [sys.executable, "train.py"], cwd=project, env=dict(os.environ, PYTHONPATH=CLIENT, **env),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
    )


def only_end(project):
    (run,) = (project / ".mlops/runs").iterdir()
    return json.loads((run / "end.json").read_text())


def test_a_plain_script_that_only_calls_functions_of_the_module_is_a_run(project):
    done = script(project, "import mlops\nmlops.log_metric('auc', 0.5)\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (only_end(project)["status"], only_end(project)["metrics"]) == ("finished", {"auc": 0.5})


def test_a_plain_script_that_raises_is_a_failed_run(project):
    done = script(project, "import mlops\nmlops.start('m')\nraise RuntimeError('no')\n")
    assert done.returncode == 1
    assert "RuntimeError: no" in done.stderr
    assert only_end(project)["status"] == "failed"


def test_importing_it_changes_nothing(project):
    script(project, "import mlops, sys\nassert sys.excepthook is sys.__excepthook__\n")
    assert list((project / ".mlops/runs").iterdir()) == []


def test_a_wish_to_register_on_a_host_without_the_program_ends_well_and_says_what_to_type(project):
    done = script(project, "import mlops\nwith mlops.track('m') as run: run.register('staging', ['t'])\n")
    assert done.returncode == 0
    (run,) = (project / ".mlops/runs").iterdir()
    assert "mlops register m --run %s" % run.name in done.stderr
    (intent,) = (run / "intents").iterdir()
    found = json.loads(intent.read_text())
    assert (found["kind"], found["model"], found["stage"], found["tags"]) == ("register", "m", "staging", ["t"])


@pytest.mark.parametrize("body, said", [("exit 5", "exit code 5"), (None, "could not be started")])
def test_a_program_that_fails_does_not_fail_the_script(project, body, said):
    program = project / "fake-mlops"
    if body is not None:
        program.write_text("#!/bin/sh\necho \"$@\" > called\n%s\n" % body)
        program.chmod(0o755)
    done = script(
        project, "import mlops\nwith mlops.track('m') as run: run.register()\n", MLOPS_BIN=str(program)
    )
    assert done.returncode == 0
    assert said in done.stderr
    if body is not None:
        run = next((project / ".mlops/runs").iterdir()).name
        assert (project / "called").read_text() == "register m --run %s --no-input\n" % run


def test_a_failed_run_is_not_registered(project):
    done = script(project, "import mlops\nwith mlops.track('m') as run:\n  run.register()\n  raise ValueError\n")
    assert "mlops register" not in done.stderr


def test_files_that_match_the_pattern_and_were_written_belong_to_the_run(project):
    (project / "mlops.yaml").write_text(
        "store: .mlops\nmodels:\n  # a comment\n  'm':\n    risk: low\n    artifact: \"out/*.bin\"\n  n:\n    artifact: n.bin\n"
    )
    (project / "out").mkdir()
    (project / "out/old.bin").write_text("old")
    with mlops.track("m") as run:
        (project / "out/new.bin").write_text("new")
        (project / "n.bin").write_text("n")
    assert [each["path"] for each in end_of(project, run)["artifacts"]] == ["out/new.bin"]


def rows_of(project, run):
    intents = project / ".mlops/runs" / run.id / "intents"
    pin = json.loads(next(intents.iterdir()).read_text())["data"]["sha256"]
    return (project / ".mlops/objects/sha256" / pin[:2] / pin[2:]).read_text()


@pytest.mark.parametrize("rows, text", [
    ({"a": [1, 2], "b": ["x", None]}, "a,b\n1,x\n2,\n"),
    ([{"a": 1}, {"a": 2, "b": math.nan}], "a,b\n1,\n2,\n"),
    ([[1, "say \"hi\""], [2, "a,b"]], 'c0,c1\n1,"say ""hi"""\n2,"a,b"\n'),
    ([0.1, 1e21], "c0\n0.1\n1e+21\n"),
])
def test_a_baseline_of_plain_rows(project, rows, text):
    with mlops.track("m") as run:
        mlops.monitor("m").set_baseline(rows)
    assert rows_of(project, run) == text


def test_a_baseline_of_a_frame_and_of_an_array(project):
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    with mlops.track("m") as run:
        run.set_baseline(pandas.DataFrame({"a": [1.5, None], "b": ["x", "y"]}, index=[7, 8]))
    assert rows_of(project, run) == "a,b\n1.5,x\n,y\n"
    with mlops.track("m") as run:
        run.set_baseline(numpy.array([[1, 2], [3, 4]]))
    assert rows_of(project, run) == "c0,c1\n1,2\n3,4\n"


def test_a_baseline_outside_of_a_run_is_a_run_of_its_own(project):
    mlops.monitor("m").set_baseline({"a": [1]})
    assert only_end(project)["status"] == "finished"


def test_a_baseline_of_ragged_rows_is_refused(project):
    with mlops.track("m") as run:
        with pytest.raises(ValueError, match="differ in length"):
            run.set_baseline([[1], [1, 2]])
        with pytest.raises(TypeError, match="DataFrame"):
            run.set_baseline("rows.csv")


def test_secrets_among_the_arguments_are_redacted(project):
    (project / "train.py").write_text("import mlops\nmlops.log_metric('a', 1)\n")
    subprocess.run(
        [sys.executable, "train.py", "--api-key", "hunter2", "--password=hunter2"], cwd=project,
        env=dict(os.environ, PYTHONPATH=CLIENT, AWS_SECRET_ACCESS_KEY="hunter2"), check=True,
    )
    for path in (project / ".mlops/runs").rglob("*.json"):
        assert "hunter2" not in path.read_text()


NOTEBOOK = """
import code, sys
console = code.InteractiveConsole()
for line in {lines!r}:
    console.push(line)
"""


def test_an_interactive_session_with_an_error_that_was_mended_is_finished(project):
    lines = ["import mlops", "run = mlops.start('m')", "1/0", "mlops.log_metric('auc', 1)"]
    done = script(project, NOTEBOOK.format(lines=lines))
    assert "ZeroDivisionError" in done.stderr
    assert only_end(project)["status"] == "finished"


def test_an_interactive_session_that_stops_at_an_error_is_failed(project):
    lines = ["import mlops", "run = mlops.start('m')", "mlops.log_metric('auc', 1)", "1/0"]
    script(project, NOTEBOOK.format(lines=lines))
    assert only_end(project)["status"] == "failed"


IPYTHON = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {cells!r}:
    shell.run_cell(cell)
"""


@pytest.mark.parametrize("cells, status", [
    (["import mlops", "run = mlops.start('m')\nrun.log_metric('auc', 1)", "run.end()"], "finished"),
    (["import mlops", "run = mlops.start('m')", "mlops.log_metric('auc', 1)"], "finished"),
    (["import mlops", "run = mlops.start('m')", "1/0"], "failed"),
    (["import mlops", "run = mlops.start('m')", "1/0", "x = 1"], "finished"),
    (["import mlops", "run = mlops.start('m')", "def broken("], "failed"),
])
def test_a_notebook_in_ipython_ends_as_its_last_cell_did(project, cells, status):
    pytest.importorskip("IPython")
    done = script(project, IPYTHON.format(cells=cells), IPYTHONDIR=str(project / "ipython"))
    assert only_end(project)["status"] == status, done.stderr
