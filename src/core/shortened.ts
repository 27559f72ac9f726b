/** A word of a record as a message quotes it: a path of thousands of characters is none that anybody wrote. Pure. */

/** @param most characters of the result, about */
export const shortened = (text: string, most = 80): string =>
  text.length <= most ? text : `${text.slice(0, most - 10)}… (${text.length} characters)`
