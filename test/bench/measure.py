"""Runs one command and says what it took, its children included, as JSON on stdout. Its own output is thrown away.

    measure.py [--seconds N] [--megabytes N] -- COMMAND [ARG ...]

The peak is the largest sum of the resident memory of all its processes, looked at every 20 to 200 ms, or the largest single
process as the kernel accounts for it, whichever is more: a peak between two looks is not missed.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def resident(root):
    """Megabytes of a process and its descendants; 0 where there is no /proc."""
    parents, sizes = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/statm") as statm:
                parents[int(name)] = int(stat.read().rsplit(")", 1)[1].split()[1])
                sizes[int(name)] = int(statm.read().split()[1]) * PAGE_MB
        except (OSError, IndexError):
            continue

    def belongs(pid):
        while pid in parents:
            if pid == root:
                return True
            pid = parents[pid]
        return False

    return sum(size for pid, size in sizes.items() if belongs(pid))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--megabytes", type=float, default=float("inf"))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[0] == "--" else options.command
    said = tempfile.TemporaryFile()
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    peak, ended = 0.0, "done"
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid != 0:
            break
        peak = max(peak, resident(child.pid))
        if ended == "done" and (time.monotonic() - started > options.seconds or peak > options.megabytes):
            ended = "time" if time.monotonic() - started > options.seconds else "memory"
            os.killpg(child.pid, signal.SIGKILL)
        # Looking costs processor time: at most a few per cent of what is looked at.
        time.sleep(min(0.2, max(0.02, (time.monotonic() - started) / 50)))
    seconds = time.monotonic() - started
    largest = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    said.seek(0)
    print(
        json.dumps(
            {
                "ended": ended,
                "status": os.waitstatus_to_exitcode(status),
                "seconds": seconds,
                "cpu": usage.ru_utime + usage.ru_stime,
                "megabytes": max(peak, largest),
                "said": said.read()[-2000:].decode(errors="replace"),
            }
        )
    )


main()
