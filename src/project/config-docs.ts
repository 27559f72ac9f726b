/**
 * What is generated from the schemas of `mlops.yaml` and the policy file and committed: docs/configuration.md and
 * docs/schemas/. Run `npm run docs:config` after changing a schema; a test fails when these files are stale.
 */
import { type ConfigKey, configKeys } from './config-keys.ts'
import { configJsonSchema } from './config-schema.ts'
import { policyJsonSchema } from './policy-schema.ts'
import type { JsonSchema } from './schema.ts'

/** Committed files by path relative to the repository, with their contents. */
export function configDocs(): Readonly<Record<string, string>> {
  return {
    'docs/configuration.md': markdown(),
    'docs/schemas/mlops.yaml.json': pretty(configJsonSchema()),
    'docs/schemas/retraining-policy.yaml.json': pretty(policyJsonSchema()),
  }
}

const pretty = (schema: JsonSchema): string => `${JSON.stringify(schema, null, 2)}\n`

const INTRO = `<!-- Generated from src/project/*-schema.ts by \`npm run docs:config\`. Do not edit. -->

# Configuration

\`mlops\` reads \`mlops.yaml\`, the nearest one from the working directory upwards. Every key is optional; a project
without the file has the defaults below. \`mlops init\` writes a commented one. All problems of a file are reported at
once, each with its line; an unknown key is a problem. Anchors, aliases and tags are not allowed, nor files above 1 MiB.

Precedence: flag, then \`MLOPS_*\` variable, then \`mlops.yaml\`, then the default. The store is found by \`--store\`, by
\`MLOPS_STORE\` (absolute), by \`store:\` of the nearest \`mlops.yaml\`, and in a linked git worktree in the main worktree.
Where there is none, a project that lies one or two levels below is named, and not used.

A store that is named by \`--store\` or \`MLOPS_STORE\` brings its project with it: the nearest \`mlops.yaml\` upwards from the
working directory if that is its \`store:\`, else the nearest one upwards from the store's folder that says so, else the one
upwards from the working directory as it is. \`mlops promote\` warns when none of them belongs to the store. An
\`mlops.yaml\` or \`retraining-policy.yaml\` of another user in a folder where everybody may write (such as \`/tmp\`) is refused.

\`mlops help configuration\` prints this list.

For completion in an editor, begin the file with
\`# yaml-language-server: $schema=PATH/docs/schemas/mlops.yaml.json\`.
`

const POLICY_INTRO = `When to retrain a model, how to validate the result, where to promote it to, whom to tell. \`mlops retrain MODEL\` reads
\`retraining-policy.yaml\` beside \`mlops.yaml\`, or the file that \`--policy\` names. Without one a retraining is manual: it
asks for \`--reason\`, runs the model's \`train:\` and goes to staging. Nothing enters production by itself, but by
\`autonomy: 3\` once that was earned.

The candidate must pass \`validation\` and the gate of the stage in \`mlops.yaml\`, both.
What a trigger that fires again and again leads to, and every exit code: docs/retrain.md.
`

function markdown(): string {
  const keys = configKeys()
  const tablesOf = (file: ConfigKey['file']): string[] => tables(keys.filter((key) => key.file === file))
  const settings = ['## mlops.yaml\n', ...tablesOf('mlops.yaml')]
  const policy = ['## retraining-policy.yaml\n', POLICY_INTRO, ...tablesOf('retraining-policy.yaml')]
  return `${[INTRO, ...settings, ...policy].join('\n').trimEnd()}\n`
}

/** A table for each record, in the order of the file. */
function tables(keys: readonly ConfigKey[]): string[] {
  return [...new Set(keys.map(({ section }) => section))].map((section) => {
    const rows = keys.filter((key) => key.section === section).map(row)
    const heading = section === '' ? '' : `### \`${section}\`\n\n`
    return `${heading}${['| key | is | meaning | default |', '|---|---|---|---|', ...rows, ''].join('\n')}`
  })
}

function row({ key, is, meaning, example, required, ...rest }: ConfigKey): string {
  const names = key.split(', ').map((name) => `\`${name}\``)
  const text = example === null ? meaning : `${meaning} Example: \`${example}\``
  const fallback = required ? 'required' : rest.default === null ? '' : `\`${rest.default}\``
  return `| ${names.join(', ')} | ${is} | ${text} | ${fallback} |`
}
