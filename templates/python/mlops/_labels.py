"""The truth about predictions, as a service hears it (docs/prediction-log.md, section 4): files of lines beside the day
of the prediction, or rows in PostgreSQL. What `mlops predictions label` does for a whole file is done here for one.
"""
import os
import time

from ._cells import cell, quote
from ._daily import DailyFiles
from ._postgres import Postgres
from ._watch import instant

_UNKNOWN = "unmatched"
_INSERT = "INSERT INTO mlops_labels (model, id, time, label) VALUES (%s, %s, %s::timestamptz, %s::jsonb)"


class LabelFiles(DailyFiles):
    """A day is `YYYY-MM-DD`, or `unmatched` where nobody knows it."""

    def _folder_of(self, day):
        if day == _UNKNOWN:
            return os.path.join(self._folder, _UNKNOWN)
        return os.path.join(super()._folder_of(day), "labels")


def label_sink(place, model):
    return LabelTable(place.home, model) if place.is_postgres else _InFiles(place, model)


class _InFiles:
    def __init__(self, place, model):
        self._files = LabelFiles(place.home, model, create=place.named)

    def put(self, pairs, day):
        """@raises OSError"""
        now = instant(time.time())
        lines = ['{"v":1,"id":%s,"time":"%s","label":%s}' % (quote(id), now, cell(label)) for id, label in pairs]
        self._files.write(day or _UNKNOWN, lines)


class LabelTable(Postgres):
    def __init__(self, url, model):
        super().__init__(url, None)
        self._model = model

    def put(self, pairs, day):
        """@raises OSError"""
        now = instant(time.time())
        for id, label in pairs:
            try:
                self._execute(_INSERT, (self._model, id, now, cell(label)))
            except Exception as error:
                self.close()
                raise OSError("%s does not take labels: %s" % (self.name, type(error).__name__)) from None
