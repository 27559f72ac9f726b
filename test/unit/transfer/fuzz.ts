/**
 * Archives changed at random. Two kinds: bytes of the file, of which only the sound ones may be accepted; and values
 * inside its records with everything derived made to fit again, of which those that are accepted must be shown, compared,
 * verified and judged by a gate without a failure that is not a plain message.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import { MlopsError } from '../../../src/core/errors.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { diffVersions, loadLock } from '../../../src/lifecycle/versions/diff.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { verifyVersion } from '../../../src/lifecycle/versions/integrity.ts'
import { loadVersion } from '../../../src/lifecycle/versions/version.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { exportVersion } from '../../../src/transfer/export.ts'
import { importVersion } from '../../../src/transfer/import.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderHistory } from '../../../src/ui/views/history.ts'
import { renderVersion } from '../../../src/ui/views/model.ts'
import { numbers } from '../../crash/luck.ts'
import { type World, world } from '../lifecycle/fixture.ts'
import {
  archiveOf,
  BLOCK,
  entriesOf,
  fullVersion,
  type Loose,
  type Parts,
  partsOf,
  replaceObject,
  sealed,
  tarOf,
  treeOf,
} from './archives.ts'

const M = 'churn-model'
type Dice = (below: number) => number

export interface Tally {
  readonly tried: number
  readonly refused: number
  readonly accepted: number
}

/** @throws AssertionError naming the seed; the archive that did it is kept */
export async function fuzz(tries: number, seed: number): Promise<Tally> {
  const from = await world()
  await fullVersion(from)
  await exportVersion(from.ctx, from.store, { ref: parseModelRef(M), output: 'sound.tar' })
  const sound = readFileSync(join(from.dir, 'sound.tar'))
  from.remove()
  let [refused, accepted] = [0, 0]
  let into = await world()
  let tree = treeOf(into.store.root)
  for (let n = 0; n < tries; n++) {
    const dice = numbers(seed + n)
    const bytes = dice(2) === 0 ? otherBytes(sound, dice) : otherValues(sound, dice)
    const file = join(into.dir, 'fuzzed.tar')
    writeFileSync(file, bytes.archive)
    try {
      const outcome = await attempt(into, 'fuzzed.tar')
      if (outcome === 'refused') {
        refused += 1
        assert.equal(treeOf(into.store.root), tree, 'a refused archive left something')
        continue
      }
      assert.ok(bytes.archive.equals(sound) || bytes.fits, 'changed bytes were accepted')
      await useIt(into)
      accepted += 1
      into.remove()
      into = await world()
      tree = treeOf(into.store.root)
    } catch (error) {
      throw new Error(`seed ${seed + n}: ${String(error)} (${file})`, { cause: error })
    }
  }
  into.remove()
  return { tried: tries, refused, accepted }
}

async function attempt(into: World, file: string): Promise<'refused' | 'imported'> {
  try {
    const result = await importVersion(into.ctx, into.project(), into.store, { file })
    assert.equal(result.outcome, 'imported')
    return 'imported'
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    assert.match(error.code, /^ARCHIVE_/)
    assert.equal(error.exitCode, 1)
    return 'refused'
  }
}

/** Everything that reads what was imported; only plain refusals may come of it. */
async function useIt({ ctx, store, project }: World): Promise<void> {
  const [model = ''] = await store.models.list()
  const ui = createUi({
    style: createStyle({ color: false, unicode: true }),
    width: 100,
    now: new Date(0),
    quiet: false,
  })
  const state = await store.models.state(model)
  const [version] = state.versions
  assert.ok(version)
  const detail = await loadVersion(store, state, version)
  renderVersion(ui, detail)
  renderHistory(ui, model, history(state))
  const lock = await loadLock(store, detail)
  diffVersions(detail, detail, { from: lock, to: lock })
  assert.deepEqual((await verifyVersion(ctx, store, model, version)).damage, [])
  assert.deepEqual((await verifyStore(store.root)).damages, [])
  try {
    await promote(ctx, project(), store, { ref: parseModelRef(model), stage: 'staging' })
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
  }
  await exportVersion(ctx, store, { ref: parseModelRef(model), output: 'again.tar' })
}

interface Fuzzed {
  readonly archive: Buffer
  /** Everything derived fits, so that it may be accepted. */
  readonly fits: boolean
}

function otherBytes(sound: Buffer, dice: Dice): Fuzzed {
  const archive = Buffer.from(sound)
  const at = dice(archive.length)
  switch (dice(7)) {
    case 0:
      archive[at] = (archive[at] ?? 0) ^ (1 << dice(8))
      return { archive, fits: false }
    case 1:
      for (let n = 0; n <= dice(20); n++) archive[dice(archive.length)] = dice(256)
      return { archive, fits: false }
    case 2:
      return { archive: archive.subarray(0, at), fits: false }
    case 3:
      return { archive: Buffer.concat([archive, Buffer.alloc(1 + dice(2000), dice(256))]), fits: false }
    case 4: {
      const [a, b] = [dice(archive.length / BLOCK) * BLOCK, dice(archive.length / BLOCK) * BLOCK]
      archive.copy(archive, a, b, b + BLOCK)
      return { archive, fits: false }
    }
    case 5: {
      const cut = Math.floor(at / BLOCK) * BLOCK
      return { archive: Buffer.concat([archive.subarray(0, cut), archive.subarray(cut + BLOCK)]), fits: false }
    }
    default: {
      const entries = entriesOf(sound)
      const moved = entries.splice(dice(entries.length), 1)
      if (dice(2) === 0) entries.splice(dice(entries.length), 0, ...moved)
      return { archive: tarOf(entries), fits: false }
    }
  }
}

function otherValues(sound: Buffer, dice: Dice): Fuzzed {
  let parts: Parts = partsOf(sound)
  for (let n = 0; n <= dice(2); n++) {
    const { run } = parts.origin.event.body ?? {}
    const records = [run?.run?.sha256, run?.end?.sha256].filter((digest) => parts.objects.has(digest))
    const digest = records[dice(records.length || 1)]
    const which = dice(4)
    if (which === 0) parts.manifest = mutated(parts.manifest, dice)
    else if (which === 1) parts.origin.event = mutated(parts.origin.event, dice)
    else if (which === 2) parts.origin = mutated(parts.origin, dice)
    else if (digest !== undefined) {
      const record = mutated(JSON.parse(String(parts.objects.get(digest))), dice)
      parts = replaceObject(parts, digest, canonicalBytes(isMap(record) ? sealed(record) : record))
    }
    if (!isMap(parts.origin) || !isMap(parts.origin.event) || !isMap(parts.manifest)) break
    if (!Array.isArray(parts.manifest.files)) break
  }
  return { archive: archiveOf(parts), fits: true }
}

const isMap = (value: Loose): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

const VALUES: readonly Loose[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  'x',
  '../../evil',
  'NaN',
  '\u001b[31m\u0000',
  'é'.repeat(3000),
  [],
  {},
  [null],
  { sha256: '0'.repeat(64), size: 1 },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  '2026-01-01T00:00:00.000Z',
  '0'.repeat(64),
]

/** A copy with one value somewhere replaced, removed, doubled or added. */
function mutated(value: Loose, dice: Dice): Loose {
  if (typeof value !== 'object' || value === null || dice(6) === 0) return structuredClone(VALUES[dice(VALUES.length)])
  const copy = structuredClone(value)
  const keys = Object.keys(copy)
  const key = keys[dice(keys.length || 1)]
  if (key === undefined) return Array.isArray(copy) ? [VALUES[dice(VALUES.length)]] : { x: VALUES[dice(VALUES.length)] }
  const kind = dice(8)
  if (kind === 0 && !Array.isArray(copy)) delete copy[key]
  else if (kind === 0) copy.splice(Number(key), 1)
  else if (kind === 1 && !Array.isArray(copy)) copy[`${key}x`] = copy[key]
  else if (kind === 1) copy.push(copy[key])
  else copy[key] = mutated(copy[key], dice)
  return copy
}
