/** Opcodes that import names and call them: where a pickle stops being data. */
import { argumentProblem, isWrapperClass } from './known-globals.ts'
import { type Machine, NO_ITEMS, Raises } from './machine.ts'
import { isImportable } from './modules.ts'
import { OP } from './opcodes.ts'
import { isPlausibleName } from './text-opcodes.ts'
import { ArrayWrapper, Dtype, Global, INSTANCE, OPAQUE, type Value } from './values.ts'

/** @returns false for an opcode of another file */
export function maker(m: Machine, op: number): boolean {
  switch (op) {
    case OP.REDUCE:
    case OP.NEWOBJ: {
      const args = m.pop()
      const callee = m.pop()
      if (op === OP.NEWOBJ && callee === INSTANCE) throw new Raises('malformed')
      m.push(call(m, callee, args))
      return true
    }
    case OP.NEWOBJ_EX: {
      m.inside([m.pop()])
      const args = m.pop()
      const made = call(m, m.pop(), args)
      if (made instanceof ArrayWrapper) made.lost = true
      m.push(made)
      return true
    }
    case OP.OBJ: {
      const [callee, ...args] = m.popToMark()
      if (callee === undefined) throw new Raises('malformed')
      m.push(call(m, callee, m.tuple(args)))
      return true
    }
    case OP.STACK_GLOBAL: {
      const name = m.pop()
      const module = m.pop()
      if (typeof name === 'string' && typeof module === 'string') m.push(importGlobal(m, module, name))
      else if (isNoString(name) || isNoString(module)) throw new Raises('malformed')
      else {
        found(m, 'a global whose name is computed')
        m.push(OPAQUE)
      }
      return true
    }
    case OP.EXT1:
    case OP.EXT2:
    case OP.EXT4: {
      const code = op === OP.EXT1 ? m.need(1).u8() : op === OP.EXT2 ? m.need(2).u16() : m.need(4).i32()
      found(m, `the global behind extension code ${code}`)
      m.push(OPAQUE)
      return true
    }
    case OP.BINPERSID:
      m.pop()
      persistent(m)
      return true
    case OP.NEXT_BUFFER:
      // Its bytes come from outside of the file.
      m.report.doubt('a buffer that is not in the file')
      m.push(OPAQUE)
      return true
    case OP.READONLY_BUFFER:
      m.top()
      return true
    default:
      return false
  }
}

export function importGlobal(m: Machine, module: string, name: string): Value {
  const { guessFrom } = m.options
  const guessing = guessFrom !== undefined && m.reader.position > guessFrom
  if (guessing && !(isPlausibleName(name) && isImportable(module, name))) throw new Raises('malformed')
  const global = new Global(module, name)
  m.report.global(global)
  return global
}

export function found(m: Machine, what: string): void {
  m.ran = true
  m.report.danger(what)
}

export function persistent(m: Machine): void {
  if (m.options.persistent === 'doubt') m.report.doubt('a persistent id, which only its own loader understands')
  m.push(OPAQUE)
}

export function call(m: Machine, callee: Value, args: Value): Value {
  if (!(callee instanceof Global)) {
    // Python raises: it cannot be called.
    if (callee !== OPAQUE && callee !== INSTANCE) throw new Raises('malformed')
    m.ran = true
    m.report.danger('a call of a computed object')
    return OPAQUE
  }
  m.ran = true
  const problem = argumentProblem(callee, args)
  if (problem !== undefined) m.report.danger(problem)
  if (callee.is('numpy', 'dtype')) return new Dtype(args)
  if (!isWrapperClass(callee)) return MAKES_INSTANCES.test(callee.name) ? INSTANCE : OPAQUE
  const wrapper = new ArrayWrapper()
  wrapper.lost = args !== NO_ITEMS
  return wrapper
}

/** Classes by the convention of their names, and what else never makes a string. Others may: `str`, `max`, `operator.add`. */
const MAKES_INSTANCES = /^(?:[A-Z]|_reconstruct$|ndarray$|(?:bsr|coo|csc|csr|dia|dok|lil)_(?:matrix|array)$)/

/** Known to be something else than a string: Python raises. What is OPAQUE may be one. */
const isNoString = (value: Value): boolean => typeof value !== 'string' && value !== OPAQUE
