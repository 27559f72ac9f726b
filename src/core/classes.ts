/**
 * How answers and labels are understood, wherever a version is measured: whether they are classes, scores of one class or
 * quantities, and which of two classes is the positive one. Realised quality (`src/predictions/`) and held-out rows
 * (`src/evaluation/`) must not differ in this. Reading the columns and computing metrics is done there.
 */

/** In lower case. */
export const POSITIVE: readonly string[] = ['1', '1.0', 'true', 'yes', 'y', 't', 'positive']
export const NEGATIVE: readonly string[] = ['0', '0.0', 'false', 'no', 'n', 'f', 'negative']

/** Up to this many different labels, whole numbers are classes; more are numbers to be hit. */
export const MOST_CLASSES = 50
/** Members or columns beside an answer that say how sure the model was. */
export const SCORE_NAMES: readonly string[] = ['probability', 'score', 'proba']
/** A score at or above it says the positive class. */
export const SCORE_THRESHOLD = 0.5
/** Scores are clipped to [floor, 1 - floor] before a logarithm, as scikit-learn does: the precision of a double. */
export const SCORE_FLOOR = 2 ** -52

/** Counts over pairs of answer and label that both are there. */
export interface PairCounts {
  /** Different labels; counting may stop above `MOST_CLASSES`. */
  readonly labels: number
  /** Labels and answers that are no numbers. */
  readonly wordLabels: number
  readonly wordAnswers: number
  /** Those that are no whole numbers. */
  readonly fractionLabels: number
  readonly fractionAnswers: number
  /** Answers outside of [0, 1], or NaN. */
  readonly outside: number
}

/** `scores`: the answers say how sure the positive class is. `quantities`: numbers to be hit. `classes`: names. */
export function kindOfAnswers(counts: PairCounts): 'scores' | 'quantities' | 'classes' {
  const { labels, wordLabels, wordAnswers, fractionLabels, fractionAnswers, outside } = counts
  if (labels <= 2 && wordAnswers === 0 && outside === 0 && fractionAnswers > 0) return 'scores'
  // Fractions among the answers, or many numbers among the labels: a quantity is predicted.
  const isQuantity =
    wordLabels === 0 && wordAnswers === 0 && (fractionLabels > 0 || fractionAnswers > 0 || labels > MOST_CLASSES)
  return isQuantity ? 'quantities' : 'classes'
}

/** The positive one of at most two classes, sorted, in lower case: a word for yes, else the last. */
export function positiveClass(classes: readonly string[]): string {
  const known = classes.find((label) => POSITIVE.includes(label))
  if (known !== undefined) return known
  // All labels so far may be of the negative class.
  const isNegative = classes.length === 1 && NEGATIVE.includes(classes[0] ?? '')
  return isNegative ? '1' : (classes.at(-1) ?? '1')
}

/** Upper and lower case, `1` and `1.0` are one class. */
export function classKey(text: string): string {
  const word = text.trim().toLowerCase()
  const number = Number(word)
  return word !== '' && Number.isFinite(number) ? String(number) : word
}
