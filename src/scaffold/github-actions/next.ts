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
    ...(isLocked
      ? []
      : [
          'mlops scaffold github-actions --relock    # locks the program: --mlops file:mlops-VERSION.tgz where no registry has it',
        ]),
    `.github/mlops/drift.sh ${first}    # the same steps, here`,
    ...secrets.map((name) => `gh secret set ${name}`),
    'git add .github .mlops-scaffold && git commit -m "Workflows of mlops"',
  ]
}

export function warningsOf(
  { project }: World,
  { folder }: GenerateRequest,
  models: readonly ModelFacts[],
  requirements: { readonly file: string; readonly isLocked: boolean },
): string[] {
  const warnings: string[] = []
  for (const { name, workflow, alert, current, elsewhere } of models) {
    if (elsewhere.length > 0)
      warnings.push(
        `A runner has no ${elsewhere.join(', ')}, which is not in git: .github/mlops/train-${name}.sh must bring it first.`,
      )
    if (workflow === undefined)
      warnings.push(
        `No policy of ${name} dispatches its workflow: in retraining-policy.yaml, job: {type: github_actions, workflow: mlops-retrain-${name}.yml}.`,
      )
    if (alert === '')
      warnings.push(`Nobody is told of drift of ${name}: notify: [github] in mlops.yaml keeps one issue for it.`)
    const doubt = doubtOfLocation(current)
    if (doubt !== undefined) warnings.push(doubt)
  }
  if (requirements.file === '')
    warnings.push(
      `No Python packages are installed on runners, so the training fails there: write requirements.txt in ${project.root === folder ? 'the project' : project.root} (uv pip compile --generate-hashes), and run this again.`,
    )
  else if (!requirements.isLocked)
    warnings.push(
      `${requirements.file} has no digests, so whoever controls the index decides what a runner installs (uv pip compile --generate-hashes).`,
    )
  return warnings
}

/** Why a runner may not find what the drift check is to read; rows are never in git, so somebody brings them. */
export function doubtOfLocation(current: string): string | undefined {
  const bring = 'write .github/mlops/fetch.sh, which is run before the check with the name of the model'
  if (current === '' || isAbsolute(current) || /^postgres(?:ql)?:\/\//i.test(current)) return undefined
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(current))
    return `mlops drift cannot read ${current} by itself: ${bring}, let it bring the rows to a path, and name that path with --current.`
  return `${current} is a path in the repository, and a fresh checkout has no rows there: ${bring}, and let it bring them.`
}
