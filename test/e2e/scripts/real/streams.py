"""Replaces sys.stdout, gives it back, then closes the descriptor for good: python streams.py replace|close"""
import contextlib
import io
import json
import os
import sys

if sys.argv[1] == "replace":

    class Tee(io.TextIOBase):
        def __init__(self, *streams):
            self.streams = streams

        def write(self, text):
            for stream in self.streams:
                stream.write(text)
            return len(text)

        def flush(self):
            for stream in self.streams:
                stream.flush()

    with open("train.log", "w") as log:
        sys.stdout, before = Tee(sys.stdout, log), sys.stdout
        print("auc: 0.8")
        sys.stdout = before
    hidden = io.StringIO()
    with contextlib.redirect_stdout(hidden):
        print("secret_metric: 1.0")
    print("f1: 0.7")
else:
    print("auc: 0.8", flush=True)
    sys.stdout.close()
    try:
        os.close(1)
    except OSError:
        pass
    sys.stderr.write("still here\n")
    with open("metrics.tmp", "w") as file:
        json.dump({"f1": 0.7}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace("metrics.tmp", "metrics.json")
    os._exit(0)
