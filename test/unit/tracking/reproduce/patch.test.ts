/** Recorded patches: which files they make, and what of values that were taken out can be put back. */
import assert from 'node:assert/strict'
import { patchedFiles, patchProblems, stagedBlobs } from '../../../../src/tracking/reproduce/patch.ts'
import { restored } from '../../../../src/tracking/reproduce/patch-redaction.ts'

const PATCH = `diff --git a/a b.py b/a b.py
index 1111111..2222222 100644
--- a/a b.py\t
+++ b/a b.py\t
@@ -1,2 +1,2 @@
 keep
-diff --git a/no b/no
+++ b/neither
diff --git a/gone.py b/gone.py
deleted file mode 100644
index 3333333..0000000
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git "a/\\303\\244.py" "b/\\303\\244.py"
new file mode 100644
--- /dev/null
+++ "b/\\303\\244.py"
@@ -0,0 +1 @@
+x
diff --git a/empty.py b/empty.py
new file mode 100644
`

describe('a recorded patch', () => {
  it('names each file with what it becomes', () => {
    assert.deepEqual(patchedFiles(Buffer.from(PATCH)), [
      { path: 'a b.py', blob: '2222222' },
      { path: 'gone.py', blob: '0000000' },
      { path: 'ä.py', blob: null },
      { path: 'empty.py', blob: null },
    ])
  })

  it('is proved by the blobs that it results in', () => {
    const files = patchedFiles(Buffer.from(PATCH))
    const staged = stagedBlobs(
      `100644 ${'2'.repeat(40)} 0\ta b.py\u0000100644 ${'5'.repeat(40)} 0\tä.py\u0000100644 ${'6'.repeat(40)} 0\tempty.py\u0000`,
    )
    assert.deepEqual(patchProblems(files, staged), [])
    const wrong = new Map([...staged, ['a b.py', '4'.repeat(40)], ['gone.py', '3'.repeat(40)]])
    wrong.delete('empty.py')
    assert.deepEqual(patchProblems(files, wrong), [
      'a b.py has other content',
      'gone.py should be deleted',
      'empty.py is not there',
    ])
  })

  it('gets back from the commit what was redacted in lines that the commit holds', async () => {
    const patch =
      'diff --git a/c.py b/c.py\n--- a/c.py\n+++ b/c.py\n@@ -2,3 +2,3 @@\n one\n TOKEN = "[redacted]"\n-three\n+NEW = "[redacted]"\n'
    const { bytes, guessed } = await restored(Buffer.from(patch), async () => 'zero\none\nTOKEN = "real"\nthree\n')
    assert.equal(guessed, true)
    assert.match(bytes.toString(), / TOKEN = "real"\n-three\n\+NEW = "\[redacted\]"/)
    assert.equal((await restored(Buffer.from('diff --git a/x b/x\n'), async () => undefined)).guessed, false)
  })
})
