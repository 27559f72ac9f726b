/** The HTML reports in a real browser: what a person sees, in both themes, on a phone and on paper. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { reportFor } from '../../../src/ui/reports/write.ts'
import { skipBecause } from '../../support/skip.ts'
import { check, hostileCheck, stable, wholeCheck, wideCheck } from '../../unit/ui/reports/fixture.ts'
import { churnProject } from '../cli/fixture/churn.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
const QUIET = [
  'disable-gpu',
  'disable-quic',
  'no-first-run',
  'disable-background-networking',
  'disable-component-update',
]

/** Calls one of the functions of in-page.js there. */
const IN_PAGE = readFileSync(new URL('in-page.js', import.meta.url), 'utf8').replace(/^\/\/.*\n;/, '')
const inPage = <Result = unknown>(page: Page, name: string): Promise<Result> =>
  page.evaluate<Result>(`${IN_PAGE.trim()}.${name}()`)

const CASES = {
  whole: wholeCheck(),
  stable: check({
    verdict: 'stable',
    summary: 'No drift.',
    columns: [stable('a'), { ...stable('p'), role: 'prediction' }],
  }),
  hostile: hostileCheck(),
  wide: wideCheck(20),
  periods: {
    ...check({ verdict: 'stable', summary: 'No drift.', columns: [stable('a')] }),
    periods: Array.from({ length: 30 }, (_, at) => ({
      since: new Date(Date.UTC(2026, 9, 1 + at)).toISOString(),
      until: new Date(Date.UTC(2026, 9, 2 + at)).toISOString(),
      rows: 1_000 + at,
      verdict: 'stable' as const,
      health: at === 3 ? ('breach' as const) : ('ok' as const),
      quality: at === 5 ? ('breach' as const) : null,
      drifted: [],
      effect: 0.4,
      running: false,
      summary: `No drift in 20 columns over ${1_000 + at} rows. 2 could not be resolved: MonthlyCharges, TotalCharges.`,
    })),
  },
  fleet: [wholeCheck(), check({ model: 'fraud' })],
} as const

describe('An HTML report in a browser', function () {
  this.timeout(180_000)
  let browser: Browser
  let folder: string

  before(async function () {
    if (CHROMIUM === undefined) skipBecause(this, 'Chromium is not installed')
    folder = mkdtempSync(join(tmpdir(), 'mlops-browser-'))
    for (const [name, reported] of Object.entries(CASES)) {
      writeFileSync(join(folder, `${name}.html`), reportFor('x.html', reported))
    }
    const project = await churnProject()
    await project.mlops(['drift', 'churn-model', '--current', 'same.csv'])
    await project.mlops(['drift', 'churn-model', '--current', 'june.csv', '--report', join(folder, 'real.html')], {
      code: 3,
    })
    await project.mlops(['drift', 'report', 'churn-model', '--report', join(folder, 'trend.html')])
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', ...QUIET.map((flag) => `--${flag}`), '--disable-sync'],
    })
  })
  after(async () => {
    await browser?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  /** Opens a report and fails on what it says on the console and on every request besides itself. */
  async function open(name: string, width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
    const problems: string[] = []
    page.on('console', (message) => problems.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    const url = pathToFileURL(join(folder, `${name}.html`)).href
    page.on('request', (request) => {
      if (request.url() !== url) problems.push(`request: ${request.url().slice(0, 100)}`)
    })
    await page.goto(url)
    assert.deepEqual(problems, [], `${name} at ${width}`)
    return page
  }

  for (const name of [...Object.keys(CASES), 'real', 'trend']) {
    for (const scheme of ['light', 'dark'] as const) {
      it(`${name}, ${scheme}: nothing is loaded, nothing overflows a phone, every text can be read`, async () => {
        for (const width of [360, 1280]) {
          const page = await open(name, width, scheme)
          await inPage(page, 'unfold')
          const size = await inPage(page, 'widths')
          assert.deepEqual(size, [width, width])
          assert.deepEqual(await inPage(page, 'outside'), [])
          assert.deepEqual(await inPage(page, 'poorContrasts'), [])
          await page.close()
        }
      })
    }
  }

  it('shows verdict, sentence, next command and columns', async () => {
    const page = await open('real', 1280, 'light')
    assert.equal(await page.title(), 'Drift: churn-model@1')
    assert.equal((await page.locator('h1').innerText()).trim(), 'Drift')
    const text = await page.locator('main').innerText()
    for (const expected of ['Drift in 1 of', 'What to do', 'mlops retrain churn-model', 'june.csv', '400 rows']) {
      assert.ok(text.includes(expected), `${expected}\n${text.slice(0, 1500)}`)
    }
    assert.equal(await page.locator('article h3').first().innerText(), 'age')
    await page.close()
  })

  it('can be heard: headings in order, every drawing named or hidden, tables with heads, a language', async () => {
    for (const name of ['whole', 'fleet', 'trend']) {
      const page = await open(name, 1280, 'light')
      const levels = await inPage<number[]>(page, 'headings')
      assert.equal(levels.filter((level) => level === 1).length, 1)
      for (const [at, level] of levels.entries()) {
        assert.ok(level - (levels[at - 1] ?? 0) <= 1, `${name}: h${levels[at - 1]} then h${level}`)
      }
      assert.deepEqual(await inPage(page, 'silentDrawings'), [])
      assert.equal(await page.locator('table:not(:has(thead th[scope=col]))').count(), 0)
      assert.equal(await page.locator('html').getAttribute('lang'), 'en')
      await page.close()
    }
  })

  it('shows periods as lines on a phone, with all figures, and no breach under a mark of well-being', async () => {
    for (const width of [360, 390, 1280]) {
      const page = await open('periods', width, 'light')
      const rows = page.locator('table.lines tbody tr')
      assert.equal(await rows.count(), 30)
      const breaches = await rows.filter({ hasText: 'breach' }).locator('.tag.bad').allInnerTexts()
      assert.deepEqual(breaches, ['breach', 'breach'])
      const first = rows.first()
      for (const figure of ['1,029', '0.400'])
        assert.ok(await first.getByText(figure).isVisible(), `${figure} at ${width}`)
      if (width < 720) {
        const [row, text] = [await first.boundingBox(), await first.locator('th').boundingBox()]
        assert.ok((text?.width ?? 0) >= 0.95 * (row?.width ?? 1), 'the text takes the whole width')
        assert.ok((row?.height ?? 0) < 160, `${row?.height} px for a period`)
      }
      await page.close()
    }
  })

  it('prints with everything unfolded, on white', async () => {
    const page = await open('wide', 1280, 'dark')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    assert.equal(await inPage(page, 'pageColor'), 'rgb(255, 255, 255)')
    assert.equal(await inPage(page, 'folded'), 0)
    assert.ok((await page.pdf()).length > 10_000)
    await page.close()
  })

  it('hostile names stay text: no script, no element of theirs', async () => {
    const page = await open('hostile', 360, 'light')
    assert.equal(await page.locator('script').count(), 0)
    assert.ok((await page.locator('main').innerText()).includes('<script>alert(1)</script>'))
    await page.close()
  })
})
