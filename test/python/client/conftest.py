"""What the tests of the client share: a project with a store, and the prediction log read back."""
import json
import os
import sys

import pytest

CLIENT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../templates/python"))
if CLIENT not in sys.path:
    sys.path.insert(0, CLIENT)

from mlops import _monitor, _run, _store  # noqa: E402


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project whose monitors log into its own store; `shop.records()` are all records in it, in the order written."""
    for name in list(os.environ):
        if name.startswith(("MLOPS_", "_MLOPS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    _store.create_store(str(tmp_path / ".mlops"))
    _run._said.clear()
    yield Shop(tmp_path)
    for log in list(_monitor._logs.values()):
        log.flush(10)
    _monitor._logs.clear()


class Shop:
    def __init__(self, root):
        self.root = root
        self.home = root / ".mlops/predictions"

    def files(self, home=None):
        return sorted((home or self.home).glob("*/date=*/*.jsonl"))

    def records(self, home=None):
        return [json.loads(line) for path in self.files(home) for line in path.read_text(encoding="utf-8").splitlines()]

    def config(self, text):
        (self.root / "mlops.yaml").write_text(text)
