/** Setting values in mlops.yaml: every byte that is not the value stays, and nothing is written that does not load. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyConfigEdit, planConfigEdit } from '../../../src/project/edit-config.ts'
import { type Edit, editYaml } from '../../../src/project/edit-yaml.ts'
import { lineChanges } from '../../../src/project/line-changes.ts'

const M = ['models', 'churn-model'] as const
const threshold = (value: number): Edit => ({ path: [...M, 'drift', 'threshold'], value })
const column = (name: string, value: number): Edit => ({
  path: [...M, 'drift', 'columns', name, 'threshold'],
  value,
  inline: true,
})
const BOTH = [threshold(0.2), column('fare', 0.4)]

describe('Editing mlops.yaml', () => {
  it('changes a number and leaves comments, order, quotes and blanks', async () => {
    const text = `# Who may change this: ml@example.com

models:
    churn-model:   # the old one
        notify: ['slack:#ml',   "file:a.txt"]
        drift:
            threshold:   0.10   # agreed in May
            columns:
                fare: { threshold: 3e-1 } # noisy
                # tenure is fine
        artifact: "model.joblib"
`
    const expected = text.replace('0.10 ', '0.2 ').replace('3e-1', '0.4')
    assert.equal(await editYaml(text, BOTH), expected)
  })

  it('adds what is missing in the block that is there, behind its last line', async () => {
    const text =
      'models:\n  churn-model:\n    drift:\n      window: 7d # a week\n\n    artifact: m.bin\nstore: .mlops\n'
    assert.equal(
      await editYaml(text, BOTH),
      'models:\n  churn-model:\n    drift:\n      window: 7d # a week\n      threshold: 0.2\n      columns:\n        fare: {threshold: 0.4}\n\n    artifact: m.bin\nstore: .mlops\n',
    )
  })

  it('adds a model behind the others, and the models to a file of comments', async () => {
    assert.equal(
      await editYaml('models:\n  other:\n    notify:\n      - stdout\n# the end\n', BOTH),
      'models:\n  other:\n    notify:\n      - stdout\n  churn-model:\n    drift:\n      threshold: 0.2\n      columns:\n        fare: {threshold: 0.4}\n# the end\n',
    )
    assert.equal(
      await editYaml('# nothing yet\n', [threshold(0.2)]),
      '# nothing yet\nmodels:\n  churn-model:\n    drift:\n      threshold: 0.2\n',
    )
    assert.equal(await editYaml('', [threshold(0.2)]), 'models:\n  churn-model:\n    drift:\n      threshold: 0.2\n')
  })

  it('leaves a comment with the model that it belongs to', async () => {
    const text = 'models:\n  other:\n    risk: low\n\n    # artifact: m.bin\n\n# the end\n'
    assert.equal(
      await editYaml(text, [threshold(0.2)]),
      'models:\n  other:\n    risk: low\n\n    # artifact: m.bin\n  churn-model:\n    drift:\n      threshold: 0.2\n\n# the end\n',
    )
  })

  it('writes into braces where the file uses braces', async () => {
    const cases: [string, string][] = [
      [
        'models: {churn-model: {drift: {window: 7d}}}\n',
        'models: {churn-model: {drift: {window: 7d, threshold: 0.2, columns: {fare: {threshold: 0.4}}}}}\n',
      ],
      [
        'models: {churn-model: {}}\n',
        'models: {churn-model: {drift: {threshold: 0.2, columns: {fare: {threshold: 0.4}}}}}\n',
      ],
      [
        'models:\n  churn-model:\n    drift: {\n      metric: psi,  # as ever\n      threshold: 0.1,\n    }\n',
        'models:\n  churn-model:\n    drift: {\n      metric: psi,  # as ever\n      threshold: 0.2, columns: {fare: {threshold: 0.4}},\n    }\n',
      ],
    ]
    for (const [text, expected] of cases) assert.equal(await editYaml(text, BOTH), expected)
  })

  it('fills a key that has no value yet', async () => {
    assert.equal(
      await editYaml('models:\n  churn-model:\n    drift:   # later\n    risk: low\n', [threshold(0.2)]),
      'models:\n  churn-model:\n    drift: {threshold: 0.2}   # later\n    risk: low\n',
    )
    assert.equal(
      await editYaml('models:\n  churn-model: ~\n', [threshold(0.2)]),
      'models:\n  churn-model: {drift: {threshold: 0.2}}\n',
    )
  })

  it('keeps Windows line ends, a byte-order mark and a last line without an end', async () => {
    assert.equal(
      await editYaml('\uFEFFmodels:\r\n  churn-model:\r\n    drift:\r\n      window: 7d', BOTH),
      '\uFEFFmodels:\r\n  churn-model:\r\n    drift:\r\n      window: 7d\r\n      threshold: 0.2\r\n      columns:\r\n        fare: {threshold: 0.4}',
    )
  })

  it('quotes names of columns that mean something to YAML', async () => {
    const names = ['net, total', 'a: b', '1', 'yes', 'über', '#x', 'say "hi"', '{x}', 'back\\slash']
    for (const text of ['models:\n  churn-model:\n    risk: low\n', 'models: {churn-model: {risk: low}}\n']) {
      const file = await planned(
        text,
        names.map((name) => column(name, 0.3)),
      )
      const again = await planned(
        file.after,
        names.map((name) => column(name, 0.3)),
      )
      assert.deepEqual(again.lines, [])
    }
  })

  it('refuses anchors and lists where a map must be, and a value that does not load', async () => {
    await assert.rejects(
      planned('models:\n  churn-model: &m\n    risk: low\n', [threshold(0.2)]),
      ({ code, message }: Problem) => code === 'CONFIG_INVALID' && /mlops\.yaml:2: .*anchors/.test(message),
    )
    await assert.rejects(editYaml('models: [a]\n', [threshold(0.2)]), /models is no map/)
    await assert.rejects(
      editYaml('models:\n  churn-model:\n    drift:\n      threshold: |\n        0.1\n', BOTH),
      /no single value/,
    )
    await assert.rejects(editYaml('a: &x 1\nb: *x\n', [threshold(0.2)]), /not allowed/)
    await assert.rejects(
      planned('models:\n  churn-model:\n    risk: low\n', [threshold(-1)]),
      ({ code }: Problem) => code === 'CONFIG_INVALID',
    )
  })

  it('shows the lines that change, with a few around them', async () => {
    const text = '# a\n# b\n# c\nmodels:\n  churn-model:\n    drift:\n      threshold: 0.1\nstore: .mlops\n'
    const { lines } = await planned(text, BOTH)
    assert.deepEqual(
      lines.map(({ mark, line, text: shown }) => `${mark}${line} ${shown}`),
      [
        ' 5   churn-model:',
        ' 6     drift:',
        '-7       threshold: 0.1',
        '+7       threshold: 0.2',
        '+8       columns:',
        '+9         fare: {threshold: 0.4}',
        ' 10 store: .mlops',
      ],
    )
    assert.deepEqual(lineChanges('a\nb', 'a\nb'), [])
  })

  it('replaces the file with its mode, through a link, and does nothing a second time', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'real.yaml')
      writeFileSync(file, 'models:\n  churn-model:\n    risk: low\n')
      chmodSync(file, 0o640)
      symlinkSync('real.yaml', join(folder, 'mlops.yaml'))
      await applyConfigEdit(await planConfigEdit(join(folder, 'mlops.yaml'), BOTH, folder))
      assert.match(readFileSync(file, 'utf8'), /threshold: 0\.2\n/)
      assert.equal(statSync(file).mode & 0o777, 0o640)
      const again = await planConfigEdit(join(folder, 'mlops.yaml'), BOTH, folder)
      assert.deepEqual([again.lines, again.before === again.after], [[], true])
    })
  })

  it('leaves a file alone that somebody changed meanwhile, or that nobody may write', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'mlops.yaml')
      writeFileSync(file, 'models:\n  churn-model:\n    risk: low\n')
      const edit = await planConfigEdit(file, BOTH, folder)
      writeFileSync(file, 'models:\n  churn-model:\n    risk: high\n')
      await assert.rejects(
        applyConfigEdit(edit),
        ({ code, exit }: Problem) => code === 'CONFIG_CHANGED' && exit === 'conflict',
      )
      const other = await planConfigEdit(file, BOTH, folder)
      chmodSync(file, 0o444)
      await assert.rejects(applyConfigEdit(other), ({ code }: Problem) => code === 'CONFIG_NOT_WRITABLE')
      assert.equal(readFileSync(file, 'utf8'), 'models:\n  churn-model:\n    risk: high\n')
    })
  })
})

type Problem = Error & { readonly code: string; readonly exit: string }

const planned = (text: string, edits: readonly Edit[]) =>
  inFolder((folder) => {
    writeFileSync(join(folder, 'mlops.yaml'), text)
    return planConfigEdit(join(folder, 'mlops.yaml'), edits, folder)
  })

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-edit-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
