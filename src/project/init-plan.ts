/**
 * What `mlops init` will do, from what was found: pure, printable, what `--dry-run` shows. Finding is `detect.ts`,
 * doing is `init.ts`.
 */

import { basename, join, relative } from 'node:path'
import { assertName, nameProblem } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { shellWord } from '../core/shell.ts'
import type { Project } from './config.ts'
import type { Facts } from './detect.ts'
import { CONFIG_NAME } from './find.ts'
import { type SharingChoice, sharedConfig } from './init-sharing.ts'
import { renderConfig } from './init-yaml.ts'
import { displayPath } from './load.ts'

export interface InitChoices {
  readonly model: string
  readonly train: string | undefined
  /** The column that the model predicts; undefined: what was found. */
  readonly target?: string | undefined
  readonly shared: boolean
  /** The branch of a remote that the team shares the store as; undefined: the folder alone. */
  readonly sharing?: SharingChoice | undefined
  /** Of the mlops.yaml that is there, for a change in it. */
  readonly configText?: string | undefined
}

export interface InitStep {
  readonly what: 'store' | 'ignore' | 'config'
  /** Absolute. */
  readonly path: string
  /** `present`: there already, left alone; `change`: one line of it. */
  readonly action: 'create' | 'append' | 'change' | 'present'
  /** What is written into a file; of a change the whole new text. */
  readonly content?: string
}

export interface InitPlan {
  readonly root: string
  readonly model: string
  readonly shared: boolean
  /** The branch of a remote that the team shares the store as. */
  readonly sharing?: SharingChoice
  /** In the order in which they are done. */
  readonly steps: readonly InitStep[]
  /** For a person: `Python by .venv`, `training script train.py`. */
  readonly found: readonly string[]
  readonly notes: readonly string[]
  /** The next command to type. */
  readonly next: string
}

/** A model name from the folder's: `Churn Project/` gives `churn-project`, and what gives nothing is `model`. */
export function suggestModelName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
  return name === '' || nameProblem(name) !== undefined ? 'model' : name
}

/** The training command as it was found, for a prompt's default and for `--yes`. */
export const suggestTrain = (facts: Facts): string | undefined =>
  facts.trainScript === undefined ? undefined : `${facts.python} ${shellWord(facts.trainScript)}`

/**
 * @param project as it is now, when the folder has an `mlops.yaml`
 * @throws usage `NAME_INVALID`
 */
export function planInit(facts: Facts, choices: InitChoices, project: Project | undefined): InitPlan {
  assertName('model', choices.model)
  const { model, train } = choices
  const target = choices.target ?? facts.target
  const evaluate =
    facts.evaluateScript === undefined ? undefined : `${facts.python} ${shellWord(facts.evaluateScript)} {model} {data}`
  const configPath = join(facts.root, CONFIG_NAME)
  const { sharing, configText } = choices
  const isNews = sharing !== undefined && project !== undefined && project.config.sharing === undefined
  const config: InitStep = facts.hasConfig
    ? isNews && configText !== undefined
      ? {
          what: 'config',
          path: configPath,
          action: 'change',
          content: sharedConfig(configText, project.config.store, sharing),
        }
      : { what: 'config', path: configPath, action: 'present' }
    : {
        what: 'config',
        path: configPath,
        action: 'create',
        content: renderConfig({
          model,
          store: facts.storeSetting,
          sharing,
          train,
          evaluate,
          artifact: facts.artifact,
          target,
          python: facts.python,
        }),
      }
  return {
    root: facts.root,
    model,
    shared: choices.shared,
    ...(sharing === undefined ? {} : { sharing }),
    steps: [
      // The store first: where it cannot be made, nothing else is left behind.
      { what: 'store', path: facts.store, action: facts.hasStore ? 'present' : 'create' },
      ...ignoreSteps(facts),
      config,
    ],
    found: describe(facts),
    notes: notes(facts, choices, project),
    next: nextCommand(facts, model, train, project),
  }
}

/** Where the line of `mlops drift --cron` writes to. */
const CRON_LOG = '.mlops-drift-*.log'

function ignoreSteps({ storeTop, ignored, store }: Facts): InitStep[] {
  if (storeTop === undefined) return []
  const path = join(storeTop, '.gitignore')
  if (ignored) return [{ what: 'ignore', path, action: 'present' }]
  const line = `/${relative(storeTop, store).replaceAll('\\', '/')}/`
  // What git reads as a pattern must mean itself.
  const literal = line.replace(/[\\*?[\]!#]/g, '\\$&').replace(/ (?=\/$)/, '\\ ')
  return [
    {
      what: 'ignore',
      path,
      action: 'append',
      content: `# The store of mlops, and what its nightly checks print: not part of the code\n${literal}\n${CRON_LOG}\n`,
    },
  ]
}

function describe(facts: Facts): string[] {
  const found: string[] = []
  if (facts.pythonSigns.length > 0) found.push(`Python: ${facts.pythonSigns.join(', ')}`)
  if (facts.gitTop !== undefined) found.push(`git repository: ${displayPath(facts.gitTop, facts.root)}`)
  if (facts.trainScript !== undefined) found.push(`training script: ${facts.trainScript}`)
  if (facts.evaluateScript !== undefined) found.push(`evaluation script: ${facts.evaluateScript}`)
  if (facts.artifact !== undefined) {
    const isToCome = facts.isArtifactToCome && facts.trainScript !== undefined
    found.push(`model file: ${isToCome ? `${facts.trainScript} writes ${facts.artifact}` : facts.artifact}`)
  }
  if (facts.target !== undefined) found.push(`target column: ${facts.target}`)
  if (facts.dataFiles.length > 0) {
    const more = facts.dataFiles.length > 3 ? ` and ${facts.dataFiles.length - 3} more` : ''
    found.push(`data: ${facts.dataFiles.slice(0, 3).join(', ')}${more}`)
  }
  return found
}

/** Why `target` cannot be the column the model predicts, as far as the data files tell; undefined when it can. */
export function targetProblem({ columns, dataFiles }: Facts, target: string): string | undefined {
  if (target === '' || columns === undefined || columns.includes(target)) return undefined
  const close = nearest(target, columns)
  const guess = close === undefined ? '' : `; did you mean ${close}?`
  return `no column of ${dataFiles.slice(0, 3).join(', ')} is called ${target}${guess}`
}

function notes(facts: Facts, { model, target }: InitChoices, project: Project | undefined): string[] {
  const result: string[] = []
  const models = project === undefined ? [] : Object.keys(project.config.models)
  if (project !== undefined && !models.includes(model)) {
    result.push(
      `${CONFIG_NAME} is left as it is and does not name ${model}; to set something for it, add under "models:":  ${model}: {}`,
    )
  }
  if (target !== undefined && project !== undefined && project.config.models[model]?.schema.target !== target) {
    result.push(
      `${CONFIG_NAME} is left as it is; the target column goes under "${model}:"  schema: {target: ${target}}`,
    )
  }
  const doubt = target === undefined ? undefined : targetProblem(facts, target)
  if (doubt !== undefined) result.push(`Look at the target column: ${doubt}`)
  if (facts.gitTop === undefined) {
    result.push('Not in a git repository: runs will be recorded without a commit. To record the code too: git init')
  }
  return result
}

function nextCommand(facts: Facts, model: string, train: string | undefined, project: Project | undefined): string {
  const configured =
    project !== undefined && Object.hasOwn(project.config.models, model)
      ? project.config.models[model]?.train
      : undefined
  const command = configured ?? train ?? `${facts.python} train.py`
  const data = Object.entries({ train: 'train|training', test: 'test|holdout|valid|validation' }).flatMap(
    ([name, words]) => {
      const file = facts.dataFiles.find((path) =>
        new RegExp(`(?:^|/)(?:${words})\\.(?:csv|parquet|jsonl)$`, 'i').test(path),
      )
      return file === undefined ? [] : [`--data ${name}=${shellWord(file)}`]
    },
  )
  return ['mlops track', `--model ${model}`, ...data, '--', command].join(' ')
}
