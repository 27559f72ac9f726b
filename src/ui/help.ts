/**
 * Help of a command or a topic: oclif's, with the whole of its configuration, loaded only when it is asked for.
 * The first page is in `first-page.ts`.
 */
import { Config } from '@oclif/core/config'
import { Help } from '@oclif/core/help'

/**
 * @param root folder of package.json
 * @param pjson package.json with `oclif.commands.target` set to where the commands are (source or built)
 * @param words of a command or topic that exists
 * @returns the text, with a newline at its end
 */
export async function helpText(root: string, pjson: object, words: readonly string[]): Promise<string> {
  const config = await Config.load({ root, pjson: pjson as NonNullable<Parameters<typeof Config.load>[0]> & never })
  const help = new CollectedHelp(config, {})
  await help.showHelp([words.join(':')])
  return help.text
}

class CollectedHelp extends Help {
  text = ''

  protected override log(...parts: string[]): void {
    this.text += `${parts.join(' ')}\n`
  }
}
