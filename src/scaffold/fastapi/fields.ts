/** From names of columns to names in Python, and the titles that Pydantic gives them. Pure. */
import { isIdentifier } from '../render.ts'

/** What schema.py itself uses, and what a field would hide: of Pydantic's model, or of Python. */
const TAKEN = new Set(
  'BaseModel BatchItem BatchPrediction BatchRequest ConfigDict Dict Features Field List Moment Optional PredictRequest Prediction StrictBool StrictFloat StrictStr Union Whole bool datetime float int str construct copy dict fields from_orm json parse_file parse_obj parse_raw schema schema_json update_forward_refs validate model_config'.split(
    ' ',
  ),
)

/** @returns for each name an identifier, no two the same; the name itself where that is one */
export function fieldNames(names: readonly string[]): string[] {
  const used = new Set<string>()
  // Names that are identifiers keep them, whoever else would like to be called so.
  for (const name of names) if (isUsable(name)) used.add(name)
  return names.map((name) => {
    if (isUsable(name)) return name
    const plain = name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
    const begun = /^[A-Za-z]/.test(plain) ? plain : plain === '' ? 'field' : `field_${plain}`
    const base = isUsable(begun) ? begun : `${begun}_`
    let field = base
    for (let number = 2; used.has(field); number++) field = `${base}_${number}`
    used.add(field)
    return field
  })
}

/** A leading underscore makes a private attribute, `model_…` may be a method of Pydantic's. */
const isUsable = (name: string): boolean =>
  isIdentifier(name) && !name.startsWith('_') && !name.startsWith('model_') && !TAKEN.has(name)

/** As Pydantic makes it of a name: `str.title()`, underscores as blanks. Undefined where the two languages may differ. */
export function titleOf(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (!/^[\x00-\x7f]*$/.test(name)) return undefined
  const title = name.replace(/[A-Za-z]+/g, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1).toLowerCase()}`)
  return title.replaceAll('_', ' ').replace(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, '')
}
