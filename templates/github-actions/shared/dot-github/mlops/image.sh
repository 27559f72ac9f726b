#!/usr/bin/env bash
# shellcheck disable=SC2016
# Builds the image of the service with the version of a stage in it, sees it become healthy, pushes it, and deploys it
# where a cloud was chosen and the stage is that of the service (DEPLOYED). The cloud's own program must be logged in; its names come from the environment.
#   .github/mlops/image.sh MODEL [STAGE] [--build-only]
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"
stage=${2:-production}
assert_stage "$stage"
[[ -f $top/$SERVICE/Dockerfile ]] || fail "There is no Dockerfile in $SERVICE: mlops scaffold docker"
registry=${IMAGE%%/*}
served=$(member model < "$top/$SERVICE/service.json")
if [[ $served != "$MODEL" ]]; then
  note "$SERVICE serves $served, not $MODEL: there is no image to build"
  exit 0
fi

work=$(mktemp -d)
mlops model show "$MODEL@$stage" --json > "$work/version.json" || { cat "$work/version.json" >&2; exit 1; }
version=$(member data.version < "$work/version.json")
assert_version "$version"
archive=$top/$SERVICE/docker/model.tar
mkdir -p -- "$(dirname -- "$archive")"
rm -f -- "$archive"
mlops model export "$MODEL@$version" --output "$archive"
# What the labels say, and what the build compares the archive with.
labels=$(python3 "$top/$SERVICE/docker/model.py" args "$archive")
read -r -a facts <<< "$labels"

commit=$(git -C "$top" rev-parse HEAD)
tag=$IMAGE:$MODEL-v$version-${commit:0:12}
docker build --pull "${facts[@]}" --build-arg "REVISION=$commit" --tag "$tag" "$top/$SERVICE"

# Healthy is what its own HEALTHCHECK says: loaded, warm, golden predictions as recorded.
container=$(docker run --detach --read-only --tmpfs /tmp "$tag")
trap 'docker rm --force "$container" > /dev/null' EXIT
state=starting
for _ in {1..90}; do
  state=$(docker inspect --format '{{.State.Health.Status}}' "$container")
  if [[ $state != starting ]]; then break; fi
  sleep 1
done
if [[ $state != healthy ]]; then
  docker logs --tail 50 "$container" >&2
  fail "The image of $MODEL@$version is $state"
fi
if [[ ${3:-} == --build-only ]]; then exit 0; fi

case $CLOUD in
  gcp) gcloud auth configure-docker "$registry" --quiet ;;
  aws) aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" ;;
  azure) az acr login --name "${registry%%.*}" ;;
esac
if [[ $registry == ghcr.io && -n ${GITHUB_TOKEN:-} ]]; then
  printf '%s' "$GITHUB_TOKEN" | docker login --username "${GITHUB_ACTOR:-mlops}" --password-stdin ghcr.io
fi
docker push --quiet "$tag"
digest=$(docker inspect --format '{{index .RepoDigests 0}}' "$tag")
output image "$digest"
printf '`%s@%s` is in `%s`\n' "$MODEL" "$version" "$digest" | summary

if [[ $CLOUD != none && $stage != "$DEPLOYED" ]]; then
  printf 'not deployed: the service of `%s` runs what `%s` holds\n' "$CLOUD" "$DEPLOYED" | summary
  exit 0
fi

# By digest: a tag may be moved.
case $CLOUD in
  gcp)
    gcloud run deploy "${DEPLOY_SERVICE:?}" --image "$digest" --region "${DEPLOY_REGION:?}" --quiet
    ;;
  aws)
    aws ecs describe-services --cluster "${DEPLOY_CLUSTER:?}" --services "${DEPLOY_SERVICE:?}" \
      --query 'services[0].taskDefinition' --output text > "$work/current"
    aws ecs describe-task-definition --task-definition "$(cat "$work/current")" --query taskDefinition > "$work/task.json"
    node -e '
      const fs = require("node:fs")
      const task = JSON.parse(fs.readFileSync(process.argv[1], "utf8"))
      const [first] = task.containerDefinitions
      first.image = process.argv[2]
      const read = ["taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt"]
      for (const name of read) delete task[name]
      fs.writeFileSync(process.argv[1], JSON.stringify(task))
    ' "$work/task.json" "$digest"
    next=$(aws ecs register-task-definition --cli-input-json "file://$work/task.json" \
      --query 'taskDefinition.taskDefinitionArn' --output text)
    aws ecs update-service --cluster "$DEPLOY_CLUSTER" --service "$DEPLOY_SERVICE" --task-definition "$next" > /dev/null
    aws ecs wait services-stable --cluster "$DEPLOY_CLUSTER" --services "$DEPLOY_SERVICE"
    ;;
  azure)
    az containerapp update --name "${DEPLOY_SERVICE:?}" --resource-group "${DEPLOY_GROUP:?}" --image "$digest" > /dev/null
    ;;
  *) exit 0 ;;
esac
printf 'deployed to %s as `%s`\n' "$CLOUD" "$DEPLOY_SERVICE" | summary
