/** Theory against long runs in virtual time, and as a command. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../sweep.ts';
import { fastestGrowth_hz, gridTable, meanLagOverRun, predict } from '../../theory.ts';

const near = (actual: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(actual - expected) <= tolerance,
    `${what} is ${actual}, not ${expected} ± ${tolerance}`);

/** Means of a sweep for each machine. */
async function measured(rates_hz: number[], internal: number, duration_s: number, runs: number) {
  const frame = await sweep({ rates_hz, internal, duration_s, runs, workers: 0 });
  const mean = (name: string, id: number) => {
    const values = frame.getColumn(name).toArray() as number[];
    const own = values.filter((_, row) => row % rates_hz.length === id);
    return own.reduce((sum, x) => sum + x, 0) / runs;
  };
  return rates_hz.map((_, id) => ({
    receive_share: mean('receive_share', id),
    queue_growth_hz: mean('final_queue', id) / duration_s,
    clock_growth_hz: mean('final_clock', id) / duration_s,
    mean_lag: mean('mean_lag', id),
  }));
}

// ── Against sweeps ───────────────────────────────────────────────────────────────────────────

const prediction = suite('predict');

prediction('agrees with long runs: two machines to 3 %, three to 5 %', async () => {
  const grid: [number[], number, number, number][] = [
    [[3, 4], 0.7, 3000, 0.03], [[1, 2], 0.7, 6000, 0.03], [[1, 2.5], 0.7, 6000, 0.03],
    [[2, 3], 0.5, 3000, 0.03], [[2, 3, 5], 0.7, 3000, 0.05], [[3, 3, 2], 0.7, 3000, 0.05],
    [[1, 2, 3], 0.7, 6000, 0.05], [[4, 5, 6, 3], 0.7, 2000, 0.05],
  ];
  for (const [rates_hz, internal, duration_s, tolerance] of grid) {
    const runs = await measured(rates_hz, internal, duration_s, 40);
    predict({ rates_hz, internal }).forEach((p, id) => {
      const what = `machine ${id} of ${rates_hz}`;
      near(runs[id]!.receive_share, p.receive_share, 0.01, `receive share, ${what}`);
      near(runs[id]!.clock_growth_hz / p.clock_growth_hz, 1, 0.005, `clock growth, ${what}`);
      near(runs[id]!.mean_lag, p.mean_lag, tolerance * p.mean_lag + 0.05, `mean lag, ${what}`);
    });
  }
});

prediction('agrees with long runs of overloaded machines', async () => {
  const grid: [number[], number][] = [[[1, 4, 6], 0.7], [[5, 60, 5], 0.7], [[1, 5], 0.5]];
  for (const [rates_hz, internal] of grid) {
    const runs = await measured(rates_hz, internal, 2000, 4);
    predict({ rates_hz, internal }).forEach((p, id) => {
      near(runs[id]!.receive_share, p.receive_share, 0.01, `receive share of ${rates_hz[id]}`);
      near(runs[id]!.queue_growth_hz, p.queue_growth_hz, 0.03 * p.rate_hz, 'queue growth');
      near(runs[id]!.clock_growth_hz / p.clock_growth_hz, 1, 0.03, 'clock growth');
    });
  }
});

prediction.run();

// ── Against the grids ────────────────────────────────────────────────────────────────────────

const grids = suite('theory.ts --grid');

const linesOf = (name: string) =>
  readFileSync(new URL(`../../bench/${name}`, import.meta.url), 'utf8').trim().split('\n');

for (const name of ['theory.jsonl', 'theory-unseen.jsonl']) {
  grids(`${name}: lags right to 2.5 % on average, 12 % at most, of three machines to 1.5 %`, () => {
    const rows = gridTable(linesOf(name).join('\n')).split('\n').slice(3);
    assert.ok(rows.length > 5);
    for (const row of rows) {
      const cells = row.trim().split(/\s+/);
      const [mean, worst, growth] = cells.slice(-3).map(Number);
      const mean_max = cells[0] === '3' ? 1.5 : cells[0] === 'all' ? 2.5 : 4;
      assert.ok(mean! <= mean_max && worst! <= 12 && growth! <= 2, row);
    }
  });
}

grids('equal machines, of whatever number: growth of the highest clock to 2 %', () => {
  for (const line of linesOf('theory-equal.jsonl')) {
    const { machines, internal, growth } = JSON.parse(line) as
      { machines: number; internal: number; growth: number };
    const rates_hz = Array<number>(machines).fill(2);
    near(fastestGrowth_hz({ rates_hz, internal }) / 2 / growth, 1, 0.02, line);
  }
  near(fastestGrowth_hz({ rates_hz: [1, 1, 1, 1], internal: 0.5 }), 1.1766, 4e-4);
});

grids.run();

// ── A run from its start ─────────────────────────────────────────────────────────────────────

const overRun = suite('meanLagOverRun');

overRun('grows with each message more, without a fall next to the boundary', () => {
  for (const [slow, fast] of [[2, 3], [1, 3], [4, 5]] as const) {
    const boundary = 1 - slow / fast;
    const away = Array.from({ length: 21 }, (_, n) => 0.003 * (10 - n));
    const lags = away.map((more) => meanLagOverRun(
      { rates_hz: [slow, fast], internal: boundary + more }, 60)[0]!);
    lags.slice(1).forEach((lag, n) => assert.ok(lag > lags[n]!,
      `${slow}-${fast}, internal ${away[n + 1]} from the boundary: ${lag}`));
  }
});

overRun('agrees with minutes in a sweep, at the boundary too, to 6 %', async () => {
  for (const rates_hz of [[1, 3], [3, 10], [1, 4, 6], [2, 4, 1], [5, 60, 5]]) {
    const runs = await measured(rates_hz, 0.7, 60, 1000);
    meanLagOverRun({ rates_hz, internal: 0.7 }, 60).forEach((lag, id) =>
      near(runs[id]!.mean_lag, lag, 0.06 * lag + 0.03, `machine ${id} of ${rates_hz}`));
  }
});

overRun.run();

// ── The command ──────────────────────────────────────────────────────────────────────────────

const command = suite('npx tsx theory.ts');

const run = async (...words: string[]) => promisify(execFile)(process.execPath,
  ['--import', 'tsx', 'theory.ts', ...words], { cwd: new URL('../..', import.meta.url) })
  .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }), (error) => error);

command('prints prediction and measurement; bad input ends with 2 and the flag', async () => {
  const [good, ...bad] = await Promise.all([
    run('--rates', '1,3', '--runs', '50', '--duration', '30'),
    run('--rates', '1,2', '--internal', '1.5'), run('--rates', '0,1'), run('--rates', '5'),
  ]);
  assert.is(good.code, 0);
  assert.match(good.stdout, /receive_share\s+0\.890\s+0\.8\d\d/);
  assert.match(good.stdout, /50 runs of 30 s, internal 0\.7/);
  for (const [n, flag] of ['--internal', '--rates', '--rates'].entries()) {
    assert.is(bad[n]!.code, 2);
    assert.match(bad[n]!.stderr, flag);
    assert.is(bad[n]!.stderr.trim().split('\n').length, 1);
  }
});

command.run();
