/** `trackCommand` on real commands: what it records, how commands end, and what may go wrong. */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { loadProject } from '../../../src/project/load.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import type { SignalSource } from '../../../src/tracking/execute/child.ts'
import { trackCommand } from '../../../src/tracking/execute/track.ts'
import { listRuns } from '../../../src/tracking/records/list-runs.ts'
import { runStatus } from '../../../src/tracking/records/status.ts'
import { parseParamFlags } from '../../../src/tracking/values/value-maps.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { type Workshop, workshop } from './support.ts'

describe('Tracking a command', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop()
  })
  afterEach(async () => {
    const report = await verifyStore(shop.store.root)
    shop.remove()
    assert.deepEqual(report.damages, [])
  })
  const sh = (script: string): string[] => ['sh', '-c', script]

  it('passes its output on unchanged, on the stream it came from, and keeps it', async () => {
    const run = await shop.track(sh("printf 'a\\tb\\r\\n\\033[1mbold'; printf 'oops' >&2"))
    assert.deepEqual([run.stdout, run.stderr, run.exitCode], ['a\tb\r\n\u001b[1mbold', 'oops', 0])
    assert.equal(shop.output(run).length, run.stdout.length + run.stderr.length)
    assert.equal(run.end.status, 'finished')
  })

  it('refuses a tag that looks like a secret before it starts, and does not repeat it', async () => {
    await assert.rejects(shop.track(sh('touch started'), { tags: ['nightly', 'token=hunter2'] }), (error: Error) => {
      assert.match(error.message, /^"token=\[redacted\]" cannot be a tag: it looks like a secret/)
      return !error.message.includes('hunter2')
    })
    assert.ok(!existsSync(join(shop.root, 'started')))
    assert.deepEqual(await shop.store.runs.list(), [])
  })

  it('gives it streams that can be opened again by their names', async () => {
    const run = await shop.track(sh('echo out > /dev/stdout; echo err > /dev/stderr; echo both | tee /dev/stderr'))
    assert.deepEqual([run.stdout, run.stderr, run.exitCode], ['out\nboth\n', 'err\nboth\n', 0])
  })

  it('sends its stdout to stderr when stdout is kept for a result', async () => {
    const run = await shop.track(sh('echo hello'), { stdoutTo: 'stderr' })
    assert.deepEqual([run.stdout, run.stderr], ['', 'hello\n'])
  })

  it('returns its exit code, and records a failure as one', async () => {
    const run = await shop.track(sh('exit 7'))
    assert.deepEqual([run.exitCode, run.end.status, run.end.exit], [7, 'failed', 7])
  })

  it('returns 128 + n when a signal of its own ends it', async () => {
    const run = await shop.track(sh('kill -SEGV $$'))
    assert.deepEqual([run.exitCode, run.end.status, run.end.signal], [139, 'failed', 'SIGSEGV'])
  })

  it('records command, folder, host, seed and the allowed part of the environment', async () => {
    const run = await shop.track(sh('echo "$MLOPS_SEED $PYTHONHASHSEED $MLOPS_STORE"'), {
      seed: 42,
      environment: {
        OMP_NUM_THREADS: '2',
        AWS_SECRET_ACCESS_KEY: 'hunter2',
        MLOPS_RUN_ID: '01JD3Z0000000000000000TEST',
      },
    })
    assert.equal(run.stdout, `42 42 ${shop.store.root}\n`)
    const { start } = await shop.store.runs.read(run.runId)
    assert.deepEqual([start.seed, start.cwd, start.command[0], start.source], [42, '.', 'sh', 'track'])
    assert.deepEqual(start.env, { LANG: 'C.UTF-8', MLOPS_SEED: '42', OMP_NUM_THREADS: '2', PYTHONHASHSEED: '42' })
    assert.equal(start.parent, '01JD3Z0000000000000000TEST')
    assert.ok(start.host.cpus >= 1)
  })

  it('gives every run a seed, and refuses one that Python would refuse', async () => {
    const { start } = await shop.track(sh('true'))
    assert.ok(Number.isInteger(start.seed))
    await assert.rejects(shop.track(sh('touch ran'), { seed: 2 ** 32 }), { code: 'SEED_INVALID' })
    await assert.rejects(shop.track(sh('touch ran'), { environment: { MLOPS_SEED: 'x' } }), { code: 'SEED_INVALID' })
    assert.ok(!existsSync(join(shop.root, 'ran')))
  })

  it('redacts secrets among the arguments', async () => {
    const { start } = await shop.track(['true', '--password', 'hunter2', '--lr=0.1'])
    assert.deepEqual(start.command, ['true', '--password', '[redacted]', '--lr=0.1'])
  })

  it('takes metrics from printed lines, and keeps what is not finite', async () => {
    const run = await shop.track(sh('printf \'auc: 0.5\\nauc: 0.9\\nloss=nan\\nINFO: 3\\n{"f1": 0.8, "step": 2}\\n\''))
    assert.deepEqual(run.end.metrics, { auc: 0.9, loss: 'NaN', f1: 0.8 })
    const lines = await shop.store.runs.stream(run.runId, 'metrics')
    assert.deepEqual(
      lines.map(({ key, value, step, from }) => [key, value, step, from]),
      [
        ['auc', 0.5, undefined, 'printed'],
        ['auc', 0.9, undefined, 'printed'],
        ['loss', 'NaN', undefined, 'printed'],
        ['f1', 0.8, 2, 'printed'],
      ],
    )
  })

  it('takes metrics.json only when the command wrote it, and prefers it to what was printed', async () => {
    shop.write('metrics.json', '{"old": 1}')
    assert.deepEqual((await shop.track(sh('true'))).end.metrics, {})
    const run = await shop.track(
      sh(`echo 'auc: 0.9'; echo '{"auc": 0.912345, "test": {"f1": NaN}, "name": "x"}' > metrics.json`),
    )
    assert.deepEqual(run.end.metrics, { auc: 0.912345, 'test.f1': 'NaN' })
  })

  it('takes parameters from params.yaml, and lets those of the command line win', async () => {
    shop.write('params.yaml', 'train:\n  depth: 4\n  layers: [64, 32]\nname: rf\n')
    const run = await shop.track(sh('true'), { params: { name: 'xgb', extra: true } })
    assert.deepEqual(run.end.params, { 'train.depth': 4, 'train.layers': '[64,32]', name: 'xgb', extra: true })
  })

  it('says what it could not read and goes on', async () => {
    shop.write('params.yaml', 'a: &x [1]\nb: *x\n')
    const run = await shop.track(sh("echo 'nope' > metrics.json"))
    assert.equal(run.exitCode, 0)
    assert.match(run.end.warnings.join('\n'), /params\.yaml.*\n?.*metrics\.json|metrics\.json[\s\S]*params\.yaml/)
  })

  it('keeps the files it is told to keep and that the command wrote', async () => {
    shop.write('old.bin', 'old')
    const run = await shop.track(
      sh('mkdir -p out/deep; echo 1 > out/a.onnx; echo 2 > out/deep/b.onnx; echo 3 > m.pkl'),
      {
        artifacts: ['out/**', 'm.pkl', 'old.bin', 'missing.bin'],
      },
    )
    assert.deepEqual(
      run.end.artifacts.map(({ path, size }) => [path, size]),
      [
        ['m.pkl', 2],
        ['out/a.onnx', 2],
        ['out/deep/b.onnx', 2],
      ],
    )
    for (const { sha256 } of run.end.artifacts) await shop.store.objects.verify(sha256)
    assert.match(run.warnings.join('\n'), /old\.bin was not recorded: it was not written during this run/)
    assert.match(run.warnings.join('\n'), /missing\.bin was not recorded: there is no such file/)
  })

  it("keeps what matches the model's pattern in mlops.yaml without being told", async () => {
    shop.write('mlops.yaml', 'models:\n  churn-model:\n    artifact: model.joblib\n  other:\n    artifact: other.bin\n')
    const script = sh('echo 1 > model.joblib; echo 2 > other.bin')
    const paths = (run: { end: { artifacts: readonly { path: string }[] } }) =>
      run.end.artifacts.map(({ path }) => path)
    assert.deepEqual(paths(await shop.track(script, { model: 'churn-model' })), ['model.joblib'])
    assert.deepEqual(paths(await shop.track(script)), ['model.joblib', 'other.bin'])
    assert.deepEqual(paths(await shop.track(sh('true'), { model: 'churn-model' })), [])
  })

  it('hashes declared data with rows and columns', async () => {
    shop.write('train.csv', 'a,b\n1,2\n3,4\n')
    const { start } = await shop.track(sh('true'), { data: [{ name: 'train', path: 'train.csv' }] })
    assert.deepEqual(
      start.data.map(({ name, rows, columns, kind }) => [name, rows, columns, kind]),
      [['train', 2, 2, 'file']],
    )
  })

  it('does not start the command when declared data is missing', async () => {
    await assert.rejects(shop.track(sh('touch ran'), { data: [{ name: 'train', path: 'nope.csv' }] }), {
      code: 'DATA_NOT_FOUND',
    })
    assert.ok(!existsSync(join(shop.root, 'ran')))
  })

  it('records git facts with the patch, and the interpreter with its packages', async function () {
    needsPython(this)
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: shop.root, stdio: 'ignore' })
    git('init', '-q')
    shop.write('train.py', 'print("auc: 0.5")\n')
    shop.write('.gitignore', '.mlops/\n')
    git('add', '.')
    git('commit', '-q', '-m', 'x')
    shop.write('helper.py', 'x = 1\n')
    const run = await shop.track([PYTHON, 'train.py'])
    const { start } = await shop.store.runs.read(run.runId)
    assert.deepEqual([start.git?.dirty, start.git?.patch?.files], [true, ['helper.py']])
    const patch = await shop.store.objects.read(start.git?.patch?.sha256 ?? '')
    assert.match(patch.toString(), /\+x = 1/)
    assert.equal(start.python?.executable, PYTHON)
    const lock = (await shop.store.objects.read(start.python?.lock?.sha256 ?? '')).toString()
    const freeze = execFileSync(PYTHON, ['-m', 'pip', 'list', '--format=freeze', '--disable-pip-version-check'])
    assert.deepEqual(
      lock.toLowerCase().trim().split('\n').sort(),
      freeze.toString().toLowerCase().trim().split('\n').sort(),
    )
  })

  it('runs nothing of the training folder when it asks the interpreter', async () => {
    shop.write('json.py', 'open("shadow-ran", "w")\n')
    shop.write('os.py', 'open("shadow-ran", "w")\n')
    const run = await shop.track(['sh', '-c', 'true # python3 '], {})
    const probed = await shop.track(['env', 'true', 'python3'])
    assert.equal(run.exitCode + probed.exitCode, 0)
    assert.match(probed.start.python?.version ?? '', /^3\./)
    assert.ok(!existsSync(join(shop.root, 'shadow-ran')))
  })

  it('works without git and without Python, and says so', async () => {
    const run = await shop.track(['/bin/sh', '-c', 'echo fine'], { environment: { PATH: '/nonexistent' } })
    assert.equal(run.exitCode, 0)
    assert.match(run.warnings.join('\n'), /no git facts/)
    execFileSync('git', ['init', '-q'], { cwd: shop.root })
    const inside = await shop.track(['/bin/sh', '-c', 'echo fine'], { environment: { PATH: '/nonexistent' } })
    assert.match(inside.warnings.join('\n'), /git is not installed/)
  })

  it('says 127 for a command that is not there and 126 for one that is not executable, and records nothing', async () => {
    shop.write('script.sh', 'echo hi\n')
    chmodSync(join(shop.root, 'script.sh'), 0o644)
    await assert.rejects(shop.track(['no-such-command']), { code: 'COMMAND_NOT_FOUND', exitCode: 127 })
    await assert.rejects(shop.track(['./script.sh']), { code: 'COMMAND_NOT_EXECUTABLE', exitCode: 126 })
    await assert.rejects(shop.track(['/tmp']), { code: 'COMMAND_NOT_EXECUTABLE', exitCode: 126 })
    await assert.rejects(shop.track([]), { code: 'COMMAND_MISSING' })
    assert.deepEqual(await shop.store.runs.list(), [])
  })

  it('stores no artifact that a link leads out of its folder or the project to, and says so', async () => {
    const script =
      'mkdir out; echo w > out/model.bin; ln -s model.bin out/latest; ln -s /etc/hostname out/leak; ln -s /etc/hostname lnk'
    const run = await shop.track(sh(script), { artifacts: ['out', 'lnk'] })
    assert.deepEqual(
      run.end.artifacts.map(({ path }) => path),
      ['out/latest', 'out/model.bin'],
    )
    const said = run.warnings.join('\n')
    assert.match(said, /out\/leak was not recorded: it leads to \/etc\/hostname, out of the folder out/)
    assert.match(said, /lnk was not recorded: it leads to \/etc\/hostname, out of the project/)
    assert.match(said, /out\/latest is a link; the content of .*model\.bin is stored/)
  })

  it('stores no secret that is given, printed or written as a parameter', async () => {
    shop.write('params.json', '{"db_password": "hunter2"}')
    const run = await shop.track(sh(`echo '{"params": {"url": "https://u:hunter2@h/x"}}'`), {
      params: { api_token: 'hunter2' },
    })
    assert.deepEqual(run.end.params, { api_token: '[redacted]', db_password: '[redacted]', url: 'https://h/x' })
    assert.match(run.warnings.join(), /api_token looks like a secret/)
    assert.ok(!JSON.stringify([run.start, run.end]).includes('"hunter2'))
  })

  it('does not take a number that is too large for infinity, and says so', async () => {
    const run = await shop.track(sh(`echo '{"auc": 1e400, "f1": 0.5}'; echo 'loss: 1e999'; echo 'gain: inf'`))
    assert.deepEqual(run.end.metrics, { f1: 0.5, gain: 'Infinity' })
    assert.match(run.warnings.join(), /auc was printed with a number too large.*loss was printed/)
  })

  it('refuses one parameter with two values', () => {
    assert.throws(() => parseParamFlags(['a=1', 'a=2']), { code: 'PARAM_INVALID' })
    assert.deepEqual(parseParamFlags(['a=1', 'a=1', 'b=x']), { a: 1, b: 'x' })
  })

  it('is not held up by a daemon that the command leaves behind', async () => {
    const run = await shop.track(sh('sleep 30 & echo $!'))
    process.kill(Number(run.stdout.trim()))
    assert.equal(run.exitCode, 0)
    assert.match(run.warnings.join('\n'), /still held its output open/)
  })

  it('goes on when the command closes its stdout', async () => {
    const run = await shop.track(sh('exec 1>&-; sleep 0.2; echo later >&2; exit 4'))
    assert.deepEqual([run.exitCode, run.stderr], [4, 'later\n'])
  })

  it('keeps the beginning and the end of a flood of output, in flat memory', async function () {
    this.timeout(120_000)
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 50)
    const run = await shop.track(
      sh("echo begin; head -c 100000000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo; echo 'auc: 0.9'"),
    )
    clearInterval(watch)
    assert.deepEqual([run.exitCode, run.end.metrics], [0, { auc: 0.9 }])
    assert.ok(statSync(join(shop.root, '.mlops/runs', run.runId, 'output.log')).size < 40_000_000)
    const kept = shop.output(run)
    assert.match(kept.slice(0, 10), /^begin\n/)
    assert.match(kept.slice(-20), /auc: 0\.9\n$/)
    assert.match(kept, /\[mlops: \d+ bytes of output left out here\]/)
    // The test itself reads the 100 MB that were passed on only after the measurement.
    assert.ok(most - before < 150_000_000, `${most - before} bytes more`)
  })

  it('writes the real output of a scikit-learn training as few metrics and nothing else', async function () {
    needsPython(this)
    shop.write(
      'train.py',
      [
        'import sys, logging, warnings, json',
        'logging.basicConfig(level=logging.INFO, stream=sys.stdout)',
        'from sklearn.datasets import load_breast_cancer',
        'from sklearn.linear_model import LogisticRegression',
        'from sklearn.ensemble import GradientBoostingClassifier',
        'from sklearn.metrics import classification_report, confusion_matrix, roc_auc_score',
        'X, y = load_breast_cancer(return_X_y=True)',
        'logging.info("rows: %d", len(X))',
        'GradientBoostingClassifier(n_estimators=3, verbose=2).fit(X, y)',
        'model = LogisticRegression(max_iter=50, verbose=1).fit(X, y)',
        'print(model)',
        'print(classification_report(y, model.predict(X)))',
        'print(confusion_matrix(y, model.predict(X)))',
        'for i in range(5): print(f"\\rfitting: {i}/5", end="")',
        'print()',
        'print(f"auc: {roc_auc_score(y, model.predict_proba(X)[:, 1]):.4f}")',
      ].join('\n'),
    )
    const run = await shop.track([PYTHON, 'train.py'])
    assert.equal(run.exitCode, 0, run.stderr)
    assert.deepEqual(Object.keys(run.end.metrics), ['auc'])
    assert.ok(Number(run.end.metrics.auc) > 0.9)
    assert.ok((run.end.resources?.maxRssBytes ?? 1e9) > 10_000_000)
  })

  /** What another host would have written: nothing is known of its processes here. */
  const elsewhere = { pid: 1, place: 'another boot of another host' }

  it('shows a run of another host whose tracker was killed as interrupted, once its heart has been silent', async () => {
    const { start: here } = await shop.track(sh('true'))
    const start = { ...here, process: elsewhere }
    const writer = await shop.store.runs.create({ ...start, id: '01JD3Z00000000000000000000' })
    const fresh = await shop.store.runs.read(writer.id)
    assert.equal(runStatus(fresh), 'running')
    const long = new Date(Date.now() - 120_000)
    utimesSync(join(writer.dir, 'alive'), long, long)
    assert.equal(runStatus(await shop.store.runs.read(writer.id)), 'interrupted')
  })

  it('counts a run without an end up to its last sign of life, before and after it is found dead', async () => {
    const { start: here } = await shop.track(sh('true'))
    const start = { ...here, process: elsewhere }
    const began = Date.now() - 300_000
    const writer = await shop.store.runs.create({
      ...start,
      id: '01JD3Z00000000000000000001',
      started: new Date(began).toISOString(),
    })
    for (const [silent, status] of [
      [20, 'running'],
      [120, 'interrupted'],
    ] as const) {
      const beat = new Date(Date.now() - silent * 1000)
      utimesSync(join(writer.dir, 'alive'), beat, beat)
      const at = { now: () => new Date() } as Context
      const { runs } = await listRuns(at, shop.store, { limit: 0 })
      const run = runs.find((each) => each.run === writer.id)
      assert.equal(run?.status, status)
      assert.ok(Math.abs((run?.duration ?? 0) - (beat.getTime() - began) / 1000) < 5, String(run?.duration))
    }
  })

  describe('when it is told to stop', () => {
    /** Sends signals once the command says it is ready. */
    function sender(): { source: SignalSource; send: (signal: NodeJS.Signals) => void } {
      let listener: (signal: NodeJS.Signals) => void = () => {}
      return {
        source: (listen) => {
          listener = listen
          return () => {
            listener = () => {}
          }
        },
        send: (signal) => listener(signal),
      }
    }
    const whenThere = async (path: string): Promise<void> => {
      while (!existsSync(join(shop.root, path))) await new Promise((resolve) => setTimeout(resolve, 10))
    }

    /** Ended, though perhaps not yet fetched by its parent. Fails by the test's own time limit. */
    const whenGone = async (pid: number): Promise<void> => {
      for (;;) {
        const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
        if (stdout.trim() === '' || stdout.startsWith('Z')) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }

    it('passes the signal to the command and all it started, and is interrupted', async () => {
      const { source, send } = sender()
      const running = shop.track(sh('sleep 60 & echo $! > pid; touch ready; wait'), { signals: source })
      await whenThere('ready')
      send('SIGTERM')
      const run = await running
      assert.deepEqual([run.exitCode, run.end.status, run.end.signal], [143, 'interrupted', 'SIGTERM'])
      await whenGone(Number(shop.read('pid')))
    })

    it('lets a command end well by itself, and then the run is finished', async () => {
      const { source, send } = sender()
      const script = 'trap "echo saved; exit 0" INT; touch ready; while :; do sleep 0.05; done'
      const running = shop.track(sh(script), { signals: source })
      await whenThere('ready')
      send('SIGINT')
      const run = await running
      assert.deepEqual([run.exitCode, run.end.status, run.stdout], [0, 'finished', 'saved\n'])
      assert.match(run.end.warnings.join(), /SIGINT was sent/)
    })

    it('kills a command that ignores two signals, after the grace period', async () => {
      const { source, send } = sender()
      const running = shop.track(sh('trap "" TERM; touch ready; while :; do sleep 0.05; done'), {
        signals: source,
        grace: 200,
      })
      await whenThere('ready')
      send('SIGTERM')
      await new Promise((resolve) => setTimeout(resolve, 400))
      send('SIGTERM')
      const run = await running
      assert.deepEqual([run.exitCode, run.end.status, run.end.signal], [137, 'interrupted', 'SIGKILL'])
      assert.doesNotMatch(run.warnings.join(), /has not ended yet/, 'it was not waited for long enough')
    })

    it('says once what a second signal will do, when the first is ignored for a while', async () => {
      const { source, send } = sender()
      const ctx = shop.context()
      const warned = new Promise<void>((resolve) => {
        const push = ctx.warnings.push.bind(ctx.warnings)
        ctx.warnings.push = (...words) => {
          if (/has not ended yet/.test(words.join())) resolve()
          return push(...words)
        }
      })
      const project = await loadProject({ cwd: shop.root, env: ctx.env })
      const running = trackCommand(ctx, project, shop.store, {
        command: sh('trap "" TERM; touch ready; while :; do sleep 0.05; done'),
        data: [],
        params: {},
        tags: [],
        artifacts: [],
        stdoutTo: 'stdout',
        signals: source,
      })
      await whenThere('ready')
      send('SIGTERM')
      await warned
      send('SIGTERM')
      send('SIGKILL')
      send('SIGTERM')
      await running
      assert.match(ctx.warnings.join(), /the command has not ended yet; a second signal ends it after 5 s/)
    })

    it('kills at the third signal without waiting', async () => {
      const { source, send } = sender()
      const running = shop.track(sh('trap "" INT TERM HUP; touch ready; while :; do sleep 0.05; done'), {
        signals: source,
        grace: 600_000,
      })
      await whenThere('ready')
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) send(signal)
      assert.equal((await running).exitCode, 137)
    })
  })

  it('says that a run was not recorded when the store went away, but only after the command has ended', async () => {
    const other = await workshop()
    try {
      const running = other.track(
        sh(`rm -rf ${other.store.root}/runs ${other.store.root}/tmp; touch ${other.root}/done`),
      )
      await assert.rejects(running, { code: 'RUN_NOT_RECORDED' })
      assert.ok(existsSync(join(other.root, 'done')))
    } finally {
      other.remove()
    }
  })
})
