"""What a run that this client starts by itself has used: memory at most, and processor time."""
import sys


class Usage(object):
    """`whole`: the run began with the process; else, as in a notebook, only what came since counts."""

    def __init__(self, whole):
        self._before = (0.0, 0) if whole else (_processor_seconds(), _peak())

    def so_far(self):
        """Members of `resources`. A process does not say what its peak was since some moment: only whether it rose."""
        seconds, before = self._before
        used, peak = _processor_seconds(), _peak()
        found = {}
        if used is not None and seconds is not None:
            found["cpuSeconds"] = round(max(0.0, used - seconds), 2)
        if peak and peak > (before or 0):
            found.update({"maxRssBytes": peak, "memoryOf": "process"})
        return found


def _processor_seconds():
    """Of this process and of the workers that it has waited for."""
    try:
        import resource
    except ImportError:
        return None
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in both)


def _peak():
    """Bytes. Linux's `ru_maxrss` may be that of the program that started this one, so /proc is asked first."""
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    # Linux counts in KiB, macOS in bytes.
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
