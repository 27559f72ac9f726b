/** Copies the files of a version into the store and looks at them without loading them. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed, type MlopsError, notFound } from '../../core/errors.ts'
import { objectKey } from '../../store/layout.ts'
import type { ManifestFile, ScanResult } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import { scanFile } from '../scan/scan.ts'
import type { Candidate } from './artifacts.ts'

/** Makes every candidate an object of the store, and scans the object: what was scanned is what is kept. */
export async function storeFiles(
  ctx: Context,
  store: Store,
  candidates: readonly Candidate[],
): Promise<ManifestFile[]> {
  const files: ManifestFile[] = []
  for (const candidate of candidates) {
    ctx.signal?.throwIfAborted()
    const { path } = candidate
    const pin =
      candidate.stored === undefined ? await copyIn(ctx, store, candidate) : await present(ctx, store, candidate)
    ctx.progress?.(`scanning ${path}`)
    const scan = await scanFile(join(store.root, objectKey(pin.sha256)), {
      name: path,
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    })
    files.push({ path, sha256: pin.sha256, size: pin.size, scan })
  }
  return files
}

/** @throws failed `FILE_CHANGED` when somebody wrote the file while it was copied */
async function copyIn(ctx: Context, store: Store, { path, from }: Extract<Candidate, { from: string }>) {
  const before = await stat(from, { bigint: true })
  const total = Number(before.size)
  ctx.progress?.(`storing ${path}`, 0)
  const pin = await store.objects.putFile(from, (bytes) => {
    ctx.signal?.throwIfAborted()
    // It grows while it is read, perhaps for ever.
    if (bytes > total) throw fileChanged(path)
    ctx.progress?.(`storing ${path}`, total === 0 ? 1 : bytes / total)
  })
  const after = await stat(from, { bigint: true }).catch(() => undefined)
  const same = (key: 'size' | 'mtimeNs' | 'ino'): boolean => before[key] === after?.[key]
  if (same('size') && same('mtimeNs') && same('ino') && BigInt(pin.size) === before.size) return pin
  throw fileChanged(path)
}

const fileChanged = (path: string): MlopsError =>
  failed({
    code: 'FILE_CHANGED',
    message: `${path} changed while it was being stored; nothing was registered.`,
    hint: 'Wait until nothing writes it any more and run the command again',
    details: { path },
  })

/** The bytes that the run stored, hashed again. @throws failed or notFound, naming the artifact */
async function present(ctx: Context, store: Store, { path, stored }: Exclude<Candidate, { from: string }>) {
  ctx.progress?.(`checking ${path}`)
  if (!(await store.objects.has(stored.sha256))) {
    throw notFound({
      code: 'ARTIFACT_LOST',
      message: `The bytes of ${path}, which the run stored, are not in the store any more.`,
      hint: 'Run the training again, or register the file itself: mlops register MODEL --artifact PATH',
      details: { path, sha256: stored.sha256 },
    })
  }
  return await store.objects.verify(stored.sha256)
}

const ORDER: readonly ScanResult['verdict'][] = ['inert', 'known globals only', 'not determined', 'can execute code']

/** The worst of the files' verdicts; null without files. */
export const worstVerdict = (files: readonly ManifestFile[]): ScanResult['verdict'] | null =>
  files.length === 0 ? null : (ORDER[Math.max(...files.map(({ scan }) => ORDER.indexOf(scan.verdict)))] ?? null)
