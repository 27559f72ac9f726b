#!/usr/bin/env bash
# Installs what the other scripts need: mlops from its lock, Python packages from a file with hashes (without them: pip as
# ever, and it says so).
#   .github/mlops/install.sh             mlops
#   .github/mlops/install.sh --python    and the Python packages the training needs, into the Python on PATH
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

if [[ $(mlops --version 2> /dev/null || true) == "mlops $MLOPS_VERSION" ]]; then
  note "mlops $MLOPS_VERSION is installed on this machine."
elif [[ -f $here/package-lock.json ]]; then
  npm ci --prefix "$here" --ignore-scripts --no-audit --no-fund
  [[ $(mlops --version) == "mlops $MLOPS_VERSION" ]] ||
    fail "package-lock.json in $here holds another program than mlops $MLOPS_VERSION"
else
  fail "There is no package-lock.json in $here. Make it and commit it: mlops scaffold github-actions --relock (--mlops file:NAME.tgz where no registry has this mlops)"
fi

if [[ ${1:-} == --python && -n $REQUIREMENTS ]]; then
  pip_install python "$REQUIREMENTS"
fi
