"""Prints what of the installed scikit-learn belongs on the list of known globals, as `module: names` lines.

Classes that fitted estimators are made of and the functions that rebuild compiled ones; nothing that tests, plots,
downloads, starts processes or imports by name. src/lifecycle/scan/lists/sklearn.ts is made from this output, and a test
compares the two.
"""
import importlib
import inspect
import pkgutil
import re
import warnings

import sklearn

warnings.simplefilter("ignore")

LEFT_OUT = re.compile(
    r"\.(tests|externals|datasets|experimental|_plot|_build_utils|conftest|_testing|_mocking|_joblib|parallel|fixes"
    r"|_show_versions|_repr_html|_estimator_html_repr|_pprint|discovery|_array_api|deprecation|callback"
    r"|_test_common|estimator_checks|_openmp_helpers|_isfinite|murmurhash|_pairwise_distances_reduction|_export"
    r"|_reingold_tilford|_plotting|_param_validation|_cyutility|_available_if|_cython_blas|_hierarchical_fast)(\.|$)")


def wanted(module, name, value):
    if inspect.isclass(value):
        return value.__module__ == module.__name__ and not issubclass(value, (BaseException, dict))
    return name.startswith("__pyx_unpickle_") or name == "newObj"


def main():
    for info in pkgutil.walk_packages(sklearn.__path__, "sklearn.", onerror=lambda name: None):
        if LEFT_OUT.search(info.name):
            continue
        try:
            module = importlib.import_module(info.name)
        except ImportError:
            continue
        names = sorted(n for n, v in vars(module).items() if wanted(module, n, v) and not n.endswith("Display"))
        if names:
            print("%s: %s" % (module.__name__, " ".join(names)))


main()
