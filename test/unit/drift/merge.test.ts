/** Adding profiles: in any order the same bytes, also where a cap is passed on the way. */
import assert from 'node:assert/strict'
import {
  CATEGORY_CAP,
  type CategoricalColumn,
  type ColumnProfile,
  mergeProfiles,
  NEW_ROWS,
  type NumericColumn,
  type Profile,
  profileBytes,
} from '../../../src/drift/profile.ts'
import { stream } from '../../simulate/shapes.ts'

const profile = (columns: readonly ColumnProfile[], over: Partial<Profile> = {}): Profile =>
  ({ format: 1, kind: 'profile', definition: 'one', rows: 1, columns, absent: [], extra: [], ...over }) as Profile
const words = (newValues: CategoricalColumn['newValues'], fresh = 0): CategoricalColumn => ({
  ...({ name: 'plan', role: 'feature', type: 'categorical', missing: 0, categories: ['a'], complete: true } as const),
  ...{ counts: [1], other: 0, new: fresh, newValues },
})
const numbers = (over: Partial<NumericColumn>): NumericColumn => ({
  ...({ name: 'x', role: 'feature', type: 'numeric', resolution: 'bigint', missing: 0 } as const),
  ...{ edges: ['5'], singles: [], range: null, counts: [0, 0], min: null, max: null },
  ...{ nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0, below: 0, above: 0 },
  ...over,
})

/** The bytes of every way to add three profiles. */
function everyOrder([a, b, c]: readonly [Profile, Profile, Profile]): Set<string> {
  const orders = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ] as const
  return new Set(
    orders.flatMap(([x, y, z]) => [
      profileBytes(mergeProfiles(mergeProfiles(x, y), z)).toString(),
      profileBytes(mergeProfiles(x, mergeProfiles(y, z))).toString(),
    ]),
  )
}

const named = (from: number, to: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`v${from + i}`, 1]))

describe('Adding profiles gives the same bytes in any order', () => {
  it('of random counts, nulls, extremes beyond 2^53 and new categories', () => {
    const uniform = stream(1)
    const some = (most: number) => Math.floor(most * uniform())
    const wide = () => (uniform() < 0.3 ? null : uniform() < 0.5 ? some(100) : `${9007199254740993n + BigInt(some(5))}`)
    const draw = () =>
      profile(
        [
          numbers({
            counts: [some(9), some(9)],
            missing: some(9),
            unparsed: some(3),
            below: some(3),
            min: wide(),
            max: wide(),
          }),
          words(
            Object.fromEntries(
              Array.from({ length: some(6) }, () => [['z', 'é', '__proto__', '10', '9', ''][some(6)] ?? '', some(9)]),
            ),
            some(50),
          ),
        ],
        { rows: some(99), absent: uniform() < 0.5 ? ['x'] : [], extra: ['b', 'a', 'Z'].slice(some(3)).sort() },
      )
    for (let i = 0; i < 200; i++) assert.equal(everyOrder([draw(), draw(), draw()]).size, 1)
  })

  it('where two of three together pass the cap of new categories, and where all three do', () => {
    const third = CATEGORY_CAP / 2
    const parts = [words(named(0, third)), words(named(third, 2 * third)), words(named(0, 1))].map((each) =>
      profile([each]),
    )
    const [whole] = everyOrder(parts as [Profile, Profile, Profile])
    assert.equal(everyOrder(parts as [Profile, Profile, Profile]).size, 1)
    assert.ok(whole?.includes('"v9999"'), 'exactly at the cap they are all named')
    const beyond = [...parts.slice(0, 2), profile([words(named(2 * third, 2 * third + 1))])] as [
      Profile,
      Profile,
      Profile,
    ]
    assert.equal(everyOrder(beyond).size, 1)
    assert.match([...everyOrder(beyond)][0] ?? '', /"newValues":null/)
  })

  it('where the rows with new categories pass their cap, as when the whole is counted at once', () => {
    const parts = [0.5, 0.4, 0.2].map((share) => profile([words({ q: share * NEW_ROWS }, share * NEW_ROWS)]))
    const orders = everyOrder(parts as [Profile, Profile, Profile])
    assert.equal(orders.size, 1)
    assert.match([...orders][0] ?? '', /"newValues":null/)
  })

  it('and refuses profiles of different definitions', () => {
    assert.throws(
      () => mergeProfiles(profile([]), profile([], { definition: 'two' as Profile['definition'] })),
      RangeError,
    )
  })
})
