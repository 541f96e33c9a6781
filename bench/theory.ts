/**
 * What the theory is held against: long virtual runs over a grid of settings, drawn before the
 * formulas were looked at. Each line of the result is one setting, with the growth of the highest
 * clock and the mean lag at each of its rates, each with half its 95 % interval.
 *
 *   npx tsx bench/theory.ts bench/theory.jsonl                  the grid, about 3 minutes of CPU
 *   npx tsx bench/theory.ts --seed 2 bench/theory-2.jsonl       another one, to be surprised by
 *   npx tsx bench/theory.ts --random 60 --seed 2 bench/theory-unseen.jsonl    without a plan
 *   npx tsx bench/theory.ts --fit 900 more.jsonl                what bench/fit.ts can learn from
 *   npx tsx bench/theory.ts --dry                               what would be run
 *
 * `npx tsx theory.ts --grid` prints the theory's errors over such a file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DataFrame } from 'nodejs-polars';
import { meanWithInterval } from '../lab/theory/cephes.ts';
import { stream, uniform } from '../lab/model/chance.ts';
import { sweep } from '../sweep.ts';
import { freeTicks, sendShare, type Setting } from '../theory.ts';

/** Runs of a setting, each with phases of its own. */
const RUNS = 40;
const RUNS_FIT = 10;
/**
 * Rates such as 2-4-6 or 5-5-5 keep their phases for ever, and a lag depends on them by up to one.
 * So they are run apart by so little that nothing else changes and all phases are met.
 */
const APART = 4e-4;
/** Half an interval that is aimed at, as a part of the lag, and the ticks that it may cost. */
const ACCURACY = 0.01;
const TICKS_MAX = 2e8;
const TICKS_MAX_FIT = 1.2e7;
const TICKS_MAX_RANDOM = 6e7;
const MACHINES = [3, 4, 5, 6, 8, 10, 15, 20, 30];
const INTERNAL = [0.5, 0.6, 0.7, 0.8, 0.9];
/** The load of the slowest machine: so far from that of equal machines to 0.95. */
const LOADS = [0.3, 0.5, 0.7, 0.85, 1];
const FASTEST_HZ = 10;
const SHAPES = ['hub', 'ladder', 'random', 'groups', 'draw'] as const;
const LESSONS = ['hub', 'ladder', 'random', 'groups', 'draw', 'pack', 'hub', 'equal'] as const;
type Shape = (typeof LESSONS)[number];

/** Numbers one after the other from a stream of the lab. */
function dice(seed: number): () => number {
  const [numbers, n] = [stream(seed, 0, 0), { next: 0 }];
  return () => uniform(numbers, n.next++);
}

/** The load of each machine. */
function loads({ rates_hz, internal }: Setting): number[] {
  const send = sendShare(rates_hz.length, internal);
  const { free_hz, sum_hz } = freeTicks(rates_hz, send);
  return rates_hz.map((rate, id) => (send * (sum_hz - free_hz[id]!)) / rate);
}
const loadOf = (rates_hz: number[], internal: number) => Math.max(...loads({ rates_hz, internal }));

/** Settings to learn from, denser where more can differ; three machines at any `internal`. */
function lessons(seed: number, many: number): Setting[] {
  const roll = dice(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(roll() * list.length)]!;
  return Array.from({ length: many }, () => {
    const machines = pick([3, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30]);
    const from = machines === 3 ? 0.03 : 0.44;
    const internal = Math.round(1000 * (from + (0.97 - from) * roll())) / 1000;
    const shape = pick(LESSONS);
    if (shape === 'equal') return { internal, rates_hz: Array<number>(machines).fill(FASTEST_HZ) };
    return { internal, rates_hz: ratesOf(shape, machines, internal, roll, 0.1 + roll()) };
  });
}

/** How far each machine is below the fastest, as a part of the most that is wanted. */
function depths(shape: Shape, machines: number, roll: () => number): number[] {
  const slow = 1 + Math.floor(roll() * (machines - 1));
  return Array.from({ length: machines }, (_, id) => {
    if (shape === 'hub') return id === 0 ? 0 : 1;
    if (shape === 'ladder') return id / (machines - 1);
    if (shape === 'groups') return id < slow ? 1 : 0;
    return id === 0 ? 0 : shape === 'pack' ? roll() ** 2 : roll();
  });
}

/** Rates of a shape, spread so far that the slowest has the load that is aimed at. */
function ratesOf(
  shape: Shape, machines: number, internal: number, roll: () => number, part?: number,
): number[] {
  // A draw of the exercise, in which one machine may be overloaded.
  if (shape === 'draw') return Array.from({ length: machines }, () => 1 + Math.floor(6 * roll()));
  const deep = depths(shape, machines, roll);
  const equal = loadOf(deep.map(() => FASTEST_HZ), internal);
  const load = equal + (0.95 - equal) * (part ?? LOADS[Math.floor(roll() * LOADS.length)]!);
  let [low, high] = [0, part === undefined ? 0.9 : 0.95];
  const rates = (x: number) =>
    deep.map((depth) => Math.round(100 * FASTEST_HZ * (1 - x * depth)) / 100);
  for (let n = 0; n < 30; n++) {
    const middle = (low + high) / 2;
    if (loadOf(rates(middle), internal) < load) low = middle;
    else high = middle;
  }
  return rates(low);
}

/**
 * Settings without a plan, as somebody else might draw them to look for an error: any number of
 * machines, any rates above a part of the highest, as long as no machine's load is above 0.95.
 */
function unseen(seed: number, many: number): Setting[] {
  const roll = dice(seed);
  const settings: Setting[] = [];
  while (settings.length < many) {
    const machines = Math.floor(3 * 11 ** roll());
    const internal = Math.round(1000 * (0.5 + 0.4 * roll())) / 1000;
    const [least, kind] = [0.05 + 0.9 * roll(), roll()];
    const rates_hz = Array.from({ length: machines }, () => {
      const part = kind < 0.5 ? least + (1 - least) * roll() : least ** roll();
      return kind > 0.8 ? Math.ceil(12 * part) : Math.round(100 * FASTEST_HZ * part) / 100;
    });
    const unequal = new Set(rates_hz).size > 1;
    if (machines <= 30 && unequal && loadOf(rates_hz, internal) <= 0.95) {
      settings.push({ rates_hz, internal });
    }
  }
  return settings;
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
function durationOf(
  { rates_hz, internal }: Setting, runs: number, ticks_max: number,
): number {
  const all = loads({ rates_hz, internal });
  const load = Math.max(...all.filter((load) => load < 1));
  const slots = (4 * 2 / (1 - load) ** 2) / ACCURACY ** 2;
  const sum_hz = rates_hz.reduce((sum, rate) => sum + rate, 0);
  const duration_s = Math.min(slots / rates_hz[all.indexOf(load)]!, ticks_max / sum_hz) / runs;
  return Math.ceil(duration_s);
}

/** A setting's line: for each rate the mean over its machines. */
function measured(setting: Setting, duration_s: number, frame: DataFrame) {
  const machines = setting.rates_hz.length;
  const [lags, clocks] = ['mean_lag', 'final_clock'].map((name) =>
    frame.getColumn(name).toArray() as number[]);
  const runs = Array.from({ length: lags!.length / machines }, (_, run) => run * machines);
  const growth = meanWithInterval(runs.map((first) =>
    Math.max(...clocks!.slice(first, first + machines)) / duration_s));
  const live = new Set(setting.rates_hz.filter((_, id) => loads(setting)[id]! < 1));
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

const { values: { seed, dry, fit, random }, positionals: [file] } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, dry: { type: 'boolean', default: false },
    fit: { type: 'string' }, random: { type: 'string' } },
});
const runs = fit ? RUNS_FIT : RUNS;
const ticks_max = fit ? TICKS_MAX_FIT : random ? TICKS_MAX_RANDOM : TICKS_MAX;
const settings = fit ? lessons(Number(seed) + 1000, Number(fit))
  : random ? unseen(Number(seed) + 2000, Number(random)) : grid(Number(seed));
const lines: string[] = [];
let ticks = 0;
for (const setting of settings) {
  const duration_s = durationOf(setting, runs, ticks_max);
  ticks += duration_s * runs * setting.rates_hz.reduce((sum, rate) => sum + rate, 0);
  if (dry) console.log(`${setting.internal} ${duration_s} s ${setting.rates_hz}`);
  else {
    const rates_hz = setting.rates_hz.map((rate, id) => rate * (1 + APART * ((0.618 * id) % 1)));
    const frame = await sweep({ ...setting, rates_hz, duration_s, runs, workers: 0 });
    lines.push(measured(setting, duration_s, frame));
    if (file) writeFileSync(file, `${lines.join('\n')}\n`);
  }
}
console.error(`${settings.length} settings, ${(ticks / 1e9).toFixed(1)} milliard ticks`);
