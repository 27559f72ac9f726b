/** The values of the flags of `run reproduce`: tolerances, and data given by hand. */
import { usage } from '../core/errors.ts'

const DEFAULT_TOLERANCE = 1e-6

/** `1e-6` for all, `auc=0.001` for one. @throws usage `TOLERANCE_INVALID` */
export function parseTolerances(texts: readonly string[]): { general: number; byName: Record<string, number> } {
  let general = DEFAULT_TOLERANCE
  const byName: Record<string, number> = {}
  for (const text of texts) {
    const at = text.lastIndexOf('=')
    const value = text.slice(at + 1).trim() === '' ? Number.NaN : Number(text.slice(at + 1))
    if (!Number.isFinite(value) || value < 0 || at === 0) {
      throw usage({
        code: 'TOLERANCE_INVALID',
        message: `--tolerance ${JSON.stringify(text)} is neither a number from 0 up nor NAME=NUMBER.`,
        hint: 'Write for example --tolerance 1e-6 or --tolerance auc=0.001',
      })
    }
    if (at < 0) general = value
    else byName[text.slice(0, at)] = value
  }
  return { general, byName }
}

/** `train=/mnt/train.csv`, or `data/train.csv=/mnt/train.csv` for what was not declared. @throws usage `DATA_INVALID` */
export function parseGivenData(text: string): { name: string; path: string } {
  const at = text.indexOf('=')
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at), path: text.slice(at + 1) }
  throw usage({
    code: 'DATA_INVALID',
    message: `--data ${JSON.stringify(text)} is not NAME=PATH.`,
    hint: 'Write for example --data train=/mnt/copies/train.csv',
  })
}
