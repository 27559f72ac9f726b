#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2153
# Opens the pull request whose merge moves a stage: one small file, and the table of the gate as its text.
#   .github/mlops/propose.sh MODEL VERSION [STAGE]
# MODEL@VERSION does not enter anything here. Your working tree is not touched. Without a token the branch is pushed, and
# the text for the pull request is left in a file.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"
version=${2:?the number of a version}
stage=${3:-production}
assert_version "$version"
assert_stage "$stage"

file=.github/mlops/promotions/$MODEL.$stage.json
branch=mlops/promote-$MODEL-$stage-v$version
work=$(mktemp -d)
code=0
mlops gate propose "$MODEL@$version" --to "$stage" --output "$work/proposal.json" --markdown > "$work/table.md" || code=$?
if [[ $code == 3 ]]; then
  note "nothing to propose"
  output proposed false
  exit 0
fi
if [[ $code != 0 ]]; then exit "$code"; fi
{
  printf 'Merging this moves `%s` to `%s@%s`; whoever merges it approves it. ' "$stage" "$MODEL" "$version"
  printf 'The file is held against the store first: `mlops gate confirm %s`.\n\n' "$file"
  cat "$work/table.md"
} > "$work/body.md"
summary < "$work/body.md"

# One commit that changes one file, made beside the working tree.
git_with_token fetch --quiet --no-tags origin "refs/heads/$BRANCH"
base=$(git rev-parse FETCH_HEAD)
export GIT_INDEX_FILE=$work/index
git read-tree "$base"
blob=$(git hash-object -w --no-filters "$work/proposal.json")
git update-index --add --cacheinfo "100644,$blob,$file"
tree=$(git write-tree)
unset GIT_INDEX_FILE
commit=$(
  GIT_AUTHOR_NAME=mlops GIT_AUTHOR_EMAIL=mlops@users.noreply.github.com \
    GIT_COMMITTER_NAME=mlops GIT_COMMITTER_EMAIL=mlops@users.noreply.github.com \
    git commit-tree "$tree" -p "$base" -m "Promote $MODEL@$version to $stage"
)
git_with_token push --quiet --force origin "$commit:refs/heads/$branch"
note "pushed $branch"
output proposed true
output branch "$branch"
node "$here/pull-request.mjs" "$branch" "$BRANCH" "Promote $MODEL@$version to $stage" "$work/body.md"
