/** Many virtual runs in all cores, and the frame of their statistics. */
import { on } from 'node:events';
import { availableParallelism } from 'node:os';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import pl, { type DataFrame } from 'nodejs-polars';
import { startThread } from '../cli/thread.ts';
import { type Checkpoint, SAVE_EVERY_S } from './checkpoint.ts';
import { allocate, measures, ROWS, SUMMARY, type Columns } from './columns.ts';
import { rowsFrame, settingsFrame, summaryFrame } from './frames.ts';
import {
  cut, partsOf, settingsOf, type Grid, type Part, type Setting, type Shard,
} from './grid.ts';
import { expectedTicks, TICKS_MAX } from './statistics.ts';
import type { Share, Task } from './task.ts';
import { perform } from './worker.ts';

/** A worker is given about so much at a time: a tenth of a second, so that all end together. */
const TASK_TICKS = 2e6;
/** Less work than this is done at once, here: a worker takes a tenth of a second to start. */
const FEW_TICKS = 1e7;
/** Rows go to polars in blocks of so many: not all are kept twice, and a stop loses few. */
const BLOCK_ROWS = 2 ** 19;
/** … and of so many ticks, so that there is something to keep every few seconds. */
const BLOCK_TICKS = 1e9;
/** More rows than this are not kept at once: 100 bytes each. */
const ROWS_MAX = 1e9;
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
  /** Takes up what was done before, and is kept up to date. */
  checkpoint?: Checkpoint;
  /** Ends the work; what was done so far is in the checkpoint. */
  stop?: AbortSignal;
  /** How many rows a block of the work has at most; another number cannot be resumed. */
  block_rows?: number;
}

/**
 * Runs a grid. The result depends on the grid alone, not on the number of workers.
 *
 * Memory holds the rows that are returned and two blocks of half a million more. The quantiles of a
 * summary are those of the first 100,000 runs of a configuration, all else is of all.
 * @returns a row for each run and machine, in the order of configuration, seed and machine: `rates`
 *   (as '1-4-6'), `internal`, `latency`, `loss`, `reorder`, `duration_s`, knobs that are named,
 *   `seed`, `machine`, `rate_hz` and simulate.ts's MEASURES; or the summary's rows
 * @throws RangeError if one run has more than 2^31 ticks, if a seed is above 2^53, or if there are
 *   too many configurations or rows (its cause names the field); the reason of `stop`
 * @example
 *   const frame = await sweep({ rates_hz: [1, 4, 6], internal: [0.5, 0.7], runs: 1000 });
 *   frame.groupBy('internal', 'machine').agg(pl.col('mean_lag').mean());
 */
export async function sweep(options: SweepOptions): Promise<DataFrame> {
  const { summary = false, checkpoint, stop } = options;
  const { settings, parts } = planOf(options);
  const all = ticksOf(parts);
  const count = options.workers ?? (all < FEW_TICKS ? 0 : availableParallelism());
  const workers = Array.from({ length: count }, startWorker);
  const described = settingsFrame(settings);
  const blocks = blocksOf(parts, summary, options.block_rows ?? BLOCK_ROWS);
  const columns = allocate(SUMMARY, !summary ? 0 : measures.length
    * parts.reduce((sum, { setting }) => sum + setting.rates_hz.length, 0));
  const frames: DataFrame[] = checkpoint?.rows() ?? [];
  const before = checkpoint?.sums<typeof columns>() ?? null;
  for (const name of before ? Object.keys(SUMMARY) as (keyof typeof columns)[] : []) {
    columns[name].set(before![name]);
  }
  const first = checkpoint?.blocks ?? 0;

  let ticks = blocks.slice(0, first).reduce((sum, block) => sum + ticksOf(block), 0);
  const done = ({ setting, runs, summary }: Task) => {
    if (!summary) ticks += runs * expectedTicks(setting);
    options.progress?.(ticks / all);
  };
  const saving = saver(checkpoint, frames, summary ? columns : null);
  const most = blocks.reduce((most, block) => Math.max(most, rowsIn(block)), 0);
  const memories = blocks.slice(0, summary ? 1 : 2).map(() => allocate(ROWS, most));
  const doAll = (tasks: Task[]) => performAll(tasks, workers, done, stop);
  // The rows of one block become a frame while the threads run the next one.
  let finish = () => {};
  try {
    for (const [place, block] of blocks.entries()) {
      if (place < first) continue;
      const rows = memories[place % memories.length]!;
      const { tasks, sums } = tasksOf(block, rows, columns);
      const running = doAll(tasks);
      running.catch(() => {}); // It is heard of below, unless what comes before it fails too.
      finish();
      await running;
      if (summary) await doAll(sums);
      finish = () => {
        if (!summary) frames.push(rowsFrame(rows, rowsIn(block), described, onlyOf(block)));
        saving.done(place + 1);
        finish = () => {};
      };
    }
    finish();
  } catch (error) {
    if (stop?.aborted) saving.save();
    throw error;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  if (summary) return summaryFrame(columns, described);
  return frames.length === 1 ? frames[0]! : pl.concat(frames, { how: 'vertical', rechunk: false });
}

/** What is to be done, if it can be. @throws RangeError whose cause names the field */
export function planOf(options: SweepOptions): { settings: Setting[]; parts: Part[] } {
  const { seed = 1, runs = 1000, summary = false, shard = { part: 1, of: 1 } } = options;
  if (!Number.isSafeInteger(seed + runs)) {
    throw new RangeError(`${runs} runs from seed ${seed} on: no seed is above 2^53`,
      { cause: 'seed' });
  }
  const settings = settingsOf(options);
  for (const setting of settings) {
    if (expectedTicks(setting) <= TICKS_MAX) continue;
    throw new RangeError(`more than ${TICKS_MAX} ticks in one run of ${setting.rates_hz} for `
      + `${setting.duration_s} s`, { cause: 'duration_s' });
  }
  const parts = partsOf(settings, seed, runs, shard, summary);
  const rows = rowsIn(parts);
  if (!summary && rows > ROWS_MAX) {
    throw new RangeError(`${rows.toLocaleString('en')} rows, and ${ROWS_MAX.toLocaleString('en')} `
      + 'are the most at once: a summary or a shard has fewer', { cause: 'runs' });
  }
  return { settings, parts };
}

/** Keeps a checkpoint up to date: every few seconds, and when it is told to. */
function saver(
  checkpoint: Checkpoint | undefined, frames: DataFrame[], sums: Columns<typeof SUMMARY> | null,
) {
  let [blocks, kept, last_ms] = [checkpoint?.blocks ?? 0, frames.length, performance.now()];
  const save = () => {
    if (checkpoint === undefined || blocks === checkpoint.blocks) return;
    if (sums) {
      // Copies, since memory that threads share cannot be written as it is.
      checkpoint.save(blocks, { sums: Object.fromEntries(Object.entries(sums).map(
        ([name, values]) => [name, values.slice()])) });
    } else checkpoint.save(blocks, { rows: pl.concat(frames.slice(kept), { how: 'vertical' }) });
    [kept, last_ms] = [frames.length, performance.now()];
  };
  return {
    save,
    done(many: number) {
      blocks = many;
      if (performance.now() - last_ms > SAVE_EVERY_S * 1000) save();
    },
  };
}

/** The configuration of a block, if it has a single one. */
const onlyOf = ([first, ...more]: Part[]): number | null =>
  (first && more.every(({ configuration }) => configuration === first.configuration)
    ? first.configuration : null);
const rowsOf = ({ setting, runs }: Part) => setting.rates_hz.length * runs;
const rowsIn = (block: Part[]) => block.reduce((sum, part) => sum + rowsOf(part), 0);
const ticksOf = (block: Part[]) =>
  block.reduce((sum, { setting, runs }) => sum + runs * expectedTicks(setting), 0);

/**
 * Joins small parts and cuts large ones. There is always a block, and none has two pieces of one
 * configuration, whose summaries must not be added to at the same time.
 */
function blocksOf(parts: Part[], summary: boolean, rows_max: number): Part[][] {
  const blocks: Part[][] = [[]];
  let [rows, ticks] = [0, 0];
  const pieces = parts.flatMap((part) => cut(part, summary ? QUANTILE_RUNS
    : Math.ceil(Math.min(rows_max / part.setting.rates_hz.length,
      BLOCK_TICKS / expectedTicks(part.setting)))));
  for (const piece of pieces) {
    rows += rowsOf(piece);
    const before = blocks.at(-1)!.at(-1);
    ticks += ticksOf([piece]);
    const full = rows > rows_max || ticks > BLOCK_TICKS;
    if (before && (full || before.configuration === piece.configuration)) {
      blocks.push([]);
      [rows, ticks] = [rowsOf(piece), ticksOf([piece])];
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

const startWorker = (): Worker =>
  startThread(new URL('worker.ts', import.meta.url), 'loaded.work();');

/** Does tasks in workers, each its next one when it is free; without workers in this thread. */
async function performAll(
  tasks: Task[], workers: Worker[], done: (task: Task) => void, stop: AbortSignal | undefined,
): Promise<void> {
  for (const task of workers.length === 0 ? tasks : []) {
    stop?.throwIfAborted();
    perform(task);
    done(task);
    await immediate();
  }
  const share: Share = { tasks, next: new Int32Array(new SharedArrayBuffer(4)) };
  await Promise.all(workers.map(async (worker) => {
    worker.postMessage(share);
    for await (const [nth] of on(worker, 'message', { signal: stop })) {
      if (nth === null) return;
      done(tasks[nth]!);
    }
  }));
}
