/**
 * The inputs of a dispatch, and whether the workflow takes them: checked before anything is sent, all problems at once.
 * Pure.
 *
 * "The maximum number of top-level properties for `inputs` is 25. The maximum payload for `inputs` is 65,535
 * characters" (docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax,
 * `on.workflow_dispatch.inputs`); the payload is all inputs together as JSON.
 */
import { type MlopsError, usage } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { type DeclaredInput, INPUT_TYPES, type WorkflowFile } from './workflow-file.ts'

export const CORRELATION_INPUT = 'correlation_id'
const MAX_INPUTS = 25
const MAX_PAYLOAD = 65_535
const CARRIES = /\$\{\{(?:(?!\}\}).)*?\b(?:inputs\.correlation_id\b|inputs\[\s*'correlation_id'\s*\])/

export interface WantedInputs {
  /** Of the policy. */
  readonly own: Readonly<Record<string, string>>
  readonly model: string
  readonly reason: string
  readonly correlation: string
}

/**
 * What is sent: the policy's own inputs, `correlation_id`, and of `model` and `reason` what the workflow declares.
 * @param file undefined where it could not be read: then GitHub judges
 */
export function inputsOf(
  { own, model, reason, correlation }: WantedInputs,
  file: WorkflowFile | undefined,
): Readonly<Record<string, string>> {
  const declared = file?.dispatch?.inputs.map(({ name }) => name)
  const given = Object.entries({ model, reason }).filter(([name]) => declared?.includes(name) ?? true)
  return { ...Object.fromEntries(given), ...own, [CORRELATION_INPUT]: correlation }
}

/** @throws usage `WORKFLOW_UNFIT` with every problem */
export function assertInputs(
  inputs: Readonly<Record<string, string>>,
  wanted: WantedInputs,
  file: WorkflowFile | undefined,
  workflow: string,
): void {
  const problems = [...ownProblems(inputs, wanted), ...(file === undefined ? [] : fileProblems(inputs, file))]
  if (problems.length === 0) return
  throw unfit(problems, file === undefined ? undefined : linesToAdd(file), file?.name ?? workflow)
}

export const unfit = (problems: readonly string[], lines: string | undefined, name: string): MlopsError =>
  usage({
    code: 'WORKFLOW_UNFIT',
    message: `${name} cannot be dispatched as the policy asks; nothing was sent.`,
    hint: lines ?? 'Correct inputs: under job of the policy, or the workflow',
    details: { problems, workflow: name },
  })

/** What is wrong whatever the workflow says. */
function ownProblems(inputs: Readonly<Record<string, string>>, { own }: WantedInputs): string[] {
  const problems: string[] = []
  if (Object.hasOwn(own, CORRELATION_INPUT)) {
    problems.push(`policy.job.inputs.${CORRELATION_INPUT}: it is filled in by mlops; take it out`)
  }
  const count = Object.keys(inputs).length
  if (count > MAX_INPUTS)
    problems.push(`policy.job.inputs: ${count} inputs with those of mlops; GitHub takes ${MAX_INPUTS}`)
  const size = JSON.stringify(inputs).length
  if (size > MAX_PAYLOAD) {
    problems.push(`policy.job.inputs: ${size} characters of JSON with those of mlops; GitHub takes ${MAX_PAYLOAD}`)
  }
  return problems
}

function fileProblems(inputs: Readonly<Record<string, string>>, file: WorkflowFile): string[] {
  const { dispatch, name: at } = file
  if (dispatch === undefined)
    return [`${at}:${file.onLine}: on: has no workflow_dispatch, so it cannot be started from outside`]
  const declared = new Map(dispatch.inputs.map((input) => [input.name, input]))
  const problems: string[] = []
  if (declared.size > MAX_INPUTS) {
    problems.push(`${at}:${dispatch.line}: ${declared.size} inputs are declared; GitHub takes ${MAX_INPUTS}`)
  }
  for (const input of dispatch.inputs) {
    const value = inputs[input.name]
    const problem = declarationProblem(input) ?? (value === undefined ? missing(input) : valueProblem(input, value))
    if (problem !== undefined) problems.push(`${at}:${input.line}: input ${input.name}: ${problem}`)
  }
  for (const name of Object.keys(inputs)) {
    if (declared.has(name)) continue
    const close = nearest(name, [...declared.keys()])
    const guess = close === undefined ? '' : `; did you mean ${close}?`
    problems.push(
      `${at}:${dispatch.line}: there is no input ${name}, which ${name === CORRELATION_INPUT ? 'the run is found by' : 'the policy fills'}${guess}`,
    )
  }
  if (!carriesId(file)) {
    problems.push(
      `${at}:${file.runName?.line ?? 1}: run-name: does not carry the ${CORRELATION_INPUT}, by which the run is found again`,
    )
  }
  return problems
}

const missing = ({ required, hasDefault }: DeclaredInput): string | undefined =>
  required && !hasDefault ? 'required, has no default, and the policy does not fill it' : undefined

function declarationProblem({ name, type }: DeclaredInput): string | undefined {
  if (!INPUT_TYPES.some((known) => known === type)) return `type ${type} is none of ${INPUT_TYPES.join(', ')}`
  return name === CORRELATION_INPUT && type !== 'string' ? `it must be of type string, not ${type}` : undefined
}

function valueProblem({ type, options, required }: DeclaredInput, value: string): string | undefined {
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (value === '' && required) return 'required, and the policy fills it with nothing'
  switch (type) {
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : `boolean takes true or false, not ${shown}`
    case 'number':
      return value.trim() !== '' && Number.isFinite(Number(value)) ? undefined : `number does not take ${shown}`
    case 'choice':
      return options.includes(value)
        ? undefined
        : `choice takes ${options.join(', ') || 'nothing: it has no options'}, not ${shown}`
    default:
      return undefined
  }
}

const carriesId = ({ runName }: WorkflowFile): boolean => runName !== undefined && CARRIES.test(runName.text)

/** The lines that make a workflow fit for being found again; undefined when they are all there. */
function linesToAdd(file: WorkflowFile): string | undefined {
  const hasInput = file.dispatch?.inputs.some(({ name }) => name === CORRELATION_INPUT) === true
  if (hasInput && carriesId(file)) return undefined
  const lines = [`Add to ${file.name}:`]
  if (!carriesId(file)) lines.push(`run-name: retrain \${{ inputs.${CORRELATION_INPUT} }}`)
  if (!hasInput) {
    lines.push(
      'on:',
      '  workflow_dispatch:',
      '    inputs:',
      `      ${CORRELATION_INPUT}: { type: string, required: true }`,
    )
  }
  return lines.join('\n')
}
