"""What a script says about the checks of its model: `drift_threshold` and `on_drift`. Kept in the store as write-once
files, the newest of which counts (docs/prediction-log.md, "Settings made in code"); mlops.yaml overrides them.
"""
import hashlib
import json
import math
import os
import re
import time

from ._canonical import canonical_bytes, seal
from ._redact import redact
from ._run import TOOL, _timestamp, _warn_once
from ._store import open_store

# What can be told (src/notify/channels.ts); a test compares.
CHANNEL = re.compile(r"(?:slack:#?\S+|email:\S+@\S+|webhook:https?://\S+|pagerduty(?::\S+)?|github|file:.+|stdout)\Z")
# An integration key of PagerDuty, a webhook of Slack in the place of its channel.
_SECRET = re.compile(r"(?:pagerduty:[0-9A-Za-z]{32}|slack:.*[:/].*)\Z")
_KEYS = ("threshold", "channels")


def check_threshold(value):
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
        raise ValueError("a drift threshold is a number such as 0.10, not %.40r" % (value,))
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError("a drift threshold is above 0, and %.40r is not" % (value,))
    return number


def check_channels(channel):
    if isinstance(channel, str):
        channel = [channel]
    if not isinstance(channel, (list, tuple)) or not all(isinstance(each, str) for each in channel):
        raise ValueError('a channel is text such as "slack:#ml-alerts", or a list of these, not %.60r' % (channel,))
    for each in channel:
        if redact(each) != each or _SECRET.match(each):
            raise ValueError(
                "a channel of kind %r holds a secret, which would be stored: name the channel here, and keep the secret "
                "in the environment" % each.split(":")[0]
            )
        if not CHANNEL.match(each):
            raise ValueError(
                "%.60r is no channel: slack:#ml-alerts, email:ml@example.com, webhook:https://host/path, pagerduty, "
                "github, file:PATH or stdout" % each
            )
    return list(dict.fromkeys(channel))


def read(store_root, model):
    """{"threshold": number, "channels": [...]} as far as any script said so; each from the newest file that has it."""
    folder = _folder(store_root, model)
    found = []
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    for name in names:
        if not re.match(r"[0-9a-f]{64}\.json\Z", name):
            continue
        try:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read(65536)
            record = json.loads(data.decode("utf-8"))
            record.pop("self")
            if seal(record) == data:  # damaged ones do not count
                found.append((record["time"], name, record))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    result = {}
    for _, _, record in sorted(found, key=lambda each: each[:2]):
        result.update({key: record[key] for key in _KEYS if key in record})
    return result


def save(store_root, model, wanted):
    """Adds a file, unless the newest ones say the same. Never raises: a service starts without its store, too."""
    try:
        known = read(store_root, model)
        new = {key: value for key, value in wanted.items() if known.get(key) != value}
        if not new:
            return True
        store, problem = open_store(store_root)
        if store is None:
            raise OSError(problem)
        record = dict(new, format=1, model=model, time=_timestamp(time.time()), tool=TOOL)
        name = hashlib.sha256(canonical_bytes(record)).hexdigest()
        store.put_record("predictions/%s/settings/%s.json" % (model, name), record)
        return True
    except OSError as error:
        _warn_once("the drift settings of %s were not stored: %s. Set them in mlops.yaml" % (model, error))
        return False


def _folder(store_root, model):
    return os.path.join(store_root, "predictions", model, "settings")
