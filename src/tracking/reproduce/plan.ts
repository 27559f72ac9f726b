/** From what is known to what will be done: everything that is missing at once, and what may differ. Pure. */
import { basename } from 'node:path'
import { REDACTED } from '../../core/redact.ts'
import type { RunStart } from '../../store/run-records.ts'
import { knownPaths } from '../compare/facts.ts'
import { minorOf } from './find-python.ts'
import { codeRisks, missingCode } from './repository.ts'
import { installPlan } from './requirements.ts'
import type { Facts, Missing, Original, PlannedEnvironment, ReproducePlan } from './types.ts'
import { lostVariables } from './variables.ts'

export function planReproduction(facts: Facts): ReproducePlan {
  const { original, code, data } = facts
  const { start } = original
  const { git } = start
  return {
    run: start.id,
    version: original.version?.name ?? null,
    status: original.facts.status,
    command: start.command,
    cwd: start.cwd,
    origin: originOf(facts),
    code: {
      commit: git?.commit ?? null,
      patch: git?.patch === undefined ? null : { files: git.patch.files, size: git.patch.size },
      submodules: (git?.submodules ?? []).map(({ path, commit }) => ({ path, commit })),
    },
    data,
    environment: planEnvironment(facts),
    seed: start.seed ?? null,
    missing: [
      ...missingCommand(start),
      ...missingCode(start, code),
      ...data.flatMap(({ name, path, size, sha256, from, notes, mend }) =>
        from !== null || mend === null
          ? []
          : [
              {
                what: `data ${name}`,
                why: `${path} was ${size} bytes with the digest ${sha256?.slice(0, 16)}…: ${notes.join('; ')}.`,
                mend,
              },
            ],
      ),
      ...missingEnvironment(facts),
    ],
    risks: [
      ...statusRisks(original),
      ...codeRisks(start, code, knownPaths({ ...original.facts, data: start.data })),
      ...dataRisks(facts),
      ...environmentRisks(facts),
    ],
  }
}

/** A command that somebody else recorded is run only by one who has seen it. */
function originOf({ original, here }: Facts): ReproducePlan['origin'] {
  const { actor, host } = original.start
  return {
    actor: actor.name,
    host: host.name,
    foreign: [
      ...(actor.name === here.actor ? [] : [`it is a run of ${actor.name}, and you are ${here.actor}`]),
      ...(host.name === here.host ? [] : [`it ran on ${host.name}, and this is ${here.host}`]),
      ...(original.changed === null ? [] : [`${original.changed} of it was changed after it was registered`]),
    ],
  }
}

function planEnvironment({ original, environment }: Facts): PlannedEnvironment {
  const { python } = original.start
  const nothing = { manager: null, python: null, packages: 0, hashed: 0, sources: [], installer: null }
  if (python === undefined) return { kind: 'none', ...nothing }
  const { count, hashed, sources } = installPlan(environment.packages ?? [], '')
  return {
    kind: environment.wanted,
    manager: environment.record?.manager ?? null,
    python: {
      recorded: python.version,
      found: environment.interpreter?.version ?? null,
      executable: environment.interpreter?.executable ?? null,
    },
    packages: count,
    hashed,
    sources: environment.wanted === 'fresh' ? sources : [],
    installer: environment.wanted === 'fresh' ? environment.installer : null,
  }
}

function missingCommand({ command, source }: RunStart): Missing[] {
  const redacted = command.filter((word) => word.includes(REDACTED))
  if (redacted.length > 0) {
    return [
      {
        what: 'command',
        why: 'A value on its command line looked like a secret and was not recorded.',
        mend: 'Give it in an environment variable, and track the command again',
      },
    ]
  }
  const isKernel = source === 'python' && command.some((word) => /ipykernel|ipython|jupyter/i.test(basename(word)))
  if (!isKernel) return []
  return [
    {
      what: 'command',
      why: 'It was recorded in a notebook, cell by cell: no command repeats what a person did there.',
      mend: 'Execute the notebook as a command: mlops track -- jupyter nbconvert --to notebook --execute NOTEBOOK',
    },
  ]
}

function missingEnvironment({ original, environment }: Facts): Missing[] {
  const { python } = original.start
  if (python === undefined) return []
  const missing: Missing[] = []
  const { wanted, packages, installer, interpreter } = environment
  const isConda = (packages ?? []).some(({ from }) => from?.kind === 'conda')
  if (wanted === 'fresh' && packages === null) {
    missing.push({
      what: 'packages',
      why: 'Which packages were installed was not recorded, or the record is not in the store.',
      mend: '--environment current, which takes those of today',
    })
  }
  if (wanted === 'fresh' && isConda && installer === null) {
    missing.push({
      what: 'conda',
      why: 'The environment was made by conda, and neither conda, mamba nor micromamba is on PATH.',
      mend: 'Install micromamba; or --environment current',
    })
  }
  if (interpreter === null && !(wanted === 'fresh' && isConda)) {
    const minor = minorOf(python.version)
    missing.push({
      what: `Python ${minor}`,
      why:
        wanted === 'fresh'
          ? `No Python ${minor} was found: not at the recorded path, not on PATH, not with pyenv or uv.`
          : 'The command names a Python, and none was found.',
      mend: `uv python install ${python.version}, or pyenv install ${python.version}`,
    })
  }
  return missing
}

function statusRisks({ facts, start, inStore, changed }: Original): string[] {
  const risks: string[] = []
  if (facts.status === 'failed') risks.push(`The run failed (exit ${facts.exit ?? facts.signal}): so should this one.`)
  if (facts.status === 'interrupted') {
    risks.push(
      'The run was stopped before its end: only what it had recorded by then can be compared, with a run that goes on to its end.',
    )
  }
  if (start.seed === undefined) risks.push('No seed was recorded.')
  if (changed !== null) {
    risks.push(
      `${changed} of the run is not what was registered (mlops store verify): the pinned records are used, and its series and what it logged of single rows are not compared.`,
    )
  } else if (!inStore)
    risks.push('The run itself was deleted: its series and what it logged of single rows are not compared.')
  return risks
}

function dataRisks({ original, data }: Facts): string[] {
  const { start } = original
  const risks = data.flatMap(({ name, path, sha256, from }) => [
    ...(sha256 === null ? [`${name} was not declared by the run: nobody can say whether it is the same.`] : []),
    ...(from === 'in place' ? [`${path} lies outside of the project and is read where it is.`] : []),
    ...(from === 'dvc' ? [`${name} is brought by dvc pull; whether its remote has it shows then.`] : []),
  ])
  if (start.data.length === 0 && data.length === 0) {
    risks.push('The run declared no data: a file that no commit holds is not there (mlops track --data NAME=PATH).')
  }
  return risks
}

function environmentRisks({ original, environment }: Facts): string[] {
  const { python, env } = original.start
  const risks = lostVariables(env)
  if (python === undefined) {
    risks.push('No environment was recorded: the command uses the programs that are installed here.')
    return risks
  }
  const { record, interpreter, wanted, packages } = environment
  if (interpreter !== null && interpreter.version !== python.version) {
    risks.push(`Python ${python.version} was recorded, ${interpreter.version} is used.`)
  }
  if (wanted === 'current') return risks
  if (record === null && packages !== null) {
    risks.push('An older version of mlops recorded the packages by name and version: their bytes are not known.')
  }
  risks.push(...installPlan(packages ?? [], '').risks)
  return risks
}
