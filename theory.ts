/**
 * What arithmetic alone says of a configuration: load, queues, clocks and lag, without one run.
 * The command prints the prediction beside the mean of many virtual runs.
 *
 *   npx tsx theory.ts --rates 1,4,6                      a minute, internal 0.7, 1000 runs
 *   npx tsx theory.ts --rates 1,2 --internal 0.5         two machines that talk more
 *   npx tsx theory.ts --rates 1,3 --duration 3600 --runs 200     near the boundary: longer runs
 *
 * The arithmetic stands in lab/theory: balance, pair, front, lag, start, predict.
 */
import Table from 'cli-table3';
import type { Setting } from './lab/theory/balance.ts';
import { meanWithInterval } from './lab/theory/cephes.ts';
import { predict } from './lab/theory/predict.ts';
import { meanLagOverRun } from './lab/theory/start.ts';
import {
  atLeast, isMain, positive, probability, rateList, script, whole,
} from './lab/cli/options.ts';

export {
  criticalRate_hz, criticalRatio, freeTicks, sendShare, type Setting,
} from './lab/theory/balance.ts';
export { type Equal, equal } from './lab/theory/equal.ts';
export { fastestGrowth_hz } from './lab/theory/front.ts';
export { type Pair, pair } from './lab/theory/pair.ts';
export { type Prediction, predict } from './lab/theory/predict.ts';
export { meanLagOverRun } from './lab/theory/start.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  internal: 0.7, // chance: the exercise's share of internal events
  runs: 1000, // runs of the sweep: intervals of 1 to 3 % in some seconds
  duration: 60, // model seconds of each: the exercise's minute
  seed: 1, // the first of the seeds in a row
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

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
  const { sweep } = await import('./lab/virtual/sweep.ts'); // Late: predictions alone need no data frames.
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
    ? 'a run starts with empty queues, the prediction is of the long run; try a longer --duration'
    : predictions[worst.id]!.load > 0.9
      ? 'near load 1 chance rules, and a queue of few messages is no normal walk'
      : live < 3 ? 'a run starts with equal clocks, and the lag has to build up'
        : 'the senders of a machine are taken as independent of each other, and they are not';
  return `Furthest apart: ${worst.quantity} of machine ${worst.id}, measured `
    + `${(100 * Math.abs(worst.share)).toFixed(1)} % ${worst.share > 0 ? 'above' : 'below'} `
    + `the prediction: ${why}.`;
}

async function main(): Promise<void> {
  const command = script(import.meta.url)
    .requiredOption('--rates <list>', 'ticks a second of each machine, as 1,4,6', rateList)
    .option('--internal <p>', 'chance of an internal event', probability, KNOBS.internal)
    .option('--runs <n>', 'runs of the sweep', atLeast(2), KNOBS.runs)
    .option('--duration <s>', 'model seconds of each', positive, KNOBS.duration)
    .option('--seed <n>', 'the first seed', whole, KNOBS.seed)
    .parse();
  const { rates: rates_hz, internal, runs, duration, seed } = command.opts<{
    rates: number[]; internal: number; runs: number; duration: number; seed: number }>();
  if (rates_hz.length < 2) command.error('error: --rates needs two machines or more');
  const setting = { rates_hz, internal };
  const machines = await compare(setting, duration, runs, seed);
  const head = ['machine', 'quantity', 'predicted', 'measured', '± 95 %', 'difference'];
  const table = new Table({ head, style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'] });
  const round = (x: number) => (x === Infinity ? 'no end' : x.toFixed(3));
  for (const [id, rows] of machines.entries()) {
    if (id > 0) table.push(head.map(() => ''));
    for (const [nth, { quantity, predicted, mean, interval }] of rows.entries()) {
      table.push([nth === 0 ? `${id} (${rates_hz[id]} Hz)` : '', quantity, round(predicted),
        ...(mean === null ? ['–', '', '']
          : [round(mean), round(interval), round(mean - predicted)])]);
    }
  }
  console.log(`${table}`);
  console.log(`${runs} runs of ${duration} s, internal ${internal}, seeds from ${seed}`);
  console.log(verdict(setting, machines));
}

if (isMain(import.meta.url)) await main();
