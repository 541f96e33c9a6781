/**
 * What the theory is held against: long virtual runs over a grid of settings, drawn before the
 * formulas were looked at. Each line of the result is one setting, with the growth of the highest
 * clock and the mean lag at each of its rates, each with half its 95 % interval.
 *
 *   npx tsx bench/theory.ts bench/theory.jsonl                  the grid, about 3 minutes of CPU
 *   npx tsx bench/theory.ts --seed 2 bench/theory-2.jsonl       another one, to be surprised by
 *   npx tsx bench/theory.ts --dry                               what would be run
 *
 * `npx tsx theory.ts --grid` prints the theory's errors over such a file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DataFrame } from 'nodejs-polars';
import { meanWithInterval } from '../lab/theory/cephes.ts';
import { stream, uniform } from '../machine.ts';
import { sweep } from '../sweep.ts';
import { predict, type Setting } from '../theory.ts';

/** Runs of a setting, each with phases of its own. */
const RUNS = 40;
/**
 * Rates such as 2-4-6 or 5-5-5 keep their phases for ever, and a lag depends on them by up to one.
 * So they are run apart by so little that nothing else changes and all phases are met.
 */
const APART = 4e-4;
/** Half an interval that is aimed at, as a part of the lag, and the ticks that it may cost. */
const ACCURACY = 0.01;
const TICKS_MAX = 2e8;
const MACHINES = [3, 4, 5, 6, 8, 10, 15, 20, 30];
const INTERNAL = [0.5, 0.6, 0.7, 0.8, 0.9];
/** The load of the slowest machine: so far from that of equal machines to 0.95. */
const LOADS = [0.3, 0.5, 0.7, 0.85, 1];
const FASTEST_HZ = 10;
const SHAPES = ['hub', 'ladder', 'random', 'groups', 'draw'] as const;

/** Numbers one after the other from a stream of the lab. */
function dice(seed: number): () => number {
  const [numbers, n] = [stream(seed, 0, 0), { next: 0 }];
  return () => uniform(numbers, n.next++);
}

const loadOf = (rates_hz: number[], internal: number) =>
  Math.max(...predict({ rates_hz, internal }).map(({ load }) => load));

/** How far each machine is below the fastest, as a part of the most that is wanted. */
function depths(shape: (typeof SHAPES)[number], machines: number, roll: () => number): number[] {
  const slow = 1 + Math.floor(roll() * (machines - 1));
  return Array.from({ length: machines }, (_, id) => {
    if (shape === 'hub') return id === 0 ? 0 : 1;
    if (shape === 'ladder') return id / (machines - 1);
    if (shape === 'groups') return id < slow ? 1 : 0;
    return id === 0 ? 0 : roll();
  });
}

/** Rates of a shape, spread so far that the slowest has the load that is aimed at. */
function ratesOf(
  shape: (typeof SHAPES)[number], machines: number, internal: number, roll: () => number,
): number[] {
  // A draw of the exercise, in which one machine may be overloaded.
  if (shape === 'draw') return Array.from({ length: machines }, () => 1 + Math.floor(6 * roll()));
  const deep = depths(shape, machines, roll);
  const equal = loadOf(deep.map(() => FASTEST_HZ), internal);
  const load = equal + (0.95 - equal) * LOADS[Math.floor(roll() * LOADS.length)]!;
  let [low, high] = [0, 0.9];
  const rates = (x: number) =>
    deep.map((depth) => Math.round(100 * FASTEST_HZ * (1 - x * depth)) / 100);
  for (let n = 0; n < 30; n++) {
    const middle = (low + high) / 2;
    if (loadOf(rates(middle), internal) < load) low = middle;
    else high = middle;
  }
  return rates(low);
}

/** Some unequal settings for each number of machines and `internal`, and the equal ones. */
function grid(seed: number): Setting[] {
  const roll = dice(seed);
  return MACHINES.flatMap((machines, row) => INTERNAL.flatMap((internal, column) => {
    const many = machines === 3 ? 6 : machines <= 6 ? 3 : 2;
    const unequal = Array.from({ length: many }, (_, n) =>
      ratesOf(SHAPES[(row + column + n) % SHAPES.length]!, machines, internal, roll));
    const equal = Array<number>(machines).fill(FASTEST_HZ);
    return [...unequal, equal].map((rates_hz) => ({ rates_hz, internal }));
  }));
}

/** Model seconds of each run: a queue forgets in 1/(1 − ρ)² slots, and a mean needs many such. */
function durationOf({ rates_hz, internal }: Setting): number {
  const live = predict({ rates_hz, internal }).filter(({ load }) => load < 1);
  const slow = live.reduce((a, b) => (b.load > a.load ? b : a));
  const slots = (4 * 2 / (1 - slow.load) ** 2) / ACCURACY ** 2;
  const sum_hz = rates_hz.reduce((sum, rate) => sum + rate, 0);
  const duration_s = Math.min(slots / slow.rate_hz, TICKS_MAX / sum_hz) / RUNS;
  return Math.ceil(duration_s);
}

/** A setting's line: for each rate the mean over its machines. */
function measured(setting: Setting, duration_s: number, frame: DataFrame) {
  const machines = setting.rates_hz.length;
  const [lags, clocks] = ['mean_lag', 'final_clock'].map((name) =>
    frame.getColumn(name).toArray() as number[]);
  const runs = Array.from({ length: RUNS }, (_, run) => run * machines);
  const growth = meanWithInterval(runs.map((first) =>
    Math.max(...clocks!.slice(first, first + machines)) / duration_s));
  const live = new Set(predict(setting).filter(({ load }) => load < 1).map((p) => p.rate_hz));
  const of = [...live].map((rate) => {
    const ids = [...setting.rates_hz.keys()].filter((id) => setting.rates_hz[id] === rate);
    const lag = meanWithInterval(runs.map((first) =>
      ids.reduce((sum, id) => sum + lags![first + id]!, 0) / ids.length));
    return { rate_hz: rate, ...lag };
  });
  const short = (_: string, x: unknown) =>
    (typeof x === 'number' ? Number(x.toPrecision(6)) : x);
  return JSON.stringify({ ...setting, duration_s, growth_hz: growth, lags: of }, short);
}

const { values: { seed, dry }, positionals: [file] } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, dry: { type: 'boolean', default: false } },
});
const settings = grid(Number(seed));
const lines: string[] = [];
let ticks = 0;
for (const setting of settings) {
  const duration_s = durationOf(setting);
  ticks += duration_s * RUNS * setting.rates_hz.reduce((sum, rate) => sum + rate, 0);
  if (dry) console.log(`${setting.internal} ${duration_s} s ${setting.rates_hz}`);
  else {
    const rates_hz = setting.rates_hz.map((rate, id) => rate * (1 + APART * ((0.618 * id) % 1)));
    const frame = await sweep({ ...setting, rates_hz, duration_s, runs: RUNS });
    lines.push(measured(setting, duration_s, frame));
    if (file) writeFileSync(file, `${lines.join('\n')}\n`);
  }
}
console.error(`${settings.length} settings, ${(ticks / 1e9).toFixed(1)} milliard ticks`);
