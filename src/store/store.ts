/**
 * The store as the rest of the program sees it. Domain code depends on this interface alone; `open.ts` makes one for
 * a local directory, and other backends can follow behind it.
 *
 * Every method that writes is durable when its promise resolves, and leaves nothing behind that blocks anybody when
 * the process dies in the middle. Reads never write. System errors arrive as `MlopsError`: `STORE_FULL`,
 * `STORE_READ_ONLY`, `STORE_DENIED`, each with the next step.
 */
import type { Json } from '../core/canonical-json.ts'
import type { Digest } from '../core/digest.ts'
import type { EventDraft, ModelEvent, Pin } from './events.ts'
import type { ModelState } from './fold.ts'
import type { Manifest } from './manifest.ts'
import type {
  Annotation,
  ArtifactLine,
  ClientRecord,
  Intent,
  MetricLine,
  ParamLine,
  RunEnd,
  RunEvidence,
  RunStart,
  TagLine,
} from './run-records.ts'
import type { ServingHint } from './serving.ts'
import type { Trash } from './trash-runs.ts'

export type { ServingHint } from './serving.ts'

export type CommitResult =
  /** Written now, as `event`. */
  | { readonly kind: 'committed'; readonly event: ModelEvent }
  /** An event with the same `op_id` and `request` stands in the log already: this is it, nothing was written. */
  | { readonly kind: 'already'; readonly event: ModelEvent }
  /** Somebody else took the place first; `state` is the model as it is now. */
  | { readonly kind: 'lost'; readonly state: ModelState }

export interface Objects {
  put(bytes: Uint8Array): Promise<Pin>
  /** Copies a regular file in, hashing while copying; flat memory. `progress` gets the bytes done so far. */
  putFile(path: string, progress?: (bytes: number) => void): Promise<Pin>
  /**
   * Stores bytes whose digest is known beforehand, in flat memory. `open` begins at the first byte, and may be called
   * again. @throws failed `BYTES_CHANGED`, with nothing stored, when they are not those of `pin`
   */
  putChunks(pin: Pin, open: () => AsyncIterable<Uint8Array>): Promise<Pin>
  has(digest: Digest): Promise<boolean>
  /** The bytes, re-hashed. @throws failed `OBJECT_DAMAGED`, notFound `OBJECT_MISSING` */
  read(digest: Digest): Promise<Buffer>
  /** Parsed canonical JSON of a re-hashed object. */
  readJson<T = Json>(digest: Digest): Promise<T>
  /** The bytes in chunks, each valid until the next; re-hashed, so trust none of them before the last. Throws as `read`. */
  chunks(digest: Digest): AsyncIterable<Uint8Array>
  /** Re-hashes without keeping the bytes. Throws as `read` does. */
  verify(digest: Digest): Promise<Pin>
  /** A verified copy, never a link; `destination` must not exist; nothing is left there on failure. */
  exportTo(digest: Digest, destination: string): Promise<Pin>
}

export interface Models {
  /** Names, sorted. */
  list(): Promise<string[]>
  /** @throws notFound `MODEL_NOT_FOUND` with the nearest names; failed `LOG_DAMAGED` naming the file */
  state(model: string): Promise<ModelState>
  /** As `state`, but an empty state for a model that has no log yet. */
  stateOrEmpty(model: string): Promise<ModelState>
  manifest(digest: Digest): Promise<Manifest>
  /**
   * Commits `draft` as event `state.head + 1`: fills in seq, prev and stages. One attempt: the caller folds again and
   * decides anew when it lost. The first event of a new model also writes the root log.
   * @throws conflict `IDEMPOTENCY_MISMATCH` when the op_id stands for another request
   */
  commit(state: ModelState, draft: EventDraft): Promise<CommitResult>
}

export interface CheckRecord {
  readonly key: Digest
  readonly record: Json
  /** When it was made last: the same check made again is the newest again, its record keeps the first time. */
  readonly time: string
}

export interface Checks {
  /** The record is write-once, false when it was there already; its `time` is entered as when it was made. */
  put(model: string, key: Digest, record: Json): Promise<boolean>
  get(model: string, key: Digest): Promise<Json | undefined>
  /** All checks of a model, the one made last first. */
  list(model: string): Promise<CheckRecord[]>
  /** The one made last of those that match, without reading older ones. */
  newest(model: string, matches: (check: CheckRecord) => boolean): Promise<CheckRecord | undefined>
}

export interface Claim {
  readonly number: number
  readonly record: Json
}

/** Numbered put-if-absent claims: `models/<name>/<kind>/…`. Used so that no job runs twice. */
export interface Claims {
  /** The newest claim under `scope` (e.g. `jobs/drift-<key>`), or undefined. */
  newest(model: string, scope: string): Promise<Claim | undefined>
  /** All claims under `scope`, oldest first. */
  list(model: string, scope: string): Promise<Claim[]>
  /** Takes number `n`; false when somebody has it. */
  take(model: string, scope: string, n: number, record: Json): Promise<boolean>
  /** Touches the heartbeat of the scope: whoever holds its newest claim is still at work. */
  beat(model: string, scope: string): Promise<void>
  /** Seconds since the heartbeat of the scope, or undefined without one. */
  silent(model: string, scope: string): Promise<number | undefined>
}

export type StreamLine = {
  readonly metrics: MetricLine
  readonly params: ParamLine
  readonly tags: TagLine
  readonly artifacts: ArtifactLine
}
export type StreamName = keyof StreamLine

/** One run's folder, open for writing by one process. */
export interface RunWriter {
  readonly id: string
  /** Absolute path of `runs/<id>/`. */
  readonly dir: string
  /** Appends whole lines to this process's file of the stream, in one write; not fsynced until `end`. */
  append<S extends StreamName>(stream: S, lines: readonly StreamLine[S][]): Promise<void>
  /** Absolute path of `output.log`, for the capture to write to. */
  readonly outputPath: string
  /** Touches the heartbeat. */
  beat(): Promise<void>
  /** Pins every file of the run and writes `end.json`. */
  end(record: Omit<RunEnd, 'files'>): Promise<RunEnd>
}

/** Told of each line that is longer than any of ours and was passed over. @param file relative to the run */
export type SkippedLine = (file: string) => void

export interface RunFolder {
  /** run.json, with what `end.late` and `end.model` add. */
  readonly start: RunStart
  /** Undefined while it runs, or for ever when it was killed. */
  readonly end: RunEnd | undefined
  /** Seconds since the heartbeat, below 0 where clocks differ; undefined without one. */
  readonly silent: number | undefined
}

export interface Runs {
  /** The folder may exist already: the command is started first, and its client may have written there. */
  create(start: RunStart): Promise<RunWriter>
  /** Ids, newest first. */
  list(): Promise<string[]>
  /** @param prefix a whole id or a unique prefix, or `@last`. @throws notFound `RUN_NOT_FOUND`, usage `RUN_AMBIGUOUS` */
  resolve(prefix: string): Promise<string>
  read(id: string): Promise<RunFolder>
  /** `end.json` alone of many runs; undefined for one without an end, and for one that cannot be read. */
  ends(ids: readonly string[]): Promise<(RunEnd | undefined)[]>
  /** As `read` of many runs; undefined for one that has not ended, and for one that cannot be read: `read` tells which. */
  readEnded(ids: readonly string[]): Promise<(RunFolder | undefined)[]>
  /** As `annotations` of many runs. */
  annotationsOf(ids: readonly string[]): Promise<(readonly Annotation[])[]>
  /** Lines of all writers of a stream; torn last lines are left out. */
  stream<S extends StreamName>(id: string, stream: S): Promise<StreamLine[S][]>
  /**
   * As `stream`, in batches and flat memory: a run may have a million metrics. Lines of one writer keep their order;
   * those of several are not merged. Read-only; a run that goes on is read up to its last whole line.
   */
  batches<S extends StreamName>(id: string, stream: S, skipped?: SkippedLine): AsyncIterable<readonly StreamLine[S][]>
  /** What was said of the run later, oldest first; damaged records are left out, `verify` names them. */
  annotations(id: string): Promise<Annotation[]>
  /** Put-if-absent; works on running and ended runs. @throws notFound `RUN_NOT_FOUND` */
  annotate(annotation: Annotation): Promise<void>
  intents(id: string): Promise<Intent[]>
  /** What the script logged as held-out evidence, oldest first. @throws failed for a damaged record */
  evidence(id: string): Promise<RunEvidence[]>
  /** The Python clients that attached to the run; unreadable ones are left out. */
  clients(id: string): Promise<ClientRecord[]>
  /** Pins `run.json` and `end.json` as objects, for a register event. */
  pin(id: string): Promise<{ id: string; run: Pin; end?: Pin }>
}

/** What running services say that they serve. Hints: nothing is decided by them but what to tell a person. */
export interface Serving {
  /** The services that said so within the last 30 s, by instance. */
  list(model: string): Promise<ServingHint[]>
}

export interface Store {
  /** Absolute path. */
  readonly root: string
  /** The random id in `registry.json`. */
  readonly id: string
  readonly objects: Objects
  readonly models: Models
  readonly checks: Checks
  readonly claims: Claims
  readonly runs: Runs
  readonly serving: Serving
  readonly trash: Trash
}
