#!/usr/bin/env bash
# Checks one model for drift, and tells whoever has to know.
#   .github/mlops/drift.sh MODEL
# Ends well whatever the answer is; what fails is a check that could not be made, or an alert that reached nobody.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"

# Beside this script, a person may bring the data here: a download, a mount.
if [[ -x $here/fetch.sh ]]; then "$here/fetch.sh" "$MODEL"; fi

report=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/mlops-drift-$MODEL
mkdir -p -- "$report"
words=(drift "$MODEL" --report "$report/drift.md" --report "$report/drift.html")
if [[ -n $ALERT ]]; then words+=(--alert); fi
if [[ -n $CURRENT ]]; then
  # What is committed is what the model saw when somebody committed it.
  if git ls-files --error-unmatch -- "$CURRENT" > /dev/null 2>&1; then
    fail "$CURRENT is committed to git; predictions are never read from there"
  fi
  words+=(--current "$CURRENT")
fi

code=0
mlops "${words[@]}" || code=$?
if [[ -s $report/drift.md ]]; then summary < "$report/drift.md"; fi
case $code in
  0) verdict=stable ;;
  3) verdict=drift ;;
  6) verdict=inconclusive ;;
  *) exit "$code" ;;
esac
output report "$report"
output verdict "$verdict"
if [[ -n ${GITHUB_ACTIONS:-} && $verdict != stable ]]; then printf '::warning title=%s::%s\n' "$MODEL" "$verdict"; fi
