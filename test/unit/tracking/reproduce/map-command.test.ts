/** The recorded command as it is run in a worktree with a fresh environment. */
import assert from 'node:assert/strict'
import { mapCommand, placeInCheckout, withoutRunner } from '../../../../src/tracking/reproduce/map-command.ts'

const map = (
  command: readonly string[],
  executable: string | undefined = '/home/ada/p/.venv/bin/python',
  cwd = '/home/ada/p',
) =>
  mapCommand(command, {
    cwd,
    top: '/home/ada/p',
    mirror: '/tmp/w/p',
    executable,
    bin: '/tmp/env/bin',
    has: (name) => ['python', 'python3', 'torchrun'].includes(name),
  }).join(' ')

describe('the command of a reproduction', () => {
  it('uses the fresh interpreter wherever the recorded one is named by its path', () => {
    assert.equal(map(['/home/ada/p/.venv/bin/python', 'train.py']), '/tmp/env/bin/python train.py')
    assert.equal(map(['.venv/bin/python3', '-u', 'train.py']), '/tmp/env/bin/python3 -u train.py')
    assert.equal(map(['/usr/bin/python3.11', 'train.py'], '/usr/bin/python3.11'), '/tmp/env/bin/python train.py')
    assert.equal(
      map(['nice', '-n', '5', '/opt/py/bin/python', 'x.py'], '/opt/py/bin/python'),
      'nice -n 5 /tmp/env/bin/python x.py',
    )
    assert.equal(map(['/home/ada/p/.venv/bin/torchrun', 'x.py']), '/tmp/env/bin/torchrun x.py')
    // By name it is found on PATH.
    assert.equal(map(['python', 'train.py']), 'python train.py')
  })

  it('reads the text of a shell', () => {
    assert.equal(
      map(['sh', '-c', '. .venv/bin/activate && python train.py']),
      'sh -c . /tmp/env/bin/activate && python train.py',
    )
    assert.equal(
      map(['bash', '-c', 'X=1 /home/ada/p/.venv/bin/python train.py']),
      'bash -c X=1 /tmp/env/bin/python train.py',
    )
  })

  it('leads absolute paths into the worktree, and leaves longer names that begin alike', () => {
    assert.equal(
      map(['python', '/home/ada/p/train.py', '--data=/home/ada/p/data']),
      'python /tmp/w/p/train.py --data=/tmp/w/p/data',
    )
    assert.equal(
      map(['python', '/home/ada/p2/train.py', '/x/home/ada/p/y']),
      'python /home/ada/p2/train.py /x/home/ada/p/y',
    )
    assert.equal(map(['python', 'a:/home/ada/p:b']), 'python a:/tmp/w/p:b')
  })

  it('takes launchers away that would look for an environment of their own, and keeps what it does not know', () => {
    const plain = (...words: string[]) => withoutRunner(words).join(' ')
    assert.equal(plain('uv', 'run', '--frozen', 'train.py', '--depth', '3'), 'python train.py --depth 3')
    assert.equal(plain('uv', 'run', '-m', 'pkg.train'), 'python -m pkg.train')
    assert.equal(plain('/usr/bin/poetry', 'run', 'python', 'train.py'), 'python train.py')
    assert.equal(plain('conda', 'run', '-n', 'ml', '--no-capture-output', 'python', 'x.py'), 'python x.py')
    assert.equal(plain('env', 'A=1', 'pixi', 'run', '--', 'python', 'x.py'), 'env A=1 python x.py')
    assert.equal(plain('uv', 'run', '--with', 'torch', 'train.py'), 'uv run --with torch train.py')
    assert.equal(plain('npm', 'run', 'train'), 'npm run train')
    assert.equal(plain('python', 'uv', 'run', 'x.py'), 'python uv run x.py')
  })

  it('knows where an environment lay in the checkout', () => {
    assert.equal(placeInCheckout('/home/ada/p/.venv/bin/python', '/home/ada/p'), '.venv')
    assert.equal(placeInCheckout('/usr/bin/python3', '/home/ada/p'), undefined)
    assert.equal(placeInCheckout('/home/ada/p/bin/python', '/home/ada/p'), undefined)
  })
})
