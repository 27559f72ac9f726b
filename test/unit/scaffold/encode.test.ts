/** Values that would like to be code, written into each language and read back by that language's own reader. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import { encoderFor, NotEncodable } from '../../../src/scaffold/encode.ts'
import { HELPERS, renderText, targetOf } from '../../../src/scaffold/render.ts'
import { skipBecause } from '../../support/skip.ts'
import { HOSTILE } from './hostile.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const PYTHON = join(ROOT, '.cache/venv/bin/python')

const python = (program: string, input: string): unknown =>
  JSON.parse(execFileSync(PYTHON, ['-c', program], { input, encoding: 'utf8' }))

/** How an expression of GitHub begins, and one whose value is that beginning. */
const OPENING = '$' + '{{'
const LITERAL = `${OPENING} '${OPENING}' }}`

describe('A value in a generated file', () => {
  it('is the same in Python, whatever it holds', function () {
    if (!existsSync(PYTHON)) return skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    const values = [...HOSTILE, 1, -2.5, 1e300, true, false, null, [...HOSTILE], { ...HOSTILE }]
    const text = values.map((value) => encoderFor('a.py')(value))
    assert.equal(
      text.some((line) => /[\r\n]/.test(line)),
      false,
    )
    // Parsed as one module, where a literal that is more than one would change the rest.
    const module = `VALUES = [\n${text.map((line) => `    ${line},  # ${HELPERS.comment(HOSTILE.join(' '))}`).join('\n')}\n]\n`
    const found = python(
      'import ast, json, sys; t = ast.parse(sys.stdin.buffer.read()); assert len(t.body) == 1; print(json.dumps(ast.literal_eval(t.body[0].value)))',
      module,
    )
    assert.deepEqual(found, JSON.parse(JSON.stringify(values)))
  })

  it('is the same in YAML', () => {
    const text = HOSTILE.map((value, at) => `k${at}: ${encoderFor('a.yml')(value)} # ${HELPERS.comment(value)}`).join(
      '\n',
    )
    assert.deepEqual(Object.values(load(text) as object), [...HOSTILE])
    assert.deepEqual(load(`a: ${encoderFor('a.yaml')({ x: [...HOSTILE, 1, null, false] })}`), {
      a: { x: [...HOSTILE, 1, null, false] },
    })
  })

  it('is text for GitHub in a workflow, and for Compose in a compose file', () => {
    for (const value of HOSTILE) {
      const { a: written } = load(`a: ${encoderFor('.github/workflows/x.yml')(value)}`) as { a: string }
      // What GitHub does: every expression is one that gives a constant.
      assert.equal(written.replaceAll(LITERAL, '').includes(OPENING), false, value)
      assert.equal(
        written.replaceAll(LITERAL, () => OPENING),
        value,
      )
      const compose = (load(`a: ${encoderFor('compose.yaml')(value)}`) as { a: string }).a
      assert.equal(compose.replaceAll('$$', '').includes('$'), false, value)
      assert.equal(compose.replaceAll('$$', '$'), value)
    }
  })

  it('is the same in JSON and TOML', function () {
    for (const value of HOSTILE) assert.equal(JSON.parse(encoderFor('a.json')(value)), value)
    if (!existsSync(PYTHON)) return skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    const text = HOSTILE.map((value, at) => `k${at} = ${encoderFor('a.toml')(value)}`).join('\n')
    const found = python(
      'import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.buffer.read().decode())))',
      text,
    )
    assert.deepEqual(Object.values(found as object), [...HOSTILE])
  })

  it('is one word for a shell', () => {
    const script = HOSTILE.map((value) => `printf '%s\\0' ${encoderFor('run.sh')(value)}`).join('\n')
    const found = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
    assert.deepEqual(found.split('\0').slice(0, -1), [...HOSTILE])
    assert.throws(() => HELPERS.shell('a\nb'), NotEncodable)
    assert.throws(() => encoderFor('run.sh')('a\0b'), NotEncodable)
  })

  it('stays on its line of a Dockerfile, in quotes that it cannot end, with nothing to expand', () => {
    for (const value of HOSTILE) {
      const word = encoderFor('Dockerfile')(value)
      assert.match(word, /^"(?:[^"\\$\n\r\u0085\u2028\u2029]|\\["\\$])*"$/, value)
    }
    assert.equal(encoderFor('Dockerfile.gpu')('a "b" $c \\ d'), '"a \\"b\\" \\$c \\\\ d"')
  })

  it('is text of one line in Markdown', () => {
    for (const value of HOSTILE) {
      const text = encoderFor('README.md')(value)
      assert.doesNotMatch(text, /[\r\n\u2028\u2029]|(?<!\\)[`*_[\]{}#|!>]|</, value)
      assert.doesNotMatch(text, /\{\{|\{%|<script/)
    }
  })

  it('does not end a line or a command of a crontab', () => {
    assert.equal(encoderFor('crontab.txt')("a % b 'c'"), "'a \\% b '\\''c'\\'''")
    assert.throws(() => encoderFor('crontab')('a\n* * * * * evil'), NotEncodable)
  })

  it('is refused where a file has no way to write it', () => {
    for (const path of ['.env', 'settings.ini', 'requirements.txt', '.dockerignore', 'unknown']) {
      assert.equal(encoderFor(path)('churn-model@3'), 'churn-model@3')
      for (const value of ['a\nb', 'a"b', "a'b", '$HOME', '`x`', 'a;b', '%(x)s', '#x', ' a', 'a\u2028b']) {
        assert.throws(() => encoderFor(path)(value), NotEncodable, `${path}: ${value}`)
      }
    }
    assert.throws(() => encoderFor('a.py')('\ud800'), NotEncodable)
    assert.throws(() => encoderFor('a.py')(undefined), NotEncodable)
    assert.throws(() => encoderFor('a.json')(Number.NaN), NotEncodable)
  })

  it('cannot name the encoding of a Python file or begin an expression from a comment', () => {
    assert.doesNotMatch(HELPERS.comment('-*- coding: utf-7 -*-'), /coding[:=]/)
    for (const value of HOSTILE) assert.doesNotMatch(HELPERS.comment(value), /\$\{\{|\{\{|\{%|[\r\n\u0085\u2028\u2029]/)
  })
})

describe('A helper that prints what is no literal', () => {
  it('prints nothing but what it is for', () => {
    for (const value of HOSTILE.filter((each) => !/^[\w.-]*$/.test(each))) {
      for (const helper of [HELPERS.identifier, HELPERS.name, HELPERS.integer, HELPERS.digest, HELPERS.annotation]) {
        assert.throws(() => helper(value), NotEncodable, `${value}`)
      }
    }
    for (const word of ['class', 'None', 'match', '_', '1a', 'a-b', '', 'é']) {
      assert.throws(() => HELPERS.identifier(word), NotEncodable, word)
    }
    assert.equal(HELPERS.identifier('tenure_2'), 'tenure_2')
    assert.equal(HELPERS.annotation('Optional[Dict[str, float]]'), 'Optional[Dict[str, float]]')
    assert.equal(HELPERS.integer(12), '12')
    assert.throws(() => HELPERS.integer(1.5), NotEncodable)
  })
})

describe('A template', () => {
  it('prints no value that nobody gave, and nothing raw that nothing checks', async () => {
    const broken = { code: 'TEMPLATE_BROKEN' }
    await assert.rejects(renderText('<%= it.nobody %>', 'a.py', {}), broken)
    for (const raw of [
      '<%~ it.x %>',
      '<%~it.x%>',
      '<%~ it.comment(it.x) + it.x %>',
      '<%~ it.other(it.x) %>',
      '<%-~ it.x %>',
      "<%~ '' + it.x %>",
    ]) {
      await assert.rejects(renderText(raw, 'a.py', { x: 'y' }), broken, raw)
    }
    assert.equal(await renderText('# <%~ it.comment(it.x) %>\n', 'a.py', { x: 'y\nz' }), '# y z\n')
  })

  it('keeps the line break behind a literal, and swallows one where it is told to', async () => {
    assert.equal(await renderText('a = <%= it.x %>\nb = 1\n', 'a.py', { x: 1 }), 'a = 1\nb = 1\n')
    assert.equal(await renderText('<% if (it.x) { -%>\na\n<% } -%>\nb\n', 'a.py', { x: true }), 'a\nb\n')
  })

  it('is named as its file, with dots that packages cannot have', () => {
    assert.equal(targetOf('dot-github/workflows/drift.yml.eta'), '.github/workflows/drift.yml')
    assert.equal(targetOf('app/main.py'), 'app/main.py')
  })

  it('of this repository has no literal inside of quotes and no raw output that nothing checks', async () => {
    const folder = join(ROOT, 'templates')
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eta'))
    assert.ok(names.length > 0)
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8')
      // Rendering refuses raw output before it looks at values; other mistakes are of the values that are missing here.
      const error = await renderText(text, name.replace(/\.eta$/, ''), {}).then(() => undefined, String)
      assert.doesNotMatch(error ?? '', /raw output/, name)
      assert.doesNotMatch(text, /["'`]<%=|%>["'](?!\))/, `${name}: a literal is whole, and brings its own quotes`)
    }
  })
})
