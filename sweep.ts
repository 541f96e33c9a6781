/**
 * Many virtual runs: a grid of configurations, each with seeds in a row, in all cores, to Parquet.
 * One row for each machine of each run; with --summary one for each configuration, machine and
 * measure, over all runs.
 *
 *   npx tsx sweep.ts --rates 1,4,6 --runs 1000000 --out drift.parquet
 *   npx tsx sweep.ts --rates 1,4,6 --rates 2,4,1 --internal 0.1:0.9:0.1 --out internal.parquet
 *   npx tsx sweep.ts --rates all:1-6:3 --runs 10000 --summary --out draws.parquet
 *   npx tsx sweep.ts --rates 1,4,6 --latency constant:0 --latency exponential:50 --loss 0,0.1 \
 *     --duration 60,600 --out network.parquet
 *
 * --shard i/n does the i-th of n parts of the same work, i = 1 … n. The parts, one after the other,
 * are the whole, row for row, and polars reads their folder as one, in the order of the names:
 * pl.scanParquet('parts/*.parquet'). With GNU parallel, with Slurm, and with Kubernetes, which
 * counts from 0; here in four parts (of ten or more, call the first one 01):
 *
 *   parallel npx tsx sweep.ts --rates all:1-6:3 --workers 1 --shard {}/4 --out parts/{}.parquet \
 *     ::: 1 2 3 4
 *   sbatch --array=1-4 --wrap 'npx tsx sweep.ts --rates all:1-6:3 \
 *     --shard $SLURM_ARRAY_TASK_ID/4 --out parts/$SLURM_ARRAY_TASK_ID.parquet'
 *   npx tsx sweep.ts --rates all:1-6:3 --shard $((JOB_COMPLETION_INDEX + 1))/4 \
 *     --out parts/$JOB_COMPLETION_INDEX.parquet
 *
 * In a notebook: const frame = await sweep({ rates_hz: [1, 4, 6], runs: 10_000 });
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLogUpdate } from 'log-update';
import pl from 'nodejs-polars';
import { latencyGrid, numberGrid, ratesGrid, shardOf } from './lab/virtual/options.ts';
import type { Shard } from './lab/virtual/grid.ts';
import { expectedTicks, TICKS_MAX } from './lab/virtual/statistics.ts';
import { sweep } from './lab/virtual/sweep.ts';
import {
  atLeast, isMain, positive, probability, script, versions, whole,
} from './lab/cli/options.ts';

export { means } from './lab/virtual/frames.ts';
export type { Grid, Shard } from './lab/virtual/grid.ts';
export { sweep, type SweepOptions, type SweepOptions as Wish } from './lab/virtual/sweep.ts';

/** How often the bar moves. */
const REPAINT_MS = 200;

/** Shows a bar with the time that is left, on a terminal only. */
function progressBar(): { show(share: number): void; end(): void } {
  const paint = createLogUpdate(process.stderr);
  const begin_ms = performance.now();
  let shown_ms = -Infinity;
  return {
    show(share) {
      const now_ms = performance.now();
      if (!process.stderr.isTTY || now_ms < shown_ms + REPAINT_MS) return;
      shown_ms = now_ms;
      const left_s = Math.ceil(((now_ms - begin_ms) * (1 / share - 1)) / 1000);
      const done = Math.round(30 * share);
      const left = left_s < 120 ? `${left_s} s` : `${Math.ceil(left_s / 60)} min`;
      const bar = '━'.repeat(done) + '─'.repeat(30 - done);
      paint(`${bar} ${Math.floor(100 * share)} %, ${left} left`);
    },
    end: () => paint.clear(),
  };
}

async function main(): Promise<void> {
  const command = script(import.meta.url)
    .requiredOption('--rates <list>', 'ticks a second of each machine, as 1,4,6; or all:1-6:3 for '
      + 'each draw of three machines; may be given several times', ratesGrid)
    .option('--internal <p>', 'chance of an internal event: 0.7, a list, or from:to:step',
      numberGrid(probability), [0.7])
    .option('--latency <ms>', 'constant:5, uniform:1,9 or exponential:5; may be given several '
      + 'times', latencyGrid)
    .option('--loss <p>', 'chance that a message is lost; a list or a range',
      numberGrid(probability), [0])
    .option('--reorder', 'messages may overtake each other on a channel', false)
    .option('--duration <s>', 'model seconds; a list or a range', numberGrid(positive), [60])
    .option('--runs <n>', 'runs of each configuration, with seeds in a row', atLeast(1), 1000)
    .option('--seed <n>', 'the first seed', whole, 1)
    .option('--summary', 'mean, standard deviation, quantiles and a 95 % interval, no single runs',
      false)
    .requiredOption('--out <file>', 'Parquet; is never written over')
    .option('--shard <i/n>', 'do only the i-th of n parts', shardOf)
    .option('--workers <n>', 'threads (default: one for each core)', atLeast(1))
    .parse();
  const o = command.opts<{ rates: number[][]; internal: number[]; latency?: string[];
    loss: number[]; reorder: boolean; duration: number[]; runs: number; seed: number;
    summary: boolean; out: string; shard?: Shard; workers?: number }>();
  const { rates: rates_hz, duration: duration_s, out, shard, workers, latency } = o;
  for (const rates of rates_hz) {
    if (expectedTicks({ rates_hz: rates, duration_s: Math.max(...duration_s) }) > TICKS_MAX) {
      command.error(`error: --duration: more than ${TICKS_MAX} ticks in a run of ${rates}`);
    }
  }
  process.on('SIGINT', () => {
    console.error('interrupted; nothing was written');
    process.exit(130);
  });
  const refuse = () => command.error(`error: --out ${out}: it exists`);
  if (existsSync(out)) refuse();
  try {
    mkdirSync(dirname(out), { recursive: true });
  } catch (error) {
    command.error(`error: --out ${out}: ${(error as Error).message}`);
  }

  const bar = progressBar();
  const begin_ms = performance.now();
  const frame = await sweep({
    rates_hz, duration_s, internal: o.internal, loss: o.loss, reorder: o.reorder, runs: o.runs,
    seed: o.seed, summary: o.summary, progress: bar.show,
    ...(latency && { latency }), ...(shard && { shard }), ...(workers && { workers }),
  });
  bar.end();
  const words = ['sweep.ts', ...process.argv.slice(2)].join(' ');
  frame.withColumns(pl.lit(words).alias('command'), pl.lit(versions().lab).alias('version'))
    .writeParquet(`${out}.${process.pid}.tmp`, { compression: 'zstd' });
  if (existsSync(out)) refuse();
  renameSync(`${out}.${process.pid}.tmp`, out);
  const seconds = (performance.now() - begin_ms) / 1000;
  console.log(`${frame.height.toLocaleString('en')} rows in ${out} after ${seconds.toFixed(1)} s; `
    + `its columns 'command' and 'version' say how it was made`);
}

if (isMain(import.meta.url)) await main();
