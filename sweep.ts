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
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { parentPort, Worker } from 'node:worker_threads';
import { InvalidArgumentError } from 'commander';
import { createLogUpdate } from 'log-update';
import pl, { type DataFrame } from 'nodejs-polars';
import {
  atLeast, configure, isMain, positive, probability, rateList, script, versions, whole,
} from './machine.ts';
import { intervalReach } from './lab/theory/cephes.ts';
import {
  Engine, expectedTicks, latencyText, MEASURES, type Measure, type Network, PERFECT, TICKS_MAX,
} from './simulate.ts';

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
/** How often the bar moves. */
const REPAINT_MS = 200;

// ── The grid ─────────────────────────────────────────────────────────────────────────────────

/** What is swept: every combination of what has several values, each with `runs` seeds. */
export interface Grid {
  /** One list of rates, or several. */
  rates_hz: number[] | number[][];
  /** Default 0.7. */
  internal?: number | number[];
  /** As simulate.ts takes it; default 'constant:0'. */
  latency?: string | string[];
  /** Default 0. */
  loss?: number | number[];
  /** Default 60. */
  duration_s?: number | number[];
  /** Default false. */
  reorder?: boolean;
  /** Seeds in a row, from `seed` on; default 1000, from 1. */
  runs?: number;
  seed?: number;
}

/** One point of the grid. */
interface Setting extends Network {
  rates_hz: number[];
  internal: number;
  duration_s: number;
}

/** The points of a grid; what stands last in a configuration's columns changes fastest. */
function settingsOf(grid: Grid): Setting[] {
  const { internal = 0.7, latency = PERFECT.latency, loss = 0, duration_s = 60 } = grid;
  const lists = (Array.isArray(grid.rates_hz[0]) ? grid.rates_hz : [grid.rates_hz]) as number[][];
  const reorder = grid.reorder ?? false;
  return lists.flatMap((rates_hz) => [internal].flat().flatMap((internal) =>
    [latency].flat().flatMap((latency) => [loss].flat().flatMap((loss) =>
      [duration_s].flat().map((duration_s) =>
        ({ rates_hz, internal, latency, loss, reorder, duration_s }))))));
}

/** Some runs of one point of the grid: seeds in a row. */
interface Part {
  setting: Setting;
  /** The setting's place in the grid. */
  configuration: number;
  seed: number;
  runs: number;
  /** Where its summary begins. */
  place: number;
}

/**
 * The i-th of n parts of all runs, which stand in the order of their rows. Cut between runs or,
 * for a summary, between configurations, since nobody can join two halves of a quantile.
 */
function partsOf(
  settings: Setting[], seed: number, runs: number, { part, of }: Shard, summary: boolean,
): Part[] {
  const unit = summary ? runs : 1;
  const all = (settings.length * runs) / unit;
  const [first, last] = [part - 1, part].map((n) => Math.floor((all * n) / of) * unit);
  let next = 0;
  return settings.flatMap((setting, configuration) => {
    const [from, to] = [first!, last!].map((run) =>
      Math.min(Math.max(run - configuration * runs, 0), runs));
    if (from! >= to!) return [];
    const place = next;
    next += setting.rates_hz.length * measures.length;
    return [{ setting, configuration, seed: seed + from!, runs: to! - from!, place }];
  });
}

export interface Shard {
  /** 1 … of. */
  part: number;
  of: number;
}

// ── Columns ──────────────────────────────────────────────────────────────────────────────────

/** A row of each machine of each run. */
const ROWS = {
  configuration: Int32Array, seed: Float64Array, machine: Int32Array, rate_hz: Float64Array,
  ...MEASURES,
};
const measures = Object.keys(MEASURES) as Measure[];

const QUANTILES = {
  quantile_05: 0.05, quantile_25: 0.25, quantile_50: 0.5, quantile_75: 0.75, quantile_95: 0.95,
};
/** A row of each configuration, machine and measure, over the runs in which it is defined. */
const SUMMARY = {
  configuration: Int32Array, machine: Int32Array, rate_hz: Float64Array, measure: Int32Array,
  runs: Int32Array, mean: Float64Array, standard_deviation: Float64Array,
  quantile_05: Float64Array, quantile_25: Float64Array, quantile_50: Float64Array,
  quantile_75: Float64Array, quantile_95: Float64Array,
};

type Columns<Kinds> = Record<keyof Kinds, Int32Array | Float64Array>;

/** Memory that all threads see. */
function allocate<Kinds extends Record<string, typeof Int32Array | typeof Float64Array>>(
  kinds: Kinds, rows: number,
): Columns<Kinds> {
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => {
    const memory = new SharedArrayBuffer(rows * kind.BYTES_PER_ELEMENT);
    return [name, kind === Int32Array ? new Int32Array(memory) : new Float64Array(memory)];
  })) as Columns<Kinds>;
}

/** What a worker is asked to do: run a part, its rows from `row` on … */
interface Task extends Part {
  rows: Columns<typeof ROWS>;
  row: number;
  /** … or add one machine of a part that was run to the summary. */
  summary?: { columns: Columns<typeof SUMMARY>; machine: number };
}

function perform(task: Task): void {
  if (task.summary) sumUp(task, task.summary);
  else runAll(task);
}

/** An engine is used again for the next configuration of as many machines. */
let engine: Engine | undefined;

function runAll({ rows, row, setting, configuration: place, seed: first, runs }: Task): void {
  const { rates_hz, internal, duration_s } = setting;
  const machines = rates_hz.length;
  if (engine?.machines !== machines) engine = new Engine(machines);
  for (let seed = first; seed < first + runs; seed++, row += machines) {
    const configuration = configure({
      seed, machines, rates_hz, min_rate_hz: 1, max_rate_hz: 1, internal, duration_s, speed: 1,
    });
    const statistics = engine.run(configuration, setting);
    for (let id = 0; id < machines; id++) {
      rows.configuration[row + id] = place;
      rows.seed[row + id] = seed;
      rows.machine[row + id] = id;
      rows.rate_hz[row + id] = rates_hz[id]!;
    }
    for (const measure of measures) {
      const [from, to] = [statistics[measure], rows[measure]];
      for (let id = 0; id < machines; id++) to[row + id] = from[id]!;
    }
  }
}

/**
 * Adds runs to what the summary holds of those before them: means and deviations are joined after
 * Chan, Golub and LeVeque (1979), quantiles stay those of the first. They are interpolated between
 * the runs of neighbouring ranks.
 */
function sumUp(
  { rows, row, setting: { rates_hz }, configuration, runs, place: first }: Task,
  { columns, machine }: Required<Task>['summary'],
): void {
  for (const [nth, measure] of measures.entries()) {
    const place = first + machine * measures.length + nth;
    const values = Float64Array.from({ length: runs }, (_, run) =>
      rows[measure][row + run * rates_hz.length + machine]!).filter((x) => !Number.isNaN(x));
    const n = values.length;
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const before = columns.runs[place]!;
    if (before === 0) {
      const cells: Record<string, number> = {
        configuration, machine, rate_hz: rates_hz[machine]!, measure: nth, runs: n, mean,
        standard_deviation: Math.sqrt(squares / (n - 1)), ...quantilesOf(values.sort()),
      };
      for (const name of Object.keys(SUMMARY) as (keyof typeof SUMMARY)[]) {
        columns[name][place] = cells[name]!;
      }
    } else if (n > 0) {
      const [all, apart] = [before + n, mean - columns.mean[place]!];
      const squares_before =
        before > 1 ? columns.standard_deviation[place]! ** 2 * (before - 1) : 0;
      const squares_all = squares_before + squares + (apart ** 2 * before * n) / all;
      columns.runs[place] = all;
      columns.mean[place] = columns.mean[place]! + (apart * n) / all;
      columns.standard_deviation[place] = Math.sqrt(squares_all / (all - 1));
    }
  }
}

function quantilesOf(sorted: Float64Array): Record<string, number> {
  const last = sorted.length - 1;
  return Object.fromEntries(Object.entries(QUANTILES).map(([name, q]) => {
    const rank = Math.floor(last * q);
    const [low, high] = [sorted[rank]!, sorted[Math.min(rank + 1, last)]!];
    return [name, low + (last * q - rank) * (high - low)];
  }));
}

// ── Threads ──────────────────────────────────────────────────────────────────────────────────

/** A worker's life: it does one task after the other. */
export function work(): void {
  parentPort!.on('message', (task: Task) => {
    perform(task);
    parentPort!.postMessage(null);
  });
}

/** Starts a thread that works. tsx does not reach into threads by itself: it is loaded there. */
function startWorker(): Worker {
  return new Worker(`
    process.argv.length = 1; // Else the files that are imported ask whether they are this one.
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      (await import(${JSON.stringify(import.meta.url)})).work();
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

// ── Frames ───────────────────────────────────────────────────────────────────────────────────

/** The settings as columns, with their place in the grid. */
function settingsFrame(settings: Setting[]): DataFrame {
  const column = <T>(value: (setting: Setting) => T) => settings.map(value);
  return pl.DataFrame({
    configuration: pl.Series('configuration', Int32Array.from(settings.keys())),
    rates: column(({ rates_hz }) => rates_hz.join('-')),
    internal: column(({ internal }) => internal),
    latency: column(({ latency }) => latency),
    loss: column(({ loss }) => loss),
    reorder: column(({ reorder }) => reorder),
    duration_s: column(({ duration_s }) => duration_s),
  });
}
const SETTING = ['rates', 'internal', 'latency', 'loss', 'reorder', 'duration_s'];

/** Copies of the first values of columns. */
const series = (columns: Record<string, Int32Array | Float64Array>, rows?: number) =>
  Object.entries(columns).map(([name, values]) => pl.Series(name, values.subarray(0, rows)));
/** What is not defined, in polars' way. */
const nanToNull = (...names: string[]) => names.map((name) => pl.col(name).fillNan(pl.lit(null)));

/** The rows of a block. Where a machine had no tick, a mean over its ticks is null. */
function rowsFrame(
  rows: Columns<typeof ROWS>, many: number, settings: DataFrame,
): DataFrame {
  return pl.DataFrame(series(rows, many))
    .withColumns(pl.col('seed').cast(pl.Int64), ...nanToNull('mean_jump', 'receive_share'))
    .join(settings, { on: 'configuration', how: 'left' })
    .select(...SETTING, 'seed', 'machine', 'rate_hz', ...measures);
}

/** The summary. One run has no deviation and no interval: null. */
function summaryFrame(summary: Columns<typeof SUMMARY>, settings: DataFrame): DataFrame {
  const { measure, ...numbers } = summary;
  const { configuration, ...shown } = SUMMARY;
  const names = Array.from(measure, (nth) => measures[nth]!);
  return withInterval(pl.DataFrame([...series(numbers), pl.Series('measure', names, pl.Utf8)])
    .withColumns(...nanToNull('mean', 'standard_deviation')))
    .join(settings, { on: 'configuration', how: 'left' })
    .select(...SETTING, ...Object.keys(shown), 'mean_low', 'mean_high');
}

/** The 95 % interval of each mean: mean ± t·s/√n, t of Student with n − 1 degrees of freedom. */
function withInterval(frame: DataFrame): DataFrame {
  const reach = Array.from(frame.getColumn('runs'), intervalReach);
  const half = pl.col('reach').mul(pl.col('standard_deviation'));
  return frame.withColumn(pl.Series('reach', reach, pl.Float64))
    .withColumns(pl.col('mean').sub(half).alias('mean_low'),
      pl.col('mean').add(half).alias('mean_high')).drop('reach');
}

/**
 * Mean of any column in each group of rows, with its interval, as a summary has it: `runs`, `mean`,
 * `standard_deviation`, `mean_low`, `mean_high`. Groups stand in the order of their first rows.
 * @param by columns; none: one row for all
 * @example means(await sweep({ rates_hz: [1, 3], runs: 100 }), ['machine'], 'mean_lag')
 */
export function means(frame: DataFrame, by: string[], column: string): DataFrame {
  const value = pl.col(column).cast(pl.Float64);
  const what = [value.count().alias('runs'), value.mean().alias('mean'),
    value.std().alias('standard_deviation')];
  const lazy = frame.lazy();
  const groups = by.length === 0 ? lazy.select(...what) : lazy.groupBy(by, true).agg(...what);
  return withInterval(groups.collectSync());
}

// ── The sweep ────────────────────────────────────────────────────────────────────────────────

export interface Wish extends Grid {
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
export async function sweep(wish: Wish): Promise<DataFrame> {
  const { seed = 1, runs = 1000, summary = false, shard = { part: 1, of: 1 } } = wish;
  const settings = settingsOf(wish);
  const parts = partsOf(settings, seed, runs, shard, summary);
  const all = parts.reduce((sum, { setting, runs }) => sum + runs * expectedTicks(setting), 0);
  const workers = Array.from(
    { length: wish.workers ?? (all < FEW_TICKS ? 0 : availableParallelism()) }, startWorker);
  const described = settingsFrame(settings);
  const frames: DataFrame[] = [];
  const columns = allocate(SUMMARY, !summary ? 0 : measures.length
    * parts.reduce((sum, { setting }) => sum + setting.rates_hz.length, 0));
  let ticks = 0;
  const done = ({ setting, runs, summary }: Task) => {
    if (!summary) ticks += runs * expectedTicks(setting);
    wish.progress?.(ticks / all);
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

/** A part in pieces of at most so many runs. */
function cut(part: Part, most: number): Part[] {
  return Array.from({ length: Math.ceil(part.runs / most) }, (_, nth) => ({
    ...part, seed: part.seed + nth * most, runs: Math.min(most, part.runs - nth * most),
  }));
}

// ── Main ─────────────────────────────────────────────────────────────────────────────────────

/** Reads '1,4,6', or 'all:1-6:3' as each draw of 3 machines from 1 … 6 Hz. */
function ratesGrid(text: string, before: number[][] = []): number[][] {
  const draw = /^all:(\d+)-(\d+):(\d+)$/.exec(text);
  if (!draw) {
    const rates_hz = rateList(text);
    if (rates_hz.length < 2) throw new InvalidArgumentError('It names fewer than two machines.');
    return [...before, rates_hz];
  }
  const [low, high, machines] = draw.slice(1).map(Number) as [number, number, number];
  if (low < 1 || high < low || machines < 2) {
    throw new InvalidArgumentError('all:1-6:3 is each draw of three machines from 1 to 6 Hz.');
  }
  const faces = Array.from({ length: high - low + 1 }, (_, place) => low + place);
  let draws: number[][] = [[]];
  for (let id = 0; id < machines; id++) {
    draws = draws.flatMap((rates_hz) => faces.map((rate_hz) => [...rates_hz, rate_hz]));
  }
  return [...before, ...draws];
}

/** Reads '0.7', '0.5,0.7' or '0.1:0.9:0.1', which is from, to and step. */
const numberGrid = (parse: (text: string) => number) => (text: string): number[] => {
  if (!text.includes(':')) return text.split(',').map(parse);
  const [from, to, step, ...more] = text.split(':').map(parse);
  if (step === undefined || more.length > 0 || step <= 0 || to! < from!) {
    throw new InvalidArgumentError('A range is written from:to:step.');
  }
  const steps = Math.floor((to! - from!) / step + 1e-9);
  // 0.1 + 2 · 0.1 is not 0.3 until it is rounded.
  return Array.from({ length: steps + 1 }, (_, n) => Number((from! + n * step).toPrecision(12)));
};

function shardOf(text: string): Shard {
  const [, part, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (part === undefined || of === undefined || part < 1 || part > of) {
    throw new InvalidArgumentError('The parts of 4 are 1/4, 2/4, 3/4 and 4/4.');
  }
  return { part, of };
}

const latencyGrid = (text: string, before: string[] = []) => [...before, latencyText(text)];

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
