/**
 * `--help`: oclif's help with a first page of our own, loaded only when it is asked for.
 * What a command does stands in the command; only the order of the first page stands here.
 */

import type { Command } from '@oclif/core/command'
import { Config } from '@oclif/core/config'
import { Help } from '@oclif/core/help'

/** By the first word of a command; what is not named comes last. */
const GROUPS: readonly (readonly [title: string, first: readonly string[]])[] = [
  ['THE LOOP', ['init', 'track', 'register', 'promote', 'drift', 'retrain', 'rollback', 'status']],
  ['LOOK', ['run', 'model', 'predictions']],
  ['CARE', ['scaffold', 'notify', 'store', 'doctor', 'completion', 'help']],
]

class MlopsHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    const left = new Map(this.sortedCommands.filter(({ hidden }) => !hidden).map((command) => [command.id, command]))
    this.log(this.config.pjson.description)
    this.log('')
    this.log(this.section('USAGE', '$ mlops COMMAND [FLAGS]'))
    for (const [title, words] of [...GROUPS, ['MORE', [...left.keys()].map(firstWord)] as const]) {
      const members = words.flatMap((word) => [...left.values()].filter(({ id }) => firstWord(id) === word))
      for (const { id } of members) left.delete(id)
      if (members.length > 0)
        this.log(
          `\n${this.section(
            title,
            members.map((command) => this.row(command)),
          )}`,
        )
    }
    this.log('\nmlops COMMAND --help says more. Exit codes: mlops help exit-codes.')
  }

  private row({ id, summary, description }: Command.Loadable | Command.Cached): [string, string] {
    return [id.replaceAll(':', ' '), this.render(summary ?? description?.split('\n')[0] ?? '')]
  }
}

const firstWord = (id: string): string => id.split(':')[0] ?? id

/**
 * @param root folder of package.json
 * @param pjson package.json with `oclif.commands.target` set to where the commands are (source or built)
 */
export async function showHelp(root: string, pjson: object, words: readonly string[]): Promise<void> {
  const config = await Config.load({ root, pjson: pjson as NonNullable<Parameters<typeof Config.load>[0]> & never })
  await new MlopsHelp(config, {}).showHelp(words.length === 0 ? [] : [words.join(':')])
}
