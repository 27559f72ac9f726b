/**
 * What is generated from the schemas of `mlops.yaml` and the policy file and committed: docs/configuration.md and
 * docs/schemas/. Run `npm run docs:config` after changing a schema; a test fails when these files are stale.
 */
import { configJsonSchema, configShape } from './config-schema.ts'
import { policyJsonSchema, policyShape } from './policy-schema.ts'
import type { Field, Fields, JsonSchema, Shape } from './schema.ts'

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

For completion in an editor, begin the file with
\`# yaml-language-server: $schema=PATH/docs/schemas/mlops.yaml.json\`.
`

const POLICY_INTRO = `When to retrain a model, how to validate the result, where to promote it to, whom to tell. \`mlops retrain MODEL\` reads
\`retraining-policy.yaml\` beside \`mlops.yaml\`, or the file that \`--policy\` names. Without one a retraining is manual: it
asks for \`--reason\`, runs the model's \`train:\` and goes to staging. Nothing enters production by itself.

The candidate must pass \`validation\` and the gate of the stage in \`mlops.yaml\`, both.
`

function markdown(): string {
  const parts = [
    INTRO,
    '## mlops.yaml\n',
    ...sections('', configShape),
    `## ${'retraining-policy.yaml'}\n`,
    POLICY_INTRO,
  ]
  return `${[...parts, ...sections('', policyShape)].join('\n').trimEnd()}\n`
}

/** A table for each record, in the order of the file; `models.<name>` stands for a key the user chooses. */
function sections(path: string, shape: Shape<unknown>): string[] {
  if (shape.each !== undefined) return sections(`${path}.<name>`, shape.each)
  const { fields, pattern } = shape
  if (fields === undefined) return []
  const rows = Object.entries(fields).map(([key, field]) => row(key, field))
  if (pattern !== undefined) {
    const names = pattern.name.split(', ').map((name) => `\`${name}\``)
    rows.push(`| ${names.join(', ')} | ${pattern.shape.label} | ${pattern.description} | |`)
  }
  const heading = path === '' ? [] : [`### \`${path}\`\n`]
  const table = ['| key | is | meaning | default |', '|---|---|---|---|', ...rows, '']
  return [...heading, table.join('\n'), ...below(path, fields)]
}

const below = (path: string, fields: Fields): string[] =>
  Object.entries(fields).flatMap(([key, field]) => sections(path === '' ? key : `${path}.${key}`, field.shape))

function row(key: string, field: Field<unknown>): string {
  const { fallback, example, required } = field
  const meaning = [field.description, ...(example === undefined ? [] : [`Example: \`${example}\``])].join(' ')
  return `| \`${key}\` | ${field.shape.label} | ${meaning} | ${required ? 'required' : defaultText(fallback)} |`
}

function defaultText(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``
  return typeof value === 'object' ? '' : `\`${value}\``
}
