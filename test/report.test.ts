import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl, { type DataFrame } from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeRun } from '../lab/cli/folder.ts';
import { coloured, colourOf, machine_colours } from '../lab/cli/terminal.ts';
import { scene } from '../lab/frames/causes.ts';
import { type Span, spansOf } from '../lab/frames/faults.ts';
import { load } from '../lab/frames/load.ts';
import { waits } from '../lab/frames/messages.ts';
import { withTheory } from '../lab/frames/summary.ts';
import type { Diagram } from '../lab/model/causality.ts';
import { PERFECT } from '../lab/model/network.ts';
import type { ForeignRecord, OwnRecord } from '../lab/model/record.ts';
import { configure, logPath } from '../lab/model/run.ts';
import { findings } from '../lab/report/findings.ts';
import { writeReport } from '../lab/report/page.ts';
import {
  clocksPicture, eventsPicture, jumpsPicture, lagPicture, queuesPicture,
} from '../lab/report/runs.ts';
import { COLOURS, dashOf } from '../lab/report/signs.ts';
import { spaceTimePicture } from '../lab/report/spacetime.ts';
import { theme } from '../lab/report/stage.ts';
import { rule, tell } from '../lab/report/words.ts';
import { record } from '../lab/virtual/record.ts';
import { runs, thoroughly } from './runs.ts';

const root = mkdtempSync(join(tmpdir(), 'report-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
function virtual(name: string, rates_hz: number[], duration_s = 60, extra: object = {}): string {
  const folder = join(root, name);
  mkdirSync(folder);
  record({ ...PERFECT, ...configure({ seed: 7, machines: rates_hz.length, rates_hz, internal: 0.7,
    duration_s }), ...extra }, folder);
  return folder;
}
const [quiet, overloaded] = [virtual('quiet', [3, 3, 2]), virtual('overloaded', [1, 4, 6])];
const read = (path: string) => readFileSync(path, 'utf8');

// ── What is found ────────────────────────────────────────────────────────────────────────────

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
  assert.is(queues, 'Machine 0’s queue grows by 0.87 a second (theory: 0.67), to 52 messages at the '
    + 'end');
  assert.is(jumps, 'Machine 0 jumps most: by 3.2 a tick on average; the longest jump is machine 1’s: '
    + '12; machine 2 least: by 1');
  assert.is(events, 'Machine 0 spends 100 % of its ticks on receives, machine 2 spends 14 % (theory: '
    + '100 % and 10 %)');
  assert.match(messages, /^Machine 0 takes its messages latest: 15 s .*; of all messages 52 were n/);
});
titles('say so when all keep up', async () => {
  const { headline, lag, queues } = await found(quiet);
  assert.is(headline, 'Every machine keeps up with its messages');
  assert.match(lag, /^Machine 2 lags most: by 1\.2 on average \(theory: [\d.]+\), 6 at worst$/);
  assert.is(queues, 'Never more than 3 messages wait, at machine 2; all queues are empty at the end');
});
titles('the border is a verdict of its own: where theory’s load is 1, and near it', async () => {
  const { headline } = await found(virtual('border', [2, 4, 1]));
  assert.match(headline, /^Machine 2 stands on the border of keeping up: it hears [\d.]+ messages/);
});
thoroughTitles('join machines that share a fate, and have something to say of the odd runs', async () => {
  const { headline, lag } = await found(virtual('extreme', [5, 60, 5]));
  assert.is(headline, 'Machines 0 and 2 cannot keep up with their messages');
  assert.match(lag, /^Machines 0 and 2 fall behind by 34 and 35 a second .*: they hear 2\.38 and 2\./);
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
  assert.match(headline, new RegExp('; machine 2 was paused, machine 1 was killed and started again '
    + 'and link 0–2 was cut$'));
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
const near = (text: string | undefined, value: number, what: string) =>
  assert.ok(Math.abs(Number(text) - value) <= (Math.abs(value) >= 10 ? 0.5 : 0.051 * Math.abs(value)),
    `${what}: ${text} is not ${value}`);
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
    for (const [ids, pattern] of [[late, /^.*? cannot keep up/], [border, /[Mm]achines? [^;]*on the/],
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
    const kinds = { paused: 'pause', 'killed and started again': 'crash', 'killed for good': 'crash',
      cut: 'cut' };
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
  }), { numRuns: 100 });
});
titles('each number is that of the machine that the sentence names, for any frame', () => {
  fc.assert(fc.property(manyMachines, (machines) => {
    const { rows, waiting, found } = framesOf(machines);
    const [, front, gain] = /highest(?: clock)?, machine (\d+)’s, gains (\S+) a/.exec(found.clocks)!;
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
    const jump = /(?:longest jump is machine (\d+)’s: |, )(\d+)(?: at most)?(?:;|$)/.exec(found.jumps);
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

// ── Pictures ─────────────────────────────────────────────────────────────────────────────────

const ids = Array.from({ length: 3 }, (_, id) => id);
/** Three machines whose numbers go up by 1, 2 and 3 a second for some time. */
const states = (seconds: number, step = 1): DataFrame =>
  pl.readRecords(Array.from({ length: Math.floor(seconds / step) + 1 }, (_, k) => k * step)
    .flatMap((time_s) => ids.map((machine) => {
      const clock = Math.floor(time_s * (machine + 1));
      return { time_s, machine, clock, queue: clock % 3, lag: Math.floor(3 * time_s) - clock };
    })));
const counts = pl.readRecords([
  { machine: 0, jump: 1, ticks: 9, share: 0.9 }, { machine: 0, jump: 7, ticks: 1, share: 0.1 },
  { machine: 2, jump: 1, ticks: 4, share: 1 }]);
const slices = pl.readRecords([
  { machine: 0, from_s: 0, to_s: 5, event: 'receive', ticks: 3, share: 1 },
  { machine: 1, from_s: 0, to_s: 5, event: 'send', ticks: 1, share: 0.25 },
  { machine: 1, from_s: 0, to_s: 5, event: 'internal', ticks: 3, share: 0.75 },
  { machine: 1, from_s: 5, to_s: 10, event: 'internal', ticks: 2, share: 1 }]);
/** 0 sends to 1, which has an event before and one after; 2 stands apart. */
const diagram: Diagram = {
  name: 'test', machines: 3, end_s: 5, ends_s: [5, 5, 3], events: 5,
  machine: [1, 0, 1, 1, 2], time_s: [0.5, 1, 2, 3, 2.5], event: ['i', 's', 'r', 'i', 'i'],
  peer: ['', '1', '0', '', ''], message: [null, 1, 1, null, null], queue: [0, 0, 0, 0, 0],
  clock: [1, 1, 2, 3, 1], cause: [-1, -1, 1, -1, -1],
};
const drawn = async (): Promise<Record<string, string>> => ({
  clocks: await clocksPicture(states(10)), lag: await lagPicture(states(10)),
  queues: await queuesPicture(states(10)), jumps: await jumpsPicture(counts),
  events: await eventsPicture(slices),
  'space-time': spaceTimePicture(diagram, { from_s: 0, to_s: 5 }),
});

const colours = suite('colours');
colours('are the same for a machine everywhere, and begin again after the sixth', () => {
  assert.equal([0, 1, 2].map(colourOf), ['#0072B2', '#D55E00', '#009E73']);
  assert.is(colourOf(7), colourOf(1));
  assert.is(coloured(1, 'x'), '\x1b[38;2;213;94;0mx\x1b[39m');
  for (const values of Object.values(theme) as Record<string, string>[]) {
    const lines = machine_colours.map((_, id) => values[`machine-${id}`]);
    assert.equal(lines, [...machine_colours]);
  }
});
colours('let text be read: a contrast of at least 4.5, on light and on dark', () => {
  const light = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place]!, 0);
  for (const [name, values] of Object.entries(theme)) {
    for (const [variable, colour] of Object.entries(values)) {
      if (!/ink|muted|label/.test(variable)) continue;
      const [one, other] = [light(colour), light(values.paper)].sort((a, b) => b - a);
      assert.ok((one! + 0.05) / (other! + 0.05) >= 4.5, `${name} ${variable}`);
    }
  }
});
colours('cost a launcher nothing: they bring no library along, and the stage only as it draws', () => {
  const imported = (path: string) =>
    [...readFileSync(new URL(path, import.meta.url), 'utf8')
      .matchAll(/^import (?!type )[^;]* from '([^']+)'/gm)].map(([, name]) => name);
  assert.equal(imported('../lab/cli/terminal.ts'), ['node:util']);
  assert.equal(imported('../lab/report/stage.ts'),
    ['escape-goat', '../cli/terminal.ts']);
});
colours.run();

const pictures = suite('pictures');
const thoroughPictures = thoroughly(pictures);
pictures('are one SVG each, with a size, that no page has to help', async () => {
  for (const [name, svg] of Object.entries(await drawn())) {
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, name);
    assert.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/, name);
    assert.is(svg.match(/<svg/g)!.length, 1, name);
    assert.not.match(svg, /NaN|undefined|null|Infinity|<style|href=/, name);
    // Each colour that a page may set has a value for where there is no page.
    assert.not.match(svg, /var\(--[\w-]+\)/, name);
  }
});
pictures('say what the axes are, with units', async () => {
  const { clocks, lag, queues, jumps, events, 'space-time': spaceTime } = await drawn();
  for (const svg of [clocks, lag, queues, events, spaceTime]) assert.match(svg!, /time, s/);
  assert.match(clocks!, /↑ clock/);
  assert.match(lag!, /↑ behind the highest clock/);
  assert.match(queues!, /↑ messages that wait/);
  assert.match(jumps!, /↑ % of its ticks \(square-root scale\)/);
  assert.match(events!, /↑ % of its ticks/);
});
pictures('name each machine in its own colour', async () => {
  for (const [name, svg] of Object.entries(await drawn())) {
    for (const id of name === 'jumps' ? [0, 2] : name === 'events' ? [0, 1] : ids) {
      assert.match(svg, new RegExp(`>machine ${id}<`), name);
      assert.match(svg, new RegExp(`var\\(--label-${id},#`), name);
      assert.match(svg, new RegExp(`var\\(--machine-${id},${colourOf(id)}\\)`), name);
    }
  }
});
pictures('have a field also for a machine that did nothing, if told of it', async () => {
  assert.match(await jumpsPicture(counts, { machines: 3 }), />machine 1</);
  assert.match(await eventsPicture(slices, { machines: 3 }), />machine 2</);
});
pictures('share an axis when they are given its end', async () => {
  const top = (svg: string) => Math.max(...[...svg.matchAll(/>([\d,]+)<\/text>/g)]
    .map(([, text]) => Number(text!.replaceAll(',', ''))));
  assert.is(top(await clocksPicture(states(10), { max: 1000, end_s: 100 })), 1000);
  assert.ok(top(await clocksPicture(states(10))) <= 40);
});
/** The path of machine 1's line. */
const line = (svg: string) => {
  const group = svg.split('<g ').find((text) => /stroke="var\(--machine-1/.test(text))!;
  return [...group.matchAll(/[ML]?(-?[\d.]+),(-?[\d.]+)/g)]
    .map(([, x, y]) => [Number(x), Number(y)]);
};
thoroughPictures('draw no more of a long run than can be seen, and keep its peaks', async () => {
  // 4,001 times, at one of which machine 1 is 9,999 behind, and at all others 1.
  const peak = pl.when(pl.col('time_s').eq(777).and(pl.col('machine').eq(1)))
    .then(pl.lit(9999)).otherwise(pl.col('clock').cast(pl.Int64));
  const points = line(await lagPicture(states(2000, 0.5).withColumn(peak.alias('lag'))));
  assert.ok(points.length < 5 * 560, `${points.length} points`);
  const [highest, next] = [...new Set(points.map(([, y]) => y!))].sort((a, b) => a - b);
  assert.ok(next! - highest! > 20, 'the peak stands out');
});
thoroughPictures('name every line of 10, 40 and 50 machines, none upon another', async () => {
  for (const machines of [10, 40, 50]) {
    const many = pl.readRecords(Array.from({ length: machines }, (_, machine) => machine)
      .flatMap((machine) => [0, 1, 2].map((time_s) =>
        ({ time_s, machine, clock: time_s * (machine >> 2), queue: 0, lag: time_s }))));
    const all = await Promise.all([clocksPicture, ...(machines > 12 ? [lagPicture] : [])]
      .map((draw) => draw(many)));
    for (const svg of all) {
      const names = [...svg.matchAll(/translate\([\d.]+,([\d.-]+)\)"[^>]*>machine (\d+)</g)];
      assert.is(new Set(names.map(([, , id]) => id)).size, machines);
      const ys = names.map(([, y]) => Number(y)).sort((a, b) => a - b);
      assert.ok(ys.every((y, at) => at === 0 || y - ys[at - 1]! >= 10.9), `${machines}`);
      const height = Number(/height="(\d+)"/.exec(svg)![1]);
      assert.ok(ys[0]! >= 8 && ys.at(-1)! <= height, `${ys[0]} to ${ys.at(-1)} of ${height}`);
    }
  }
});
pictures('tell machines apart by a colour, and beyond the colours by dashes', async () => {
  assert.is(COLOURS, machine_colours.length);
  const signs = Array.from({ length: 54 }, (_, id) => `${colourOf(id)} ${dashOf(id)}`);
  assert.is(new Set(signs).size, 54);
  assert.equal([0, 5, 6].map((id) => dashOf(id) === ''), [true, true, false]);
});
pictures('of time show what was done to machines, each on its own field', async () => {
  const faults = [{ do: 'pause', machines: [1], from_s: 2, to_s: 4 },
    { do: 'cut', machines: [0, 2], from_s: 6, to_s: 7 }];
  const [clocks, lag, events] = await Promise.all([clocksPicture(states(10), { faults }),
    lagPicture(states(10), { faults }), eventsPicture(slices, { faults, machines: 3 })]);
  for (const [svg, words] of [[clocks, ['pause 1', 'cut 0–2']],
    [lag, ['pause 1', 'cut 0–2', 'cut 0–2']],
    [events, ['pause 1', 'cut 0–2', 'cut 0–2']]] as const) {
    const found = [...svg!.matchAll(/>((?:pause|cut) [^<]*)</g)].map(([, text]) => text);
    assert.equal(found.sort(), [...words].sort());
    assert.is(svg!.match(/<rect [^>]*width="/g)!.length >= words.length, true);
  }
});
pictures('write kinds of events and faults where there is room, and nowhere else', async () => {
  const machines = Array.from({ length: 6 }, (_, machine) => machine);
  const crowded = pl.readRecords(machines.flatMap((machine) => [['receive', 0.72], ['send', 0.14],
    ['internal', 0.14]].map(([event, share]) =>
    ({ machine, from_s: 0, to_s: 10, event, ticks: 100 * Number(share), share }))));
  const faults = [1, 1.2, 5].map((from_s) =>
    ({ do: 'pause', machines: [0], from_s, to_s: from_s + 1 }));
  const svg = await eventsPicture(crowded, { faults, machines: 6 });
  const places = [...svg.matchAll(/translate\(([\d.]+),([\d.]+)\)"[^>]*>(\w+)[^<]*</g)]
    .map(([, x, y, word]) => ({ x: Number(x), y: Number(y), word }));
  const kinds = places.filter(({ word }) => /receive|send|internal/.test(word!));
  assert.is(kinds.length, 18);
  const ys = [...new Set(kinds.map(({ y }) => y))].sort((one, other) => one - other);
  assert.is(ys.length, 3); // Of each field, from its own top.
  assert.ok(ys.every((y, at) => at === 0 || y - ys[at - 1]! > 11), ys.join());
  const pauses = places.filter(({ word }) => word === 'pause');
  assert.is(pauses.length, 2);
  assert.ok(pauses.every(({ x }) => x > 40 + 70), 'beside the name of the machine');
});
pictures('have room for the numbers of their axis', async () => {
  const left = async (max: number) =>
    Number(/"y-axis tick label".*?<text transform="translate\(([\d.]+)/s.exec(
      await clocksPicture(states(10), { max }))?.[1] ?? NaN);
  const [few, many] = [await left(900), await left(4000)];
  assert.ok(many - few >= 8, `${few} ${many}`);
});
pictures('take a title, broken into lines, and escape it', async () => {
  const svg = await lagPicture(states(5),
    { width: 350, title: 'a <b> & a title that is much too long for one line of this picture' });
  assert.match(svg, /a &lt;b&gt; &amp; a title/);
  assert.ok(svg.match(/font-size="15"/g)!.length >= 2);
  assert.ok(Number(/height="(\d+)"/.exec(svg)![1])
    > Number(/height="(\d+)"/.exec(await lagPicture(states(5), { width: 350 }))![1]) + 30);
});
pictures.run();

const spaceTime = suite('spaceTimePicture');
spaceTime('draws what is in the window, each kind of event in its own way', () => {
  const dots = (svg: string, kind: string) => [...svg.matchAll(
    new RegExp(`<path d="([^"]*)" stroke-linecap="round" class="${kind}"`, 'g'))]
    .flatMap(([, d]) => d!.match(/M/g)).length;
  const whole = spaceTimePicture(diagram, { from_s: 0, to_s: 5 });
  assert.equal(['internal', 'send', 'receive'].map((kind) => dots(whole, kind)), [3, 1, 1]);
  const part = spaceTimePicture(diagram, { from_s: 1.5, to_s: 2.7 });
  assert.equal(['internal', 'send', 'receive'].map((kind) => dots(part, kind)), [1, 0, 1]);
  assert.match(part, /<g class="arrows"><path/); // The message enters the window from outside.
});
spaceTime('has room for every name, of 3 machines and of 50', () => {
  for (const machines of [3, 50]) {
    const many = { ...diagram, machines, ends_s: new Array<number>(machines).fill(5) };
    const svg = spaceTimePicture(many, { from_s: 0, to_s: 5 });
    const names = svg.matchAll(/<text x="(\d+)"[^>]*font-weight="600"[^>]*>([^<]*)</g);
    for (const [, x, name] of names) {
      assert.ok(Number(x) > name!.length * 7.2, `${name} ends at ${x}`);
    }
  }
});
spaceTime('sets past, future and concurrent events apart', () => {
  const svg = spaceTimePicture(diagram, { from_s: 0, to_s: 5, selected: 2 });
  const count = (name: string) => {
    const [, group] = new RegExp(`<g class="${name}"[^>]*>(.*?)(?=<g class="(?:past|future|self)"`
      + '|<circle|$)', 's').exec(svg)!;
    return [...group!.matchAll(/stroke-linecap="round" class="\w+"/g)].length;
  };
  assert.equal(['past', 'future', 'concurrent', 'self'].map(count), [2, 1, 1, 1]);
  assert.match(svg, /class="past cone"/);
});
spaceTime('draws clocks at events where there is room, and no text upon another', () => {
  const run = load(overloaded);
  const svg = spaceTimePicture(scene(run), { from_s: 0, to_s: 10, values: true });
  const values = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*class="value">(\d+)</g)]
    .map(([, x, y, text]) => ({ x: Number(x), y: Number(y), half: text!.length * 3.3 }));
  assert.ok(values.length > 60, `${values.length}`);
  for (const [at, one] of values.entries()) {
    for (const other of values.slice(at + 1)) {
      assert.ok(one.y !== other.y || Math.abs(one.x - other.x) > one.half + other.half);
    }
  }
});
spaceTime('draws a message that nobody took dashed to the edge, at its receiver’s line', () => {
  const lost: Parameters<typeof spaceTimePicture>[0] = { ...diagram, lost: [[1, 2]] };
  const [, d] = /<path d="([^"]*)" class="lost"[^>]*stroke-dasharray/.exec(
    spaceTimePicture(lost, { from_s: 0, to_s: 5 }))!;
  const ends = [...d!.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  assert.is(ends.length, 2);
  assert.ok(ends[1]![0]! > 1060 && ends[1]![1]! > ends[0]![1]!, d);
  assert.match(tell(lost, 1), /machine 1 \(taken 1\.000 s later\)/);
});
spaceTime('shows in virtual time when a message arrived, apart from when it was taken', () => {
  const run = load(virtual('slow-wire', [2, 3, 4], 20, { latency: 'exponential:300' }));
  const { cause, time_s, arrived_s, lost, event, peer } = scene(run);
  const received = [...cause.keys()].filter((at) => cause[at]! >= 0);
  assert.ok(received.length > 30);
  for (const at of received) {
    assert.ok(arrived_s![at]! >= time_s[cause[at]!]! && arrived_s![at]! <= time_s[at]! + 1e-4);
  }
  const late = received.filter((at) => arrived_s![at]! > time_s[cause[at]!]! + 0.001);
  assert.ok(late.length > received.length / 2);
  const sent = event.flatMap((kind, at) => (kind === 's' ? peer[at]!.split(' ') : []));
  assert.is(sent.length, received.length + lost.length);
  assert.match(spaceTimePicture(scene(run), { from_s: 0, to_s: 20 }), /class="waits"/);
});
spaceTime('says at an event which rule it obeys, or that it breaks it', () => {
  assert.is(rule(diagram, 2, 1), 'max(1, 1) + 1 = 2: the rule is obeyed.');
  assert.is(rule({ ...diagram, clock: [1, 1, 1, 3, 1] }, 2, 1),
    'max(1, 1) + 1 = 2: the rule is broken, its clock is 1.');
  assert.is(rule(diagram, 3, 2), '2 + 1 = 3: the rule is obeyed.');
});
spaceTime.run();

// ── Pages ────────────────────────────────────────────────────────────────────────────────────

const pages = suite('report');
const thoroughPages = thoroughly(pages);
pages('is one file that asks the network for nothing', async () => {
  const path = await writeReport(quiet);
  assert.is(path, join(quiet, 'report.html'));
  const html = read(path);
  assert.match(html, /default-src 'none'/);
  assert.not.match(html.replaceAll('http://www.w3.org/2000/svg', ''),
    /https?:|src=|@import|url\((?!#)/);
  assert.ok(html.length < 600_000, `${html.length} characters`);
});
pages('has the six pictures, at two widths, and prediction beside measurement', async () => {
  const html = read(await writeReport(overloaded));
  for (const id of ['clocks', 'lag', 'queues', 'jumps', 'events']) {
    const [, figure] = new RegExp(`<figure class="${id}">(.*?)</figure>`, 's').exec(html)!;
    assert.is(figure!.match(/<svg /g)!.length, 2, id);
    assert.match(figure!, /<h2>[^<]*\d[^<]*<\/h2>/, id);
  }
  assert.match(html, /<figure class="space-time full">.*<svg tabindex="0"/s);
  assert.match(html, /Checked: the rule could have made these logs/);
  assert.match(html, /<th scope="row"[^>]*>machine 0<\/th><td>1\.87<\/td>/);
});
pages('says in red what the check finds, and draws what it can', async () => {
  const folder = virtual('wrong', [3, 3, 2]);
  const path = logPath(folder, 1);
  const lines = read(path).split('\n');
  lines[9] = 'garbage <b>';
  writeFileSync(path, lines.join('\n'));
  const html = read(await writeReport(folder));
  const [, banner] = /<div class="wrong" role="alert">(.*?)<\/div>/s.exec(html)!;
  assert.match(banner!, /machine-1\.csv:10/);
  assert.match(banner!, /^<h2>The rule could not have made these logs/);
  assert.not.match(html, /<b>"/);
  assert.not.match(html, /Checked/);
  assert.is(html.match(/<figure /g)!.length, 8);
});
thoroughPages('tells rule and pace apart: yellow if only the time is off, red if the rule is', async () => {
  const folder = virtual('late', [3, 3, 2]);
  const path = logPath(folder, 1);
  const rows = read(path).split('\n').map((row) => {
    const [time_us, ...rest] = row.split(',');
    return rest[2] === 'internal' ? [Number(time_us) - 1, ...rest].join() : row;
  });
  writeFileSync(path, rows.join('\n'));
  const html = read(await writeReport(folder));
  const [, banner] = /<div class="late" role="alert">(.*?)<\/div>/s.exec(html)!;
  assert.match(banner!, /^<h2>The rule could have made these logs, but not in their time: /);
  assert.match(banner!, /\d+ violations\)<\/h2>/);
  assert.match(banner!, /<li>Out of time: machine-1\.csv:\d+: /);
  assert.not.match(html, /class="wrong"|✓ Checked/);
});
thoroughPages('sets two runs side by side with the same axes, in a file of its own', async () => {
  const own = read(await writeReport(quiet));
  const path = await writeReport(quiet, overloaded);
  assert.is(path, join(root, 'quiet-beside-overloaded.html'));
  assert.is(read(join(quiet, 'report.html')), own);
  const html = read(path);
  assert.match(html, /<h1>quiet and overloaded, side by side<\/h1>/);
  const figures = [...html.matchAll(/<figure class="clocks">(.*?)<\/figure>/gs)].map(([, f]) => f!);
  assert.is(figures.length, 2);
  const numbers = figures.map((figure) =>
    [...figure.matchAll(/>(\d+)<\/text>/g)].map(([, n]) => n));
  assert.equal(numbers[0], numbers[1]);
  assert.equal(figures.map((figure) => /class="whose">([^<]*)</.exec(figure)![1]),
    ['quiet', 'overloaded']);
  const windows = [...html.matchAll(/data-window="([\d.]+)"/g)].map(([, s]) => s);
  assert.is(windows.length, 2);
  assert.is(windows[0], windows[1]);
});
thoroughPages('puts three runs in three columns, each figure under its run’s name, numbers in columns',
  async () => {
    const html = read(await writeReport(quiet, overloaded, virtual('third', [2, 4, 1])));
    const rows = [...html.matchAll(/<section class="row" style="--columns:(\d)">(.*?)<\/section>/gs)];
    for (const [, columns, row] of rows) {
      assert.is(columns, '3');
      assert.equal([...row!.matchAll(/class="whose">([^<]*)</g)].map(([, name]) => name),
        ['quiet', 'overloaded', 'third']);
    }
    assert.is(rows.length, 6);
    const [, summary] = /<figure class="summary full">(.*?)<\/figure>/s.exec(html)!;
    const names = ['quiet', 'overloaded', 'third'];
    for (const [id, rates] of [[0, ['3.0', '1.0', '2.0']], [2, ['2.0', '6.0', '1.0']]] as const) {
      // The three under each other, so that a column holds one quantity of all runs.
      const [, body] = new RegExp(`machine ${id}</th></tr>(.*?)</tbody>`, 's').exec(summary!)!;
      const lines = [...body!.matchAll(/<th scope="row">([^<]*)<\/th><td>([^<]*)</g)];
      assert.equal(lines.map(([, name]) => name), names);
      assert.equal(lines.map(([, , rate]) => rate), rates);
    }
  });
thoroughPages('leads from each number that has a place to that place', async () => {
  const html = read(await writeReport(overloaded));
  const { time_s, machine, clock } = scene(load(overloaded));
  const places = [...html.matchAll(/data-machine="(\d)" data-time="([\d.]+)">([^<]*)</g)];
  assert.ok(places.length >= 12);
  for (const [, id, s] of places) {
    assert.ok(time_s.some((at_s, at) => at_s === Number(s) && machine[at] === Number(id)), s);
  }
  const [, id, s, words] = places.find(([, , , text]) => /longest jump/.test(text!))!;
  const at = time_s.findIndex((at_s, nth) => at_s === Number(s) && machine[nth] === Number(id));
  const before = machine.lastIndexOf(Number(id), at - 1);
  assert.match(words!, new RegExp(`longest jump, ${clock[at]! - clock[before]!}, at machine ${id}`));
});
thoroughPages('of an imported run says its rule, its verdict and where it stands', async () => {
  const folder = virtual('theirs', [1, 2]);
  const { seed: _, phases: __, ...rest } = load(folder).run;
  writeRun(folder, { ...rest, kind: 'foreign', seed: null, phases: null, internal: null,
    ended: 'imported', foreign: { rule: { words: 'A receive bears <the same> clock' },
      messages: { reconstructed: 1 } } } as ForeignRecord);
  for (const id of [0, 1]) {
    // Others log no start and no stop, and each row has a line of theirs.
    const rows = read(logPath(folder, id)).split('\n').filter((row) => !/start|stop/.test(row));
    writeFileSync(logPath(folder, id), rows.join('\n'));
    writeFileSync(join(folder, `source-${id}.csv`), rows.slice(0, -1).map((_, n) =>
      (n === 0 ? 'file,line,lines,peer,message\n' : `vm${id}.log,${n},1,,\n`)).join(''));
  }
  const html = read(await writeReport(folder));
  assert.match(html, /The rule that they show: A receive bears &lt;the same&gt; clock\./);
  assert.match(html, /✓ Checked: no rule that these rows decide is broken\./);
  assert.not.match(html, /class="wrong"|\(theory:/);
  // That no clock proves a message to be taken does not say that it was not.
  assert.not.match(html.slice(0, html.indexOf('<script')), /never taken/);
  assert.match(html, /Its clocks end \d+ apart: the \d+(st|nd|rd|th) percentile of 10,000 runs/);
  assert.match(html, /stroke-dasharray="1 4"/); // Arrows that no row names are dotted.
});
pages('takes names and words that mean something in HTML', async () => {
  const folder = virtual('a <script> & "b"', [1, 2]);
  writeRun(folder, { ...load(folder).run as OwnRecord, ended: 'stopped by </script><i>' });
  const html = read(await writeReport(folder));
  assert.match(html, /a &lt;script&gt; &amp; &quot;b&quot;: 2 machines/);
  assert.not.match(html, /<\/script><i>|<script> &/);
  assert.is(html.match(/<script/g)!.length, 2);
});
pages.run();
