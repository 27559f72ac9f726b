/** Which evaluation command is recorded with a version. Running it is in `evaluate.ts`. */
import type { Context } from '../../core/context.ts'
import { type MlopsError, usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { placeholderProblem } from '../../core/shell.ts'

/**
 * @throws usage `EVALUATE_INVALID`: without `{model}` it would measure something else; `EVALUATE_SECRET`: without its
 *   secret it would not run
 */
export function evaluateCommand(
  ctx: Context,
  asked: string | undefined,
  configured: string | undefined,
): string | undefined {
  const command = asked ?? configured
  if (command === undefined) return undefined
  const unsafe = placeholderProblem(command)
  if (unsafe !== undefined) {
    throw usage({
      code: 'EVALUATE_INVALID',
      message: `The evaluation command ${JSON.stringify(redactText(command))} cannot be used: ${unsafe}.`,
      hint: "Write for example --evaluate 'python evaluate.py {model} {data}'",
    })
  }
  if (command.includes('{model}') && command.includes('{data}')) {
    if (redactText(command) === command) return command
    if (asked !== undefined) throw evaluateSecret()
    // It is found in mlops.yaml again when a challenger is measured.
    ctx.warn('evaluate: of mlops.yaml holds what looks like a secret, so it is not stored with the version')
    return undefined
  }
  throw usage({
    code: 'EVALUATE_INVALID',
    message: `The evaluation command ${JSON.stringify(redactText(command))} lacks ${command.includes('{model}') ? '{data}' : '{model}'}: it could not be pointed at another version.`,
    hint: "Write for example --evaluate 'python evaluate.py {model} {data}'",
  })
}

const evaluateSecret = (): MlopsError =>
  usage({
    code: 'EVALUATE_SECRET',
    message: 'The evaluation command holds what looks like a secret, and it would be stored with the version for ever.',
    hint: 'Let the command read it from an environment variable of its own',
  })
