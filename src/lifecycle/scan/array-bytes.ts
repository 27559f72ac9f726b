/** BUILD, and the raw bytes of arrays that joblib puts behind it. */
import { WRAPPER_FIELDS } from './known-globals.ts'
import { type Machine, Raises } from './machine.ts'
import { ArrayWrapper, Dict, Dtype, Global, INSTANCE, layoutOf, Tuple, type Value } from './values.ts'

export async function build(m: Machine): Promise<void> {
  const state = m.pop()
  const target = m.top()
  m.ran = true
  if (target instanceof ArrayWrapper) return buildArray(m, target, state)
  m.inside([state])
  if (target instanceof Dtype) {
    target.state = state
    target.builds++
  } else if (target instanceof Global) {
    // It would set attributes of a class or a function that others use.
    m.report.danger(`${target.text} is changed`)
  }
}

async function buildArray(m: Machine, wrapper: ArrayWrapper, state: Value): Promise<void> {
  const entries = state instanceof Dict ? state.entries : undefined
  if (entries === undefined) wrapper.lost = true
  for (const [key, value] of entries ?? []) {
    if (typeof key === 'string' && WRAPPER_FIELDS.has(key)) wrapper.fields.set(key, value)
    else wrapper.lost = true
  }
  m.divergesAt ??= m.reader.position
  if (m.options.arrays === 'opcodes') return
  // joblib reads the array behind the frame, whatever the frame still holds.
  if (wrapper.lost || m.frameEnd > m.reader.position) throw new Raises('lost')
  const layout = layoutOf(wrapper.fields.get('dtype'))
  const count = countOf(wrapper.fields.get('shape'))
  if (layout === undefined || count === undefined) throw new Raises('lost')
  await (layout.hasObject ? nestedPickle(m) : rawArray(m, wrapper, count * layout.itemSize))
  m.stack.pop()
  m.push(INSTANCE)
}

async function rawArray(m: Machine, wrapper: ArrayWrapper, length: number): Promise<void> {
  const { reader } = m
  const alignment = wrapper.fields.get('numpy_array_alignment_bytes') ?? null
  if (!Number.isSafeInteger(length) || (alignment !== null && typeof alignment !== 'number')) throw new Raises('lost')
  if (alignment !== null) {
    if (!(await reader.fill(1))) throw new Raises('truncated')
    if (!(await reader.skip(reader.u8()))) throw new Raises('truncated')
  }
  if (!(await reader.skip(length))) throw new Raises('truncated')
}

/** An array of Python objects is a pickle of its own, with a stack and a memo of its own. */
async function nestedPickle(m: Machine): Promise<void> {
  const end = await m.walk(m.reader, { ...m.options, arrays: 'opcodes' })
  m.ran ||= end.ran
  if (end.how !== 'stop') throw new Raises(end.how)
}

/** Items of an array of this shape. Undefined: unknown, or so many that numpy's own product would overflow. */
function countOf(shape: Value | undefined): number | undefined {
  if (!(shape instanceof Tuple)) return undefined
  let count = 1
  let bound = 1
  for (const size of shape.items) {
    if (typeof size !== 'number' || size < 0) return undefined
    count *= size
    bound *= Math.max(1, size)
  }
  return bound <= Number.MAX_SAFE_INTEGER ? count : undefined
}
