/**
 * How fast the engine is, what a tick costs among many machines, and how much memory it takes.
 *
 *   npm run bench                                  everything, in two or three minutes
 *   npm run bench -- --quick                       a tenth of the work, in half a minute
 *   npm run bench -- --check                       ends with 1 if a ratio falls below its bound
 *   npm run bench -- --wires                       what tcp and grpc cost, in half a minute
 *
 * The engine stands beside the plain loop over the rule, a C program and SimPy, which do the same
 * runs: their clocks are compared. Times are those of the best of several rounds, since whatever
 * else a computer does only adds to them; the engine and C take turns, and for them the medians
 * stand beside. The million runs are timed once, from the call to the rows.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from 'simple-statistics';
import { script } from '../lab/cli/options.ts';
import { table } from '../lab/cli/table.ts';
import { configure, type Configuration } from '../lab/model/run.ts';
import { Engine } from '../lab/virtual/engine.ts';
import { PERFECT } from '../lab/model/network.ts';
import { expectedTicks } from '../lab/virtual/statistics.ts';
import { sweep } from '../sweep.ts';
import { plain } from './plain.ts';
import { benchWires } from './wires.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** How many times as long each must take at least. Ratios alone: no computer is another. */
const FASTER_THAN = { 'plain loop': 4, C: 1.3, SimPy: 20 };
/** At 1,000 machines and more, to three: a tick alone, and a tick or message. */
const TICK_MOST = 3;
const EVENT_MOST = 6;
// ─────────────────────────────────────────────────────────────────────────────────────────────

const { quick, check, wires } = script(import.meta.url)
  .option('--quick', 'a tenth of the work', false)
  .option('--check', 'ratios alone; ends with 1 if one falls below its bound', false)
  .option('--wires', 'the wires alone: what tcp and grpc cost', false)
  .parse().opts<{ quick: boolean; check: boolean; wires: boolean }>();
const SHARE = quick ? 0.1 : 1;
const ROUNDS = quick ? 3 : 7;
const ENGINE = 'this engine, all statistics';
const RATES_HZ = [1, 4, 6];
const INTERNAL = 0.7;

const configuration = (rates_hz: number[], duration_s: number, seed: number, internal = INTERNAL) =>
  configure({ seed, machines: rates_hz.length, rates_hz, internal, duration_s, speed: 1 });

function print(title: string, head: string[], rows: (string | number)[][]): void {
  const columns = head.map((heading, column) =>
    ({ heading, ...(column === 0 && { align: 'left' as const }) }));
  console.log(`\n${title}\n${table(columns, rows, { most: rows.length })}`);
}
const millions = (x: number) => (x / 1e6).toFixed(1);

/** What other programs need for the same runs: CPU seconds and ticks, or null without the tool. */
function outside(command: string, words: string[], runs: number, check: number) {
  const { status, stdout } = spawnSync(command,
    [...words, ...[runs, INTERNAL, 60, ...RATES_HZ].map(String)], { encoding: 'utf8' });
  if (status !== 0) return null;
  const [seconds, ticks, sum] = stdout.split(' ').map(Number) as [number, number, number];
  if (sum !== check) throw new Error(`${command}: its clocks are not the engine's`);
  return { seconds, ticks };
}

/** The C program, compiled where a compiler is; the path of it, or null. */
function compiled(folder: string): string | null {
  const path = join(folder, 'reference');
  const { status } = spawnSync('cc',
    ['-O3', '-march=native', '-o', path, here('reference.c'), '-lm']);
  return status === 0 ? path : null;
}
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Seconds of the best round, since whatever else runs only adds to them. */
function best(rounds: number, work: () => void): number {
  let seconds = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begin_ms = performance.now();
    work();
    seconds = Math.min(seconds, (performance.now() - begin_ms) / 1000);
  }
  return seconds;
}

/** This engine, the plain loop, C and SimPy on the same runs; ns a tick. */
function compareAll(): Record<string, number> {
  const runs = 5000;
  const engine = new Engine(RATES_HZ.length);
  const one = (seed: number) => configuration(RATES_HZ, 60, seed);
  let check = 0;
  const checks = [0];
  for (let seed = 1; seed <= runs; seed++) {
    const { final_clock, final_queue } = engine.run(one(seed), PERFECT);
    for (const id of RATES_HZ.keys()) check += final_clock[id]! + final_queue[id]!;
    checks.push(check);
  }
  const ticks = (many: number) => many * expectedTicks({ rates_hz: RATES_HZ, duration_s: 60 });
  const all = Array.from({ length: runs }, (_, nth) => one(nth + 1));
  const found: Record<string, number> = {};
  const few = all.slice(0, runs / 5);
  found['plain loop over step, all statistics'] = (1e9 * best(3, () => {
    for (const each of few) plain(each);
  })) / ticks(few.length);

  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const program = compiled(folder);
  // In turn and in short rounds. A processor whose other half works for somebody else does so for
  // some rounds and not for others: it slows the engine, which
  // keeps all of a core busy, more than it slows C, which waits for wrongly guessed branches.
  const rounds_ns: Record<string, number[]> = {};
  const note = (name: string, seconds: number, many: number) =>
    (rounds_ns[name] ??= []).push((1e9 * seconds) / many);
  for (let round = 0; round < 12 * ROUNDS; round++) {
    note(ENGINE, best(1, () => { for (const each of all) engine.run(each, PERFECT); }),
      ticks(runs));
    const c = program && outside(program, [], runs, checks[runs]!);
    if (c) note('C -O3, straightforward, all statistics', c.seconds, c.ticks);
  }
  for (const [name, each_ns] of Object.entries(rounds_ns)) found[name] = Math.min(...each_ns);
  rmSync(folder, { recursive: true });
  const simPy = ['/usr/bin/python3', 'python3'].map((python) =>
    outside(python, [here('simpy_reference.py')], 50, checks[50]!)).find((each) => each !== null);
  if (simPy) found['SimPy, no statistics'] = (1e9 * simPy.seconds) / simPy.ticks;
  for (const [tool, name] of [['cc', program], ['python3 with SimPy', simPy]] as const) {
    if (!name) console.log(`without: ${tool}`);
  }
  const first = found[ENGINE]!;
  print('Rates 1-4-6, internal 0.7, no latency, one-minute runs, one thread',
    ['', 'ns a tick', 'to the engine', 'median ns'], Object.entries(found)
      .sort(([, a], [, b]) => a - b).map(([name, ns]) => [name, ns.toFixed(1),
        (ns / first).toFixed(2), rounds_ns[name] ? median(rounds_ns[name]!).toFixed(1) : '']));
  return found;
}

/** The whole of a sweep, as a notebook calls it. */
async function sweepAll(): Promise<void> {
  const many = 1e6 * SHARE;
  const begin_ms = performance.now();
  const before = process.cpuUsage();
  const frame = await sweep({ rates_hz: RATES_HZ, runs: many });
  const sweep_s = (performance.now() - begin_ms) / 1000;
  const used = process.cpuUsage(before);
  const sweptTicks = frame.getColumn('ticks').sum();
  console.log(`\nsweep() of ${many.toLocaleString('en')} one-minute runs, `
    + `${availableParallelism()} workers: ${sweep_s.toFixed(1)} s, `
    + `${millions(sweptTicks / sweep_s)} million ticks a second, `
    + `${((used.user + used.system) / 1e6).toFixed(1)} s of CPU time`);
}

/** A tick alone, where nobody sends, and a tick or a message where everybody does. */
function size(): { machines: number; tick: number; event: number }[] {
  const sizes = [3, 10, 100, 1000, 10_000].map((machines) => {
    const rates_hz = Array.from({ length: machines }, (_, id) =>
      (machines === 3 ? RATES_HZ[id]! : 1 + (id % 6)));
    // Not so long that three machines lose the order that repeats exactly.
    const duration_s = Math.min(6000, Math.ceil(1e6 / expectedTicks({ rates_hz, duration_s: 1 })));
    const [quiet, busy] = [1, INTERNAL].map((internal) =>
      configuration(rates_hz, duration_s, 1, internal)) as [Configuration, Configuration];
    const engine = new Engine(machines);
    return { machines, quiet, busy, engine, ticks: expectedTicks(busy),
      sent: engine.run(busy, PERFECT).sent, quiet_s: Infinity, busy_s: Infinity };
  });
  for (let round = 0; round < 3 * ROUNDS; round++) {
    for (const each of sizes) {
      const { engine, quiet, busy } = each;
      each.quiet_s = Math.min(each.quiet_s, best(1, () => engine.run(quiet, PERFECT)));
      each.busy_s = Math.min(each.busy_s, best(1, () => engine.run(busy, PERFECT)));
    }
  }
  const measured = sizes.map(({ machines, ticks, sent, quiet_s, busy_s }) => ({ machines, ticks,
    sent, tick_ns: (1e9 * quiet_s) / ticks, event_ns: (1e9 * busy_s) / (ticks + sent) }));
  const least = measured[0]!;
  print('Cost of a tick without messages, and of a tick or message with them',
    ['machines', 'ticks', 'messages', 'ns a tick', 'to N = 3', 'ns a tick or message', 'to N = 3'],
    measured.map(({ machines, ticks, sent, tick_ns, event_ns }) => [
      machines, ticks, sent, tick_ns.toFixed(0), (tick_ns / least.tick_ns).toFixed(1),
      event_ns.toFixed(0), (event_ns / least.event_ns).toFixed(1)]));
  return measured.map(({ machines, tick_ns, event_ns }) =>
    ({ machines, tick: tick_ns / least.tick_ns, event: event_ns / least.event_ns }));
}

/** Peak memory, each in a process of its own. */
function memory(): void {
  const measured = (...words: string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'),
      fileURLToPath(new URL('memory.ts', import.meta.url)), ...words], { encoding: 'utf8' });
    if (stderr) console.error(stderr);
    return stdout.trim().split(' ');
  };
  const ticks = String(1e8 * SHARE);
  const runs = [1e4, 1e5, 1e6].map((n) => String(n * SHARE));
  print('Peak memory of the process', ['', 'left in queues or rows', 'MB'], [
    ['nothing but the scripts', ...measured('nothing')],
    [`one run of ${ticks} ticks, rates 5-60-5`, ...measured('run', ticks, '5,60,5', '0.7')],
    [`one run of ${ticks} ticks, rates 1-99, all send`, ...measured('run', ticks, '1,99', '0')],
    ...runs.map((n) => [`sweep of ${n} runs, summary`, ...measured('sweep', n, 'summary')]),
    ...runs.map((n) => [`sweep of ${n} runs, rows`, ...measured('sweep', n, 'rows')]),
  ]);
}

/** What fell below a bound, in words. */
function missed(
  found: Record<string, number>, sizes: ReturnType<typeof size>,
): string[] {
  const engine = found[ENGINE]!;
  const slow = Object.entries(FASTER_THAN).flatMap(([name, least]) => {
    const entry = Object.entries(found).find(([each]) => each.startsWith(name));
    const ratio = entry ? entry[1] / engine : Infinity;
    return ratio >= least ? [] : [`${name} takes ${ratio.toFixed(2)} times the engine's time, `
      + `at least ${least} is promised`];
  });
  const large = sizes.filter(({ machines, tick, event }) => machines >= 1000
    && (tick > TICK_MOST || event > EVENT_MOST));
  return [...slow, ...large.map(({ machines, tick, event }) => `${machines} machines: a tick `
    + `${tick.toFixed(1)} times and an event ${event.toFixed(1)} times as much as three, `
    + `${TICK_MOST} and ${EVENT_MOST} are promised`)];
}

if (wires) {
  await benchWires();
  process.exit();
}
console.log(
  `${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, Node ${process.version}`);
if (!check) memory(); // First: on Linux a process starts with the peak of the one that started it.
const found = compareAll();
const sizes = size();
if (!check) await sweepAll();
if (!check) await benchWires();
const misses = missed(found, sizes);
for (const miss of misses) console.log(`\n${miss}`);
if (check) process.exit(misses.length > 0 ? 1 : 0);
