/**
 * What can stand at the cursor: the one engine behind the completion of every shell. Pure but for the look-ups that
 * come in; knows the commands from oclif's manifest, so a new command completes by itself.
 */

export interface Candidate {
  readonly value: string
  readonly about?: string
}

interface ManifestFlag {
  readonly name: string
  readonly char?: string
  readonly type: 'boolean' | 'option'
  readonly summary?: string
  readonly hidden?: boolean
  readonly helpValue?: string | readonly string[]
  readonly options?: readonly string[]
}
interface ManifestArg {
  readonly name: string
  readonly options?: readonly string[]
  readonly multiple?: boolean
}
interface ManifestCommand {
  readonly id: string
  readonly hidden?: boolean
  readonly summary?: string
  readonly flags?: Readonly<Record<string, ManifestFlag>>
  readonly args?: Readonly<Record<string, ManifestArg>>
}
export interface Manifest {
  readonly commands: Readonly<Record<string, ManifestCommand>>
}

/** What only the store knows. Each may fail or be slow to grow; the caller turns failures into nothing. */
export interface Lookup {
  readonly models: () => Promise<readonly string[]>
  /** Stages that are configured or in use; for every model when none is named. */
  readonly stages: () => Promise<readonly string[]>
  readonly versions: (model: string) => Promise<readonly number[]>
  readonly runs: () => Promise<readonly string[]>
  /** Of the newest runs: by what a list of runs can be sorted, what a run can be best by, what it can be tagged with. */
  readonly runNames: () => Promise<{
    readonly fields: readonly string[]
    readonly metrics: readonly string[]
    readonly tags: readonly string[]
  }>
}

/**
 * @param words the command line up to the cursor without the program's name; the last one is being typed, maybe ''
 * @returns nothing where a file name or a foreign command belongs: the shell then completes files
 */
export async function complete(manifest: Manifest, words: readonly string[], lookup: Lookup): Promise<Candidate[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  if (before.includes('--')) return []
  const visible = Object.values(manifest.commands).filter(({ hidden }) => hidden !== true)
  const typed = withoutFlags(before, visible)
  const command = findCommand(visible, typed)
  const flags = flagsOf(command, visible)
  const pending = flagWaitingForValue(flags, before.at(-1))
  const found =
    pending !== undefined
      ? await valuesOfFlag(pending, command, typed, current, lookup)
      : current.startsWith('-')
        ? flags.map(({ name, summary }) => candidate(`--${name}`, summary))
        : [...nextWords(visible, typed), ...(await valuesOfArgument(command, typed, current, lookup))]
  return found.filter(({ value }) => value.startsWith(current))
}

const candidate = (value: string, about: string | undefined): Candidate => ({
  value,
  ...(about === undefined ? {} : { about: about.replace(/\s+/g, ' ') }),
})

/** The words that are neither flags nor their values. */
function withoutFlags(words: readonly string[], commands: readonly ManifestCommand[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-')) kept.push(word)
    else if (flagWaitingForValue(flagsOf(findCommand(commands, kept), commands), word) !== undefined) at += 1
  }
  return kept
}

function findCommand(commands: readonly ManifestCommand[], typed: readonly string[]): ManifestCommand | undefined {
  for (let count = Math.min(3, typed.length); count > 0; count--) {
    const id = typed.slice(0, count).join(':')
    const found = commands.find((command) => command.id === id)
    if (found !== undefined) return found
  }
  return undefined
}

/** Flags of the command; before there is one, those that every command has. */
function flagsOf(command: ManifestCommand | undefined, commands: readonly ManifestCommand[]): ManifestFlag[] {
  const all = Object.values((command ?? commands[0])?.flags ?? {}).filter(({ hidden }) => hidden !== true)
  if (command !== undefined) return [...all, { name: 'help', type: 'boolean', summary: 'Show help.' }]
  return all.filter((flag) => commands.every(({ flags }) => flags?.[flag.name] !== undefined))
}

function flagWaitingForValue(flags: readonly ManifestFlag[], word: string | undefined): ManifestFlag | undefined {
  if (word === undefined || !word.startsWith('-') || word.includes('=')) return undefined
  return flags.find(({ name, char, type }) => type === 'option' && (word === `--${name}` || word === `-${char}`))
}

/** Parts of command names that may follow: after `model` its commands, before anything all first words. */
function nextWords(commands: readonly ManifestCommand[], typed: readonly string[]): Candidate[] {
  const prefix = typed.map((word) => `${word}:`).join('')
  const found = new Map<string, Candidate>()
  for (const { id, summary } of commands) {
    if (!id.startsWith(prefix)) continue
    const [word = '', ...rest] = id.slice(prefix.length).split(':')
    if (rest.length === 0 || !found.has(word)) found.set(word, candidate(word, rest.length === 0 ? summary : undefined))
  }
  return [...found.values()].sort((a, b) => (a.value < b.value ? -1 : 1))
}

async function valuesOfFlag(
  flag: ManifestFlag,
  command: ManifestCommand | undefined,
  typed: readonly string[],
  current: string,
  lookup: Lookup,
): Promise<Candidate[]> {
  if (flag.options !== undefined) return flag.options.map((value) => ({ value }))
  const model = argumentsOf(command, typed)[0]?.split('@')[0]
  const name = [flag.helpValue ?? flag.name].flat().join(' ')
  if (name === 'TAG') return command?.id.startsWith('run:') === true ? plain((await lookup.runNames()).tags) : []
  return valuesNamed(name, model, current, lookup)
}

async function valuesOfArgument(
  command: ManifestCommand | undefined,
  typed: readonly string[],
  current: string,
  lookup: Lookup,
): Promise<Candidate[]> {
  if (command === undefined) return []
  const args = Object.values(command.args ?? {})
  const given = argumentsOf(command, typed)
  const last = args.at(-1)
  const arg = args[given.length] ?? (last?.multiple === true ? last : undefined)
  if (arg === undefined) return []
  if (arg.options !== undefined) return arg.options.map((value) => ({ value }))
  return valuesNamed(arg.name, given[0]?.split('@')[0], current, lookup)
}

const argumentsOf = (command: ManifestCommand | undefined, typed: readonly string[]): readonly string[] =>
  command === undefined ? [] : typed.slice(command.id.split(':').length)

/** By what the value is called: MODEL, MODEL@V, STAGE, RUN, V. Anything else is a file or the user's own word. */
async function valuesNamed(
  name: string,
  model: string | undefined,
  current: string,
  lookup: Lookup,
): Promise<Candidate[]> {
  const word = name.toLowerCase()
  if (/^(model|version|ref|reference|from|challenger|champion|a|b)\b/.test(word) && !/^version\b/.test(word)) {
    return references(current, lookup)
  }
  if (/^(stage)\b/.test(word)) return (await lookup.stages()).map((value) => ({ value }))
  if (/^runs?\b/.test(word)) return runReferences(current, lookup)
  if (/^field\b/.test(word)) return plain((await lookup.runNames()).fields)
  if (/^(v|version)\b/.test(word) && model !== undefined) {
    return (await lookup.versions(model)).map((value) => ({ value: String(value) }))
  }
  return []
}

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({ value }))

/** Ids and `@last`; after `@b` what a run can be best by: that takes reading some. */
async function runReferences(current: string, lookup: Lookup): Promise<Candidate[]> {
  if (!current.startsWith('@b')) return plain(['@last', '@best:', ...(await lookup.runs())])
  return plain((await lookup.runNames()).metrics.map((metric) => `@best:${metric}`))
}

/** `churn-model`, and after an `@` its stages and versions. */
async function references(current: string, lookup: Lookup): Promise<Candidate[]> {
  const at = current.indexOf('@')
  if (at < 0) return (await lookup.models()).map((value) => ({ value }))
  const model = current.slice(0, at)
  const [stages, versions] = await Promise.all([lookup.stages(), lookup.versions(model)])
  return [...stages, ...versions.map(String)].map((value) => ({ value: `${model}@${value}` }))
}
