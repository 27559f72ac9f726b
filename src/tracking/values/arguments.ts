/**
 * Parameters that stand on the command line of a script: `--max-depth 4`, `--max-depth=4`, `--verbose`, `lr=0.1`. Of the
 * lowest origin, so that whatever the script itself says of a name counts instead. templates/python/mlops/_arguments.py
 * has the same rules; a test compares. Pure.
 *
 * Only words after the script are read. What stands before it are options of interpreters and launchers.
 */
import type { ParamValue } from '../../store/run-records.ts'

const SCRIPT = /^\S*\.(?:py|R|r|sh|js|ipynb|jl)$/
const INTERPRETER = /^(?:python|pypy)[\d.]*w?$/
const SHELL = /^(?:ba|z|da|k|fi)?sh$/
/** Without a script their flags are their own: of a build, a container, an environment, a queue. */
const LAUNCHERS = new Set(
  'Rscript R node deno bun julia perl ruby php lua java env nohup nice time timeout stdbuf ionice taskset setsid caffeinate sudo xargs uv uvx poetry pixi pdm rye hatch pipenv conda mamba micromamba torchrun accelerate deepspeed horovodrun mpirun mpiexec srun sbatch make just task nox tox docker podman apptainer singularity kubectl ssh dvc snakemake papermill npm npx pnpm yarn git mlops coverage pytest'.split(
    ' ',
  ),
)
/** `python -m` of these starts a script that comes later. */
const LAUNCHING_MODULE =
  /^(?:torch\.distributed\.(?:run|launch)|accelerate\.commands\.launch|deepspeed\.launcher\.\w+|coverage|cProfile|profile|pdb|debugpy|kernprof|memory_profiler|mpi4py)$/
const FLAG = /^--([A-Za-z][\w.-]*)(?:=(.*))?$/s
const ASSIGNMENT = /^\+{0,2}([A-Za-z_]\w*(?:\.\w+)*)=(.*)$/s
const NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?$/
/** Characters: a longer value is a document, no parameter. */
const LONGEST = 4_096
const MOST = 200

/**
 * @param command as it is recorded, secrets taken out
 * @param isData is this word a path of declared data? Then it is no parameter: the data is recorded with its digest
 */
export function readArguments(
  command: readonly string[],
  isData: (word: string) => boolean,
): [key: string, value: ParamValue][] {
  const found = new Map<string, ParamValue>()
  const from = firstArgument(command)
  const words = from === undefined ? [] : command.slice(from)
  for (let at = 0; at < words.length && found.size < MOST; at++) {
    const word = words[at] ?? ''
    if (word === '--') break
    const [, flag, after] = FLAG.exec(word) ?? []
    if (flag === undefined) {
      const [, key, value] = ASSIGNMENT.exec(word) ?? []
      if (key !== undefined && value !== undefined && !isData(value)) take(found, key, [value])
      continue
    }
    const values = after === undefined ? valuesAfter(words, at) : [after]
    if (after === undefined) at += values.length
    if (!values.some(isData)) take(found, flag.replaceAll('-', '_'), values)
  }
  return [...found]
}

/** The word after a flag; of numbers all that follow, which can only be a list of them. */
function valuesAfter(words: readonly string[], at: number): string[] {
  const first = words[at + 1]
  if (first === undefined || !isValue(first)) return []
  let end = at + 2
  if (NUMBER.test(first)) while (NUMBER.test(words[end] ?? '')) end++
  return words.slice(at + 1, end)
}

const isValue = (word: string): boolean =>
  NUMBER.test(word) || !(word === '' || word.startsWith('-') || ASSIGNMENT.test(word))

/** Of a flag that comes twice the last number counts, as for argparse; other words are all kept. */
function take(found: Map<string, ParamValue>, key: string, values: readonly string[]): void {
  const text = values.join(' ')
  if (text.length > LONGEST || key.length > 256) return
  const value = values.length === 0 ? true : scalar(text)
  const before = found.get(key)
  found.set(key, typeof value === 'string' && typeof before === 'string' ? `${before} ${value}` : value)
}

function scalar(text: string): ParamValue {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  const number = NUMBER.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : text
}

/** @returns undefined when nothing says whose flags these are: `bash -c`, `python -c`, `make`, `docker run` */
function firstArgument(command: readonly string[]): number | undefined {
  let launches = false
  for (const [at, word] of command.entries()) {
    const program = word.slice(word.lastIndexOf('/') + 1)
    if (SCRIPT.test(word)) return command.slice(0, at).some((each) => /^jupyter/.test(each)) ? undefined : at + 1
    if (SHELL.test(program) || INTERPRETER.test(program)) launches = true
    // The next word is a program text, and what follows are its arguments, by whatever names.
    if (launches && /^-[a-z]*c$/.test(word)) return undefined
    const module = launches && word === '-m' ? command[at + 1] : undefined
    if (module !== undefined && !LAUNCHING_MODULE.test(module)) return at + 2
  }
  const [first = ''] = command
  const name = first.slice(first.lastIndexOf('/') + 1)
  return launches || LAUNCHERS.has(name) || /^jupyter/.test(name) ? undefined : 1
}
