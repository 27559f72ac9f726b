"""Where the project and its store are, found as the command line finds them: MLOPS_STORE, the nearest mlops.yaml
upwards, the main worktree of git. Only two keys of mlops.yaml matter here, and the standard library has no YAML, so
they are read from the plain block form that `mlops init` writes; anything else is left to the command line.
"""
import glob
import os
import re

from ._yaml import NotUnderstood, value_at

CONFIG = "mlops.yaml"
_MAX_BYTES = 1 << 20


class Project:
    def __init__(self, root, config_file, store, explicit):
        self.root = root
        self.config_file = config_file
        self.store = store
        # True when the place of the store was said by MLOPS_STORE.
        self.explicit = explicit

    @property
    def configured_store(self):
        """The store that mlops.yaml names, relative to the root, whichever one is in use."""
        return read_config(self.config_file)["store"] if self.config_file else ".mlops"

    @property
    def is_shared(self):
        """Whether mlops.yaml says that the store is a branch of a git remote."""
        return bool(self.config_file) and read_config(self.config_file)["shared"]

    def artifact_patterns(self, model):
        """Patterns relative to the root: the model's, or those of all models when it is None."""
        if self.config_file is None:
            return []
        found = read_config(self.config_file)["artifacts"]
        if model is not None:
            return [found[model]] if model in found else []
        return sorted(set(found.values()))

    def files_matching(self, pattern):
        matches = []
        for path in glob.glob(os.path.join(glob.escape(self.root), pattern), recursive=True):
            if os.path.isfile(path):
                matches.append(path)
            elif os.path.isdir(path):
                for folder, folders, names in os.walk(path):
                    folders[:] = [name for name in folders if name not in (".git", ".mlops", "__pycache__")]
                    matches.extend(os.path.join(folder, name) for name in names)
        return sorted(set(matches))


def find_project(cwd, env):
    linked, main = _worktrees(cwd)
    config = _upwards(cwd)
    root = os.path.dirname(config) if config else cwd
    if config is None and linked is not None:
        twin = _upwards(_map(cwd, linked, main))
        if twin is not None:
            config, root = twin, _map(os.path.dirname(twin), main, linked)
    explicit = env.get("MLOPS_STORE") or None
    if explicit is not None:
        return Project(root, config, os.path.normpath(explicit), True)
    name = read_config(config)["store"] if config else ".mlops"
    store = os.path.normpath(os.path.join(root, name))
    if linked is not None and not os.path.exists(os.path.join(store, "registry.json")):
        store = os.path.normpath(_map(store, linked, main))
    return Project(root, config, store, False)


def read_config(path):
    """{"store": "…", "shared": bool, "artifacts": {model: pattern}} from the block form of mlops.yaml."""
    result = {"store": ".mlops", "shared": False, "artifacts": {}}
    try:
        if os.path.getsize(path) > _MAX_BYTES:
            return result
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return result
    stack = []
    for line in lines:
        match = re.match(r"( *)(?:\"([^\"]+)\"|'([^']+)'|([^\s:#'\"][^:#]*?))\s*:(?:\s+(.*))?$", line)
        if match is None:
            continue
        indent = len(match.group(1))
        key = match.group(2) or match.group(3) or match.group(4)
        while stack and stack[-1][0] >= indent:
            stack.pop()
        path_of_keys = [name for _, name in stack] + [key]
        value = _scalar(match.group(5) or "")
        if path_of_keys == ["store"] and value:
            result["store"], result["shared"] = _store_of(value, line)
        elif path_of_keys == ["store", "path"] and value:
            result["store"] = value
        elif path_of_keys == ["store", "remote"] and value:
            result["shared"] = True
        elif len(path_of_keys) == 3 and path_of_keys[0] == "models" and key == "artifact" and value:
            result["artifacts"][path_of_keys[1]] = value
        stack.append((indent, key))
    return result


def _store_of(value, line):
    """The folder in `store: .mlops`, or in `store: {path: .mlops, remote: origin, branch: mlops-store}`; is it shared?"""
    if not value.startswith("{"):
        return value, False
    try:
        found = value_at(line, ["store"])
    except NotUnderstood:
        return ".mlops", True
    path = found.get("path") if isinstance(found, dict) else None
    return path if isinstance(path, str) and path else ".mlops", isinstance(found, dict) and bool(found.get("remote"))


def _scalar(text):
    text = text.strip()
    quoted = re.match(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^']|'')*)'", text)
    if quoted:
        return quoted.group(1) if quoted.group(1) is not None else quoted.group(2).replace("''", "'")
    return re.split(r"\s+#", " " + text)[0].strip()


def _upwards(folder):
    while True:
        candidate = os.path.join(folder, CONFIG)
        if os.path.exists(candidate):
            return candidate
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _map(path, start, target):
    inside = os.path.relpath(path, start)
    return path if inside.startswith("..") else os.path.normpath(os.path.join(target, inside))


def _worktrees(cwd):
    """(linked, main) when cwd is in a linked worktree: its .git is a file whose folder names the common directory."""
    top = cwd
    while not os.path.exists(os.path.join(top, ".git")):
        above = os.path.dirname(top)
        if above == top:
            return None, None
        top = above
    dot_git = os.path.join(top, ".git")
    if not os.path.isfile(dot_git):
        return None, None
    match = re.match(r"gitdir: (.+)", _small(dot_git))
    if match is None:
        return None, None
    git_dir = os.path.normpath(os.path.join(top, match.group(1).strip()))
    common = _small(os.path.join(git_dir, "commondir")).strip()
    if not common:
        return None, None
    common_dir = os.path.normpath(os.path.join(git_dir, common))
    return (top, os.path.dirname(common_dir)) if os.path.basename(common_dir) == ".git" else (None, None)


def _small(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(65536)
    except (OSError, UnicodeDecodeError):
        return ""
