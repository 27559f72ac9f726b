/** What a person does with the workflows, and what they should know before. Pure. */
import { isAbsolute } from 'node:path'
import type { GenerateRequest, World } from '../generators.ts'
import type { ModelFacts } from './model.ts'
import type { Settings } from './settings.ts'

export function nextSteps(settings: Settings, models: readonly ModelFacts[], isLocked: boolean): string[] {
  const first = models[0]?.name ?? 'MODEL'
  const secrets = [
    ...new Set(models.flatMap((model) => model.secrets.map(({ secret }) => secret))),
    ...(settings.isShared || settings.isOwnRemote ? [] : ['MLOPS_STORE_TOKEN', 'MLOPS_STORE_READ_TOKEN']),
  ]
  return [
    `$EDITOR .github/mlops/train-${first}.sh    # yours: how it is trained on a runner`,
    ...(isLocked ? [] : ['npm install --package-lock-only --prefix .github/mlops    # locks the program, once']),
    `.github/mlops/drift.sh ${first}    # the same steps, here`,
    ...secrets.map((name) => `gh secret set ${name}`),
    'git add .github .mlops-scaffold && git commit -m "Workflows of mlops"',
  ]
}

export function warningsOf(
  { project }: World,
  { folder }: GenerateRequest,
  models: readonly ModelFacts[],
  requirements: string,
): string[] {
  const warnings: string[] = []
  for (const { name, workflow, alert, current } of models) {
    if (workflow === undefined)
      warnings.push(
        `No policy of ${name} dispatches its workflow: in retraining-policy.yaml, job: {type: github_actions, workflow: mlops-retrain-${name}.yml}.`,
      )
    if (alert === '')
      warnings.push(`Nobody is told of drift of ${name}: notify: [github] in mlops.yaml keeps one issue for it.`)
    if (current !== '' && !isAbsolute(current) && !/^[a-z]+:\/\//i.test(current))
      warnings.push(`${current} is no place outside of the repository: let .github/mlops/fetch.sh bring it there.`)
  }
  if (requirements === '')
    warnings.push(
      `No Python packages are installed on runners: there is no requirements.txt with digests in ${project.root === folder ? 'the project' : project.root} (uv pip compile --generate-hashes).`,
    )
  return warnings
}
