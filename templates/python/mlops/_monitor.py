"""`mlops.monitor("churn-model")`: what a script says about the data of a model."""
from . import _run, _values


class Monitor:
    def __init__(self, model):
        self.model = _values.check_name("model", model)

    def set_baseline(self, rows):
        """Keeps `rows` (a DataFrame, an array, a dict of columns, a list of rows) as the baseline of the model.

        A wish of the active run, done by the mlops program when the run ends well. Without an active run it is a run
        of its own.
        """
        run = _run.current()
        if run is not None:
            run.set_baseline(rows, model=self.model)
            return
        with _run.begin(self.model) as own:
            own.set_baseline(rows)

    def __repr__(self):
        return "<mlops monitor of %s>" % self.model


def monitor(model):
    """The monitor of a model."""
    return Monitor(model)
