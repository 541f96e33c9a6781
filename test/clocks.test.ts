/** Vector and hybrid clocks, on runs of the lab. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { relations, vectorClocks, type Diagram } from '../lab/model/causality.ts';
import {
  compareHybrid, compareVectors, hybridClocks, hybridReceive, hybridTick,
} from '../lab/model/clocks.ts';
import {
  ages_s, bytesOf, contradictions, eventsOf, type Timed, varintBytes,
} from '../lab/model/order.ts';
import { configure } from '../lab/model/run.ts';
import { PERFECT } from '../lab/model/network.ts';
import { simulate } from '../lab/virtual/engine.ts';

/** A few machines that tick in some order; each message waits until its receiver ticks. */
const diagram: fc.Arbitrary<Diagram> = fc.record({
  machines: fc.integer({ min: 2, max: 4 }),
  ticks: fc.array(fc.record({ id: fc.nat(3), to: fc.option(fc.nat(3)), wait: fc.nat(1000) }),
    { maxLength: 60 }),
}).map(({ machines, ticks }) => {
  const queues: number[][] = Array.from({ length: machines }, () => []);
  const columns = { machine: [] as number[], time_s: [] as number[], cause: [] as number[] };
  let time_s = 0;
  for (const [at, { id, to, wait }] of ticks.entries()) {
    const own = id % machines;
    const cause = queues[own]!.shift() ?? -1;
    if (cause < 0 && to !== null && to % machines !== own) queues[to % machines]!.push(at);
    columns.machine.push(own);
    columns.time_s.push(time_s += wait / 1e6);
    columns.cause.push(cause);
  }
  return { machines, ...columns } as unknown as Diagram;
});
const offsets = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 });

const hybrid = suite('hybridClocks');

hybrid('takes the wall clock where it leads, else counts', () => {
  assert.equal(hybridTick({ wall_us: 5, count: 3 }, 9), { wall_us: 9, count: 0 });
  assert.equal(hybridTick({ wall_us: 9, count: 0 }, 9), { wall_us: 9, count: 1 });
  assert.equal(hybridReceive({ wall_us: 5, count: 1 }, { wall_us: 9, count: 4 }, 7),
    { wall_us: 9, count: 5 });
  assert.equal(hybridReceive({ wall_us: 9, count: 6 }, { wall_us: 9, count: 4 }, 7),
    { wall_us: 9, count: 7 });
  assert.equal(hybridReceive({ wall_us: 5, count: 6 }, { wall_us: 6, count: 4 }, 7),
    { wall_us: 7, count: 0 });
});

hybrid('keeps the clock condition, whatever the wall clocks say', () => {
  fc.assert(fc.property(diagram, offsets, (events, offsets_us) => {
    const clocks = hybridClocks(events, offsets_us);
    const vectors = vectorClocks(events);
    for (const at of clocks.keys()) {
      relations(events, vectors, at).forEach((relation, other) => {
        if (relation !== 'past') return;
        assert.ok(compareHybrid(clocks[other]!, clocks[at]!) < 0, `${other} before ${at}`);
      });
    }
  }), { numRuns: 60 });
});

hybrid('is never behind its wall clock, nor ahead by more than clocks are apart', () => {
  fc.assert(fc.property(diagram, offsets, (events, offsets_us) => {
    const apart = Math.max(...offsets_us) - Math.min(...offsets_us);
    hybridClocks(events, offsets_us).forEach(({ wall_us }, at) => {
      const own_us = Math.round(events.time_s[at]! * 1e6 + offsets_us[events.machine[at]!]!);
      // Before the epoch of a run there is no time: a clock that begins behind it begins at 0.
      assert.ok(wall_us >= own_us && wall_us <= Math.max(0, own_us + apart + 1));
    });
  }), { numRuns: 60 });
});

hybrid.run();

const vectors = suite('compareVectors');

vectors('says what happened before what, as relations() does', () => {
  fc.assert(fc.property(diagram, (events) => {
    const clocks = vectorClocks(events);
    const clockAt = (at: number) =>
      clocks.subarray(at * events.machines, (at + 1) * events.machines);
    const names = { equal: 'self', before: 'past', after: 'future', concurrent: 'concurrent' };
    for (const at of events.machine.keys()) {
      const told = relations(events, clocks, at);
      events.machine.forEach((_, other) =>
        assert.is(names[compareVectors(clockAt(other), clockAt(at))], told[other]));
    }
  }), { numRuns: 60 });
});

vectors('refuses vectors of different length', () =>
  assert.throws(() => compareVectors([1], [1, 2]), /vectors of 1 and 2 machines/));

vectors.run();

/** A short run in virtual time. */
const events = (seed: number, machines = 3): Timed => {
  const setting = { ...PERFECT, ...configure({ seed, machines, rates_range: [1, 6],
    internal: 0.7, duration_s: 5 }) };
  return eventsOf(machines, (observe) => { simulate(setting, observe); });
};
const run = fc.integer({ min: 1, max: 1e6 }).map((seed) => events(seed));
const byLamport = ({ clock }: Timed) => (one: number, other: number) => clock[one]! - clock[other]!;

const order = suite('contradictions');

order('counts what one finds by looking at every pair', () => {
  fc.assert(fc.property(run, (timed) => {
    const { machine, clock, time_s } = timed;
    const vectors = vectorClocks(timed);
    let [pairs, concurrent, against, equal, longest_s] = [0, 0, 0, 0, 0];
    for (const b of machine.keys()) {
      const told = relations(timed, vectors, b);
      for (let a = 0; a < b; a++) {
        if (machine[a] === machine[b]) continue;
        pairs++;
        if (told[a] !== 'concurrent') continue;
        concurrent++;
        if (clock[a] === clock[b]) equal++;
        if (clock[a]! <= clock[b]!) continue;
        against++;
        longest_s = Math.max(longest_s, time_s[b]! - time_s[a]!);
      }
    }
    const { against_s, ...found } = contradictions(timed, byLamport(timed));
    assert.equal(found, { pairs, concurrent, against, equal, longest_s });
    assert.ok(against_s >= longest_s);
  }), { numRuns: 20 });
});

order('has none by the true time, and takes the machines it is asked for', () => {
  fc.assert(fc.property(run, (timed) => {
    const byTime = (one: number, other: number) => timed.time_s[one]! - timed.time_s[other]!;
    assert.is(contradictions(timed, byTime).against, 0);
    const each = ([[0, 1], [0, 2], [1, 2]] as [number, number][]).map((two) =>
      contradictions(timed, byLamport(timed), two).against);
    const { against } = contradictions(timed, byLamport(timed));
    assert.is(each.reduce((sum, more) => sum + more), against);
  }), { numRuns: 20 });
});

order('of hybrid clocks reaches no further than wall clocks are apart', () => {
  fc.assert(fc.property(run, offsets, (timed, off) => {
    const off_us = off.slice(0, 3).map((ms) => 1e6 + ms * 1000);
    const clocks = hybridClocks(timed, off_us);
    const { longest_s } = contradictions(timed, (a, b) => compareHybrid(clocks[a]!, clocks[b]!));
    assert.ok(longest_s * 1e6 <= Math.max(...off_us) - Math.min(...off_us) + 2);
  }), { numRuns: 20 });
});

order.run();

const known = suite('ages_s, eventsOf, bytesOf');

known('is 0 of oneself, and of others the time since their newest event in the past', () => {
  fc.assert(fc.property(run, (timed) => {
    const ages = ages_s(timed);
    const vectors = vectorClocks(timed);
    for (const [at, id] of timed.machine.entries()) {
      const past = relations(timed, vectors, at);
      for (let of = 0; of < 3; of++) {
        const known_s = timed.time_s.filter((_, place) => timed.machine[place] === of
          && (past[place] === 'past' || place === at));
        assert.is(ages[at * 3 + of], timed.time_s[at]! - Math.max(0, ...known_s));
      }
      assert.is(ages[at * 3 + id], 0);
    }
  }), { numRuns: 10 });
});

known('refuses a message that nobody sent', () => assert.throws(() => eventsOf(2, (observe) =>
  observe(7, 0, 0, 'receive', 1, 4, 0, 5)), /nobody sent 4 \(7 µs\)/));

known('takes a byte for seven bits, and a vector no less than a byte a machine', () => {
  assert.equal([0, 127, 128, 16_383, 16_384].map(varintBytes), [1, 1, 2, 2, 3]);
  const { lamport, vector } = bytesOf(events(3, 4));
  assert.is(lamport, 1);
  assert.is(vector, 4);
});

known.run();
