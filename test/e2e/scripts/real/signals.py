"""Trains until it is told to stop: python signals.py graceful|deaf"""
import json
import signal
import sys
import time

if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
step = 0
try:
    print("ready", flush=True)
    while True:
        step += 1
        print(json.dumps({"loss": 1 / step, "step": step}), flush=True)
        time.sleep(0.05)
except KeyboardInterrupt:
    with open("checkpoint.json", "w") as file:
        json.dump({"step": step}, file)
    print("saved: 1", flush=True)
    sys.exit(0)
