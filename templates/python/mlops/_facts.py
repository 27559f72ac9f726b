"""What a run that this client starts by itself records of code, command and person. Under `mlops track` the program
records all of it, and more: the dirty patch is made there only.
"""
import getpass
import os
import re
import socket
import subprocess
import sys

from ._environment import ENV_ALLOWED
from ._redact import redact, redact_arguments

_GIT_SECONDS = 20


def command():
    words = list(getattr(sys, "orig_argv", None) or [sys.executable or "python"] + sys.argv)
    return redact_arguments([well_formed(word) for word in words if word is not None]) or ["python"]


def environment(env):
    return {name: redact(well_formed(env[name])) for name in ENV_ALLOWED if name in env}


def seed(env):
    """MLOPS_SEED, where it is one: a whole number from 0 to 4294967295."""
    text = env.get("MLOPS_SEED", "")
    number = int(text) if re.match(r"[0-9]{1,10}$", text) else -1
    return number if 0 <= number <= 4294967295 else None


def actor(env):
    """As the command line names people: a CI system's user, else user@host."""
    if env.get("GITHUB_ACTIONS") == "true" and env.get("GITHUB_ACTOR"):
        parts = [env.get("GITHUB_SERVER_URL"), env.get("GITHUB_REPOSITORY"), "actions/runs", env.get("GITHUB_RUN_ID")]
        found = {"name": env["GITHUB_ACTOR"], "origin": "ci"}
        return dict(found, url="/".join(parts)) if all(parts) else found
    if env.get("GITLAB_CI") == "true" and env.get("GITLAB_USER_LOGIN"):
        found = {"name": env["GITLAB_USER_LOGIN"], "origin": "ci"}
        return dict(found, url=env["CI_JOB_URL"]) if env.get("CI_JOB_URL") else found
    try:
        user = getpass.getuser()
    except Exception:  # a user id without a name raises different things on different systems
        user = "unknown"
    return {"name": well_formed("%s@%s" % (user, socket.gethostname())), "origin": "local"}


def git(cwd, store):
    """(facts, None), or (None, why not)."""
    try:
        status = _git(cwd, "status", "--porcelain=v2", "-z", "--branch", "--untracked-files=normal", "--no-renames")
    except FileNotFoundError:
        return None, "git is not installed"
    except subprocess.TimeoutExpired:
        return None, "git gave no answer within %d s" % _GIT_SECONDS
    except (OSError, subprocess.CalledProcessError) as error:
        words = (getattr(error, "stderr", b"") or b"").decode("utf-8", "replace").strip()
        if "not a git repository" in words:
            return None, "the folder is in no git repository"
        return None, "git failed: %s" % (words.splitlines() or [str(error)])[0]
    commit = branch = None
    changed = False
    ours = os.path.basename(store) + "/"
    for record in status.split("\0"):
        if record.startswith("# branch.oid "):
            commit = None if record.endswith("(initial)") else record[13:]
        elif record.startswith("# branch.head "):
            branch = None if record.endswith("(detached)") else record[14:]
        elif record[:2] in ("1 ", "u ") or (record[:2] == "? " and not record.endswith(ours)):
            changed = True
    try:
        remote = redact(_git(cwd, "config", "--get", "remote.origin.url").strip()) or None
    except (OSError, subprocess.SubprocessError):
        remote = None
    facts = {"commit": commit, "branch": branch, "remote": remote, "dirty": changed}
    if changed:
        facts["notes"] = ["the changes themselves are not recorded: only `mlops track` makes a patch"]
    return facts, None


def well_formed(text):
    """Without the lone surrogates that file names and arguments in other encodings have in Python."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _git(cwd, *arguments):
    env = dict(os.environ, LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    done = subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=_GIT_SECONDS, check=True,
    )
    return done.stdout.decode("utf-8", "replace")
