import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import pl from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Span, spansOf } from '../lab/frames/faults.ts';
import { load } from '../lab/frames/load.ts';
import { waits } from '../lab/frames/messages.ts';
import { withTheory } from '../lab/frames/summary.ts';
import { logPath } from '../lab/model/run.ts';
import { findings } from '../lab/report/findings.ts';
import { folders } from './folders.ts';
import { runs, thoroughly } from './runs.ts';

const { virtual } = folders('findings');
const [quiet, overloaded] = [virtual('quiet', [3, 3, 2]), virtual('overloaded', [1, 4, 6])];
const read = (path: string) => readFileSync(path, 'utf8');

const titles = suite('findings');
const thoroughTitles = thoroughly(titles);
const found = async (folder: string) => {
  const run = load(folder);
  return findings(await withTheory(run), waits(run), spansOf(run));
};
titles('say with numbers who falls behind, and what theory says of it', async () => {
  const { headline, clocks, lag, queues, jumps, events, messages } = await found(overloaded);
  assert.is(headline, 'Machine 0 cannot keep up with its messages');
  assert.is(clocks, 'Machine 0’s clock gains 3.2 a second (theory: 3.6); the highest, machine 2’s, '
    + 'gains 6.1 a second (theory: 6.1)');
  assert.is(lag, 'Machine 0 falls behind by 2.9 a second (theory: 2.4): it hears 1.87 messages for '
    + 'each tick');
  assert.is(queues, 'Machine 0’s queue grows by 0.87 a second (theory: 0.67), to 52 messages at '
    + 'the end');
  assert.is(jumps, 'Machine 0 jumps most: by 3.2 a tick on average; the longest jump is '
    + 'machine 1’s: 12; machine 2 least: by 1');
  assert.is(events, 'Machine 0 spends 100 % of its ticks on receives, machine 2 spends 14 % '
    + '(theory: 100 % and 10 %)');
  assert.match(messages,
    /^Machine 0 takes its messages latest: 15 s .*; of all messages 52 were n/);
});
titles('say so when all keep up', async () => {
  const { headline, lag, queues } = await found(quiet);
  assert.is(headline, 'Every machine keeps up with its messages');
  assert.match(lag, /^Machine 2 lags most: by 1\.2 on average \(theory: [\d.]+\), 6 at worst$/);
  assert.is(queues, 'Never more than 3 messages wait, at machine 2; all queues are empty at the '
    + 'end');
});
titles('the border is a verdict of its own: where theory’s load is 1, and near it', async () => {
  const { headline } = await found(virtual('border', [2, 4, 1]));
  assert.match(headline, /^Machine 2 stands on the border of keeping up: it hears [\d.]+ messages/);
});
thoroughTitles('join machines that share a fate, and can speak of the odd runs', async () => {
  const { headline, lag } = await found(virtual('extreme', [5, 60, 5]));
  assert.is(headline, 'Machines 0 and 2 cannot keep up with their messages');
  assert.match(lag,
    /^Machines 0 and 2 fall behind by 34 and 35 a second .*: they hear 2\.38 and 2\./);
  const alone = await found(virtual('short', [1, 1], 0.01));
  assert.is(alone.headline, 'No machine has ticked');
  const dead = virtual('dead', [3, 3, 2]);
  const path = logPath(dead, 1);
  writeFileSync(path, `${read(path).split('\n').slice(0, 60).join('\n')}\n`);
  assert.is((await found(dead)).headline, 'Machine 1 was last heard of at 19 s');
  assert.is((await found(virtual('silent', [2, 2], 3, { internal: 1 }))).messages,
    'No message was sent');
});

titles('name the faults of a run behind its verdict', async () => {
  const { headline } = await found(virtual('nemesis', [1, 4, 6], 60, {
    faults: [{ do: 'pause', machine: 2, at_s: 10, for_s: 3 }, { do: 'cut', link: [0, 2], at_s: 20,
      for_s: 5 }, { do: 'crash', machine: 1, at_s: 40, for_s: 5 }] }));
  assert.match(headline, new RegExp('; machine 2 was paused, machine 1 was killed and started '
    + 'again and link 0–2 was cut$'));
});

/** Frames as withTheory and waits make them, with small numbers, so that many are equal. */
const count = (max: number) => fc.integer({ min: 0, max });
const anyMachine = fc.record({
  ticks: count(60), receives: count(60), waiting: count(9), clock: count(90), mean_lag: count(8),
  more_lag: count(9), sum_jump: count(9), max_jump: fc.integer({ min: 1, max: 9 }),
  max_queue: count(9), theory_load: fc.constantFrom(0.5, 1, 1.5, NaN), taken: count(5),
  not_taken: count(5), wait_s: count(4), more_wait_s: count(4),
});
const END_S = 10;
function framesOf(machines: (typeof anyMachine extends fc.Arbitrary<infer T> ? T : never)[]) {
  const rows = machines.map((one, machine) => {
    const ticks = Math.max(1, one.ticks);
    const receives = Math.min(ticks, one.receives);
    const final_queue = Math.min(one.waiting, one.max_queue);
    return { machine, rate_hz: ticks / END_S, ticks, receives, last_s: END_S,
      load: (receives + final_queue) / ticks, receive_share: receives / ticks,
      clock_growth_hz: one.clock / END_S, lag_growth_hz: (90 - one.clock) / END_S,
      mean_lag: one.mean_lag, max_lag: one.mean_lag + one.more_lag,
      mean_jump: 1 + one.sum_jump / 10, max_jump: one.max_jump, max_queue: one.max_queue,
      final_queue, queue_growth_hz: final_queue / END_S,
      ...Object.fromEntries(['clock_growth_hz', 'lag_growth_hz', 'queue_growth_hz', 'mean_lag',
        'receive_share'].map((name) => [`theory_${name}`, one.theory_load])),
      theory_load: one.theory_load } as Record<string, number>;
  });
  const waiting = machines.map(({ taken, not_taken, wait_s, more_wait_s }, machine) =>
    ({ machine, taken, not_taken, mean_wait_s: wait_s, max_wait_s: wait_s + more_wait_s }));
  return { rows, waiting, found: findings(pl.readRecords(rows), pl.readRecords(waiting)) };
}
const manyMachines = fc.array(anyMachine, { minLength: 1, maxLength: 6 });
const near = (text: string | undefined, value: number, what: string) => {
  const rounding = Math.abs(value) >= 10 ? 0.5 : 0.051 * Math.abs(value);
  assert.ok(Math.abs(Number(text) - value) <= rounding, `${what}: ${text} is not ${value}`);
};
const most = (rows: Record<string, number>[], name: string) =>
  Math.max(...rows.map((row) => row[name]!));
/** How a machine stands, worked out here once more. */
const standing = ({ load, ticks, theory_load }: Record<string, number>) =>
  (theory_load === 1 || Math.abs(load! - 1) <= 2 * Math.sqrt(load! / ticks!) ? 'border'
    : load! > 1 ? 'late' : 'fine');
/** Whom a sentence names at its beginning, and how many more it counts. */
function subject(text: string): { ids: number[]; more: number } {
  const [, list] = /[Mm]achines? ((?:\d+(?: more)?(?:, | and )?)+)/.exec(text)!;
  const words = list!.split(/, | and /).filter((word) => word !== '');
  return { ids: words.filter((word) => /^\d+$/.test(word)).map(Number),
    more: Number(words.find((word) => / more/.test(word))?.split(' ')[0] ?? 0) };
}

titles('name exactly the machines that fall behind or stand on the border, for any frame', () => {
  fc.assert(fc.property(manyMachines, (machines) => {
    const { rows, found: { headline } } = framesOf(machines);
    const [late, border] = ['late', 'border'].map((how) =>
      rows.filter((row) => standing(row) === how).map(({ machine }) => machine!));
    for (const [ids, pattern] of [
      [late, /^.*? cannot keep up/], [border, /[Mm]achines? [^;]*on the/],
    ] as const) {
      const part = pattern.exec(headline)?.[0];
      assert.is(part !== undefined, ids!.length > 0, headline);
      if (part === undefined) continue;
      const who = subject(part);
      assert.equal(who.ids, ids!.slice(0, 3), headline);
      assert.is(who.more, Math.max(0, ids!.length - 3));
    }
    assert.is(/Every machine keeps up/.test(headline), late!.length + border!.length === 0);
  }), { numRuns: runs(30, 150) });
});
titles('name what was done to whom, and nothing that was not done, for any faults', () => {
  const { rows, waiting } = framesOf([{ ticks: 9, receives: 1, waiting: 0, clock: 9, mean_lag: 1,
    more_lag: 0, sum_jump: 0, max_jump: 1, max_queue: 1, theory_load: 0.5, taken: 1, not_taken: 0,
    wait_s: 1, more_wait_s: 0 }]);
  const id = fc.integer({ min: 0, max: 11 });
  const span = fc.record({ do: fc.constantFrom('pause' as const, 'crash' as const, 'cut' as const),
    one: id, other: id, for_good: fc.boolean() }).map(({ do: what, one, other, for_good }): Span =>
    ({ text: '', do: what, machines: what === 'cut' ? [one, other] : [one], from_s: 1, to_s: 2,
      for_good }));
  fc.assert(fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
    const { headline } = findings(pl.readRecords(rows), pl.readRecords(waiting), spans);
    const [, ...clauses] = headline.split('; ');
    const said = clauses.join().split(/(?<=paused|again|good|cut)(?:,| and)? ?/).filter(Boolean);
    const kinds = { paused: 'pause', 'killed and started again': 'crash',
      'killed for good': 'crash', cut: 'cut' };
    let found = 0;
    for (const [words, what] of Object.entries(kinds)) {
      const whom = [...new Set(spans.filter((one) => one.do === what
        && (what !== 'crash' || one.for_good === words.includes('good')))
        .map(({ machines }) => machines.join('–')))];
      const clause = said.find((text) => new RegExp(`(was|were) ${words}$`).test(text));
      assert.is(clause !== undefined, whom.length > 0, headline);
      if (!clause) continue;
      found++;
      const ids = clause.match(/\d+(–\d+)?(?! more)/g)!;
      assert.is(ids.length, Math.min(3, whom.length), headline);
      assert.ok(ids.every((one) => whom.includes(one)), headline);
      assert.is(Number(/(\d+) more/.exec(clause)?.[1] ?? 0), Math.max(0, whom.length - 3));
    }
    assert.is(said.length, found, headline);
  }), { numRuns: runs(40, 100) });
});
titles('each number is that of the machine that the sentence names, for any frame', () => {
  fc.assert(fc.property(manyMachines, (machines) => {
    const { rows, waiting, found } = framesOf(machines);
    const [, front, gain] =
      /highest(?: clock)?, machine (\d+)’s, gains (\S+) a/.exec(found.clocks)!;
    assert.is(rows[Number(front)]!.clock_growth_hz, most(rows, 'clock_growth_hz'));
    near(gain, most(rows, 'clock_growth_hz'), found.clocks);
    const late = rows.filter((row) => standing(row) === 'late');
    for (const [text, name] of [[found.clocks, 'clock_growth_hz'], [found.lag, 'lag_growth_hz'],
      [found.queues, 'queue_growth_hz']] as const) {
      if (late.length === 0) continue;
      const [, list] = /(?:gains?|by|grows? by) ([\d., and–…]*?(?:each)?) a second/.exec(text)!;
      assert.equal(subject(text).ids, late.slice(0, 3).map(({ machine }) => machine), text);
      const values = list!.split(/, | and /).filter((word) => /\d/.test(word));
      if (!list!.endsWith('each')) assert.is(values.length, Math.min(3, late.length), text);
      for (const [nth, value] of values.entries()) near(parseFloat(value).toString(),
        late[nth]![name]!, text);
    }
    if (late.length === 0 && most(rows, 'max_lag') > 0) {
      const [, last] = /^Machine (\d+) lags most/.exec(found.lag)!;
      assert.is(rows[Number(last)]!.mean_lag, most(rows, 'mean_lag'), found.lag);
      const worst = /(?:worst lag is machine (\d+)’s: (\d+)|(\d+) at worst)$/.exec(found.lag)!;
      assert.is(Number(worst[2] ?? worst[3]), most(rows, 'max_lag'), found.lag);
      assert.is(rows[Number(worst[1] ?? last)]!.max_lag, most(rows, 'max_lag'), found.lag);
    }
    const queue = /^Never more than (\d+) .* machine (\d+); (.*)$/.exec(found.queues);
    if (queue) {
      assert.is(Number(queue[1]), most(rows, 'max_queue'));
      assert.is(rows[Number(queue[2])]!.max_queue, most(rows, 'max_queue'));
      const left = /machine (\d+) has most at the end: (\d+)/.exec(queue[3]!);
      assert.is(left === null, most(rows, 'final_queue') === 0, found.queues);
      if (left) assert.is(rows[Number(left[1])]!.final_queue, Number(left[2]), found.queues);
      if (left) assert.is(Number(left[2]), most(rows, 'final_queue'), found.queues);
    }
    const jump =
      /(?:longest jump is machine (\d+)’s: |, )(\d+)(?: at most)?(?:;|$)/.exec(found.jumps);
    if (jump) assert.is(Number(jump[2]), most(rows, 'max_jump'), found.jumps);
    if (jump?.[1]) assert.is(rows[Number(jump[1])]!.max_jump, most(rows, 'max_jump'), found.jumps);
    const taken = waiting.filter(({ taken: n }) => n > 0);
    const slow = /^Machine (\d+) takes its messages latest/.exec(found.messages);
    assert.is(slow === null, taken.length === 0, found.messages);
    if (slow) {
      assert.is(waiting[Number(slow[1])]!.mean_wait_s, most(taken, 'mean_wait_s'));
      const wait = /(?:machine (\d+)’s: (\d+) s|, (\d+) s at worst)/.exec(found.messages)!;
      assert.is(Number(wait[2] ?? wait[3]), most(taken, 'max_wait_s'), found.messages);
    }
    const never = /of all messages (\d+)/.exec(found.messages)?.[1] ?? 0;
    if (slow) assert.is(Number(never), waiting.reduce((sum, row) => sum + row.not_taken, 0));
    const share = /grows? (?:as theory foretells, within )?(\d+) %/.exec(found.theory);
    const off = rows.map((row) => Math.abs(row.clock_growth_hz! / row.theory_clock_growth_hz! - 1))
      .filter(Number.isFinite);
    assert.is(share === null, off.length === 0, found.theory);
    if (share) assert.ok(Number(share[1]) + 0.5 >= 100 * Math.max(...off), found.theory);
  }), { numRuns: runs(40, 200) });
});
titles.run();
