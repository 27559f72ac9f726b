/**
 * Questions to a person. Asked only when somebody is there to answer; otherwise the command fails and names the flag
 * that answers the question. Written to stderr: stdout belongs to the result.
 */
import { usage } from '../core/errors.ts'

export interface Asking {
  /** stdin and stderr are terminals and neither CI, --json nor --no-input is set. */
  readonly interactive: boolean
  /** `--yes` */
  readonly yes: boolean
  readonly signal: AbortSignal
}

export interface ConfirmOptions {
  readonly question: string
  /** What answers it without a prompt, as it would be typed: `--yes`, `--approve NAME`. */
  readonly flag: string
  /** Destructive questions default to no, which is the default. */
  readonly default?: boolean
  /** False where `--yes` must not be enough (an approval). */
  readonly yesAnswers?: boolean
}

export interface AskOptions {
  readonly question: string
  readonly flag: string
  readonly default?: string
  /** A sentence when the answer will not do. */
  readonly problem?: (answer: string) => string | undefined
}

export interface ChooseOptions<T extends string> {
  readonly question: string
  readonly flag: string
  readonly choices: readonly { readonly value: T; readonly label?: string }[]
  readonly default?: T
}

/** @throws usage `INPUT_NEEDED`, interrupted `INTERRUPTED` (through `explain`) */
export async function confirm(asking: Asking, options: ConfirmOptions): Promise<boolean> {
  if (asking.yes && options.yesAnswers !== false) return true
  if (!asking.interactive) throw inputNeeded(options)
  const prompts = await import('@inquirer/prompts')
  const byDefault = options.default ?? false
  return prompts.confirm(
    { message: options.question, default: byDefault, theme: quietTheme(byDefault) },
    streams(asking),
  )
}

/** In the letters that the question shows; what was typed stays on the line, so how to be rid of it is said too. */
const quietTheme = (byDefault: boolean) => ({
  keywords: {
    yes: 'Yes',
    no: 'No',
    error: () => `Please type y or n (Enter alone: ${byDefault ? 'y' : 'n'}); Backspace takes away what is there.`,
  },
})

/** Free text. With `--yes` the default answers. */
export async function ask(asking: Asking, options: AskOptions): Promise<string> {
  if (asking.yes && options.default !== undefined) return options.default
  if (!asking.interactive) throw inputNeeded(options)
  const prompts = await import('@inquirer/prompts')
  const { problem } = options
  return prompts.input(
    {
      message: options.question,
      ...(options.default === undefined ? {} : { default: options.default }),
      ...(problem === undefined ? {} : { validate: (answer: string) => problem(answer) ?? true }),
    },
    streams(asking),
  )
}

/** One of several. With `--yes` the default answers. */
export async function choose<T extends string>(asking: Asking, options: ChooseOptions<T>): Promise<T> {
  if (asking.yes && options.default !== undefined) return options.default
  if (!asking.interactive) throw inputNeeded(options)
  const prompts = await import('@inquirer/prompts')
  return prompts.select<T>(
    {
      message: options.question,
      choices: options.choices.map(({ value, label }) => ({ value, name: label ?? value })),
      ...(options.default === undefined ? {} : { default: options.default }),
    },
    streams(asking),
  )
}

const streams = (asking: Asking) => ({ output: process.stderr, signal: asking.signal })

const inputNeeded = (options: { readonly question: string; readonly flag: string }) =>
  usage({
    code: 'INPUT_NEEDED',
    message: `There is nobody to ask: ${options.question}`,
    hint: `Pass ${options.flag}`,
    details: { question: options.question, flag: options.flag },
  })
