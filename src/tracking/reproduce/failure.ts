/** Why the command of a reproduction may have failed though the original did not, read off its last words. Pure. */

import { shellWord } from '../../core/shell.ts'
import { type PackageDifference, packageWords } from './environment-difference.ts'

export interface FailureFacts {
  /** The last lines of its output. */
  readonly tail: readonly string[]
  readonly run: string
  /** Is there such a file in the user's checkout, relative to the folder of the run? */
  readonly isHere: (path: string) => boolean
  /** Paths of declared data. */
  readonly declared: readonly string[]
  readonly mirror: string
  /** What is in the user's checkout, no commit holds and nobody declared, relative to the folder of the run. */
  readonly absent: readonly string[]
  /** What is installed otherwise than recorded. */
  readonly packages: readonly PackageDifference[]
}

export interface LikelyCause {
  /** One sentence. */
  readonly text: string
  /** What to type. */
  readonly hint: string | null
}

const NO_FILE = [
  /No such file or directory: b?['"]([^'"\n]+)['"]/,
  /(?:can't open file|cannot open file) ['"]([^'"\n]+)['"]/,
  /ENOENT: no such file or directory, \w+ ['"]([^'"\n]+)['"]/,
  /(?:^|: )([^\s:'"]+): No such file or directory/m,
  /cannot open (?:file )?'?([^':\n]+)'?: No such file/,
  /FileNotFoundError: ([^\s'"]+) not found/,
]

export function likelyCause(facts: FailureFacts): LikelyCause | null {
  const text = facts.tail.join('\n')
  for (const pattern of NO_FILE) {
    const path = pattern.exec(text)?.[1]
    if (path !== undefined) return missingFile(path, facts)
  }
  const module = /(?:ModuleNotFoundError|ImportError): No module named ['"]?([\w.]+)/.exec(text)?.[1]
  const lacking = facts.packages.filter(({ kind }) => kind === 'missing' || kind === 'version')
  if (/ImportError|ModuleNotFoundError|AttributeError/.test(text) && lacking.length > 0) {
    const words = lacking.slice(0, 5).map(packageWords).join('; ')
    return { text: `Packages are not those of the run: ${words}.`, hint: `mlops run reproduce ${facts.run}` }
  }
  if (module !== undefined) {
    return {
      text: `It imports ${module}, which is neither in the recorded environment nor in the commit: it came from somewhere else, such as the user's own packages or an ignored folder.`,
      hint: `Add it to the environment, or commit it, and track again; or try --environment current`,
    }
  }
  if (/ImportError|DLL load failed|cannot open shared object|GLIBC/i.test(text)) {
    return { text: 'A library outside of the recorded packages is missing on this machine.', hint: null }
  }
  if (
    /(?:ConnectionError|Could not connect|Connection refused|Name or service not known|Max retries exceeded)/i.test(
      text,
    )
  ) {
    return { text: 'It talks to a service that did not answer: what that says is not part of the record.', hint: null }
  }
  const variable = /KeyError: ['"]([A-Z][A-Z0-9_]+)['"]/.exec(text)?.[1]
  if (variable !== undefined) {
    const why = 'Variables that may be secrets are not recorded.'
    return { text: `It reads the variable ${variable}, which is not set here. ${why}`, hint: `export ${variable}=…` }
  }
  if (/MemoryError|Killed|Out of memory|Cannot allocate/i.test(text))
    return { text: 'It ran out of memory.', hint: null }
  return absentData(facts)
}

/** The last guess: a script that reads `raw/*.csv` finds nothing there, and no message names a file. */
function absentData({ absent, run }: FailureFacts): LikelyCause | null {
  const [first] = absent
  if (first === undefined) return null
  const more = absent.length > 3 ? ` and ${absent.length - 3} more` : ''
  const path = first.replace(/\/$/, '')
  return {
    text: `It may read what no commit holds and the run did not declare, which is in your checkout alone: ${absent.slice(0, 3).join(', ')}${more}.`,
    hint: `mlops run reproduce ${run} --data ${shellWord(`${/[./]/.test(path) ? path : `${path}/`}=${path}`)}; and from now on: mlops track --data ${shellWord(`NAME=${path}`)}`,
  }
}

function missingFile(path: string, { run, isHere, declared, mirror }: FailureFacts): LikelyCause {
  const inside = path.startsWith(`${mirror}/`) ? path.slice(mirror.length + 1) : path
  if (declared.includes(inside)) return { text: `It does not find ${inside}.`, hint: null }
  const what = `It reads ${inside}, which no commit holds and the run did not declare.`
  if (!isHere(inside)) return { text: `${what} It is not in your checkout either.`, hint: null }
  return {
    text: `${what} There is such a file in your checkout, but nobody can say that it is the same.`,
    hint: `mlops run reproduce ${run} --data ${inside}=${inside}; and from now on: mlops track --data NAME=${inside}`,
  }
}
