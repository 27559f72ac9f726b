/** A static look at a model file: what would loading it run? The file is never loaded. */
import type { ScanResult } from '../../store/manifest.ts'

export interface ScanOptions {
  /** The file's own name, where `path` is an object of the store. */
  readonly name?: string
  readonly signal?: AbortSignal
}

export async function scanFile(_path: string, _options: ScanOptions = {}): Promise<ScanResult> {
  return { verdict: 'not determined', findings: [] }
}
