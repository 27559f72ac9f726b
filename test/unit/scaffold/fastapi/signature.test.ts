/** What a version takes and gives, from what was recorded: types, order, what may be missing, what it answers. */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { readExamples } from '../../../../src/drift/examples.ts'
import type { ColumnProfile, Profile, Role } from '../../../../src/drift/profile.ts'
import {
  contractDigest,
  describe as describeFeature,
  openApi,
  schemaValues,
} from '../../../../src/scaffold/fastapi/documents.ts'
import { exampleOf } from '../../../../src/scaffold/fastapi/example.ts'
import type { ServiceFacts } from '../../../../src/scaffold/fastapi/facts.ts'
import { fieldNames, titleOf } from '../../../../src/scaffold/fastapi/fields.ts'
import { type SignatureInput, signatureOf } from '../../../../src/scaffold/fastapi/signature.ts'

const base = (name: string, role: Role, missing: number) => ({ name, role, missing })

/** Heavy values have bins of their own, as `edges.ts` makes them. */
function whole(name: string, values: readonly number[], { missing = 0, role = 'feature' as Role } = {}): ColumnProfile {
  return {
    ...base(name, role, missing),
    type: 'numeric',
    resolution: 'float32',
    edges: values.slice(1).flatMap((value) => [value - 0.5]),
    singles: values.map((value, bin) => [bin, value] as const),
    range: [values[0] ?? 0, values.at(-1) ?? 0],
    counts: values.map(() => 10),
    nan: 0,
    positiveInfinity: 0,
    negativeInfinity: 0,
    unparsed: 0,
    below: 0,
    above: 0,
    min: values[0] ?? 0,
    max: values.at(-1) ?? 0,
  }
}
const share = (name: string, low: number, high: number, role: Role = 'feature'): ColumnProfile => ({
  ...(whole(name, [low, high], { role }) as ColumnProfile & { type: 'numeric' }),
  edges: [(low + high) / 2],
  singles: [],
})
const words = (
  name: string,
  categories: readonly string[],
  role: Role = 'feature',
  complete = true,
): ColumnProfile => ({
  ...base(name, role, 0),
  type: 'categorical',
  categories,
  complete,
  counts: categories.map(() => 5),
  other: 0,
  new: 0,
  newValues: {},
})
const other = (name: string, type: 'text' | 'timestamp' | 'id' | 'ignore'): ColumnProfile => ({
  ...base(name, 'feature', 0),
  type,
  present: 9,
})
const profile = (...columns: ColumnProfile[]): Profile => ({
  format: 1,
  kind: 'profile',
  definition: '',
  rows: 100,
  columns,
  absent: [],
  extra: [],
})

const input = (more: Partial<SignatureInput>): SignatureInput => ({
  model: 'm@1',
  profile: undefined,
  examples: [],
  schema: { columns: {} },
  target: undefined,
  prediction: undefined,
  drop: [],
  refuse: [],
  kind: undefined,
  ...more,
})
const lines = (...rows: string[]) => readExamples(Buffer.from(`${rows.join('\n')}\n`))
const types = (given: Partial<SignatureInput>) =>
  Object.fromEntries(signatureOf(input({ kind: 'number', ...given })).features.map(({ name, type }) => [name, type]))

describe('The columns a service takes', () => {
  it('have the types that the profile proves, and are whole numbers only where every value was one', () => {
    const found = types({
      profile: profile(
        whole('tenure', [1, 2, 3]),
        share('charges', 1, 9),
        words('plan', ['pro', 'basic']),
        words('senior', ['true', 'false']),
        words('zip', ['00501', '10001']),
        words('floor', ['1', '2', '10']),
        other('note', 'text'),
        other('seen', 'timestamp'),
      ),
    })
    assert.deepEqual(found, {
      tenure: 'integer',
      charges: 'number',
      plan: 'string',
      senior: 'boolean',
      zip: 'string',
      floor: 'integer',
      note: 'string',
      seen: 'datetime',
    })
  })

  it('leave ids, target and prediction out, and say so', () => {
    const { features, notes } = signatureOf(
      input({
        kind: 'class',
        target: 'churned',
        schema: { columns: {}, prediction: 'score' },
        profile: profile(
          whole('age', [1, 2]),
          other('customer', 'id'),
          words('churned', ['Yes', 'No'], 'target'),
          share('score', 0, 1, 'prediction'),
        ),
      }),
    )
    assert.deepEqual(
      features.map(({ name }) => name),
      ['age'],
    )
    assert.match(notes.join(' '), /left out as ids: customer/)
    assert.match(notes.join(' '), /order/)
  })

  it('stand in the order of the examples, with the types that were given', async () => {
    const examples = await lines(
      '{"features":{"z":1.0,"b":"x","a":3,"seen":"2025-01-01","flag":true,"text":"1.5"},"output":0.25}',
      '{"features":{"z":2.0,"b":null,"a":4,"seen":"2025-01-02","flag":false,"text":"2"},"output":0.75}',
    )
    const { features, notes } = signatureOf(
      input({
        examples,
        profile: profile(
          whole('a', [3, 4]),
          words('b', ['x', 'y']),
          other('seen', 'timestamp'),
          whole('z', [1, 2]),
          words('text', ['1.5', '2']),
        ),
      }),
    )
    assert.deepEqual(
      features.map(({ name, type, nullable }) => [name, type, nullable]),
      [
        ['z', 'number', false],
        ['b', 'string', true],
        ['a', 'integer', false],
        ['seen', 'datetime', false],
        ['flag', 'boolean', false],
        ['text', 'string', false],
      ],
    )
    assert.deepEqual(notes, [])
  })

  it('have those too that are never logged, and so are in no example', async () => {
    const examples = await lines('{"features":{"age":3},"output":1.5}')
    const { features } = signatureOf(
      input({ examples, drop: ['email'], profile: profile(whole('age', [3, 4]), words('email', ['a', 'b'])) }),
    )
    assert.deepEqual(
      features.map(({ name }) => name),
      ['age', 'email'],
    )
  })

  it('may be null where the training data had nulls, and NaN is one', async () => {
    const found = signatureOf(
      input({ kind: 'number', profile: profile(whole('a', [1, 2], { missing: 3 }), whole('b', [1, 2])) }),
    ).features
    assert.deepEqual(
      found.map(({ nullable }) => nullable),
      [true, false],
    )
    const [example] = await lines('{"features":{"a":"NaN"},"output":0.5}')
    const [feature] = signatureOf(input({ examples: example === undefined ? [] : [example] })).features
    assert.deepEqual([feature?.type, feature?.nullable], ['number', true])
  })

  it('say what the training data held, and refuse nothing that nobody asked to refuse', () => {
    const { features } = signatureOf(
      input({
        kind: 'number',
        refuse: ['plan'],
        profile: profile(whole('age', [18, 80]), words('plan', ['pro', 'basic'])),
      }),
    )
    assert.deepEqual(
      features.map(({ categories, range, refuse }) => [categories, range, refuse]),
      [
        [null, [18, 80], false],
        [['basic', 'pro'], null, true],
      ],
    )
    assert.deepEqual(features.map(describeFeature), ['18 to 80 (in training)', 'only basic, pro'])
    assert.throws(
      () => signatureOf(input({ kind: 'number', refuse: ['agee'], profile: profile(whole('age', [1, 2])) })),
      { code: 'COLUMN_UNKNOWN' },
    )
  })

  it('are unknown without baseline and examples, and what to type is said', () => {
    assert.throws(() => signatureOf(input({})), { code: 'SIGNATURE_UNKNOWN' })
  })
})

describe('What a service answers', () => {
  const output = (given: Partial<SignatureInput>) => {
    const { name, kind, classes } = signatureOf(
      input({
        profile: profile(whole('age', [1, 2]), words('truth', ['Yes', 'No'], 'target')),
        target: 'truth',
        ...given,
      }),
    ).output
    return [name, kind, classes]
  }

  it('is told by the examples', async () => {
    assert.deepEqual(output({ examples: await lines('{"features":{"age":1},"output":0.25}') }), [
      'prediction',
      'probability',
      ['No', 'Yes'],
    ])
    assert.deepEqual(output({ examples: await lines('{"features":{"age":1},"output":"Yes"}') }), [
      'prediction',
      'class',
      ['No', 'Yes'],
    ])
    assert.deepEqual(output({ examples: await lines('{"features":{"age":1},"output":12.5}') }), [
      'prediction',
      'number',
      null,
    ])
    assert.deepEqual(
      output({ examples: await lines('{"features":{"age":1},"output":{"output_0":0.2,"output_1":0.8}}') }),
      ['prediction', 'probability', ['No', 'Yes']],
    )
  })

  it('is told by the column of predictions, by the target, or by a person', () => {
    const columns = profile(whole('age', [1, 2]), share('score', 0, 1, 'prediction'))
    assert.deepEqual(output({ profile: columns, target: undefined, prediction: 'score' }), [
      'score',
      'probability',
      null,
    ])
    assert.deepEqual(output({}), ['prediction', 'probability', ['No', 'Yes']])
    assert.deepEqual(output({ kind: 'class' }), ['prediction', 'class', ['No', 'Yes']])
    assert.throws(() => output({ profile: profile(whole('age', [1, 2])), target: undefined }), {
      code: 'OUTPUT_UNKNOWN',
    })
  })

  it('has no names for classes that the model knows as numbers', async () => {
    const coded = await lines('{"features":{"age":1},"output":0}', '{"features":{"age":2},"output":1}')
    assert.deepEqual(output({ kind: 'class', examples: coded }), ['prediction', 'class', null])
  })

  it('has the positive class last, whatever the alphabet says', () => {
    const of = (categories: string[]) =>
      output({ profile: profile(whole('age', [1, 2]), words('truth', categories, 'target')) })[2]
    assert.deepEqual(of(['y', 'z']), ['z', 'y'])
    assert.deepEqual(of(['true', 'false']), [false, true])
    assert.deepEqual(of(['1', '0']), [0, 1])
    assert.deepEqual(of(['c', 'a', 'b']), ['a', 'b', 'c'])
  })
})

describe('The example of a service', () => {
  it('is a recorded one that is whole, with the answer a client gets', async () => {
    const examples = await lines(
      '{"features":{"a":null,"b":1},"output":{"output_0":0.9,"output_1":0.1}}',
      '{"features":{"a":"x","b":2},"output":{"output_0":0.2,"output_1":0.8}}',
      'torn {',
    )
    const signature = signatureOf(input({ examples }))
    assert.deepEqual(exampleOf(signature, examples, undefined, []), { features: { a: 'x', b: 2 }, output: 0.8 })
  })

  it('has typical values without one', () => {
    const columns = profile(
      whole('age', [18, 40, 80]),
      share('rate', 0, 0.5),
      words('plan', ['pro', 'basic']),
      words('senior', ['false', 'true']),
    )
    const signature = signatureOf(input({ kind: 'number', profile: columns }))
    assert.deepEqual(exampleOf(signature, [], columns, []), {
      features: { age: 40, rate: 0.125, plan: 'pro', senior: false },
      output: null,
    })
  })

  it('has no value of a column that is never logged, and neither has its description', () => {
    const columns = profile(whole('age', [18, 40]), words('email', ['ada@example.org', 'bob@example.org']))
    const signature = signatureOf(input({ kind: 'number', profile: columns, drop: ['email'] }))
    assert.deepEqual(signature.features[1]?.categories, null)
    assert.equal(exampleOf(signature, [], columns, ['email'])?.features.email, 'text')
    const refusing = signatureOf(input({ kind: 'number', profile: columns, drop: ['email'], refuse: ['email'] }))
    assert.equal(refusing.features[1]?.categories?.length, 2)
  })

  it('is read from compressed lines too', async () => {
    const [only] = await readExamples(gzipSync('{"features":{"a":1e3},"output":1}\n'))
    assert.deepEqual(only?.output, 1)
  })
})

describe('The contract of a service', () => {
  it('is another one for another type or answer, not for another range or order', () => {
    const signature = signatureOf(
      input({ kind: 'number', profile: profile(whole('a', [1, 2]), words('b', ['x', 'y'])) }),
    )
    const wider = signatureOf(
      input({ kind: 'number', profile: profile(words('b', ['x', 'y', 'z']), whole('a', [0, 9])) }),
    )
    const typed = signatureOf(input({ kind: 'number', profile: profile(share('a', 1, 2), words('b', ['x', 'y'])) }))
    assert.equal(contractDigest(signature), contractDigest(wider))
    assert.notEqual(contractDigest(signature), contractDigest(typed))
  })

  it('types answers by what they are', () => {
    const facts = (output: ServiceFacts['output'], answer: unknown = null): ServiceFacts => ({
      format: 1,
      model: 'm',
      stage: 'production',
      scaffolded: { version: 1, manifest: '', tool: '' },
      flavour: 'sklearn',
      artifact: 'm',
      python: null,
      features: [],
      output,
      example: { features: {}, output: answer },
      drop: [],
      personal: [],
      contract: '',
    })
    const typeOf = (
      kind: 'probability' | 'class' | 'number',
      classes: readonly (string | number | boolean)[] | null,
      answer?: unknown,
    ) => schemaValues(facts({ name: 'p', kind, classes }, answer)).answer
    assert.equal(typeOf('probability', null), 'float')
    assert.equal(typeOf('probability', ['a', 'b', 'c']), 'Dict[str, float]')
    assert.equal(typeOf('class', ['a', 'b']), 'str')
    assert.equal(typeOf('class', [0, 1]), 'int')
    assert.equal(typeOf('class', [false, true]), 'bool')
    assert.equal(typeOf('class', null, 3), 'int')
    assert.equal(typeOf('number', null, { low: 1, high: 2 }), 'Dict[str, float]')
    const skeleton =
      '{"info":{},"components":{"schemas":{"Prediction":{"properties":{}},"BatchItem":{"properties":{}}}}}'
    const document = JSON.parse(openApi(skeleton, facts({ name: 'p', kind: 'class', classes: ['a', 'b'] })))
    assert.deepEqual(document.components.schemas.Prediction.properties.prediction, {
      type: 'string',
      title: 'Prediction',
    })
  })
})

describe('A name in Python', () => {
  it('is the name of the column wherever that is one, and never twice the same', () => {
    assert.deepEqual(
      fieldNames([
        'tenure',
        'monthly charges',
        'monthly_charges',
        'Größe',
        '1st',
        'class',
        'int',
        '',
        '_x',
        'model_x',
        '値',
      ]),
      [
        'tenure',
        'monthly_charges_2',
        'monthly_charges',
        'Gro_e',
        'field_1st',
        'class_',
        'int_',
        'field',
        'x',
        'model_x_',
        'field_2',
      ],
    )
  })

  it('has the title that Pydantic gives it', () => {
    assert.equal(titleOf('monthly_charges'), 'Monthly Charges')
    assert.equal(titleOf("it's 3rdBest"), "It'S 3Rdbest")
    assert.equal(titleOf('Größe'), undefined)
  })
})
