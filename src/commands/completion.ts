/** `mlops completion SHELL`: the script that a shell sources. */
import { Args, MlopsCommand, type Outcome } from '../ui/command.ts'
import { completionScript, SHELLS, type Shell } from '../ui/completion-scripts.ts'

export type Result = { readonly shell: Shell; readonly script: string }

export default class Completion extends MlopsCommand {
  static override summary = 'Print the completion script of a shell: commands, flags, models, stages, versions, runs.'
  static override examples = [
    { description: 'For this bash session', command: 'source <(<%= config.bin %> completion bash)' },
    { description: 'For zsh, in ~/.zshrc after compinit', command: 'source <(<%= config.bin %> completion zsh)' },
    {
      description: 'For fish',
      command: '<%= config.bin %> completion fish > ~/.config/fish/completions/mlops.fish',
    },
  ]
  static override args = {
    shell: Args.string({ description: 'bash, zsh or fish.', required: true, options: [...SHELLS] }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(Completion)
    const shell = SHELLS.find((each) => each === args.shell) ?? 'bash'
    const script = completionScript(shell, this.config.bin)
    return { data: { shell, script }, render: () => script }
  }
}
