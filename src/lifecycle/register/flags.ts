/** The values of `register`'s flags, from text. Pure. */
import { usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { keyProblem } from '../../tracking/values/value-maps.ts'

const WORDS: Readonly<Record<string, string>> = {
  nan: 'NaN',
  inf: 'Infinity',
  '+inf': 'Infinity',
  infinity: 'Infinity',
  '+infinity': 'Infinity',
  '-inf': '-Infinity',
  '-infinity': '-Infinity',
}

/**
 * `auc=0.84`, `loss=nan`: NaN and the infinities are kept, as the words canonical JSON writes for them.
 * @throws usage `METRIC_INVALID`
 */
function parseMetricFlag(text: string): readonly [string, number | string] {
  const at = text.indexOf('=')
  const key = text.slice(0, Math.max(at, 0)).trim()
  const given = text.slice(at + 1).trim()
  const problem = at < 0 ? 'there is no "="' : keyProblem(key)
  const value = problem === undefined ? metricValue(given) : undefined
  if (value !== undefined) return [key, value]
  throw usage({
    code: 'METRIC_INVALID',
    message: `--metric ${JSON.stringify(text)} is not KEY=NUMBER: ${problem ?? `${JSON.stringify(given)} is no number`}.`,
    hint: 'Write for example --metric auc=0.84; nan, inf and -inf are numbers too',
  })
}

/** @throws usage `METRIC_INVALID` also for a name given twice with different values */
export function parseMetricFlags(texts: readonly string[]): Record<string, number | string> {
  const metrics: Record<string, number | string> = Object.create(null)
  for (const text of texts) {
    const [key, value] = parseMetricFlag(text)
    if (key in metrics && !Object.is(metrics[key], value)) {
      throw usage({
        code: 'METRIC_INVALID',
        message: `--metric gives ${JSON.stringify(key)} twice: ${metrics[key]} and ${value}.`,
        hint: 'Give each metric once',
      })
    }
    metrics[key] = value
  }
  return { ...metrics }
}

function metricValue(text: string): number | string | undefined {
  const word = WORDS[text.toLowerCase()]
  if (word !== undefined) return word
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return undefined
  const value = Number(text)
  // 1e400 is not infinity: it is a number we cannot hold.
  return Number.isFinite(value) ? value : undefined
}

const LONGEST_MESSAGE = 10_000

/** Without what looks like a secret. @throws usage `MESSAGE_TOO_LONG`: an event is at most 64 KiB */
export function checkedMessage(text: string | undefined): string | undefined {
  const message = text?.trim().toWellFormed()
  if (message === undefined || message === '') return undefined
  if (message.length <= LONGEST_MESSAGE) return redactText(message)
  throw usage({
    code: 'MESSAGE_TOO_LONG',
    message: `The message has ${message.length} characters; at most ${LONGEST_MESSAGE} are kept.`,
    hint: 'Write a paragraph and link to the rest',
  })
}
