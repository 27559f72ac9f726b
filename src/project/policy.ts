/**
 * Reads a policy file into the `Policy` that `src/retrain/` works with, and checks what needs several keys at once.
 * The keys themselves are in `policy-schema.ts`; acting on a policy is no business of this folder.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { nameProblem } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { promotionCommand } from '../core/next-command.ts'
import type { MetricName } from './config.ts'
import { toGate } from './config-read.ts'
import { DAY, parseDuration } from './duration.ts'
import { isPlanted } from './find.ts'
import type { Gate } from './gate-config.ts'
import { readYamlFile } from './load.ts'
import { toJob, toTrigger } from './policy-read.ts'
import { noValidation, policyShape, type RawPolicyFile } from './policy-schema.ts'
import { configError, type Problem } from './problems.ts'
import { lineAt } from './yaml.ts'

export const POLICY_NAME = 'retraining-policy.yaml'
const POLICY_FILE = /^retraining-policy.*\.ya?ml$/

/** The policies that stand beside mlops.yaml, sorted; without files that somebody else may have put there. */
export function policyFiles(root: string): string[] {
  if (!existsSync(root)) return []
  const names = readdirSync(root).filter((name) => POLICY_FILE.test(name))
  return names.sort().flatMap((name) => (isPlanted(join(root, name)) ? [] : [join(root, name)]))
}
/** After a failure the same cause rests this long. */
const COOL_DOWN = '7d'

export type Trigger =
  | {
      readonly type: 'drift'
      readonly metric: MetricName
      readonly threshold?: number
      readonly column?: string
      /** Of the prediction log, as it is written: `14d`. */
      readonly window?: string
    }
  /** `every` in milliseconds. */
  | { readonly type: 'schedule'; readonly every: number }
  /** `data`, a file, folder or pattern, relative to the project. */
  | { readonly type: 'new_data'; readonly data: string }
  /** The realised metric of the version in production, from labels that have arrived, is worse than `threshold`. */
  | { readonly type: 'metric'; readonly metric: string; readonly threshold: number; readonly window?: string }
  | { readonly type: 'manual' }

export type Job =
  | {
      readonly type: 'command'
      /** Undefined: the model's `train:`. */
      readonly command?: string
      /** Undefined: what the run behind the version in production declared. */
      readonly data?: Readonly<Record<string, string>>
    }
  | {
      readonly type: 'github_actions'
      /** The file name of the workflow. */
      readonly workflow: string
      /** `owner/name`; undefined: that of the git remote. */
      readonly repository?: string
      /** Undefined: the repository's default branch. */
      readonly ref?: string
      readonly inputs: Readonly<Record<string, string>>
      /** Milliseconds that `--wait` waits. */
      readonly timeout: number
    }

/** How much of the way to production goes without a person (docs/lifecycle.md, "Without a person"). */
export interface Autonomy {
  /** 1: it only reports; 2: it trains and stages, a person promotes; 3: it promotes, once that was earned. */
  readonly level: 1 | 2 | 3
  /** Milliseconds since the first clean staged promotion. */
  readonly minAge: number
  readonly minCleanPromotions: number
}

export interface Policy {
  /** As shown to the user; undefined for the built-in one. */
  readonly file?: string
  readonly model: string
  readonly trigger: Trigger
  readonly job: Job
  readonly validation: Gate
  readonly promoteOnPass: string
  readonly notifyOnFail: readonly string[]
  readonly notifyOnPass: readonly string[]
  /** Milliseconds. */
  readonly coolDown: number
  readonly autonomy: Autonomy
}

/** Three months and five promotions that nobody had to take back. */
export const HUMAN_PROMOTES: Autonomy = { level: 2, minAge: 90 * DAY, minCleanPromotions: 5 }

/** What holds for a model without a policy file: a human gives a reason, the model's `train:` runs, staging is next. */
export const manualPolicy = (model: string): Policy => ({
  model,
  trigger: { type: 'manual' },
  job: { type: 'command' },
  validation: toGate(noValidation),
  promoteOnPass: 'staging',
  notifyOnFail: [],
  notifyOnPass: [],
  coolDown: parseDuration(COOL_DOWN) ?? 0,
  autonomy: HUMAN_PROMOTES,
})

/**
 * @param file absolute
 * @param options.cwd problems name the file relative to it; `stages`: those of the project
 * @throws usage `CONFIG_INVALID` with every problem, notFound `CONFIG_NOT_FOUND`, failed `CONFIG_UNREADABLE`
 */
export async function loadPolicy(
  file: string,
  options: { readonly cwd: string; readonly stages?: readonly string[] },
): Promise<Policy> {
  const hint = 'Every key: mlops help configuration'
  const { node, name } = readYamlFile(file, options.cwd, hint)
  const problems: Problem[] = []
  const report: Report = (line, path, message) => problems.push({ file: name, line, path, message })
  // What was reported is a hole in `raw`; the rules over several keys judge the rest, so that all comes at once.
  const raw = policyShape.read(node, { path: '', report }) as Partial<RawPolicyFile> | undefined
  const wrong = new Set(problems.map(({ path }) => path))
  const say: Say = (path, message, key) => {
    const at = ['policy', ...path]
    // A value that is there and wrong was reported as that, not as missing.
    if (key === undefined || !wrong.has([...at, key].join('.'))) report(lineAt(node, at), at.join('.'), message)
  }
  const policy = raw?.policy && toPolicy(raw.policy, options.stages ?? ['staging', 'production'], say)
  if (policy === undefined || problems.length > 0) throw configError(problems, hint)
  return { file: name, ...policy }
}

type Report = (line: number, path: string, message: string) => void

/** @param raw keys that are wrong or missing, and reported, are undefined */
function toPolicy(raw: RawPolicy, stages: readonly string[], say: Say): Policy {
  const validation = raw.validation ?? noValidation
  const wrongName = raw.model === undefined ? undefined : nameProblem(raw.model)
  if (wrongName !== undefined) say(['model'], `cannot be the name of a model: ${wrongName}`)
  if (validation.compare_to !== undefined && !stages.includes(validation.compare_to)) {
    say(['validation', 'compare_to'], noStage(validation.compare_to, stages))
  }
  return {
    model: raw.model ?? '',
    trigger: raw.trigger?.type === undefined ? { type: 'manual' } : toTrigger(raw.trigger, say),
    job: raw.job?.type === undefined ? { type: 'command' } : toJob(raw.job, raw.job.type, say),
    validation: toGate(validation),
    promoteOnPass: toStage(raw, validation, stages, say),
    notifyOnFail: [...new Set([...(raw.notify_on_fail ?? []), ...(validation.notify_on_fail ?? [])])],
    notifyOnPass: [...new Set([...(raw.notify_on_pass ?? []), ...(validation.notify_on_pass ?? [])])],
    coolDown: parseDuration(raw.cool_down ?? COOL_DOWN) ?? 0,
    autonomy: toAutonomy(raw.autonomy, say),
  }
}

/** @param key what is missing there: nothing is said when its value was reported as wrong */
export type Say = (path: readonly string[], message: string, key?: string) => void
export type Trusted = RawPolicyFile['policy']
/** With holes where something was reported. */
type RawPolicy = Omit<Trusted, 'model' | 'trigger' | 'job'> & {
  readonly model: string | undefined
  readonly trigger: Trusted['trigger'] | undefined
  readonly job: Partial<NonNullable<Trusted['job']>> | undefined
}

/** A team may lower the bar, but not away: a policy that has shown nothing promotes nothing. */
function toAutonomy(raw: Trusted['autonomy'], say: Say): Autonomy {
  if (raw === undefined) return HUMAN_PROMOTES
  const { level, min_age, min_clean_promotions } = raw
  const age = min_age === undefined ? undefined : parseDuration(min_age)
  if (age !== undefined && age < DAY) {
    say(['autonomy', 'min_age'], `expected 1d or more, found ${JSON.stringify(min_age)}`)
  }
  return {
    level,
    minAge: min_age === undefined ? HUMAN_PROMOTES.minAge : (parseDuration(min_age) ?? 0),
    minCleanPromotions: min_clean_promotions ?? HUMAN_PROMOTES.minCleanPromotions,
  }
}

/** `promote_on_pass`, from either of its two places. Production takes a person, or autonomy that was earned. */
function toStage(
  raw: RawPolicy,
  validation: { readonly promote_on_pass: string | undefined },
  stages: readonly string[],
  say: Say,
): string {
  const outer = raw.promote_on_pass
  const inner = validation.promote_on_pass
  const path = outer === undefined ? ['validation', 'promote_on_pass'] : ['promote_on_pass']
  const stage = outer ?? inner ?? 'staging'
  if (outer !== undefined && inner !== undefined && outer !== inner) {
    say(path, `says ${outer}, but validation.promote_on_pass says ${inner}; keep one`)
  }
  if (stage === 'production' && raw.autonomy?.level !== 3) {
    say(
      path,
      `nothing enters production by itself; promote to staging, then: ${promotionCommand(raw.model ?? 'MODEL', 'production')}`,
    )
  } else if (stage !== 'production' && !stages.includes(stage)) {
    say(path, noStage(stage, stages))
  }
  return stage
}

function noStage(stage: string, stages: readonly string[]): string {
  const close = nearest(stage, stages)
  return `${stage} is not one of the stages (${stages.join(', ')})${close === undefined ? '' : `; did you mean ${close}?`}`
}
