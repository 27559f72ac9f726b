/** Where everything stands in a store (docs/store-format.md, "Layout"). The only place that spells these paths. */
import type { Digest } from '../core/digest.ts'

/** The format this program writes. A store with a newer one is read, never written. */
export const STORE_FORMAT = 1
export const REGISTRY = 'registry.json'
export const ROOT_LOG = 'log'
export const RESERVE = 'reserve'
export const RESERVE_BYTES = 1 << 20
export const TMP = 'tmp'
export const QUARANTINE = 'quarantine'
/** Hints of one machine: may be stale, torn or absent. Nobody's records are in it. */
export const CACHE = 'cache'
/** One folder for each clean-up, a ULID; in it what that one put aside, under its digest. */
export const TRASHED_OBJECTS = 'trash/objects'
export const TRASHED_RUNS = 'trash/runs'
/** Runs on their way out for good: nothing comes back from here. */
export const PURGED = 'trash/purged'
/** Folders that `create` makes; more appear as they are needed. */
export const FOLDERS = ['log', 'models', 'objects', 'objects/sha256', 'runs', TMP, QUARANTINE, 'trash'] as const

/** Ten digits, so that names sort as numbers do. */
export const numbered = (n: number): string => `${String(n).padStart(10, '0')}.json`
/** The number in a name that `numbered` gave, or undefined for any other name. */
export const numberOf = (name: string): number | undefined =>
  /^\d{10}\.json$/.test(name) && name !== '0000000000.json' ? Number(name.slice(0, 10)) : undefined

export const objectKey = (digest: Digest): string => `objects/sha256/${digest.slice(0, 2)}/${digest.slice(2)}`
/** The digest in a key that `objectKey` gave, or undefined for any other key. */
export const digestOfKey = (key: string): Digest | undefined =>
  /^objects\/sha256\/[0-9a-f]{2}\/[0-9a-f]{62}$/.test(key) ? key.slice(15, 17) + key.slice(18) : undefined
export const modelFolder = (model: string): string => `models/${model}`
export const modelLog = (model: string): string => `models/${model}/log`
export const checksFolder = (model: string): string => `models/${model}/checks`
/** Says which checks there are, so that a lost one is noticed. */
export const checksLog = (model: string): string => `models/${model}/checks/log`
export const checkKey = (model: string, key: Digest): string => `models/${model}/checks/${key}.json`
export const servingFolder = (model: string): string => `models/${model}/serving`
export const runFolder = (id: string): string => `runs/${id}`
/** What was said of a run later; the only part of it that may grow after its end. */
export const annotationsFolder = (id: string): string => `runs/${id}/annotations`

/** Keeps git from rewriting line ends, in a store that is a git repository. */
export const ATTRIBUTES = '* -text\n'
export const hasAttributes = (bytes: Buffer | undefined): boolean =>
  bytes !== undefined && `\n${bytes.toString('utf8')}`.includes(`\n${ATTRIBUTES}`)
