"""Prints what the client folds the streams of a run to: one folder of a run per line in, one JSON text per line out."""
import json
import os
import sys

from mlops._runfiles import RunFiles


class Store:
    def __init__(self, root):
        self.root = root

    def path(self, key):
        return os.path.join(self.root, key)


for line in sys.stdin:
    root, _, run = line.rstrip("\n").rpartition("/runs/")
    folded = RunFiles(Store(root), run).fold()
    print(json.dumps({kind: list(each.items()) if isinstance(each, dict) else each for kind, each in folded.items()}))
