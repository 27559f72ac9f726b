/** The built program: commands come from oclif's manifest, modules from `dist/`. Entry of bin/run.js. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CommandEntry, main } from './main.ts'

interface Manifest {
  readonly version: string
  readonly commands: Readonly<
    Record<string, { readonly hidden?: boolean; readonly summary?: string; readonly relativePath?: readonly string[] }>
  >
}

/** @param root folder of package.json */
export async function runBuilt(root: string, argv: readonly string[]): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as Manifest
  const commands: Record<string, CommandEntry> = {}
  for (const [id, { hidden, summary, relativePath }] of Object.entries(manifest.commands)) {
    if (relativePath === undefined) continue
    const load = () => import(pathToFileURL(join(root, ...relativePath)).href)
    commands[id] = { hidden: hidden === true, summary: summary ?? '', load }
  }
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const helpText = async (words: readonly string[]): Promise<string> => {
    const help = await import('./help.ts')
    return help.helpText(root, pjson, words)
  }
  await main({ root, version: manifest.version, about: pjson.description, commands, helpText }, argv)
}
