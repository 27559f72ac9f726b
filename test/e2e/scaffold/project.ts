/** A project with one model whose service is scaffolded without Python: for tests of what happens to files. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TempProject, tempProject } from '../harness.ts'

export const M = 'churn-model'
/** What the model file is cannot be told from JSON, and nothing was locked: both are said. */
export const SCAFFOLD = ['scaffold', 'fastapi', M, '--flavour', 'callable', '--unlocked']

const CONFIG = `
models:
  ${M}:
    schema: {target: churned, columns: {customer: id}}
`

/** @returns a project with one version, trained on 200 rows of three plans */
export async function scaffoldProject(): Promise<TempProject> {
  const project = tempProject({
    'mlops.yaml': CONFIG,
    'model.py': 'def predict(rows):\n    return [0.5 for _ in rows]\n',
  })
  await project.mlops(['init', '--yes'])
  await registerOn(project, ['basic', 'family', 'pro'])
  return project
}

/** The next version: the same columns, with these categories in one of them. */
export async function registerOn(
  project: TempProject,
  plans: readonly string[],
  extra = '',
  youngest = 20,
): Promise<void> {
  const lines = Array.from({ length: 200 }, (_, row) =>
    [
      `c${row}`,
      youngest + (row % 50),
      plans[row % plans.length],
      row % 3 === 0 ? 1 : 0,
      ...(extra === '' ? [] : [row % 7]),
    ].join(','),
  )
  const header = ['customer', 'age', 'plan', 'churned', ...(extra === '' ? [] : [extra])].join(',')
  project.write('train.csv', `${header}\n${lines.join('\n')}\n`)
  await project.mlops(['register', M, '--artifact', 'model.py', '--baseline', 'train.csv'])
}

/** Every file below a folder with the digest of its bytes, links as what they say. */
export function tree(folder: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(join(folder, prefix)).sort()) {
    const path = prefix === '' ? name : `${prefix}/${name}`
    const facts = lstatSync(join(folder, path))
    if (facts.isDirectory()) Object.assign(found, tree(folder, path))
    else
      found[path] = facts.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(folder, path)))
            .digest('hex')
        : 'link'
  }
  return found
}

/** What differs between two trees: path -> what happened. */
export function changed(before: Record<string, string>, after: Record<string, string>): Record<string, string> {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return Object.fromEntries(
    paths.flatMap((path) => {
      if (before[path] === after[path]) return []
      return [[path, before[path] === undefined ? 'new' : after[path] === undefined ? 'gone' : 'other']]
    }),
  )
}
