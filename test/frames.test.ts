import fc from 'fast-check';
import {
  appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl, { type DataFrame } from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagram } from '../lab/frames/causes.ts';
import { drift, driftSummary, jumpCounts, jumps, mix, timeline } from '../lab/frames/events.ts';
import { shiviz } from '../lab/frames/export.ts';
import { joined, load, loadAll, LogError } from '../lab/frames/load.ts';
import { logReader, valueAt } from '../lab/frames/log.ts';
import { messages, waits } from '../lab/frames/messages.ts';
import { readLogs } from '../lab/frames/read.ts';
import { queues } from '../lab/frames/queues.ts';
import { pace, standing, summary, withTheory } from '../lab/frames/summary.ts';
import {
  comparisonTable, latenessLine, summaryTable, theoryTable,
} from '../lab/frames/tables.ts';
import { writeRun } from '../lab/cli/folder.ts';
import { versions } from '../lab/cli/options.ts';
import { vectorClocks } from '../lab/model/causality.ts';
import type { OwnRecord as RunRecord } from '../lab/model/record.ts';
import { configure, HEADER, logPath } from '../lab/model/run.ts';
import { MEASURES, PERFECT, record, type Measure } from '../simulate.ts';
import { sweep } from '../sweep.ts';
import { runs, thoroughly } from './runs.ts';

const root = mkdtempSync(join(tmpdir(), 'analyze-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => {
  const folder = join(root, `run-${folders++}`);
  mkdirSync(folder);
  return folder;
};

/** Rows as [model seconds, tick, event, peer, message, queue, clock]. */
type Row = [number, number | '', string, number | string, number | '', number, number];

const START_US = 1_000_000;

/** Writes a run by hand; times are model seconds, of which `speed` are in a real one. */
function write(logs: Row[][], run: Partial<RunRecord> = {}): string {
  const folder = newFolder();
  const record: RunRecord = {
    seed: 1, machines: logs.length, rates_hz: logs.map(() => 0.5), phases: logs.map(() => 0),
    internal: 0.7, duration_s: 10, speed: 2, kind: 'sockets', start_us: START_US,
    versions: versions(), ended: 'finished', ...run,
  };
  writeRun(folder, record);
  for (const [id, rows] of logs.entries()) {
    writeFileSync(logPath(folder, id), HEADER + rows.map(([s, tick, ...cells]) =>
      `${START_US + (s * 1e6) / record.speed},${id},${tick},${cells.join(',')}\n`).join(''));
  }
  return folder;
}

/**
 * Two machines at one tick in two model seconds, two model seconds in a real one; machine 0 has
 * phase 0.5. All numbers below follow from these rows by hand. Clocks and the highest of them:
 *
 *   s      0   1   2   3   4   5   6   7   8   9.004   10
 *   C0     0   1   1   2   2   3   3   4   4   6
 *   C1     1   1   2   2   2   2   4   4   5   5
 *   front  1   1   2   2   2   3   4   4   5   6
 */
const byHand: [Row[], Row[]] = [[
  [0, '', 'start', '', '', 0, 0],
  [1, 0, 'send', 1, 1, 0, 1],
  [3, 1, 'internal', '', '', 0, 2],
  [5, 2, 'send', 1, 3, 0, 3],
  [7, 3, 'internal', '', '', 0, 4],
  [9.004, 4, 'receive', 1, 5, 0, 6], // Due at 9 s: 2 ms of real time late.
  [10, '', 'stop', '', '', 0, 6],
], [
  [0, '', 'start', '', '', 0, 0],
  [0, 0, 'internal', '', '', 0, 1],
  [2, 1, 'receive', 0, 1, 0, 2], // It waited from 1 s on.
  [6, 3, 'receive', 0, 3, 0, 4], // From 5 s on. Tick 2 was skipped.
  [8, 4, 'send', 0, 5, 0, 5],
  [10, '', 'stop', '', '', 0, 5],
]];
const hand = () => load(write(byHand, { phases: [0.5, 0] }));
const near = (found: unknown, expected: number, what = '') =>
  assert.ok(Math.abs(Number(found) - expected) < 1e-9, `${what}: ${found} is not ${expected}`);
const column = <T>(frame: DataFrame, name: string) => frame.getColumn(name).toArray() as T[];

// ── Loading ──────────────────────────────────────────────────────────────────────────────────

const loading = suite('load');
const thoroughLoading = thoroughly(loading);
loading('gives every row in program order, with model seconds from speed and start', () => {
  const { events, end_s, start_us, name } = hand();
  assert.is(events.height, 13);
  assert.is(start_us, START_US);
  assert.is(end_s, 10);
  assert.match(name, /^run-\d+$/);
  assert.equal(column(events.head(7), 'time_s'), [0, 1, 3, 5, 7, 9.004, 10]);
  assert.equal(column(events.head(3), 'tick'), [null, 0, 1]);
  assert.equal(column(events.head(3), 'peer'), [null, '1', null]);
});
loading('cuts a torn last line, even one that looks like a number', () => {
  const folder = write(byHand, { phases: [0.5, 0] });
  appendFileSync(logPath(folder, 0), '6000001,0,5,internal,,,0,7');
  assert.is(load(folder).events.height, 13);
});
thoroughLoading('takes a log that is empty, only its header, half of it, or missing', () => {
  for (const rest of ['', HEADER, HEADER.slice(0, 20), null]) {
    const folder = write(byHand, { phases: [0.5, 0] });
    if (rest === null) rmSync(logPath(folder, 1));
    else writeFileSync(logPath(folder, 1), rest);
    const run = load(folder);
    assert.is(run.events.height, 7);
    const [, other] = summary(run).toRecords();
    assert.is(Number(other!.ticks), 0);
    assert.ok(Number.isNaN(other!.mean_jump));
  }
});
loading('names the file and the line that is bad, whatever is wrong with it', () => {
  const bad = ['garbage', '1,1,0,internal,,,0', '1,1,0,internal,,,0,1,9', '1,0,0,internal,,,0,1',
    'x,1,0,internal,,,0,1', '1,1,,internal,,,0,1', '1,1,0,sleep,,,0,1', '1,1,0,send,,1,0,1',
    '1,1,0,receive,0,,0,1', '1,1,0,internal,,,0,1.5', '1,1,0,"internal,,,0,1', ''];
  for (const line of bad.slice(0, runs(2, bad.length))) {
    const folder = write(byHand);
    const path = logPath(folder, 1);
    const lines = readFileSync(path, 'utf8').split('\n');
    lines.splice(3, 0, line);
    writeFileSync(path, lines.join('\n'));
    assert.throws(() => load(folder), (error: Error) => error instanceof LogError
      && error.message.startsWith(`${path}:4: `) && !error.message.includes('\n'), line);
    const told: string[] = [];
    assert.is(load(folder, (message) => told.push(message)).events.height, 13, line);
    assert.is(told.length, 1);
  }
});
loading('takes no jump from the machine before where a log has lost its start', () => {
  const [first, [, ...second]] = byHand;
  const { events } = load(write([first, second], { phases: [0.5, 0] }));
  assert.equal(column(events, 'jump'), [null, 1, 1, 1, 1, 2, null, null, 1, 2, 1, null]);
});
loading('names a wrong header, a missing folder, run.json and logs', () => {
  const folder = write(byHand);
  writeFileSync(logPath(folder, 0), 'time,machine\n1,0\n');
  assert.throws(() => load(folder), /machine-0\.csv:1: not the header/);
  assert.throws(() => load(join(root, 'nowhere')), /nowhere: there is no such folder/);
  assert.throws(() => load(newFolder()), /run\.json: it is not there/);
  const bare = write([[], []]);
  for (const id of [0, 1]) rmSync(logPath(bare, id));
  assert.throws(() => load(bare), /there are no logs/);
  writeFileSync(join(bare, 'run.json'), '{"rates_hz":');
  assert.throws(() => load(bare), /run\.json: /);
  writeFileSync(join(bare, 'run.json'), '{"machines":3}');
  assert.throws(() => load(bare), /run\.json: /);
});
loading('ends an interrupted run with its last event, and a finished one with its duration', () => {
  assert.is(load(write([byHand[0].slice(0, 4), byHand[1].slice(0, 3)])).end_s, 5);
  const late = byHand.map((rows) =>
    [...rows.slice(0, -1), [10.3, ...rows.at(-1)!.slice(1)] as Row]);
  assert.is(load(write(late)).end_s, 10);
});
thoroughLoading('finds several runs by glob, and joins their configuration in', async () => {
  const parent = newFolder();
  for (const [name, seed] of [['b', 8], ['a', 7]] as const) {
    mkdirSync(join(parent, name));
    record({ ...PERFECT, ...configure({ seed, machines: 2, rates_range: [1, 6],
      internal: 0.7, duration_s: 5, speed: 1 }) }, join(parent, name));
  }
  const runs = await loadAll(`${parent}/*`);
  assert.equal(runs.map(({ name }) => name), ['a', 'b']);
  const frame = joined(runs);
  assert.is(frame.height, runs[0]!.events.height + runs[1]!.events.height);
  for (const run of runs) {
    for (const [machine, rate_hz] of run.run.rates_hz.entries()) {
      const own = frame.filter(pl.col('run').eq(pl.lit(run.name))
        .and(pl.col('machine').eq(machine)));
      assert.equal([...new Set(column(own, 'rate_hz'))], [rate_hz]);
      assert.equal([...new Set(column(own, 'seed'))], [run.run.seed]);
    }
  }
  try {
    await loadAll(`${parent}/none-*`);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /none-\*: there is no such folder/);
  }
});
loading('a log that has more rows than its begin lets expect keeps what each took', () => {
  // Many in one row, so that rows look long; then many that take one each.
  const peers = Array.from({ length: 400 }, () => '1').join(' ');
  const first = `${HEADER}1,0,0,receive,${peers},${peers.replaceAll('1', '7')},0,8\n`;
  const rest = Array.from({ length: 80_000 }, (_, n) => `${n + 2},0,${n + 1},receive,1,9,0,10\n`)
    .join('');
  const reader = logReader(0, first.length + rest.length);
  for (const piece of [first, rest]) reader.read(new TextEncoder().encode(piece));
  const { log, bad } = reader;
  assert.equal([bad, log.rows], [null, 80_001]);
  const values = new Set(Array.from({ length: 80_000 }, (_, n) =>
    valueAt(log, n + 1, log.firstPeer[n + 1]!)));
  assert.equal([...values], [9]);
});
loading('a thread beside reads the same rows, the same trouble, and the same torn line', () => {
  const folder = newFolder();
  record({ ...PERFECT, ...configure({ seed: 3, machines: 4, rates_hz: [6, 4, 1, 2],
    internal: 0.3, duration_s: 60, speed: 1, take: 'all' }) }, folder);
  appendFileSync(logPath(folder, 1), 'garbage\n');
  appendFileSync(logPath(folder, 3), '60000000,3,12');
  rmSync(logPath(folder, 0));
  const sources = [0, 1, 2, 3].map((id) => ({ path: logPath(folder, id), id, foreign: false }));
  const [alone, aside] = [readLogs(sources, Infinity), readLogs(sources, 1)];
  assert.equal(aside, alone);
  assert.ok(alone[2]!.log.values !== null && alone[1]!.bad?.text === 'garbage');
  const unreadable = sources.map((source) => ({ ...source, path: folder }));
  assert.throws(() => readLogs(unreadable, 1), /EISDIR/);
});

loading.run();

// ── Frames, by hand ──────────────────────────────────────────────────────────────────────────

const measured = suite('summary');
const thoroughMeasured = thoroughly(measured);
measured('gives the numbers that were worked out by hand', () => {
  const [zero, one] = summary(hand()).toRecords() as Record<string, number>[];
  // 5 ticks in 10 s at half a hertz are all of them; of machine 1 one is missing.
  assert.equal([zero!.ticks, zero!.skipped, zero!.pace], [5, 0, 1]);
  assert.equal([one!.ticks, one!.skipped, one!.pace], [4, 1, 0.8]);
  assert.equal([zero!.receives, zero!.sends, zero!.internal], [1, 2, 2]);
  assert.equal([one!.receives, one!.sends, one!.internal], [2, 1, 1]);
  assert.equal([zero!.receive_share, one!.receive_share], [0.2, 0.5]);
  assert.equal([zero!.load, one!.load], [0.2, 0.5]); // Nobody left a message waiting.
  assert.equal([zero!.final_clock, one!.final_clock], [6, 5]);
  assert.equal([zero!.clock_growth_hz, one!.clock_growth_hz], [0.6, 0.5]);
  // Jumps 1 1 1 1 2 and 1 1 2 1.
  near(zero!.mean_jump, 1.2);
  near(one!.mean_jump, 1.25);
  assert.equal([zero!.max_jump, one!.max_jump], [2, 2]);
  // Areas: front 1·2 + 2·3 + 3·1 + 4·2 + 5·1.004 + 6·0.996 = 29.996; C0 25.992; C1 28.
  near(zero!.mean_lag, 2.9996 - 2.5992);
  near(one!.mean_lag, 2.9996 - 2.8);
  assert.equal([zero!.max_lag, one!.max_lag], [1, 1]);
  near(zero!.lag_growth_hz, 0);
  near(one!.lag_growth_hz, 0.1);
  // Machine 1 had a message waiting in 1–2 s and 5–6 s, machine 0 in 8–9.004 s.
  near(zero!.mean_queue, 0.1004);
  near(one!.mean_queue, 0.2);
  assert.equal([zero!.max_queue, one!.max_queue], [1, 1]);
  assert.equal([zero!.final_queue, one!.final_queue], [0, 0]);
  near(zero!.late_ms_max, 2);
  near(zero!.late_ms_median, 0);
  near(one!.late_ms_max, 0);
});
measured('keeps the clock of a machine that died as it was', () => {
  // Machine 1 dies after its receive at 2 s: clock 2 from then on, machine 0 goes on to 4 at 7 s.
  const folder = write([[...byHand[0].slice(0, 5), byHand[0].at(-1)!], byHand[1].slice(0, 3)]);
  const [zero, one] = summary(load(folder)).toRecords() as Record<string, number>[];
  assert.equal([one!.last_s, one!.final_clock, one!.max_lag], [2, 2, 4]);
  assert.is(zero!.last_s, 10);
  // C1 = 1 for 2 s, 2 for 8 s; front: 1 for 2 s, 2 for 3 s, 3 for 2 s, 4 to 10, 6 at the stop.
  near(one!.mean_lag, (1 * 2 + 2 * 3 + 3 * 2 + 4 * 3 - (1 * 2 + 2 * 8)) / 10);
});
measured('counts no lag that lasts for no time, where events share a microsecond', () => {
  // 2 sends 10 at 4 s, which the others take at 5 s: neither is ever behind the other.
  const take: Row[] = [[0, '', 'start', '', '', 0, 0], [5, 0, 'receive', 2, 10, 0, 11],
    [10, '', 'stop', '', '', 0, 11]];
  const run = load(write([take, take, [[4, 0, 'send', '0 1', 10, 0, 10]]]));
  assert.equal(column(summary(run), 'max_lag'), [10, 10, 1]);
  assert.equal([...new Set(column(timeline(run), 'lag'))].sort(), [0, 1, 10]);
});
thoroughMeasured('takes a run of one event, and one that never began', () => {
  const single = load(write([[[0, '', 'start', '', '', 0, 0]], []]));
  assert.is(single.end_s, 0);
  const [alone] = summary(single).toRecords();
  assert.equal([alone!.ticks, alone!.final_clock, alone!.max_lag], [0, 0, 0]);
  const none = load(write([[], []], { start_us: null }));
  assert.equal(column(summary(none), 'ticks'), [0, 0]);
  for (const run of [single, none]) {
    assert.ok(timeline(run).height <= run.run.machines);
    assert.is(messages(run).height + jumps(run).height + mix(run, 1).height, 0);
    assert.is(waits(run).height + jumpCounts(run).height + diagram(run).machine.length, 0);
    assert.type(summaryTable(summary(run)), 'string');
    assert.is(shiviz(run).split('\n').length, 3);
  }
});
measured('agrees with sweep on a virtual run of the same seed, measure by measure', async () => {
  const rates_hz = [1, 4, 6];
  const folder = newFolder();
  record({ ...PERFECT, ...configure({ seed: 7, machines: 3, rates_hz,
    internal: 0.7, duration_s: 60, speed: 1 }) }, folder);
  const swept = (await sweep({ rates_hz, internal: 0.7, duration_s: 60, runs: 1, seed: 7 }))
    .toRecords() as Record<string, number>[];
  const found = summary(load(folder)).toRecords() as Record<string, number>[];
  for (const measure of Object.keys(MEASURES)) {
    for (const id of rates_hz.keys()) {
      agree(measure, id, found[id]![measure]!, swept[id]![measure]!);
    }
  }
});
/** A log has whole microseconds, so a mean over time is off by that at each of its steps. */
function agree(measure: string, id: number, found: number, expected: number) {
  assert.ok(Math.abs(found - expected) <= 1e-4 * Math.max(1, Math.abs(expected))
    || (Number.isNaN(found) && Number.isNaN(expected)),
  `${measure} of machine ${id}: ${found}, not ${expected}`);
}
const anyRun = fc.record({
  seed: fc.nat(2 ** 31), internal: fc.double({ min: 0, max: 1, noNaN: true }),
  rates_hz: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 5 }),
  duration_s: fc.integer({ min: 1, max: 30 }),
});
type Wish = { seed: number; internal: number; rates_hz: number[]; duration_s: number };
function virtual(wish: Wish) {
  const folder = newFolder();
  const statistics = record({ ...PERFECT, ...configure({ ...wish, machines: wish.rates_hz.length,
    speed: 1 }) }, folder);
  return { run: load(folder), statistics };
}
measured('agrees with what the simulation counts itself, for any configuration', () => {
  fc.assert(fc.property(anyRun, (wish) => {
    const { run, statistics } = virtual(wish);
    const found = summary(run).toRecords() as Record<string, number>[];
    for (const measure of Object.keys(MEASURES) as Measure[]) {
      for (const id of wish.rates_hz.keys()) {
        agree(measure, id, found[id]![measure]!, statistics[measure][id]!);
      }
    }
    assert.is(messages(run).height, statistics.sent);
  }), { numRuns: runs(2, 6) });
});
measured('agrees with the time series by as-of joins, which work it out another way', () => {
  fc.assert(fc.property(anyRun, (wish) => {
    const { run } = virtual(wish);
    const states = timeline(run).toRecords() as Record<string, number>[];
    for (const row of summary(run).toRecords() as Record<string, number>[]) {
      const own = states.filter(({ machine }) => machine === row.machine);
      assert.is(Math.max(...own.map(({ lag }) => lag!)), row.max_lag);
      const area = (name: string) => own.reduce((sum, state, at) => sum + state[name]!
        * ((own[at + 1]?.time_s ?? run.end_s) - state.time_s!), 0) / run.end_s;
      agree('mean_lag', row.machine!, row.mean_lag!, area('lag'));
      agree('mean_queue', row.machine!, row.mean_queue!, area('queue'));
    }
  }), { numRuns: runs(1, 3) });
});
measured.run();

const series = suite('timeline');
series('knows each machine whenever something happens, and at the end', () => {
  const states = timeline(hand());
  const at = (id: number, name: string) =>
    column<number>(states.filter(pl.col('machine').eq(id)), name);
  assert.equal(at(0, 'time_s'), [0, 1, 2, 3, 5, 6, 7, 8, 9.004, 10]);
  assert.equal(at(0, 'clock'), [0, 1, 1, 2, 3, 3, 4, 4, 6, 6]);
  assert.equal(at(1, 'clock'), [1, 1, 2, 2, 2, 4, 4, 5, 5, 5]);
  assert.equal(at(0, 'lag'), [1, 0, 1, 0, 0, 1, 0, 1, 0, 0]);
  assert.equal(at(1, 'lag'), [0, 0, 0, 0, 1, 0, 0, 0, 1, 1]);
  assert.equal(at(0, 'queue'), [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
  assert.equal(at(1, 'queue'), [0, 1, 0, 0, 1, 0, 0, 0, 0, 0]);
});
series('looks at even steps if asked to', () => {
  const states = timeline(hand(), 4);
  assert.equal(column(states, 'time_s'), [0, 0, 4, 4, 8, 8]);
  assert.equal(column(states, 'clock'), [0, 1, 2, 2, 4, 5]);
});
series('gives the drift, whose mean is weighted by time', () => {
  const run = hand();
  assert.equal(column(drift(timeline(run)), 'drift'), [1, 0, 1, 0, 1, 1, 0, 1, 1, 1]);
  // 1 in 0–1, 2–3, 5–7 and 8–10 s.
  near(driftSummary(run).mean_drift, 0.6);
  assert.is(driftSummary(run).max_drift, 1);
});
series.run();

const frames = suite('frames');
frames('jumps: clock − clock before, of each tick, and how often each occurs', () => {
  assert.equal(column(jumps(hand()), 'jump'), [1, 1, 1, 1, 2, 1, 1, 2, 1]);
  const counts = jumpCounts(hand()).toRecords();
  assert.equal(counts.map(({ machine, jump, ticks }) => [machine, jump, ticks]),
    [[0, 1, 4], [0, 2, 1], [1, 1, 3], [1, 2, 1]]);
  near(counts[2]!.share, 0.75);
});
frames('messages: each send with its receive, and how long it waited', () => {
  const rows = messages(hand()).toRecords();
  assert.equal(rows.map(({ from, to, message }) => [from, to, message]),
    [[0, 1, 1], [0, 1, 3], [1, 0, 5]]);
  assert.equal(rows.map(({ sent_s, received_s }) => [sent_s, received_s]),
    [[1, 2], [5, 6], [8, 9.004]]);
  assert.equal(rows.map(({ send_tick, receive_tick }) => [send_tick, receive_tick]),
    [[0, 1], [2, 3], [4, 4]]);
  near(rows[2]!.wait_s, 1.004);
});
frames('messages: one row for each receiver; what nobody took has no receive', () => {
  const run = load(write([
    [[1, 0, 'send', '1 2', 1, 0, 1]], [[2, 0, 'receive', 0, 1, 0, 2]], [],
  ]));
  assert.equal(messages(run).select('to', 'received_s').rows(), [[1, 2], [2, null]]);
  const [one, two] = waits(run).toRecords();
  assert.equal([one!.machine, one!.taken, one!.not_taken, one!.max_wait_s], [1, 1, 0, 1]);
  assert.equal([two!.machine, two!.taken, two!.not_taken, two!.max_wait_s], [2, 0, 1, null]);
});
frames('waits: of those that were taken', () => {
  const [zero, one] = waits(hand()).toRecords();
  near(zero!.mean_wait_s, 1.004);
  assert.equal([one!.taken, one!.mean_wait_s, one!.median_wait_s, one!.max_wait_s], [2, 1, 1, 1]);
});
frames('mix: how ticks were spent, over the run and in slices of it', () => {
  assert.equal(mix(hand()).select('machine', 'event', 'ticks', 'share').rows(), [
    [0, 'internal', 2, 0.4], [0, 'receive', 1, 0.2], [0, 'send', 2, 0.4],
    [1, 'internal', 1, 0.25], [1, 'receive', 2, 0.5], [1, 'send', 1, 0.25]]);
  const slices = mix(hand(), 6).filter(pl.col('machine').eq(0));
  assert.equal(slices.select('from_s', 'to_s', 'event', 'ticks').rows(), [
    [0, 6, 'internal', 1], [0, 6, 'send', 2], [6, 10, 'internal', 1], [6, 10, 'receive', 1]]);
  near(column(slices, 'share')[1], 2 / 3);
});
frames('queues: a message counts from its sending, but no more than the next event finds', () => {
  // Two are sent before machine 1 looks, a third is lost: the log says that one was left.
  const run = load(write([
    [[1, 0, 'send', 1, 1, 0, 1], [2, 1, 'send', 1, 2, 0, 2], [3, 2, 'send', 1, 3, 0, 3],
      [10, '', 'stop', '', '', 0, 3]],
    [[0, '', 'start', '', '', 0, 0], [4, 0, 'receive', 0, 1, 1, 2], [6, 1, 'receive', 0, 2, 0, 3],
      [10, '', 'stop', '', '', 0, 3]],
  ]));
  const own = queues(run).filter(pl.col('machine').eq(1));
  assert.equal(own.select('time_s', 'queue').rows(),
    [[0, 0], [1, 1], [2, 2], [4, 1], [6, 0], [10, 0]]);
});
frames('pace: ticks of those that were due, and how late they came', () => {
  assert.equal(column(pace(hand()), 'pace'), [1, 0.8]);
  assert.match(latenessLine(hand()), /the worst 2\.0 ms; 1 skipped/);
});
frames('theory stands beside the measurement', async () => {
  const frame = await withTheory(hand());
  assert.equal(column(frame, 'theory_load').length, 2);
  assert.match(theoryTable(frame), /machine 1 +0\.50/);
  assert.match(comparisonTable(new Map([['a', frame], ['b', frame]])), /machine 1 b/);
});
frames.run();

const standings = suite('standing');
standings('gives the middle 95 of 100, and counts equal ones half', () => {
  const others = Array.from({ length: 1001 }, (_, nth) => (nth * 8) % 1001); // 0 … 1000, mixed.
  assert.equal(standing(250, others),
    { value: 250, low: 25, median: 500, high: 975, percentile: (100 * 250.5) / 1001 });
  assert.is(standing(1, [1, 1, 1, 1]).percentile, 50);
  assert.is(standing(0.5, [1, 2]).percentile, 0);
  assert.is(standing(3, new Float64Array([1, 2])).percentile, 100);
});
standings('refuses to compare with nothing', () => {
  assert.throws(() => standing(1, []), /nothing to compare with/);
});
standings.run();

const tables = suite('summaryTable');
tables('has lines of one length, a row a machine, and colours only if asked', () => {
  const frame = summary(hand());
  const plain = summaryTable(frame, { colour: false });
  const lengths = plain.split('\n').map((line) => line.length);
  assert.is(lengths[2], Math.max(...lengths));
  assert.is(lengths.length, 5);
  assert.not.match(plain, /\x1b/);
  assert.match(summaryTable(frame, { colour: true }), /\x1b\[38;2;0;114;178mmachine 0\x1b\[39m/);
});
tables.run();

// ── Happened-before ──────────────────────────────────────────────────────────────────────────

/** Who can reach whom: program order and messages, followed edge by edge. */
function reachable({ machine, cause }: ReturnType<typeof diagram>): Set<number>[] {
  const last = new Map<number, number>();
  const before: Set<number>[] = [];
  for (const [at, id] of machine.entries()) {
    const reached = new Set<number>();
    for (const from of [last.get(id), cause[at]! < 0 ? undefined : cause[at]]) {
      if (from === undefined) continue;
      reached.add(from);
      for (const further of before[from]!) reached.add(further);
    }
    before.push(reached);
    last.set(id, at);
  }
  return before;
}

const vectors = suite('vectorClocks');
vectors('are those that follow from the rows by hand', () => {
  const ticks = diagram(hand());
  assert.equal(ticks.machine, [1, 0, 1, 0, 0, 1, 0, 1, 0]);
  assert.equal(ticks.cause, [-1, -1, 1, -1, -1, 4, -1, -1, 7]);
  const clocks = vectorClocks(ticks);
  assert.equal(ticks.machine.map((_, at) => [...clocks.subarray(2 * at, 2 * at + 2)]),
    [[0, 1], [1, 0], [1, 2], [2, 0], [3, 0], [3, 3], [4, 0], [3, 4], [5, 4]]);
});
vectors('order two events just as happened-before does', () => {
  fc.assert(fc.property(anyRun, (wish) => {
    const ticks = diagram(virtual({ ...wish, duration_s: Math.min(8, wish.duration_s) }).run);
    const clocks = vectorClocks(ticks);
    const { machines, machine } = ticks;
    const before = reachable(ticks);
    for (let a = 0; a < machine.length; a++) {
      for (let b = 0; b < machine.length; b++) {
        const less = a !== b && Array.from({ length: machines }, (_, id) => id)
          .every((id) => clocks[a * machines + id]! <= clocks[b * machines + id]!);
        if (less !== before[b]!.has(a)) assert.unreachable(`${a} and ${b}`);
      }
    }
  }), { numRuns: runs(1, 4) });
});
vectors('do not hang on logs that contradict themselves', () => {
  // Each receives what the other sends only later.
  const run = load(write([
    [[1, 0, 'receive', 1, 9, 0, 10], [2, 1, 'send', 1, 11, 0, 11]],
    [[1, 0, 'receive', 0, 11, 0, 12], [2, 1, 'send', 0, 9, 0, 9]],
  ]));
  assert.is(vectorClocks(diagram(run)).length, 8);
});
vectors('of the first part of a run are those of the whole', () => {
  const { run } = virtual({ seed: 5, internal: 0.3, rates_hz: [3, 5, 2], duration_s: 10 });
  const [part, whole] = [diagram(run, 40), diagram(run)];
  assert.is(part.machine.length, 40);
  assert.is(part.events, whole.machine.length);
  assert.equal([...vectorClocks(part)], [...vectorClocks(whole)].slice(0, 120));
});
vectors.run();

const log = suite('shiviz');
log('is read by the expression in its first line, as ShiViz reads it', () => {
  const { run } = virtual({ seed: 3, internal: 0.5, rates_hz: [2, 5, 3], duration_s: 10 });
  const [expression, delimiter, ...rest] = shiviz(run).split('\n');
  assert.is(delimiter, '');
  const found = [...rest.join('\n').matchAll(new RegExp(expression!, 'gm'))]
    .map(({ groups }) => ({ ...groups, clock: JSON.parse(groups!.clock!) }) as
      unknown as { host: string; event: string; time: string; clock: Record<string, number> });
  const ticks = diagram(run);
  assert.is(found.length, ticks.machine.length);
  assert.ok(found.some(({ event }) => /^send \d+ to \d and \d, clock \d+, queue \d+$/.test(event)));
  // What ShiViz asks for: a host's own entry goes up by one from 1, and nothing comes from nowhere.
  const own: Record<string, number> = {};
  for (const { host, clock, time } of found) {
    own[host] = (own[host] ?? 0) + 1;
    assert.is(clock[host], own[host]);
    for (const [other, n] of Object.entries(clock)) assert.ok(n <= own[other]!, `${other} ${n}`);
    assert.ok(Number(time) >= 0);
  }
});
log.run();
