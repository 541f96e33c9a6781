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
 * A sweep that is killed leaves x.parquet.part beside the place of x.parquet: the same command with
 * --resume goes on from there, and the file comes out the same, byte for byte.
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
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import pl, { type DataFrame } from 'nodejs-polars';
import {
  atLeast, type FaultOptions, faultOptions, isMain, type KnobOptions, knobOptions, knobsFrom,
  latencyText, outliveReaders, positive, probability, script, several, versions, whole,
} from './lab/cli/options.ts';
import { table } from './lab/cli/table.ts';
import { plural, progress, wrapped } from './lab/cli/terminal.ts';
import { Checkpoint, SweepError } from './lab/virtual/checkpoint.ts';
import type { Shard } from './lab/virtual/grid.ts';
import { fileName, numberGrid, ratesGrid, shardText } from './lab/virtual/options.ts';
import { planOf, sweep, type SweepOptions } from './lab/virtual/sweep.ts';

export { means } from './lab/virtual/frames.ts';
export type { Grid, Shard } from './lab/virtual/grid.ts';
export { sweep, type SweepOptions, type SweepOptions as Wish } from './lab/virtual/sweep.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  internal: [0.7], // Chance; seven sides of the exercise's ten-sided die.
  loss: [0], // Chance; TCP loses nothing.
  reorder: false, // TCP keeps the order on a channel.
  duration_s: [60], // Model seconds; the exercise asks for a minute.
  runs: 1000, // A mean is then known to a thirtieth of what single runs differ by.
  seed: 1, // Seeds in a row from here: the same runs for everybody.
  workers_max: 4 * availableParallelism(), // More threads than this only wait for each other.
  shown: 30, // Rows of a summary in the terminal; the file has all.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

interface Options extends KnobOptions, FaultOptions {
  rates: number[][]; internal: number[]; latency?: string[]; loss: number[]; reorder: boolean;
  duration: number[]; runs: number; seed: number; summary: boolean; out: string; shard?: Shard;
  workers?: number; resume: boolean;
}

const optionsOf = (): Command => faultOptions(knobOptions(script(import.meta.url)
  .requiredOption('--rates <list>', 'ticks a second of each machine, as 1,4,6; or all:1-6:3 for '
    + 'each draw of three machines; may be given several times', ratesGrid)
  .option('--internal <p>', 'chance of an internal event: 0.7, a list, or from:to:step',
    numberGrid(probability), KNOBS.internal)
  .option('--latency <ms>', 'constant:5, uniform:1,9 or exponential:5; may be given several '
    + 'times', several(latencyText))
  .option('--loss <p>', 'chance that a message is lost; a list or a range',
    numberGrid(probability), KNOBS.loss)
  .option('--reorder', 'messages may overtake each other on a channel', KNOBS.reorder)
  .option('--duration <s>', 'model seconds; a list or a range', numberGrid(positive),
    KNOBS.duration_s)))
  .option('--runs <n>', 'runs of each configuration, with seeds in a row', atLeast(1), KNOBS.runs)
  .option('--seed <n>', 'the first seed', whole, KNOBS.seed)
  .option('--summary', 'mean, standard deviation, quantiles and a 95 % interval, no single runs',
    false)
  .requiredOption('--out <file>', 'Parquet; is never written over', fileName)
  .option('--resume', 'go on with what a sweep that was cut short has left, if it has', false)
  .option('--shard <i/n>', 'do only the i-th of n parts', shardText)
  .option('--workers <n>', 'threads (default: one for each core)', atLeast(1, KNOBS.workers_max));

/** What `sweep` is asked for: knobs only if they are named, since each is then a column. */
function sweepOptionsOf(command: Command, options: Options): SweepOptions {
  const named = Object.fromEntries(Object.entries(options)
    .filter(([name]) => command.getOptionValueSource(name) === 'cli'));
  const { latency, shard, workers, fault: faults, nemesis } = options;
  return {
    rates_hz: options.rates, duration_s: options.duration, internal: options.internal,
    loss: options.loss, reorder: options.reorder, runs: options.runs, seed: options.seed,
    summary: options.summary, ...knobsFrom(named),
    ...(latency && { latency }), ...(faults && { faults }), ...(nemesis && { nemesis }),
    ...(shard && { shard }), ...(workers && { workers }),
  };
}

/** Which option says what a plan finds wrong. */
const FLAGS: Record<string, string> = {
  seed: '--seed', duration_s: '--duration', runs: '--runs', faults: '--fault',
};

const intervalOf = (row: Record<string, unknown> | undefined): number | null =>
  (typeof row?.mean_high === 'number' ? row.mean_high - Number(row.mean) : null);

/** The summary for a person: of each configuration and machine what the exercise asks about. */
function summaryTable(frame: DataFrame): string {
  const rows = frame.toRecords();
  const settings = frame.columns.slice(0, frame.columns.indexOf('machine'));
  const varying = settings.filter((name) => name === 'rates'
    || rows.some((row) => row[name] !== rows[0]![name]));
  const shown = ['mean_lag', 'mean_jump', 'receive_share', 'mean_queue', 'final_clock'];
  const machines = rows.filter(({ measure }) => measure === shown[0]).map((first) =>
    [first, ...shown.slice(1).map((measure) => rows.find((row) => row.measure === measure
      && row.machine === first.machine && settings.every((name) => row[name] === first[name])))]);
  const digits = (x: unknown) => (typeof x === 'number' ? x.toPrecision(4) : '–');
  return table(
    [...varying.map((heading) => ({ heading })), { heading: 'machine' }, { heading: 'runs' },
      ...shown.flatMap((name, nth) => [
        { group: name.replace('_', ' '), heading: 'mean', ...(nth > 2 && { spare: nth }) },
        { group: name.replace('_', ' '), heading: '95 % ±', spare: 10 + nth }])],
    machines.map((measures) => [...varying.map((name) => String(measures[0]![name])),
      Number(measures[0]!.machine), Number(measures[0]!.runs),
      ...measures.flatMap((row) => [digits(row?.mean), digits(intervalOf(row))])]),
    { most: KNOBS.shown, what: 'row' });
}

async function main(): Promise<void> {
  outliveReaders();
  const command = optionsOf().parse();
  const options = command.opts<Options>();
  const { out } = options;
  const wanted = sweepOptionsOf(command, options);
  const fail = (text: string): never => command.error(`error: ${text}`);
  try {
    planOf(wanted);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    fail(`${FLAGS[String(error.cause)] ?? '--rates'}: ${error.message}`);
  }
  // Neither how it was resumed nor how many threads did it belongs to what was done.
  const words = ['sweep.ts', ...process.argv.slice(2).filter((word) => word !== '--resume')]
    .join(' ');
  const { workers, ...what } = wanted;
  const description = `${words}\n${JSON.stringify({ ...what, version: versions().lab })}\n`;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal));
  const begin_ms = performance.now();
  let checkpoint: Checkpoint | null = null;
  const bar = progress();
  try {
    checkpoint = new Checkpoint(out, description, options.resume);
    const done = checkpoint.blocks;
    const frame = await sweep({ ...wanted, progress: bar.show, checkpoint, stop: stop.signal });
    bar.end();
    checkpoint.finish(frame.withColumns(pl.lit(words).alias('command'),
      pl.lit(versions().lab).alias('version')));
    if (options.summary && frame.height > 0) console.log(summaryTable(frame));
    const seconds = (performance.now() - begin_ms) / 1000;
    console.log(wrapped(`${plural(frame.height, 'row')} in ${out} after ${seconds.toFixed(1)} s`
      + `${done > 0 ? `, ${done} of its blocks from before` : ''}; `
      + `its columns 'command' and 'version' say how it was made`));
  } catch (error) {
    bar.end();
    checkpoint?.leave();
    const kept = checkpoint !== null && checkpoint.blocks > 0
      ? `${checkpoint.folder} keeps ${plural(checkpoint.blocks, 'block')}: --resume goes on`
      : 'nothing was written';
    if (stop.signal.aborted) {
      console.error(`interrupted; ${kept}`);
      process.exit(stop.signal.reason === 'SIGINT' ? 130 : 143);
    }
    if (checkpoint === null && error instanceof SweepError) fail(`--out ${out}: ${error.message}`);
    fail(`--out ${out}: ${(error as Error).message}; ${kept}`);
  }
}

if (isMain(import.meta.url)) await main();
