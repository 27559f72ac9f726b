/** What earns a policy the right to promote by itself, over logs of months; and that nothing else gives it. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { type CleanPromotion, missingForAutonomy, trackRecord } from '../../../src/lifecycle/promote/track-record.ts'
import { DAY } from '../../../src/project/duration.ts'
import { HUMAN_PROMOTES } from '../../../src/project/policy.ts'
import type { Approval, EventDraft, ModelEvent, Stages } from '../../../src/store/events.ts'
import { nextStages } from '../../../src/store/fold.ts'

const START = Date.UTC(2026, 0, 5)
const ADA: Approval = { name: 'ada', origin: 'claimed' }
const POLICY: Approval = { name: 'retraining-policy.yaml', origin: 'policy' }

/** A log that is written day by day, with the stage maps of the real fold. */
class Log {
  readonly events: ModelEvent[] = []
  /** What ended retrainings name. */
  readonly jobs = new Map<number, string>()
  private versions = 0
  private day = 0

  wait(days: number): this {
    this.day += days
    return this
  }

  get now(): Date {
    return new Date(START + this.day * DAY)
  }

  register(tags: readonly string[] = ['retrain']): number {
    this.versions += 1
    this.add({ type: 'register', body: { version: this.versions, manifest: digest(this.versions), tags } })
    if (tags.includes('retrain')) this.jobs.set(this.versions, this.now.toISOString())
    return this.versions
  }

  promote(version: number, stage: string, ...approvals: readonly Approval[]): this {
    const [approval] = approvals
    const gate = { verdict: 'pass', checks: [], bound: { manifest: digest(version), policy: digest(0) } } as const
    const from = this.stages[stage]?.version ?? null
    return this.add({
      type: 'promote',
      body: {
        stage,
        version,
        from,
        gate,
        ...(approval === undefined ? {} : { approval }),
        ...(approvals.length > 1 ? { approvals } : {}),
      },
    })
  }

  /** @param to a version on the way back; the one before when undefined */
  rollback(to?: number): this {
    const entry = this.stages.production
    assert.ok(entry)
    let back = entry.back
    while (back !== null && to !== undefined && this.entry(back)?.version !== to) back = this.entry(back)?.back ?? null
    assert.ok(back !== null)
    const version = this.entry(back)?.version ?? 0
    return this.add({
      type: 'rollback',
      body: { stage: 'production', version, from: entry.version, restores: back, fit: 'skipped' },
    })
  }

  /** What a retraining and a person do: register, stage, and a week later production. */
  clean(): number {
    const version = this.register()
    this.promote(version, 'staging').wait(7).promote(version, 'production', ADA)
    return version
  }

  record() {
    return trackRecord(this.events, this.now, this.jobs)
  }

  versionsOf(clean: readonly CleanPromotion[] = this.record().clean): number[] {
    return clean.map(({ version }) => version)
  }

  private get stages(): Stages {
    return this.events.at(-1)?.stages ?? {}
  }

  private entry(seq: number) {
    return this.events[seq - 1]?.stages.production
  }

  private add(draft: Pick<EventDraft, 'type' | 'body'>): this {
    const seq = this.events.length + 1
    const entryOf = (stage: string, at: number) => this.events[at - 1]?.stages[stage]
    const stages = nextStages(this.stages, seq, draft, entryOf, digest)
    const actor = { name: 'ada@laptop', origin: 'local' }
    const rest = { op_id: `op${seq}`, request: '', prev: '', tool: '', model: 'm', time: this.now.toISOString() }
    this.events.push({ ...draft, ...rest, seq, stages, actor } as ModelEvent)
    return this
  }
}

const digest = (version: number) => sha256(String(version))

describe('the track record', () => {
  it('counts what a retraining registered, was staged, and was let in by a person', () => {
    const log = new Log()
    log.clean()
    log.wait(30)
    log.clean()
    const record = log.wait(10).record()
    assert.deepEqual(log.versionsOf(record.clean), [1, 2])
    assert.equal(record.since, new Date(START + 7 * DAY).toISOString())
    assert.equal(record.age, 47 * DAY)
    assert.equal(record.reset, null)
  })

  it('is empty for a log without any, with an age of nothing', () => {
    const record = trackRecord([], new Date(START), new Map())
    assert.deepEqual(record, { clean: [], since: null, age: 0, reset: null })
    const [count, age, ...more] = missingForAutonomy(record, HUMAN_PROMOTES)
    assert.match(count ?? '', /^0 of 5 clean staged promotions: 5 more versions of a retraining/)
    assert.match(age ?? '', /must be 90 days old: there is none yet/)
    assert.deepEqual(more, [])
  })

  it('does not count a version that a person trained, nor one that only got the tag later', () => {
    const log = new Log()
    const byHand = log.register(['candidate'])
    log.promote(byHand, 'staging').promote(byHand, 'production', ADA)
    const tagged = log.register([])
    const { events } = log
    const tag = {
      ...events.at(-1),
      type: 'tag',
      seq: events.length + 1,
      body: { version: tagged, add: ['retrain'], remove: [] },
    }
    events.push(tag as unknown as ModelEvent)
    log.promote(tagged, 'staging').promote(tagged, 'production', ADA)
    assert.deepEqual(log.versionsOf(), [])
  })

  it('does not count what only carries the tag: no retraining that ended names it', () => {
    const log = new Log()
    for (let n = 0; n < 5; n++) log.clean()
    log.jobs.clear()
    assert.deepEqual(log.versionsOf(), [])
    log.jobs.set(3, log.now.toISOString())
    assert.deepEqual(log.versionsOf(), [3])
  })

  it('takes no age from a clock that was set back: no entry is older than what was written before it', () => {
    const log = new Log().wait(400)
    log.promote(log.register([]), 'staging')
    log.wait(-400).clean()
    const { since, age } = log.wait(393).record()
    assert.deepEqual([since, age], [new Date(START + 400 * DAY).toISOString(), 0])
  })

  it('takes no age from before the end of the retraining', () => {
    const log = new Log()
    const version = log.clean()
    log.jobs.set(version, new Date(START + 100 * DAY).toISOString())
    assert.equal(log.wait(103).record().age, 10 * DAY)
  })

  it('does not count what was retrained elsewhere and imported', () => {
    const log = new Log()
    const version = log.clean()
    assert.deepEqual(log.versionsOf(), [version])
    const [first, ...rest] = log.events
    assert.ok(first?.type === 'register')
    const imported = { ...first, body: { ...first.body, imported: { store: 'another' } } } as unknown as ModelEvent
    assert.deepEqual(trackRecord([imported, ...rest], log.now, log.jobs).clean, [])
  })

  it('does not count what skipped the other stages, or was staged only afterwards', () => {
    const log = new Log()
    const version = log.register()
    log.promote(version, 'production', ADA).promote(version, 'staging')
    assert.deepEqual(log.versionsOf(), [])
  })

  it('does not count what a policy let in', () => {
    const log = new Log()
    const version = log.register()
    log.promote(version, 'staging').promote(version, 'production', POLICY)
    assert.deepEqual(log.versionsOf(), [])
    const both = log.register()
    log.promote(both, 'staging').promote(both, 'production', POLICY, ADA)
    assert.deepEqual(log.versionsOf(), [2], 'where a person said yes too, it is a person who let it in')
  })

  it('drops what was rolled back, and what a rollback went back past; not what came before', () => {
    const log = new Log()
    for (let n = 0; n < 4; n++) log.clean()
    log.rollback(2)
    assert.deepEqual(log.versionsOf(), [1, 2])
    assert.equal(log.record().reset, null, 'a person let them in: that is no matter of the policy')
  })

  it('drops what was replaced by an older version: a step back by another name', () => {
    const log = new Log()
    log.clean()
    log.clean()
    log.promote(1, 'production', ADA)
    assert.deepEqual(log.versionsOf(), [1])
  })

  it('keeps what was followed by newer versions', () => {
    const log = new Log()
    for (let n = 0; n < 6; n++) log.clean()
    assert.deepEqual(log.versionsOf(), [1, 2, 3, 4, 5, 6])
  })

  it('counts a version once, and never again after it was taken back', () => {
    const log = new Log()
    log.clean()
    log.clean()
    log.rollback()
    log.promote(2, 'production', ADA)
    assert.deepEqual(log.versionsOf(), [1])
    log.promote(1, 'staging')
    assert.deepEqual(log.versionsOf(), [1])
  })

  it('begins anew when an autonomous promotion is rolled back', () => {
    const log = new Log()
    for (let n = 0; n < 5; n++) {
      log.clean()
      log.wait(30)
    }
    assert.deepEqual(missingForAutonomy(log.record(), HUMAN_PROMOTES), [])
    const auto = log.register()
    log.promote(auto, 'staging').promote(auto, 'production', POLICY).wait(3).rollback()
    const record = log.record()
    assert.deepEqual([record.clean, record.reset?.version], [[], auto])
    const [count] = missingForAutonomy(record, HUMAN_PROMOTES)
    assert.match(
      count ?? '',
      /0 of 5 .*counted anew since ada@laptop took version 6, which the policy had promoted, out/,
    )
    log.clean()
    assert.deepEqual(log.versionsOf(), [auto + 1], 'and what came before the rollback stays forgotten')
  })

  it('begins anew also when a rollback goes back past one, or an older version is put over it', () => {
    for (const takeBack of [
      (log: Log) => log.rollback(1),
      (log: Log) => log.rollback().promote(1, 'production', ADA),
    ]) {
      const log = new Log()
      log.clean()
      const auto = log.register()
      log.promote(auto, 'staging').promote(auto, 'production', POLICY)
      log.clean()
      takeBack(log)
      assert.equal(log.record().reset?.version, auto)
      assert.deepEqual(log.versionsOf(), [])
    }
  })

  it('is not moved by what happens in other stages', () => {
    const log = new Log()
    log.clean()
    log.clean()
    log.promote(1, 'staging')
    assert.deepEqual(log.versionsOf(), [1, 2])
  })

  it('over half a year: five monthly promotions are too young at first, then suffice', () => {
    const log = new Log()
    const verdicts: string[] = []
    for (let month = 0; month < 6; month++) {
      log.clean()
      log.wait(23)
      const missing = missingForAutonomy(log.record(), HUMAN_PROMOTES)
      verdicts.push(missing.map((sentence) => sentence.split(' ')[0]).join('+') || 'enough')
    }
    // The first entered on day 7 and is 90 days old on day 97, after the fourth month; the fifth comes on day 127.
    assert.deepEqual(verdicts, ['1+The', '2+The', '3+The', '4', 'enough', 'enough'])
  })

  it('is exact at the bounds of age and number', () => {
    const log = new Log()
    for (let n = 0; n < 5; n++) log.clean()
    const first = log.record().since ?? ''
    const at = (milliseconds: number) =>
      missingForAutonomy(trackRecord(log.events, new Date(Date.parse(first) + milliseconds), log.jobs), HUMAN_PROMOTES)
    assert.deepEqual(at(90 * DAY), [])
    assert.match(at(90 * DAY - 1)[0] ?? '', /of version 1, is 89 days old/)
    const six = missingForAutonomy(log.wait(90).record(), { minAge: 0, minCleanPromotions: 6 })
    assert.match(six[0] ?? '', /^5 of 6 .* 1 more version of a retraining/)
  })

  it('takes no age from a clock that was ahead', () => {
    const log = new Log()
    log.wait(400)
    log.clean()
    assert.equal(trackRecord(log.events, new Date(START), log.jobs).age, 0)
  })
})
