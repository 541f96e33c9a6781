/** Vector and hybrid clocks, on runs of the lab. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { relations, vectorClocks, type Diagram } from '../lab/model/causality.ts';
import {
  compareHybrid, compareVectors, hybridClocks, hybridReceive, hybridTick,
} from '../lab/model/clocks.ts';

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

hybrid('is never behind the own wall clock, and ahead of it by no more than clocks are apart', () => {
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
    const of = (at: number) => clocks.subarray(at * events.machines, (at + 1) * events.machines);
    const names = { equal: 'self', before: 'past', after: 'future', concurrent: 'concurrent' };
    for (const at of events.machine.keys()) {
      const told = relations(events, clocks, at);
      events.machine.forEach((_, other) =>
        assert.is(names[compareVectors(of(other), of(at))], told[other]));
    }
  }), { numRuns: 60 });
});

vectors('refuses vectors of different length', () =>
  assert.throws(() => compareVectors([1], [1, 2]), /vectors of 1 and 2 machines/));

vectors.run();
