/** Sweeps against simulate.ts run by run. Cut otherwise and as a command: test/system. */
import pl from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { configure } from '../lab/model/run.ts';
import { simulate } from '../lab/virtual/engine.ts';
import { settingsOf } from '../lab/virtual/grid.ts';
import { MEASURES, type Measure } from '../lab/virtual/statistics.ts';
import { means, sweep, type SweepOptions } from '../sweep.ts';
import { GRID, same } from './grid.ts';
import { thoroughly } from './runs.ts';

const measures = Object.keys(MEASURES) as Measure[];
// ── sweep ────────────────────────────────────────────────────────────────────────────────────

let once: ReturnType<typeof sweep> | undefined;
const swept = () => once ??= sweep(GRID);

const sweeps = suite('sweep');
const thoroughSweeps = thoroughly(sweeps);

sweeps('has the columns that are promised, in the order that is promised', async () => {
  const frame = await swept();
  assert.equal(frame.columns, ['rates', 'internal', 'latency', 'loss', 'reorder', 'duration_s',
    'seed', 'machine', 'rate_hz', 'ticks', 'final_clock', 'clock_growth_hz', 'mean_lag', 'max_lag',
    'mean_jump', 'max_jump', 'receive_share', 'mean_queue', 'max_queue', 'final_queue']);
});

sweeps('has a row for each machine of each run, as simulate() gives it, in order', async () => {
  const records = (await swept()).toRecords();
  const settings = settingsOf(GRID);
  assert.is(settings.length, 3 * 2 * 2 * 2);
  const expected = settings.flatMap((setting) => [3, 4, 5, 6, 7, 8, 9].flatMap((seed) => {
    const { rates_hz, ...columns } = setting;
    const run = configure({ ...setting, seed, machines: rates_hz.length });
    const statistics = simulate({ ...run, ...setting });
    return rates_hz.map((rate_hz, machine) => ({
      rates: rates_hz.join('-'), ...columns, seed, machine, rate_hz,
      ...Object.fromEntries(measures.map((measure) => {
        const value = statistics[measure][machine]!;
        return [measure, Number.isNaN(value) ? null : value];
      })),
    }));
  }));
  assert.equal(records, expected);
});

sweeps('takes what stands last in its columns as what changes fastest', () => {
  const named = settingsOf(GRID).map(({ rates_hz, internal, latency, duration_s }) =>
    `${rates_hz.length} ${internal} ${latency} ${duration_s}`);
  assert.equal(named.slice(0, 5), ['3 0.2 constant:0 5', '3 0.2 constant:0 20',
    '3 0.2 exponential:50 5', '3 0.2 exponential:50 20', '3 0.7 constant:0 5']);
  assert.equal(new Set(named).size, 24);
});

sweeps('runs all configurations on the same seeds, so that they can be compared', async () => {
  const frame = await sweep({ rates_hz: [1, 4, 6], internal: [1, 1 - 1e-12], runs: 5 });
  const [one, other] = [1, 1 - 1e-12].map((internal) => frame
    .filter(pl.col('internal').eq(pl.lit(internal))).drop('internal'));
  same(one!, other!, 'internal = 1 and nearly 1');
});

sweeps('has null for the means of a machine that did not tick', async () => {
  const [slow] = (await sweep({ rates_hz: [0.01, 4], duration_s: 10, runs: 1 })).toRecords();
  assert.equal([slow!.ticks, slow!.mean_jump, slow!.receive_share], [0, null, null]);
});

thoroughSweeps('tells its progress up to 1', async () => {
  const shares: number[] = [];
  await sweep({ ...GRID, progress: (share) => void shares.push(share) });
  assert.equal(shares, [...shares].sort((a, b) => a - b));
  assert.ok(Math.abs(shares.at(-1)! - 1) < 1e-9);
});

sweeps.run();

// ── summary ──────────────────────────────────────────────────────────────────────────────────

const summaries = suite('summary');
const thoroughSummaries = thoroughly(summaries);

summaries('is worked out from the same runs: means, deviations, quantiles, intervals', async () => {
  const wish: SweepOptions = { rates_hz: [[1, 4, 6], [2, 4]], internal: [0.5, 0.7], runs: 40 };
  const rows = (await sweep(wish)).toRecords();
  const summary = (await sweep({ ...wish, summary: true })).toRecords();
  let place = 0;
  for (const rates of ['1-4-6', '2-4']) {
    for (const internal of [0.5, 0.7]) {
      for (const [machine, rate_hz] of rates.split('-').map(Number).entries()) {
        for (const measure of measures) {
          const values = rows.filter((row) => row.rates === rates && row.internal === internal
            && row.machine === machine).map((row) => Number(row[measure]));
          const record = summary[place++]!;
          assert.equal([record.rates, record.internal, record.machine, record.rate_hz,
            record.measure, record.runs], [rates, internal, machine, rate_hz, measure, 40]);
          expectSummary(record, values);
        }
      }
    }
  }
  assert.is(summary.length, place);
});

summaries('can be of groups whose column bears the name of a method: drop', async () => {
  const rows = await sweep({ rates_hz: [1, 4], queue_max: 1, drop: 'oldest', runs: 3 });
  assert.equal(means(rows, ['drop', 'machine'], 'ticks').toRecords()
    .map(({ drop, machine, mean }) => [drop, machine, mean]),
  [['oldest', 0, 60], ['oldest', 1, 240]]);
});

function expectSummary(record: Record<string, unknown>, values: number[]): void {
  const near = (name: string, expected: number) =>
    assert.ok(Math.abs(Number(record[name]) - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
      `${name} of ${record.measure}: ${record[name]} is not ${expected}`);
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  near('mean', mean);
  near('standard_deviation', deviation);
  // Student's t for 39 degrees of freedom, from a table: 2.0227.
  assert.ok(Math.abs((Number(record.mean_high) - mean) - (2.0227 * deviation) / Math.sqrt(n))
    <= 1e-4 * deviation);
  near('mean_low', 2 * mean - Number(record.mean_high));
  const sorted = [...values].sort((a, b) => a - b);
  for (const q of [5, 25, 50, 75, 95]) {
    const rank = (q / 100) * (n - 1);
    const [low, high] = [Math.floor(rank), Math.ceil(rank)].map((place) => sorted[place]!);
    near(`quantile_${String(q).padStart(2, '0')}`, low! + (rank % 1) * (high! - low!));
  }
}

summaries('of one run has no deviation and no interval', async () => {
  const [record] = (await sweep({ rates_hz: [1, 4], runs: 1, summary: true })).toRecords();
  assert.equal([record!.standard_deviation, record!.mean_low, record!.mean_high],
    [null, null, null]);
});

thoroughSummaries('leaves out runs without the measure, and says how many remain', async () => {
  const frame = await sweep({ rates_hz: [0.01, 4], duration_s: 50, runs: 30, summary: true });
  const runs = (measure: string) => Number(frame.filter(pl.col('measure').eq(pl.lit(measure))
    .and(pl.col('machine').eq(0))).getColumn('runs').get(0));
  assert.is(runs('ticks'), 30);
  assert.ok(runs('mean_jump') > 0 && runs('mean_jump') < 30);
});

summaries.run();
