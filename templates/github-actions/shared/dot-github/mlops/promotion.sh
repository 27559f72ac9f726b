# shellcheck shell=bash disable=SC2154,SC2016
# Reads a proposed promotion, and refuses whatever is not exactly one. For check-promotion.sh and promote.sh.

# before_promotion: the commit that the newest one is compared with, so that all that a pull request brought is seen. A merge
# and a squash are one commit upon the branch; a rebase of several is several, of which the last alone would look innocent.
before_promotion() {
  if [[ ${COMMITS:-1} == 1 ]] || git -C "$top" rev-parse --quiet --verify HEAD^2 > /dev/null; then
    printf 'HEAD^1\n'
    return
  fi
  # As of the pull request's last push: what others merged since is counted too, and then it is to be proposed anew.
  if [[ ! ${BASE_SHA:-} =~ ^[0-9a-f]{40,64}$ ]] || ! git -C "$top" merge-base --is-ancestor "$BASE_SHA" HEAD; then
    fail "The commit ${BASE_SHA:-} that this was proposed upon is not in its history; propose it anew"
  fi
  printf '%s\n' "$BASE_SHA"
}

# read_promotion [FILE]: sets file, model, version, stage.
read_promotion() {
  local name changed since
  if [[ -n $1 ]]; then
    if [[ $1 != /* ]]; then set -- "$started/$1"; fi
    [[ -f $1 ]] || fail "There is no file $1"
    file=$(cd -- "$(dirname -- "$1")" && pwd -P)/$(basename -- "$1")
    name=${file##*/}
  else
    # A promotion changes its own file and nothing else: not these scripts, not the gates.
    since=$(before_promotion)
    changed=$(git -C "$top" diff --no-renames --name-only "$since" HEAD --)
    [[ $changed =~ ^\.github/mlops/promotions/([a-z0-9._-]+\.json)$ ]] ||
      fail "A promotion changes one file of .github/mlops/promotions and nothing else; this changes: ${changed:-nothing}"
    name=${BASH_REMATCH[1]}
    file=$top/$changed
    [[ -f $file && ! -L $file ]] || fail "$changed was removed; there is nothing to promote"
  fi
  local read
  read=$(node -e '
    const { model, version, stage } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))
    if (![model, stage].every((each) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(each)) || !Number.isSafeInteger(version)) process.exit(1)
    console.log(`${model} ${version} ${stage}`)
  ' "$file") || fail "$file is no proposal of a promotion"
  read -r model version stage <<< "$read"
  assert_version "$version"
  assert_stage "$stage"
  use_model "$model"
  [[ $name == "$model.$stage.json" ]] || fail "$name proposes $model for $stage; that file is called $model.$stage.json"
  # The name of the branch and the text of the pull request say what people looked at.
  if [[ -n ${HEAD_REF:-} && $HEAD_REF != "mlops/promote-$model-$stage-v$version" ]]; then
    fail "The branch $HEAD_REF proposes $model@$version for $stage: the file is not the one that was proposed"
  fi
}
