"""Parameters that stand on the command line of a script: the rules of src/tracking/values/arguments.ts; a test compares.

Under `mlops track` the program records them; here for a run that this client starts by itself.
"""
import re

_SCRIPT = re.compile(r"\S*\.(?:py|R|r|sh|js|ipynb|jl)\Z", re.A)
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*w?\Z", re.A)
_LAUNCHING = re.compile(
    r"(?:torch\.distributed\.(?:run|launch)|accelerate\.commands\.launch|deepspeed\.launcher\.\w+|coverage|cProfile"
    r"|profile|pdb|debugpy|kernprof|memory_profiler|mpi4py)\Z", re.A
)
_FLAG = re.compile(r"--([A-Za-z][\w.-]*)(?:=(.*))?\Z", re.S | re.A)
_ASSIGNMENT = re.compile(r"\+{0,2}([A-Za-z_]\w*(?:\.\w+)*)=(.*)\Z", re.S | re.A)
_NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?\Z", re.A)
_LONGEST = 4096
_MOST = 200


def read_arguments(command):
    """`command` is a Python command line as it is recorded, secrets taken out. A dict of names to values."""
    start = _first_argument(command)
    words = [] if start is None else command[start:]
    found = {}
    at = 0
    while at < len(words) and len(found) < _MOST:
        word = words[at]
        at += 1
        if word == "--":
            break
        flag = _FLAG.match(word)
        if flag is None:
            assignment = _ASSIGNMENT.match(word)
            if assignment:
                _take(found, assignment.group(1), [assignment.group(2)])
            continue
        if flag.group(2) is None:
            values = _values_after(words, at)
            at += len(values)
        else:
            values = [flag.group(2)]
        _take(found, flag.group(1).replace("-", "_"), values)
    return found


def _values_after(words, at):
    if at >= len(words) or not _is_value(words[at]):
        return []
    end = at + 1
    if _NUMBER.match(words[at]):
        while end < len(words) and _NUMBER.match(words[end]):
            end += 1
    return words[at:end]


def _is_value(word):
    return bool(_NUMBER.match(word)) or not (word == "" or word.startswith("-") or _ASSIGNMENT.match(word))


def _take(found, key, values):
    text = " ".join(values)
    if len(text) > _LONGEST or len(key) > 256:
        return
    value = _scalar(text) if values else True
    before = found.get(key)
    found[key] = "%s %s" % (before, value) if isinstance(value, str) and isinstance(before, str) else value


def _scalar(text):
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    if not _NUMBER.match(text):
        return text
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return text
    if number != int(number):
        return number
    return int(number) if abs(number) <= 2 ** 53 - 1 else text


def _first_argument(command):
    launches = False
    for at, word in enumerate(command):
        if _SCRIPT.match(word):
            return None if any(each.startswith("jupyter") for each in command[:at]) else at + 1
        launches = launches or bool(_PYTHON.match(word.rpartition("/")[2]))
        if launches and re.match(r"-[a-z]*c\Z", word):
            return None
        if launches and word == "-m" and at + 1 < len(command) and not _LAUNCHING.match(command[at + 1]):
            return at + 2
    return None
