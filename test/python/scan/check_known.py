"""Reads `module name` lines and says which of them do not belong on a list of harmless imports, as JSON.

Only what is installed can be looked at; the number of those comes first.
"""
import importlib
import inspect
import json
import re
import sys
import types
import warnings

warnings.simplefilter("ignore")
# json.loads makes numbers, texts, lists and dicts, and nothing else.
RUNS = re.compile(r"(?<!\bjson\.)\b(?:exec|eval|__import__|import_module|compile|open|system|Popen|loads?)\(")
# Read by hand.
READ = {
    "re _compile",  # compiles a pattern; calls nothing
    "joblib.numpy_pickle NumpyArrayWrapper",  # followed byte by byte
}
FORBIDDEN = {eval, exec, compile, getattr, setattr, open, __import__, type, vars, globals, input, breakpoint}


def sources(value):
    """What runs while an instance is made or gets its state, as far as it is Python, with what that calls on itself."""
    waiting, seen = ["__new__", "__init__", "__setstate__", "__reduce__"], set()
    while waiting:
        name = waiting.pop()
        method = getattr(value, name, None)
        if name in seen or not isinstance(method, types.FunctionType):
            continue
        seen.add(name)
        try:
            source = inspect.getsource(method)
        except (OSError, TypeError):
            continue
        yield name, source
        waiting += re.findall(r"self\.(\w+)\(", source)


def runs(source):
    return RUNS.search(re.sub(r'"""[\s\S]*?"""|#.*', "", source))


problems, looked_at = [], 0
for line in sys.stdin.read().split("\n"):
    module, name = line.split(" ")
    try:
        value = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        continue
    looked_at += 1
    try:
        forbidden = value in FORBIDDEN
    except Exception:
        forbidden = False
    if forbidden:
        problems.append("%s: forbidden" % line)
    if line in READ:
        continue
    if inspect.isclass(value):
        for where, source in sources(value):
            if runs(source):
                problems.append("%s: %s runs or loads something" % (line, where))
    elif isinstance(value, types.FunctionType):
        if runs(inspect.getsource(value)):
            problems.append("%s runs or loads something" % line)
    elif isinstance(value, types.ModuleType):
        problems.append("%s is a module" % line)
print(json.dumps({"looked_at": looked_at, "problems": problems}))
