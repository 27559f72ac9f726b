/** The program from source, for work on mlops itself: commands are the files of `src/commands`. Entry of bin/dev.js. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CommandEntry, main } from './main.ts'

/** @param root folder of package.json */
export async function runSource(root: string, argv: readonly string[]): Promise<void> {
  const folder = join(root, 'src/commands')
  const commands: Record<string, CommandEntry> = {}
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    const id = file
      .slice(0, -3)
      .split(sep)
      .join(':')
      .replace(/:index$/, '')
    const source = readFileSync(join(folder, file), 'utf8')
    commands[id] = {
      hidden: /static override hidden = true/.test(source),
      summary: /static override summary =\s*(['"`])(.*?)\1\n/.exec(source)?.[2] ?? '',
      load: () => import(pathToFileURL(join(folder, file)).href),
    }
  }
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const helpText = async (words: readonly string[]): Promise<string> => {
    const help = await import('./help.ts')
    const oclif = { ...pjson.oclif, commands: { strategy: 'pattern', target: './src/commands' } }
    return help.helpText(root, { ...pjson, oclif }, words)
  }
  await main({ root, version: pjson.version, about: pjson.description, commands, helpText }, argv)
}
