/** Many virtual runs in all cores, and the frame of their statistics. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setImmediate as immediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import pl, { type DataFrame } from 'nodejs-polars';
import { allocate, measures, ROWS, SUMMARY, type Columns } from './columns.ts';
import { rowsFrame, settingsFrame, summaryFrame } from './frames.ts';
import { cut, partsOf, settingsOf, type Grid, type Part, type Shard } from './grid.ts';
import { expectedTicks } from './statistics.ts';
import { perform, type Task } from './worker.ts';

/** A worker is given about so much at a time: a tenth of a second, so that all end together. */
const TASK_TICKS = 2e6;
/** Less work than this is done at once, here: a worker takes a third of a second to start. */
const FEW_TICKS = 1e7;
/** Rows go over to polars in blocks of so many, so that they are not all kept twice. */
const BLOCK_ROWS = 2 ** 19;
/**
 * A summary takes the quantiles of a configuration from so many runs at most, since they need all
 * of their values at once: their ranks are then right to 0.3 percentage points (2·√(¼/n)).
 */
const QUANTILE_RUNS = 100_000;

export interface SweepOptions extends Grid {
  /** A row for each configuration, machine and measure in the place of every run. */
  summary?: boolean;
  /** Threads; default: one for each core, or none for work of less than half a second. */
  workers?: number;
  shard?: Shard;
  /** Is told now and then which share of the ticks is done. */
  progress?: (share: number) => void;
}

/**
 * Runs a grid. The result depends on the grid alone, not on the number of workers.
 *
 * Memory holds the rows that are returned and one block of half a million more. The quantiles of a
 * summary are those of the first 100,000 runs of a configuration, all else is of all.
 * @returns a row for each run and machine, in the order of configuration, seed and machine: `rates`
 *   (as '1-4-6'), `internal`, `latency`, `loss`, `reorder`, `duration_s`, `seed`, `machine`,
 *   `rate_hz` and simulate.ts's MEASURES; or the summary's rows
 * @throws RangeError if one run has more than 2^31 ticks
 * @example
 *   const frame = await sweep({ rates_hz: [1, 4, 6], internal: [0.5, 0.7], runs: 1000 });
 *   frame.groupBy('internal', 'machine').agg(pl.col('mean_lag').mean());
 */
export async function sweep(options: SweepOptions): Promise<DataFrame> {
  const { seed = 1, runs = 1000, summary = false, shard = { part: 1, of: 1 } } = options;
  const settings = settingsOf(options);
  const parts = partsOf(settings, seed, runs, shard, summary);
  const all = parts.reduce((sum, { setting, runs }) => sum + runs * expectedTicks(setting), 0);
  const workers = Array.from(
    { length: options.workers ?? (all < FEW_TICKS ? 0 : availableParallelism()) }, startWorker);
  const described = settingsFrame(settings);
  const frames: DataFrame[] = [];
  const columns = allocate(SUMMARY, !summary ? 0 : measures.length
    * parts.reduce((sum, { setting }) => sum + setting.rates_hz.length, 0));
  let ticks = 0;
  const done = ({ setting, runs, summary }: Task) => {
    if (!summary) ticks += runs * expectedTicks(setting);
    options.progress?.(ticks / all);
  };
  const blocks = blocksOf(parts, summary);
  const rows = allocate(ROWS, blocks.reduce((most, block) => Math.max(most, rowsIn(block)), 0));
  try {
    for (const block of blocks) {
      const { tasks, sums } = tasksOf(block, rows, columns);
      await performAll(tasks, workers, done);
      if (summary) await performAll(sums, workers, done);
      else frames.push(rowsFrame(rows, rowsIn(block), described));
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return summary ? summaryFrame(columns, described) : pl.concat(frames, { how: 'vertical' });
}

const rowsOf = ({ setting, runs }: Part) => setting.rates_hz.length * runs;
const rowsIn = (block: Part[]) => block.reduce((sum, part) => sum + rowsOf(part), 0);

/**
 * Joins small parts and cuts large ones. There is always a block, and none has two pieces of one
 * configuration, whose summaries must not be added to at the same time.
 */
function blocksOf(parts: Part[], summary: boolean): Part[][] {
  const blocks: Part[][] = [[]];
  let rows = 0;
  const pieces = parts.flatMap((part) => cut(part, summary ? QUANTILE_RUNS
    : Math.ceil(BLOCK_ROWS / part.setting.rates_hz.length)));
  for (const piece of pieces) {
    rows += rowsOf(piece);
    const before = blocks.at(-1)!.at(-1);
    if (before && (rows > BLOCK_ROWS || before.configuration === piece.configuration)) {
      blocks.push([]);
      rows = rowsOf(piece);
    }
    blocks.at(-1)!.push(piece);
  }
  return blocks;
}

/** A block's work in tasks, and what sums it up afterwards. */
function tasksOf(block: Part[], rows: Columns<typeof ROWS>, columns: Columns<typeof SUMMARY>) {
  const tasks: Task[] = [];
  const sums: Task[] = [];
  let row = 0;
  for (const part of block) {
    for (const machine of part.setting.rates_hz.keys()) {
      sums.push({ ...part, rows, row, summary: { columns, machine } });
    }
    for (const piece of cut(part, Math.ceil(TASK_TICKS / expectedTicks(part.setting)))) {
      tasks.push({ ...piece, rows, row });
      row += rowsOf(piece);
    }
  }
  return { tasks, sums };
}

// ── Threads ──────────────────────────────────────────────────────────────────────────────────

/** Starts a thread that works. tsx does not reach into threads by itself: it is loaded there. */
function startWorker(): Worker {
  return new Worker(`
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      (await import(${JSON.stringify(new URL('worker.ts', import.meta.url))})).work();
    });`, { eval: true });
}

/** Does tasks in workers, each its next one when it is free; without workers in this thread. */
async function performAll(tasks: Task[], workers: Worker[], done: (task: Task) => void) {
  const left = tasks.values();
  const each = async (perform: (task: Task) => unknown) => {
    for (const task of left) {
      await perform(task);
      done(task);
    }
  };
  if (workers.length === 0) return each(async (task) => (perform(task), immediate()));
  await Promise.all(workers.map((worker) => each((task) => {
    worker.postMessage(task);
    return once(worker, 'message');
  })));
}
