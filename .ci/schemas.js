// Writes docs/schemas/<command>.json: one JSON Schema (2020-12) per `--json` result, from the type T of each
// command's `execute(): Promise<Outcome<T>>`, and envelope.json for what is around it. The *.yaml.json files there are .ci/docs-config.js's.
//   node .ci/schemas.js           writes them
//   node .ci/schemas.js --check   changes nothing; exit 1 naming every schema that is stale, missing or left over
//
// A small walk over the checker's types instead of a library: our results are plain data, and the checker has already
// resolved every alias, mapped type and generic. `number` means a finite number; where NaN can occur the type says
// `number | string`, because JSON carries it as "NaN".
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, 'docs/schemas')
/** Hidden commands serve programs of ours and promise nothing. */
const HIDDEN = /static override hidden = true/

/** @returns file name -> text of every schema; throws an Error naming the command whose result has no schema */
function generate() {
  const commands = readdirSync(join(root, 'src/commands'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => !HIDDEN.test(readFileSync(join(root, 'src/commands', file), 'utf8')))
    .sort()
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const envelope = join(root, 'src/ui/envelope.ts')
  const ofEnvelope = (exported, title) => schemaOf(program, envelope, exported, title)
  const files = commands.map((file) => join(root, 'src/commands', file))
  const program = ts.createProgram([...files, envelope], options)
  const result = new Map()
  result.set('envelope.json', ofEnvelope('Envelope', 'What every command prints with --json'))
  result.set('help.json', ofEnvelope('HelpResult', 'data of mlops help --json'))
  result.set('version.json', ofEnvelope('VersionResult', 'data of mlops --version --json'))
  for (const [index, file] of files.entries()) {
    const id = commands[index].slice(0, -3).split(/[\\/]/).join(' ')
    result.set(`${id.replaceAll(' ', '-')}.json`, schemaOf(program, file, 'default', `data of mlops ${id} --json`))
  }
  return result
}

function schemaOf(program, file, exported, title) {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  const symbol = module && checker.getExportsOfModule(module).find((each) => each.name === exported)
  if (symbol === undefined) throw new Error(`${relative(root, file)} exports no ${exported}`)
  const context = { checker, definitions: {}, names: new Map(), source, file: relative(root, file) }
  const declared = checker.getDeclaredTypeOfSymbol(symbol)
  const type = exported === 'default' ? resultOf(declared, context) : declared
  const body = convert(type, context, 'data', true)
  const { $defs, ...rest } = { ...body, $defs: sorted(context.definitions) }
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...rest }
  if (Object.keys($defs).length > 0) schema.$defs = $defs
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** T of a command's `execute(): Promise<Outcome<T>>`. */
function resultOf(command, { checker, source, file }) {
  const method = checker.getPropertyOfType(command, 'execute')
  const [signature] = method === undefined ? [] : checker.getTypeOfSymbolAtLocation(method, source).getCallSignatures()
  const [outcome] = signature === undefined ? [] : checker.getTypeArguments(signature.getReturnType())
  const [result] = outcome === undefined ? [] : checker.getTypeArguments(outcome)
  if (result === undefined || result.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) {
    throw new Error(`${file}: declare what --json prints: execute(): Promise<Outcome<Result>>`)
  }
  return result
}

/** @param path where we are, for messages: `Result.models[]` */
function convert(type, context, path, inline = false) {
  const { flags } = type
  if (flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {}
  if (flags & ts.TypeFlags.Null) return { type: 'null' }
  if (flags & ts.TypeFlags.StringLiteral || flags & ts.TypeFlags.NumberLiteral) return { const: type.value }
  if (flags & ts.TypeFlags.BooleanLiteral) return { const: context.checker.typeToString(type) === 'true' }
  if (flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) return { type: 'string' }
  if (flags & ts.TypeFlags.Number) return { type: 'number' }
  if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' }
  if (flags & ts.TypeFlags.BigInt) return { type: 'string' }
  const name = inline ? undefined : nameOf(type, context)
  if (name === undefined) return convertStructure(type, context, path)
  if (!(name in context.definitions)) {
    context.definitions[name] = {}
    context.definitions[name] = convertStructure(type, context, path)
  }
  return { $ref: `#/$defs/${name}` }
}

function convertStructure(type, context, path) {
  const { checker } = context
  if (type.isUnion()) return convertUnion(type, context, path)
  if (checker.isTupleType(type)) {
    const items = checker.getTypeArguments(type).map((each, at) => convert(each, context, `${path}[${at}]`))
    return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length }
  }
  if (checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(type)
    return { type: 'array', items: convert(item, context, `${path}[]`) }
  }
  if (type.getCallSignatures().length > 0)
    throw new Error(`${context.file}: ${path} is a function, which JSON cannot hold`)
  const symbolName = type.getSymbol()?.name
  if (['Date', 'Map', 'Set', 'Buffer', 'Uint8Array', 'Promise'].includes(symbolName)) {
    throw new Error(`${context.file}: ${path} is a ${symbolName}, which JSON does not carry`)
  }
  return convertObject(type, context, path)
}

function convertObject(type, context, path) {
  const { checker } = context
  const properties = {}
  const required = []
  for (const property of checker.getPropertiesOfType(type)) {
    const declared = checker.getTypeOfSymbolAtLocation(property, context.source)
    const optional = (property.flags & ts.SymbolFlags.Optional) !== 0 || includesUndefined(declared)
    const schema = convert(withoutUndefined(declared, checker), context, `${path}.${property.name}`)
    const description = ts.displayPartsToString(property.getDocumentationComment(checker)).trim()
    properties[property.name] = description === '' ? schema : { description, ...schema }
    if (!optional) required.push(property.name)
  }
  const index = checker.getIndexInfoOfType(type, ts.IndexKind.String)
  const schema = { type: 'object' }
  if (Object.keys(properties).length > 0) schema.properties = properties
  if (required.length > 0) schema.required = required
  if (index !== undefined)
    schema.additionalProperties = convert(withoutUndefined(index.type, checker), context, `${path}{}`)
  return schema
}

function convertUnion(type, context, path) {
  const members = type.types.filter((each) => !(each.flags & ts.TypeFlags.Undefined))
  const isBoolean = (each) => (each.flags & ts.TypeFlags.BooleanLiteral) !== 0
  const both = members.filter(isBoolean).length === 2
  const parts = members.filter((each) => !(both && isBoolean(each))).map((each) => convert(each, context, path))
  if (both) parts.push({ type: 'boolean' })
  const constants = parts.filter((part) => 'const' in part).map((part) => part.const)
  const others = parts.filter((part) => !('const' in part))
  // Unions of the checker are ordered by its internal ids, which change with unrelated code.
  constants.sort((a, b) => (String(a) < String(b) ? -1 : 1))
  others.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const merged = [
    ...(constants.length === 0 ? [] : [constants.length === 1 ? { const: constants[0] } : { enum: constants }]),
    ...others,
  ]
  return merged.length === 1 ? merged[0] : { anyOf: merged }
}

/** Named types of ours become definitions; two types of the same name from different places get a number. */
function nameOf(type, context) {
  const symbol = type.aliasSymbol ?? type.getSymbol()
  const declaration = symbol?.declarations?.[0]
  if (declaration === undefined || symbol.name.startsWith('__')) return undefined
  if (!relative(root, declaration.getSourceFile().fileName).startsWith('src')) return undefined
  if ((type.aliasTypeArguments ?? type.typeArguments ?? []).length > 0) return undefined
  const known = context.names.get(symbol)
  if (known !== undefined) return known
  const taken = new Set(context.names.values())
  let name = symbol.name
  for (let n = 2; taken.has(name); n++) name = `${symbol.name}${n}`
  context.names.set(symbol, name)
  return name
}

const includesUndefined = (type) =>
  (type.flags & ts.TypeFlags.Undefined) !== 0 ||
  (type.isUnion() && type.types.some((each) => (each.flags & ts.TypeFlags.Undefined) !== 0))

const withoutUndefined = (type, checker) =>
  type.isUnion() && includesUndefined(type)
    ? checker.getNonNullableType(type) === type
      ? type
      : stripUndefined(type, checker)
    : type

/** `getNonNullableType` would drop null as well. */
function stripUndefined(type, checker) {
  const kept = type.types.filter((each) => !(each.flags & ts.TypeFlags.Undefined))
  if (kept.length === 1) return kept[0]
  return kept.some((each) => each.flags & ts.TypeFlags.Null) ? type : checker.getNonNullableType(type)
}

const sorted = (record) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

function staleOf(schemas) {
  const present = existsSync(target)
    ? readdirSync(target).filter((file) => file.endsWith('.json') && !file.endsWith('.yaml.json'))
    : []
  const stale = [...schemas].filter(
    ([file, text]) => !present.includes(file) || readFileSync(join(target, file), 'utf8') !== text,
  )
  return { changed: stale.map(([file]) => file), leftOver: present.filter((file) => !schemas.has(file)) }
}

const schemas = generate()
const { changed, leftOver } = staleOf(schemas)
if (process.argv.includes('--check')) {
  for (const file of changed) console.log(`docs/schemas/${file} is stale; run npm run schemas`)
  for (const file of leftOver) console.log(`docs/schemas/${file} belongs to no command; run npm run schemas`)
  process.exitCode = changed.length + leftOver.length === 0 ? 0 : 1
} else {
  mkdirSync(target, { recursive: true })
  for (const file of changed) writeFileSync(join(target, file), schemas.get(file))
  for (const file of leftOver) rmSync(join(target, file))
  console.error(`docs/schemas: ${schemas.size} schemas, ${changed.length} written, ${leftOver.length} removed`)
}
