/**
 * How fast the engine is, what a tick costs among many machines, and how much memory it takes.
 *
 *   npm run bench                                  everything, in two or three minutes
 *   node --import tsx bench/speed.ts --quick       a tenth of the work, in half a minute
 *
 * Times are those of the best of several rounds, since whatever else runs only adds to them; the
 * million runs are timed once, from the call to the rows.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { script } from '../lab/cli/options.ts';
import { PURPOSE, stream } from '../lab/model/chance.ts';
import { configure, type Configuration } from '../lab/model/run.ts';
import { Engine } from '../lab/virtual/engine.ts';
import { PERFECT } from '../lab/model/network.ts';
import { expectedTicks } from '../lab/virtual/statistics.ts';
import { sweep } from '../sweep.ts';

const { quick } = script(import.meta.url).option('--quick', 'a tenth of the work', false)
  .parse().opts<{ quick: boolean }>();
const SHARE = quick ? 0.1 : 1;
const ROUNDS = quick ? 3 : 7;
const RATES_HZ = [1, 4, 6];
const INTERNAL = 0.7;

const configuration = (rates_hz: number[], duration_s: number, seed: number, internal = INTERNAL) =>
  configure({ seed, machines: rates_hz.length, rates_hz, internal, duration_s, speed: 1 });

/** Seconds of the best round. */
function best(rounds: number, work: () => void): number {
  let seconds = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begin_ms = performance.now();
    work();
    seconds = Math.min(seconds, (performance.now() - begin_ms) / 1000);
  }
  return seconds;
}

/**
 * What one would write by hand for this exercise and nothing else: the rule spelled out in the
 * loop, a scan for the next tick, no statistics. The same chance, so that the result can be
 * compared; it is here to be measured, and nothing else uses it. Returns the final clocks.
 */
function byHand({ seed, rates_hz, phases, internal, duration_s }: Configuration): number[] {
  const machines = rates_hz.length;
  const keys = rates_hz.map((_, id) => stream(seed, id, PURPOSE.rolls));
  const clocks = rates_hz.map(() => 0);
  const ticks = rates_hz.map(() => 0);
  const due = rates_hz.map((rate_hz, id) => phases[id]! / rate_hz);
  const queues: number[][] = rates_hz.map(() => []);
  const heads = rates_hz.map(() => 0);
  const sends = 1 - internal;
  for (;;) {
    let id = 0;
    for (let other = 1; other < machines; other++) if (due[other]! < due[id]!) id = other;
    if (due[id]! >= duration_s) return clocks;
    const tick = ticks[id]!++;
    due[id] = (tick + 1 + phases[id]!) / rates_hz[id]!;
    const queue = queues[id]!;
    if (heads[id]! < queue.length) {
      clocks[id] = Math.max(clocks[id]!, queue[heads[id]!++]!) + 1;
      continue;
    }
    const clock = ++clocks[id]!;
    let word = tick ^ keys[id]!.first;
    for (let half = 0; half < 2; half++) {
      word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
      word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
      word = (word ^ (word >>> 16)) + (half === 0 ? keys[id]!.second : 0);
    }
    const roll = (word >>> 0) / 2 ** 32;
    if (roll >= sends) continue;
    const place = Math.floor(((1.5 * roll) / sends) * (machines - 1));
    const to = place < id ? place : place + 1;
    for (let other = 0; other < machines; other++) {
      if (other !== id && (other === to || 3 * roll >= 2 * sends)) queues[other]!.push(clock);
    }
  }
}

function print(title: string, head: string[], rows: (string | number)[][]): void {
  const table = new Table({ head, style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')) });
  table.push(...rows.map((row) => row.map(String)));
  console.log(`\n${title}\n${table}`);
}
const millions = (x: number) => (x / 1e6).toFixed(1);

async function throughput(): Promise<void> {
  const runs = 2000;
  const ticks = runs * expectedTicks({ rates_hz: RATES_HZ, duration_s: 60 });
  const engine = new Engine(RATES_HZ.length);
  const seeds = Array.from({ length: runs }, (_, n) => 1 + n);
  for (const seed of seeds.slice(0, 100)) { // They must do the same work to be compared.
    const one = configuration(RATES_HZ, 60, seed);
    const clocks = engine.run(one, PERFECT).final_clock;
    if (`${byHand(one)}` !== `${clocks}`) throw new Error(`seed ${seed}: the two loops differ`);
  }
  const engine_s = best(3 * ROUNDS, () => {
    for (const seed of seeds) engine.run(configuration(RATES_HZ, 60, seed), PERFECT);
  });
  const hand_s = best(3 * ROUNDS, () => {
    for (const seed of seeds) byHand(configuration(RATES_HZ, 60, seed));
  });
  const long = configuration(RATES_HZ, 1e6, 1);
  const long_s = best(ROUNDS, () => engine.run(long, PERFECT));

  const many = 1e6 * SHARE;
  const begin_ms = performance.now();
  const before = process.cpuUsage();
  const frame = await sweep({ rates_hz: RATES_HZ, runs: many });
  const sweep_s = (performance.now() - begin_ms) / 1000;
  const used = process.cpuUsage(before);
  const sweptTicks = frame.getColumn('ticks').sum();
  print('Rates 1-4-6, internal 0.7, no latency', ['', 'million ticks', 's', 'million ticks/s'], [
    ['loop by hand, no statistics, one-minute runs', millions(ticks), hand_s.toFixed(3),
      millions(ticks / hand_s)],
    ['engine, all statistics, one-minute runs', millions(ticks), engine_s.toFixed(3),
      millions(ticks / engine_s)],
    ['engine, all statistics, one run of 10^6 s', millions(expectedTicks(long)), long_s.toFixed(3),
      millions(expectedTicks(long) / long_s)],
    [`sweep() of ${many.toLocaleString('en')} one-minute runs, ${availableParallelism()} workers`,
      millions(sweptTicks), sweep_s.toFixed(1), millions(sweptTicks / sweep_s)],
  ]);
  console.log(`engine : loop by hand = ${(hand_s / engine_s).toFixed(2)} : 1; the sweep took `
    + `${((used.user + used.system) / 1e6).toFixed(1)} s of CPU time`);
}

/** A tick alone, where nobody sends, and a tick or a message where everybody does. */
function size(): void {
  const measured = [3, 10, 100, 1000, 10_000].map((machines) => {
    const rates_hz = Array.from({ length: machines }, (_, id) =>
      (machines === 3 ? RATES_HZ[id]! : 1 + (id % 6)));
    const duration_s = Math.ceil(1e6 / expectedTicks({ rates_hz, duration_s: 1 }));
    const engine = new Engine(machines);
    const [quiet, busy] = [1, INTERNAL].map((internal) =>
      configuration(rates_hz, duration_s, 1, internal));
    const ticks = expectedTicks(busy!);
    const quiet_s = best(3 * ROUNDS, () => engine.run(quiet!, PERFECT));
    const busy_s = best(3 * ROUNDS, () => engine.run(busy!, PERFECT));
    const { sent } = engine.run(busy!, PERFECT);
    return { machines, ticks, sent, tick_ns: (1e9 * quiet_s) / ticks,
      event_ns: (1e9 * busy_s) / (ticks + sent) };
  });
  const least = measured[0]!;
  print('Cost of a tick without messages, and of a tick or message with them',
    ['machines', 'ticks', 'messages', 'ns a tick', 'to N = 3', 'ns a tick or message', 'to N = 3'],
    measured.map(({ machines, ticks, sent, tick_ns, event_ns }) => [
      machines, ticks, sent, tick_ns.toFixed(0), (tick_ns / least.tick_ns).toFixed(1),
      event_ns.toFixed(0), (event_ns / least.event_ns).toFixed(1)]));
}

/** Peak memory, each in a process of its own. */
function memory(): void {
  const of = (...words: string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'),
      fileURLToPath(new URL('memory.ts', import.meta.url)), ...words], { encoding: 'utf8' });
    if (stderr) console.error(stderr);
    return stdout.trim().split(' ');
  };
  const ticks = String(1e8 * SHARE);
  const runs = [1e4, 1e5, 1e6].map((n) => String(n * SHARE));
  print('Peak memory of the process', ['', 'left in queues or rows', 'MB'], [
    ['nothing but the scripts', ...of('nothing')],
    [`one run of ${ticks} ticks, rates 5-60-5`, ...of('run', ticks, '5,60,5', '0.7')],
    [`one run of ${ticks} ticks, rates 1-99, all send`, ...of('run', ticks, '1,99', '0')],
    ...runs.map((n) => [`sweep of ${n} runs, summary`, ...of('sweep', n, 'summary')]),
    ...runs.map((n) => [`sweep of ${n} runs, rows`, ...of('sweep', n, 'rows')]),
  ]);
}

console.log(
  `${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, Node ${process.version}`);
memory(); // First: on Linux a process starts with the peak of the one that started it.
await throughput();
size();
