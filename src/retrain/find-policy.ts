/** Which policy holds for a model: the named file, the project's `retraining-policy.yaml`, or none. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import { assertName } from '../core/names.ts'
import type { Project } from '../project/config.ts'
import { isPlanted } from '../project/find.ts'
import { notTrusted } from '../project/load.ts'
import { loadPolicy, manualPolicy, POLICY_NAME, type Policy } from '../project/policy.ts'

/**
 * @param named `--policy`, relative to `ctx.cwd`
 * @throws usage `POLICY_OF_ANOTHER_MODEL`, `CONFIG_NOT_TRUSTED`, and what `loadPolicy` throws
 */
export async function findPolicy(
  ctx: Context,
  project: Project,
  model: string,
  named: string | undefined,
): Promise<Policy> {
  assertName('model', model)
  const usual = join(project.root, POLICY_NAME)
  const file = named === undefined ? (existsSync(usual) ? usual : undefined) : resolve(ctx.cwd, named)
  if (file === undefined) return manualPolicy(model)
  // A file that was named is meant.
  if (named === undefined && isPlanted(file)) throw notTrusted(file, ctx.cwd)
  const policy = await loadPolicy(file, { cwd: ctx.cwd, stages: project.config.stages })
  if (policy.model === model) return policy
  throw usage({
    code: 'POLICY_OF_ANOTHER_MODEL',
    message: `${policy.file} is the policy of ${policy.model}, not of ${model}.`,
    hint: `Name the policy of ${model}: mlops retrain ${model} --policy FILE; or retrain the other: mlops retrain ${policy.model}`,
    details: { file: policy.file, model: policy.model, asked: model },
  })
}
