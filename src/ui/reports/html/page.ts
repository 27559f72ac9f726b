/** The frame of every page: head, style, policy, foot. What stands between is made elsewhere. */
import { CSS } from './css.ts'
import { type Html, html, raw } from './escape.ts'
import { DEFINITIONS } from './mark.ts'

/** Nothing is loaded and nothing runs, whatever a column is called. The icon is none, so that no browser asks for one. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** @param style besides the style sheet of all pages */
export const page = (title: string, body: Html, style = ''): string =>
  `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(CSS + style)}</style>
</head>
<body>
${DEFINITIONS}
<main>
${body}
</main>
<footer>Written by mlops. One file, no scripts, nothing loaded from anywhere.</footer>
</body>
</html>`.text
  }
`
