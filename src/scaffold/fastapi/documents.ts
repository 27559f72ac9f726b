/**
 * What the templates of a service see, and its two generated documents: service.json, and the parts of openapi.json that
 * are of one model. Pure. The rest of openapi.json is what FastAPI makes of the routes (templates/fastapi/openapi.json).
 */
import { canonicalJson } from '../../core/canonical-json.ts'
import { sha256 } from '../../core/digest.ts'
import { escapeHidden, jsonValue } from '../encode.ts'
import type { Example, Feature, FeatureType, Output, ServiceFacts, Signature } from './facts.ts'
import { titleOf } from './fields.ts'

/** Names, types and the answer: what clients and other versions must agree with. Not ranges, which every training moves. */
export function contractDigest({ features, output }: Pick<Signature, 'features' | 'output'>): string {
  const columns = features.map(({ name, type }) => ({ name, type })).sort((a, b) => (a.name < b.name ? -1 : 1))
  return sha256(canonicalJson({ features: columns, output: { kind: output.kind, classes: output.classes } }))
}

/** One feature a line: read in reviews, and merged line by line. */
export function serviceJson(facts: ServiceFacts): string {
  const members = Object.entries(facts).map(([key, value]) => {
    const isLong = Array.isArray(value) && value.length > 0 && typeof value[0] === 'object'
    const text = isLong ? `[\n${value.map((each) => `    ${jsonValue(each)}`).join(',\n')}\n  ]` : jsonValue(value)
    return `  ${JSON.stringify(key)}: ${text}`
  })
  return `{\n${members.join(',\n')}\n}\n`
}

/** Strict types: a text is no number (templates/fastapi/app/values.py has the two that Pydantic lacks). */
const PYTHON: Readonly<Record<FeatureType, string>> = {
  integer: 'Whole',
  number: 'StrictFloat',
  boolean: 'StrictBool',
  string: 'StrictStr',
  datetime: 'Moment',
}

/** What templates/fastapi/app/schema.py.eta sees. */
export function schemaValues(facts: ServiceFacts) {
  const { features, output, example } = facts
  const types = [...new Set(features.map(({ type }) => PYTHON[type]))].sort()
  return {
    model: facts.model,
    example: example?.features ?? null,
    answer: answerType(output, example),
    maybeAnswer: `Optional[${answerType(output, example)}]`,
    strictTypes: types.filter((each) => each.startsWith('Strict')),
    ownTypes: types.filter((each) => !each.startsWith('Strict')),
    usesDict: answerType(output, example).startsWith('Dict'),
    features: features.map((feature) => ({
      field: feature.field,
      type: feature.nullable ? `Optional[${PYTHON[feature.type]}]` : PYTHON[feature.type],
      given: fieldArguments(feature),
    })),
  }
}

/** What `Field(…)` is called with: pairs of a keyword (null: by place) and a value. */
function fieldArguments(feature: Feature): [string | null, string | null][] {
  const { name, field, nullable } = feature
  const given: [string | null, string | null][] = nullable ? [[null, null]] : []
  if (field !== name) given.push(['alias', name])
  // Pydantic makes a title of the name by rules of Python's; where ours could differ it is given.
  if (titleOf(name) === undefined) given.push(['title', name])
  const description = describe(feature)
  if (description !== undefined) given.push(['description', description])
  return given
}

const MOST_LISTED = 12

/** One line: what a person needs to fill it in. */
export function describe({ categories, range, refuse }: Feature): string | undefined {
  const strictly = refuse ? 'only ' : ''
  if (categories !== null) {
    const listed = categories.slice(0, MOST_LISTED).join(', ')
    const more = categories.length > MOST_LISTED ? ` and ${categories.length - MOST_LISTED} more` : ''
    return `${strictly}${listed}${more}${refuse ? '' : ' (in training)'}`
  }
  if (range !== null) return `${strictly}${range[0]} to ${range[1]}${refuse ? '' : ' (in training)'}`
  return undefined
}

function answerType(output: Output, example: Example | null): 'float' | 'str' | 'bool' | 'int' | 'Dict[str, float]' {
  const answer = example?.output
  if (typeof answer === 'object' && answer !== null) return 'Dict[str, float]'
  if (output.kind === 'probability') return (output.classes?.length ?? 2) > 2 ? 'Dict[str, float]' : 'float'
  if (output.kind === 'number') return 'float'
  const known = output.classes ?? (answer === null || answer === undefined ? [] : [answer])
  if (known.length > 0 && known.every((each) => typeof each === 'number')) return 'int'
  return known.length > 0 && known.every((each) => typeof each === 'boolean') ? 'bool' : 'str'
}

type JsonSchema = Record<string, unknown>

const JSON_TYPES: Readonly<Record<FeatureType, JsonSchema>> = {
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  string: { type: 'string' },
  datetime: { type: 'string', format: 'date-time' },
}

interface OpenApi {
  readonly info: { title: string; version: string }
  readonly components: { readonly schemas: Record<string, JsonSchema & { properties?: Record<string, JsonSchema> }> }
}

/** @param skeleton what FastAPI says of the routes, for some model */
export function openApi(skeleton: string, facts: ServiceFacts): string {
  const document = JSON.parse(skeleton) as OpenApi
  document.info.title = facts.model
  // Of the contract, not of the model: a version that takes and gives the same is no news to a client.
  document.info.version = facts.contract.slice(0, 12)
  const { schemas } = document.components
  schemas.Features = featuresSchema(facts)
  const answer = answerSchema(answerType(facts.output, facts.example))
  setProperty(schemas.Prediction, { ...answer, title: 'Prediction' })
  setProperty(schemas.BatchItem, { anyOf: [answer, { type: 'null' }], title: 'Prediction' })
  return `${escapeHidden(JSON.stringify(document, undefined, 2))}\n`
}

function setProperty(schema: { properties?: Record<string, JsonSchema> } | undefined, value: JsonSchema): void {
  if (schema?.properties !== undefined) schema.properties.prediction = value
}

function featuresSchema({ features, example }: ServiceFacts): JsonSchema {
  const required = features.filter(({ nullable }) => !nullable).map(({ name }) => name)
  return {
    properties: Object.fromEntries(features.map((feature) => [feature.name, propertyOf(feature)])),
    additionalProperties: false,
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    title: 'Features',
    description: 'One row, as the model was trained on.',
    ...(example === null ? {} : { examples: [example.features] }),
  }
}

function propertyOf(feature: Feature): JsonSchema {
  const type = JSON_TYPES[feature.type]
  const description = describe(feature)
  return {
    ...(feature.nullable ? { anyOf: [type, { type: 'null' }] } : type),
    title: titleOf(feature.name) ?? feature.name,
    ...(description === undefined ? {} : { description }),
  }
}

function answerSchema(type: ReturnType<typeof answerType>): JsonSchema {
  if (type === 'Dict[str, float]') return { additionalProperties: { type: 'number' }, type: 'object' }
  return { type: { float: 'number', str: 'string', bool: 'boolean', int: 'integer' }[type] }
}
