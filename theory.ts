/**
 * What arithmetic alone says of a configuration: load, queues, clocks and lag, without one run.
 * The command prints the prediction beside the mean of many virtual runs.
 *
 *   npx tsx theory.ts --rates 1,4,6                      a minute, internal 0.7, 1000 runs
 *   npx tsx theory.ts --rates 1,2 --internal 0.5         two machines that talk more
 *   npx tsx theory.ts --rates 1,3 --duration 3600 --runs 200     near the boundary: longer runs
 *   npx tsx theory.ts --grid                             how wrong it is, for 3 to 30 machines
 *
 * The arithmetic stands in lab/theory: balance, pair, equal, front, lag, measured, start, predict.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  atLeast, isMain, outliveReaders, positive, probability, rateList, script, whole,
} from './lab/cli/options.ts';
import { type Column, table } from './lab/cli/table.ts';
import type { Setting } from './lab/theory/balance.ts';
import { meanWithInterval } from './lab/theory/cephes.ts';
import { type Basis, fastestGrowth_hz } from './lab/theory/front.ts';
import { predict } from './lab/theory/predict.ts';
import { meanLagOverRun } from './lab/theory/start.ts';

export {
  criticalRate_hz, criticalRatio, freeTicks, sendShare, type Setting,
} from './lab/theory/balance.ts';
export { type Equal, equal } from './lab/theory/equal.ts';
export { type Basis, fastestGrowth_hz } from './lab/theory/front.ts';
export { type Pair, pair } from './lab/theory/pair.ts';
export { type Prediction, predict } from './lab/theory/predict.ts';
export { meanLagOverRun } from './lab/theory/start.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  internal: 0.7, // chance: the exercise's share of internal events
  runs: 1000, // runs of the sweep: intervals of 1 to 3 % in some seconds
  duration: 60, // model seconds of each: the exercise's minute
  seed: 1, // the first of the seeds in a row
  grid: 'bench/theory.jsonl', // file: measured before the formulas were looked at
  unseen: 'bench/theory-unseen.jsonl', // file: settings without a plan, drawn afterwards
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Where growth and lags of the long run come from, in a sentence. */
const BASIS: Record<Basis, string> = {
  exact: 'For ever, growth and lag are exact: two live machines, or up to four alike.',
  fitted: 'For ever, growth and lag are formulas times a factor that was fitted to long\n'
    + 'runs of other settings: right to 1 % on average, to 12 % at worst (theory.ts --grid).',
  outside: 'For ever, growth and lag are a guess, outside the range that was fitted: up to\n'
    + '30 machines, internal 0.5 to 0.92, loads to 0.96. Loads, shares and queues hold.',
};

interface Comparison {
  quantity: string;
  predicted: number;
  /** Of the runs; null where a run cannot know. */
  mean: number | null;
  /** Half the 95 % interval of the mean. */
  interval: number;
  /** What a large difference would be measured by. */
  scale: number;
}

/** The predictions of each machine beside a sweep. */
async function compare(
  setting: Setting, duration_s: number, runs: number, seed: number,
): Promise<Comparison[][]> {
  // Late, since predictions alone need no data frames.
  const { sweep } = await import('./lab/virtual/sweep.ts');
  const frame = await sweep({ ...setting, duration_s, runs, seed });
  const [ticks, share, queue, clock, lag] =
    ['ticks', 'receive_share', 'final_queue', 'final_clock', 'mean_lag'].map((name) =>
      frame.getColumn(name).toArray() as (number | null)[]);
  const machines = setting.rates_hz.length;
  const overRun = meanLagOverRun(setting, duration_s);
  return predict(setting).map((p, id) => {
    const over = (value: (row: number, first: number) => number) => meanWithInterval(Array.from(
      { length: runs }, (_, run) => value(run * machines + id, run * machines)));
    const arrivals = (row: number) =>
      (ticks![row]! * (share![row] ?? 0) + queue![row]!) / duration_s;
    const top = (first: number) => Math.max(...clock!.slice(first, first + machines) as number[]);
    const rate = p.rate_hz;
    return [
      ['arrival_hz', p.arrival_hz, over(arrivals), rate],
      ['load', p.load, over((row) => arrivals(row) / rate), 1],
      ['receive_share', p.receive_share, over((row) => share![row] ?? 0), 1],
      ['queue_growth_hz', p.queue_growth_hz, over((row) => queue![row]! / duration_s), rate],
      ['clock_growth_hz', p.clock_growth_hz, over((row) => clock![row]! / duration_s),
        p.clock_growth_hz],
      ['lag_growth_hz', p.lag_growth_hz,
        over((row, first) => (top(first) - clock![row]!) / duration_s), p.clock_growth_hz],
      [`mean_lag, ${duration_s} s`, overRun[id]!, over((row) => lag![row]!),
        Math.max(1, overRun[id]!)],
      ['mean_lag, for ever', p.mean_lag, { mean: null, interval: NaN }, 1],
    ].map(([quantity, predicted, measured, scale]) =>
      ({ quantity, predicted, ...(measured as object), scale }) as Comparison);
  });
}

/** Where theory and sweep are furthest apart, and why that is so. */
function verdict(setting: Setting, machines: Comparison[][]): string {
  const apart = machines.flatMap((rows, id) => rows
    .filter(({ mean, predicted, interval }) => Math.abs((mean ?? predicted) - predicted) > interval)
    .map((row) => ({ ...row, id, share: (row.mean! - row.predicted) / row.scale })))
    .sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
  const [worst] = apart;
  if (!worst || Math.abs(worst.share) < 0.01) {
    return 'Theory and sweep agree: within the 95 % interval or 1 % everywhere.';
  }
  const predictions = predict(setting);
  const live = predictions.filter(({ load }) => load < 1).length;
  const why = !worst.quantity.startsWith('mean_lag')
    ? 'a run starts with empty queues; try a longer --duration'
    : predictions[worst.id]!.load > 0.9
      ? 'near load 1 chance rules, and a queue of few messages is no normal walk'
      : live < 3 ? 'a run starts with equal clocks, and the lag has to build up'
        : 'a run starts with equal clocks, or the fitted factor is off';
  return `Furthest apart: ${worst.quantity} of machine ${worst.id}, measured `
    + `${(100 * Math.abs(worst.share)).toFixed(1)} % ${worst.share > 0 ? 'above' : 'below'} `
    + `the prediction:\n${why}.`;
}

/** One setting of a grid as it was measured: see bench/theory.ts. */
interface Measured extends Setting {
  growth_hz: { mean: number; interval: number };
  lags: { rate_hz: number; mean: number; interval: number }[];
}

/** How far one predicted lag is off, and the growth of its setting's highest clock. */
interface Miss extends Setting {
  rate_hz: number;
  /** As parts of what was measured, with their signs. */
  lag: number;
  front: number;
}

/** Every lag of a grid of which something is predicted. */
function missesOf(text: string): Miss[] {
  const lines = text.trim().split('\n').map((line) => JSON.parse(line) as Measured);
  return lines.flatMap(({ rates_hz, internal, growth_hz, lags }) => {
    const predicted = predict({ rates_hz, internal });
    const front = fastestGrowth_hz({ rates_hz, internal }) / growth_hz.mean - 1;
    return lags.map(({ rate_hz, mean }) => ({
      rates_hz, internal, rate_hz, front,
      lag: predicted[rates_hz.indexOf(rate_hz)]!.mean_lag / mean - 1,
    }));
  });
}

const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const percent = (part: number) => (100 * part).toFixed(1);
const both = (values: number[]) => (values.length === 0 ? ''
  : `${percent(mean(values))} ${percent(Math.max(...values)).padStart(4)}`);
const sizes = (misses: Miss[], what: 'lag' | 'front') => misses.map((miss) => Math.abs(miss[what]));

/**
 * The theory's errors over a measured grid: for each number of machines and each tenth of
 * `internal` the mean and the worst error of the mean lags, in percent of the lag, and the worst
 * of the highest clock's growth.
 * @param text JSON lines of bench/theory.ts; one number for each rate of each setting
 */
export function gridTable(text: string): string {
  const misses = missesOf(text);
  const tenth = ({ internal }: Miss) => internal.toFixed(1);
  const tenths = [...new Set(misses.map(tenth))].sort();
  const rowOf = (heading: string, some: Miss[]) => [heading, some.length,
    ...tenths.map((internal) => both(sizes(some.filter((m) => tenth(m) === internal), 'lag'))),
    both(sizes(some, 'lag')), percent(Math.max(...sizes(some, 'front')))];
  const numbers = [...new Set(misses.map(({ rates_hz }) => rates_hz.length))].sort((a, b) => a - b);
  const columns: Column[] = [{ heading: 'N', align: 'left' }, { heading: 'cells' },
    ...tenths.map((internal) => ({ group: 'internal: mean and worst', heading: internal })),
    { heading: 'all' }, { heading: 'growth' }];
  return table(columns, [
    ...numbers.map((machines) =>
      rowOf(String(machines), misses.filter(({ rates_hz }) => rates_hz.length === machines))),
    rowOf('all', misses)], { most: Infinity });
}

/** The lag that the theory misses most, in a sentence. */
function worstWords(misses: Miss[]): string {
  const { rates_hz, internal, rate_hz, lag } =
    misses.reduce((a, b) => (Math.abs(b.lag) > Math.abs(a.lag) ? b : a));
  return `Furthest off, ${percent(Math.abs(lag))} % too ${lag > 0 ? 'high' : 'low'}: `
    + `${rate_hz} Hz among ${rates_hz.length} up to ${Math.max(...rates_hz)} Hz, `
    + `internal ${internal}.`;
}

/** What `--grid` prints: the table, and what was never looked at. */
function gridText(file: string | null): string {
  const read = (name: string) => readFileSync(name, 'utf8');
  const known = (name: string) => read(fileURLToPath(new URL(name, import.meta.url)));
  const text = file === null ? known(KNOBS.grid) : read(file);
  const lines = [gridTable(text),
    'Errors in percent: of the mean lag at each rate of each setting, and the worst',
    'of the growth of the highest clock. Up to four of one rate are exact, the rest',
    'is formulas times a factor that was fitted to other settings.',
    worstWords(missesOf(text))];
  if (file === null) {
    const misses = missesOf(known(KNOBS.unseen));
    const few = misses.filter(({ rates_hz }) => rates_hz.length === 3);
    const settings = new Set(misses.map(({ rates_hz }) => rates_hz)).size;
    lines.push('', `Another ${settings} settings, drawn without a plan when all was settled`,
      `(${KNOBS.unseen}): ${misses.length} cells, mean and worst ${both(sizes(misses, 'lag'))},`,
      `of three machines ${both(sizes(few, 'lag'))}, growth `
      + `${percent(Math.max(...sizes(misses, 'front')))}.`, worstWords(misses));
  }
  return lines.join('\n');
}

/** A machine's rows of the table. */
function rowsOf(rate_hz: number, id: number, rows: Comparison[]): string[][] {
  const round = (x: number) => (x === Infinity ? 'no end' : x.toFixed(3));
  return rows.map(({ quantity, predicted, mean, interval }, nth) => [
    nth === 0 ? `${id} (${rate_hz} Hz)` : '', quantity, round(predicted),
    ...(mean === null ? ['–', '', ''] : [round(mean), round(interval), round(mean - predicted)])]);
}

async function main(): Promise<void> {
  outliveReaders();
  const command = script(import.meta.url)
    .option('--rates <list>', 'ticks a second of each machine, as 1,4,6', rateList)
    .option('--internal <p>', 'chance of an internal event', probability, KNOBS.internal)
    .option('--runs <n>', 'runs of the sweep', atLeast(2), KNOBS.runs)
    .option('--duration <s>', 'model seconds of each', positive, KNOBS.duration)
    .option('--seed <n>', 'the first seed', whole, KNOBS.seed)
    .option('--grid [file]', 'the errors over a grid that bench/theory.ts has measured')
    .parse();
  const { rates: rates_hz, internal, runs, duration, seed, grid } = command.opts<{
    rates?: number[]; internal: number; runs: number; duration: number; seed: number;
    grid?: string | true }>();
  if (grid) {
    try {
      console.log(gridText(grid === true ? null : grid));
    } catch (error) {
      const file = grid === true ? KNOBS.grid : grid;
      command.error(`error: --grid ${file}: ${(error as Error).message}`);
    }
    return;
  }
  if (!rates_hz || rates_hz.length < 2) {
    return command.error('error: --rates needs two machines or more');
  }
  const setting = { rates_hz, internal };
  const machines = await compare(setting, duration, runs, seed);
  console.log(table([
    { heading: 'machine', align: 'left' }, { heading: 'quantity', align: 'left' },
    { heading: 'predicted' }, { heading: 'measured' }, { heading: '± 95 %' },
    { heading: 'difference', spare: 1 },
  ], machines.flatMap((rows, id) => rowsOf(rates_hz[id]!, id, rows)), { most: Infinity }));
  console.log(`${runs} runs of ${duration} s, internal ${internal}, seeds from ${seed}`);
  console.log(verdict(setting, machines));
  console.log(BASIS[predict(setting)[0]!.basis]);
}

if (isMain(import.meta.url)) await main();
