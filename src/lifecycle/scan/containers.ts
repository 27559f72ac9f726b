/** Opcodes that make tuples, lists, sets and dicts, and put things into them. */
import { type Machine, NO_ITEMS } from './machine.ts'
import { OP } from './opcodes.ts'
import { DATA, Dict, type Value } from './values.ts'

/** @returns false for an opcode of another file */
export function container(m: Machine, op: number): boolean {
  switch (op) {
    case OP.EMPTY_TUPLE:
      m.push(NO_ITEMS)
      return true
    case OP.EMPTY_LIST:
    case OP.EMPTY_SET:
      m.push(DATA)
      return true
    case OP.EMPTY_DICT:
      m.push(new Dict())
      return true
    case OP.TUPLE:
      m.push(m.tuple(m.popToMark()))
      return true
    case OP.TUPLE1:
    case OP.TUPLE2:
    case OP.TUPLE3: {
      const items: Value[] = []
      for (let i = OP.TUPLE1; i <= op; i++) items.unshift(m.pop())
      m.push(m.tuple(items))
      return true
    }
    case OP.LIST:
    case OP.FROZENSET:
      m.inside(m.popToMark())
      m.push(DATA)
      return true
    case OP.DICT: {
      const dict = new Dict()
      m.setItems(dict, m.popToMark())
      m.push(dict)
      return true
    }
    case OP.APPEND:
      m.inside([m.pop()])
      m.top()
      return true
    case OP.APPENDS:
    case OP.ADDITEMS:
      m.inside(m.popToMark())
      m.top()
      return true
    case OP.SETITEM: {
      const value = m.pop()
      const key = m.pop()
      m.setItems(m.top(), [key, value])
      return true
    }
    case OP.SETITEMS: {
      const items = m.popToMark()
      m.setItems(m.top(), items)
      return true
    }
    default:
      return false
  }
}
