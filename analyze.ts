/**
 * Reads the logs of a run, sums them up, and draws a report that any browser opens.
 *
 *   npx tsx analyze.ts logs/by-hand                 a table, and logs/by-hand/report.html
 *   npx tsx analyze.ts logs/quiet logs/overloaded   side by side, with the same axes
 *   npx tsx analyze.ts logs/by-hand --png           each picture as a file, too
 *   npx tsx analyze.ts logs/by-hand --csv --parquet events, messages and summary for other tools
 *   npx tsx analyze.ts logs/by-hand --shiviz        a log that ShiViz opens as it is
 *
 * Files go into the run's own folder, a report of several into the first one's. Logs are only read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import pl, { type DataFrame } from 'nodejs-polars';
import { HEADER, isMain, logPath, type RunRecord, script } from './machine.ts';
import { coloured } from './plot.ts';
import { type Diagram, vectorClocks } from './report.client.ts';

// ── Loading ──────────────────────────────────────────────────────────────────────────────────

/** A run as its folder tells it. */
export interface Run {
  /** The folder's name. */
  name: string;
  folder: string;
  /** The configuration and how the run ended: run.json. */
  run: RunRecord;
  /** Epoch µs at model second 0. */
  start_us: number;
  /** Model seconds that were observed: the duration, or less if every machine ended before it. */
  end_s: number;
  /**
   * One row an event, machine by machine in program order: `time_us` (system time), `machine`,
   * `tick`, `event`, `peer`, `message`, `queue`, `clock`; and of these: `time_s` (model seconds
   * since the start), `late_ms` (real time since the tick was due), `jump` (clock − clock before).
   * What a row has not is null: `start` and `stop` have no tick and no jump.
   */
  events: DataFrame;
}

/** What is wrong with a folder or a file, in one line that names it. */
export class LogError extends Error {}

/** `more` is what a line has after its last field; with it, a line of nine fields is seen. */
const schema = {
  time_us: pl.Int64, machine: pl.Int32, tick: pl.Int64, event: pl.Utf8, peer: pl.Utf8,
  message: pl.Int64, queue: pl.Int32, clock: pl.Int64, more: pl.Utf8,
};

/**
 * Reads a run's folder. A torn last line is cut; a machine without a log has no events.
 * @param bad if given, is told of each file with lines that cannot be read, which are left out
 * @throws LogError that names the folder, or the file and its first line that cannot be read
 */
export function load(folder: string, bad?: (message: string) => void): Run {
  const run = readConfiguration(folder);
  const paths = run.rates_hz.map((_, id) => logPath(folder, id));
  if (!paths.some((path) => existsSync(path))) {
    throw new LogError(`${folder}: there are no logs in it`);
  }
  const logs = paths.map((path, id) => readLog(path, id, bad));
  const times = logs.flatMap((log) => (log.height === 0 ? []
    : [log.getColumn('time_us').min(), log.getColumn('time_us').max()])).map(Number);
  const start_us = run.start_us ?? (times.length > 0 ? Math.min(...times) : 0);
  const elapsed_s = ((Math.max(start_us, ...times) - start_us) * run.speed) / 1e6;
  const events = withDerived(logs, run, start_us);
  return {
    name: basename(resolve(folder)), folder, run, start_us, events,
    end_s: Math.min(run.duration_s, elapsed_s),
  };
}

/**
 * The logs as one frame, with what follows from them. Tick k is due at start + (k + phase)/rate, in
 * model seconds. Phase and period are columns on the way, so that one expression serves all logs.
 */
function withDerived(logs: DataFrame[], run: RunRecord, start_us: number): DataFrame {
  const { due_us, jump } = derived();
  const since_us = pl.col('time_us').sub(start_us);
  return pl.concat(logs.map((log, id) => log.withColumns(
    pl.repeat(run.phases[id]!, log.height, 'phase'),
    pl.repeat(1e6 / (run.rates_hz[id]! * run.speed), log.height, 'period_us'),
  )), { how: 'vertical', rechunk: false }).withColumns(
    since_us.mul(run.speed / 1e6).alias('time_s'),
    since_us.sub(due_us).div(1000).alias('late_ms'), jump,
  ).drop('phase', 'period_us');
}

const derived = once(() => {
  const [machine, tick, clock] = [pl.col('machine'), pl.col('tick'), pl.col('clock')];
  // The row before may be another machine's where a log has lost its start.
  const hasBefore = tick.isNotNull().and(machine.eq(machine.shift(1)));
  const jump = pl.when(hasBefore).then(clock.sub(clock.shift(1))).otherwise(pl.lit(null));
  return {
    jump: jump.alias('jump'), due_us: tick.add(pl.col('phase')).mul(pl.col('period_us')),
  };
});

function readConfiguration(folder: string): RunRecord {
  const path = join(folder, 'run.json');
  if (!existsSync(folder)) throw new LogError(`${folder}: there is no such folder`);
  if (!existsSync(path)) throw new LogError(`${folder}: there is no run.json in it`);
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as RunRecord;
    if (run.rates_hz.length !== run.machines || run.phases.length !== run.machines) {
      throw new Error('rates_hz and phases must have one number a machine');
    }
    return run;
  } catch (error) {
    throw new LogError(`${path}: ${(error as Error).message}`);
  }
}

function readLog(path: string, id: number, bad?: (message: string) => void): DataFrame {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  if (whole.length === 0) return pl.readCSV(Buffer.from(HEADER), { schema }).drop('more');
  const log = parse(whole, id);
  if (log) return log;
  const { good, message } = sift(path, whole, id);
  if (!bad) throw new LogError(message);
  bad(message);
  return parse(good, id)!;
}

/** Null if some line is none of machine `id`'s log. */
function parse(bytes: Buffer, id: number): DataFrame | null {
  if (!bytes.subarray(0, HEADER.length).equals(Buffer.from(HEADER))) return null;
  try {
    const log = pl.readCSV(bytes, { schema, rechunk: false });
    const machine = log.getColumn('machine');
    const others = log.height > 0 && (machine.min() !== id || machine.max() !== id);
    return others || log.filter(isWrong()).height > 0 ? null : log.drop('more');
  } catch {
    return null; // A stray quotation mark.
  }
}

/** Tells the good lines from the others, line by line: only a file that polars refuses needs it. */
function sift(path: string, bytes: Buffer, id: number): { good: Buffer; message: string } {
  const row = new RegExp(`^\\d+,${id},(,(start|stop),,|\\d+,(internal,,|send,\\d+( \\d+)*,\\d+`
    + '|receive,\\d+,\\d+)),\\d+,\\d+$');
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  const isGood = (line: string, at: number) => (at === 0 ? `${line}\n` === HEADER : row.test(line));
  const first = lines.findIndex((line, at) => !isGood(line, at));
  const many = lines.filter((line, at) => !isGood(line, at)).length;
  return {
    good: Buffer.from(`${HEADER}${lines.slice(1).filter((line) => row.test(line))
      .map((line) => `${line}\n`).join('')}`),
    message: `${path}:${first + 1}: not ${first === 0 ? 'the header' : 'a row'} of this log: `
      + JSON.stringify(lines[first]!.slice(0, 80)) + (many > 1 ? ` (and ${many - 1} more)` : ''),
  };
}

/** Which rows no log can have: polars reads what is not a number as null. */
const isWrong = once(() => {
  const event = pl.col('event');
  const [noTick, carries] = [event.isIn(['start', 'stop']), event.isIn(['send', 'receive'])];
  const known = noTick.or(carries).or(event.eq(pl.lit('internal'))).fillNull(false);
  const missing = (...names: string[]) =>
    names.map((name) => pl.col(name).isNull()).reduce((some, more) => some.or(more));
  return missing('time_us', 'machine', 'queue', 'clock').or(known.not())
    .or(noTick.not().and(missing('tick'))).or(carries.and(missing('message', 'peer')))
    .or(pl.col('more').isNotNull());
});

/** polars takes half a millisecond to make an expression: those that many logs need are kept. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The folders that globs as `logs/sweep-*` name. @throws LogError if one names none */
async function foldersOf(patterns: string[]): Promise<string[]> {
  const { glob } = await import('zx');
  const found = await Promise.all(patterns.map(async (pattern) => (existsSync(pattern) ? [pattern]
    : (await glob(pattern, { onlyDirectories: true })).sort())));
  const nothing = found.findIndex((folders) => folders.length === 0);
  if (nothing >= 0) throw new LogError(`${patterns[nothing]}: there is no such folder`);
  return found.flat();
}

/** Reads several runs: folders, or globs as `logs/sweep-*`. @throws LogError as load does */
export const loadAll = async (...patterns: string[]): Promise<Run[]> =>
  (await foldersOf(patterns)).map((folder) => load(folder));

/**
 * The events of several runs in one frame, with the configuration joined in: the columns of
 * `Run.events` and `run` (its name), `seed`, `machines`, `internal`, `speed`, `kind`, and of the
 * machine `rate_hz` and `phase`.
 */
export const joined = (runs: Run[]): DataFrame => pl.concat(runs.map(({ name, run, events }) => {
  const { seed, machines, internal, speed, kind } = run;
  const values = { run: name, seed, machines, internal, speed, kind };
  return events.join(machinesOf(run), { on: 'machine', how: 'left' })
    .withColumns(...Object.entries(values).map(([column, value]) => pl.lit(value).alias(column)));
}), { how: 'vertical' });

/** One row a machine: `machine`, `rate_hz`, `phase`. */
const machinesOf = ({ rates_hz, phases }: RunRecord): DataFrame => pl.DataFrame({
  machine: pl.Series('machine', rates_hz.map((_, id) => id), pl.Int32),
  rate_hz: pl.Series('rate_hz', rates_hz, pl.Float64),
  phase: pl.Series('phase', phases, pl.Float64),
});

// ── Frames ───────────────────────────────────────────────────────────────────────────────────

/** Events in the order of time; those of one machine stay in program order. */
const inTime = (events: DataFrame) => events.sort({ by: 'time_s', maintainOrder: true });

/**
 * The godlike view: the state of each machine by system time, from as-of joins of what it was last.
 * `time_s` (model seconds), `machine`, `clock`, `queue` (messages that wait) and `lag` (highest
 * clock − its clock), in the order of time, machine by machine at each.
 * @param every_s at these steps; without it, at each time at which something happened
 */
export function timeline(run: Run, every_s?: number): DataFrame {
  const { events, end_s } = run;
  const clocks = inTime(events.select('time_s', 'machine', 'clock'));
  // Clocks never go back, so the highest is the highest value seen so far.
  const front = clocks.select('time_s', pl.col('clock').cumMax().alias('front'));
  const times = every_s === undefined
    ? pl.concat([events.getColumn('time_s'), pl.Series('time_s', [0, end_s], pl.Float64)])
    : pl.Series('time_s', Array.from({ length: Math.floor(end_s / every_s) + 1 },
      (_, k) => k * every_s), pl.Float64);
  const asOf = { on: 'time_s', by: 'machine', checkSortedness: false };
  return pl.DataFrame({ time_s: times }).unique().sort('time_s')
    .filter(pl.col('time_s').gtEq(0).and(pl.col('time_s').ltEq(end_s)))
    .join(machinesOf(run.run).select('machine'), { how: 'cross' })
    .joinAsof(clocks, asOf).joinAsof(queues(run), asOf).joinAsof(front, { on: 'time_s' })
    .withColumns(...['clock', 'queue', 'front'].map((name) => pl.col(name).fillNull(0)
      .cast(pl.Int64)))
    .withColumn(pl.col('front').sub(pl.col('clock')).alias('lag'))
    .select('time_s', 'machine', 'clock', 'queue', 'lag');
}

/** From a timeline the drift, highest − lowest clock: `time_s`, `drift`. */
export const drift = (states: DataFrame): DataFrame =>
  states.groupBy('time_s').agg(pl.col('lag').max().alias('drift')).sort('time_s');

/** The drift's mean over time and its maximum. */
export function driftSummary(run: Run): { mean_drift: number; max_drift: number } {
  const [mean, max] = drift(timeline(run))
    .select(timeMean('drift', 0, run.end_s), pl.col('drift').max().alias('max')).row(0);
  return { mean_drift: Number(mean), max_drift: Number(max) };
}

/** One row a tick: `time_s`, `machine`, `tick`, `event`, `clock`, `jump` (clock − clock before). */
export const jumps = ({ events }: Run): DataFrame => events.filter(pl.col('tick').isNotNull())
  .select('time_s', 'machine', 'tick', 'event', 'clock', 'jump');

/** How many ticks moved the clock by how much: `machine`, `jump`, `ticks`, `share` of its own. */
export const jumpCounts = (run: Run): DataFrame => jumps(run).groupBy('machine', 'jump')
  .agg(pl.col('tick').count().cast(pl.Int64).alias('ticks'))
  .withColumn(pl.col('ticks').cast(pl.Float64).div(pl.col('ticks').sum().over('machine'))
    .alias('share')).sort([pl.col('machine'), pl.col('jump')]);

/**
 * The queue of each machine at all times: `time_s`, `machine`, `queue` (messages that wait),
 * machine by machine in the order of time, from each row to the next.
 *
 * A log says how many wait after an event. Until the next event come as many as that one finds, at
 * the times at which they were sent: over sockets, and in virtual runs without latency, this is
 * when they come but for a fraction of a millisecond. With latency it is the earliest time.
 */
export function queues(run: Run): DataFrame {
  const steps = { time_s: [] as number[], machine: [] as number[], queue: [] as number[] };
  eachQueueStep(run, (time_s, machine, queue) => {
    steps.time_s.push(time_s);
    steps.machine.push(machine);
    steps.queue.push(queue);
  });
  return pl.DataFrame({
    time_s: pl.Series('time_s', steps.time_s, pl.Float64),
    machine: pl.Series('machine', steps.machine, pl.Int32),
    queue: pl.Series('queue', steps.queue, pl.Int32),
  });
}

/** The mean over time of each machine's queue. */
function meanQueues(run: Run): number[] {
  const areas = run.run.rates_hz.map(() => 0);
  let [since_s, of, waiting] = [0, -1, 0];
  const hold = (until_s: number) => {
    if (of >= 0) areas[of]! += waiting * Math.max(0, until_s - since_s);
  };
  eachQueueStep(run, (time_s, machine, queue) => {
    hold(machine === of ? Math.min(time_s, run.end_s) : run.end_s);
    [since_s, of, waiting] = [time_s, machine, queue];
  });
  hold(run.end_s);
  return areas.map((area) => area / run.end_s);
}

/** Tells of each step of each machine's queue, in the order that queues() describes. */
function eachQueueStep(
  { events, end_s, run }: Run, step: (time_s: number, machine: number, queue: number) => void,
): void {
  const taken = pl.col('event').eq(pl.lit('receive')).cast(pl.Int32);
  const own = events.select('time_s', 'machine', 'queue', taken.alias('taken'));
  const [times, ids, left, takes] =
    ['time_s', 'machine', 'queue', 'taken'].map((name) => arrayOf(own, name)) as
      [Float64Array, Float64Array, Float64Array, Float64Array];
  const arrivals = run.rates_hz.map((): number[] => []);
  const sends = inTime(sendsOf(events).select('time_s', pl.col('to').fillNull(-1)));
  const [sent_s, to] = [arrayOf(sends, 'time_s'), arrayOf(sends, 'to')];
  for (let at = 0; at < to.length; at++) arrivals[to[at]!]?.push(sent_s[at]!);

  for (let at = 0, next = 0; at < times.length; at++) {
    const id = ids[at]!;
    if (ids[at - 1] !== id) next = 0;
    let waiting = left[at]!;
    step(times[at]!, id, waiting);
    // As many come as the next event finds; after the last one nobody looks.
    const isLast = ids[at + 1] !== id;
    const found = isLast ? waiting : left[at + 1]! + takes[at + 1]!;
    const until_s = isLast ? end_s : times[at + 1]!;
    for (let sent; (sent = arrivals[id]![next]!) < until_s; next++) {
      if (waiting < found) step(Math.max(sent, times[at]!), id, ++waiting);
    }
  }
}

/** One row for each message and receiver: `machine`, `to`, `message`, `tick` and times. */
const sendsOf = (events: DataFrame): DataFrame => events
  .select('time_s', 'machine', 'tick', 'message', 'event', pl.col('peer').alias('to'))
  .filter(pl.col('event').eq(pl.lit('send'))).drop('event')
  .withColumn(pl.col('to').str.split(' ')).explode('to')
  .withColumn(pl.col('to').cast(pl.Int32, false));

/**
 * How machines spend their ticks: `machine`, `event`, `ticks`, `share` (of the machine's ticks);
 * with a width also `from_s` and `to_s`, the bounds of each slice of so many model seconds.
 */
export function mix({ events, end_s }: Run, width_s?: number): DataFrame {
  const slice = ['machine', ...(width_s === undefined ? [] : ['from_s', 'to_s'])];
  const from_s = pl.col('time_s').div(width_s ?? Infinity).floor().mul(width_s ?? 0);
  const to_s = pl.minHorizontal([from_s.add(width_s ?? 0), pl.lit(end_s)]);
  return events.filter(pl.col('tick').isNotNull())
    .withColumns(from_s.alias('from_s'), to_s.alias('to_s'))
    .groupBy(...slice, 'event').agg(pl.col('tick').count().cast(pl.Int64).alias('ticks'))
    .withColumn(pl.col('ticks').cast(pl.Float64)
      .div(pl.col('ticks').sum().over(...(slice as [string]))).alias('share'))
    .select(...slice, 'event', 'ticks', 'share').sort([...slice, 'event'].map((by) => pl.col(by)));
}

/** One row a machine: `machine`, `rate_hz`, `ticks`, `skipped`, `pace`, `late_ms_…` of summary. */
export const pace = (run: Run): DataFrame => summary(run).select('machine', 'rate_hz', 'ticks',
  'skipped', 'pace', 'late_ms_median', 'late_ms_p99', 'late_ms_max');

/**
 * One row for each message and receiver, in the order of sending: `from`, `to`, `message` (its
 * value), `sent_s`, `received_s` and `wait_s` between them, all in model seconds, null if it was
 * not taken from the queue, and `send_tick`, `receive_tick`. (from, message) names a message.
 */
export function messages({ events }: Run): DataFrame {
  const sends = inTime(sendsOf(events)).select(pl.col('machine').alias('from'), 'to', 'message',
    pl.col('time_s').alias('sent_s'), pl.col('tick').alias('send_tick'));
  const receives = events.filter(pl.col('event').eq(pl.lit('receive'))).select(
    pl.col('peer').cast(pl.Int32, false).alias('from'), pl.col('machine').alias('to'), 'message',
    pl.col('time_s').alias('received_s'), pl.col('tick').alias('receive_tick'));
  return sends.join(receives, { on: ['from', 'to', 'message'], how: 'left' })
    .withColumn(pl.col('received_s').sub(pl.col('sent_s')).alias('wait_s'))
    .select('from', 'to', 'message', 'sent_s', 'received_s', 'wait_s', 'send_tick', 'receive_tick')
    .sort({ by: 'sent_s', maintainOrder: true });
}

/**
 * How long messages waited from send to receive, one row a receiver: `machine`, `taken`,
 * `not_taken` (still in its queue, under way or lost), `mean_wait_s`, `median_wait_s`, `max_wait_s`
 * of those that were taken.
 */
export const waits = (run: Run): DataFrame => messages(run)
  .withColumn(pl.col('to').alias('machine')).groupBy('machine').agg(
    pl.col('wait_s').count().cast(pl.Int64).alias('taken'),
    pl.col('wait_s').nullCount().cast(pl.Int64).alias('not_taken'),
    pl.col('wait_s').mean().alias('mean_wait_s'), pl.col('wait_s').median().alias('median_wait_s'),
    pl.col('wait_s').max().alias('max_wait_s')).sort('machine');

/**
 * The run's ticks in the order of time, and which send each receive goes back to: what the
 * space-time diagram and the vector clocks are made from.
 * @param most is how many events it holds at most: the first ones, so that no cause is missing
 */
export function diagram(run: Run, most = Infinity): Diagram {
  const ticks = run.events.filter(pl.col('tick').isNotNull());
  const last_s = ticks.height <= most ? run.end_s : ticks.getColumn('time_s').sort().get(most - 1);
  const part = inTime(ticks.filter(pl.col('time_s').ltEq(last_s)))
    .head(Math.min(most, ticks.height));
  const column = (name: string) => part.getColumn(name).toArray() as never[];
  const [machine, event, peer, message]: [number[], string[], (string | null)[], number[]] =
    [column('machine'), column('event'), column('peer'), column('message')];
  const sends = new Map<string, number>();
  for (const [at, kind] of event.entries()) {
    if (kind === 'send') sends.set(`${machine[at]} ${message[at]}`, at);
  }
  return {
    name: run.name, machines: run.run.machines, end_s: run.end_s, events: ticks.height,
    ends_s: lastSeen(run), machine, event: event.map((kind) => kind[0]!),
    peer: peer.map((ids) => ids ?? ''), message,
    time_s: (column('time_s') as number[]).map((s) => Number(s.toFixed(4))),
    clock: column('clock'), queue: column('queue'),
    cause: event.map((kind, at) =>
      (kind === 'receive' ? sends.get(`${peer[at]} ${message[at]}`) ?? -1 : -1)),
  };
}

/** When each machine was last heard of, in model seconds. */
function lastSeen({ run, events }: Run): number[] {
  const rows = events.groupBy('machine').agg(pl.col('time_s').max()).rows() as [number, number][];
  const last = new Map(rows);
  return run.rates_hz.map((_, id) => Math.min(last.get(id) ?? 0, run.duration_s));
}

// ── Summary ──────────────────────────────────────────────────────────────────────────────────

/** Mean over time of a step function of `time_s`, each row of which holds until the next. */
function timeMean(column: string, from_s: number, to_s: number): pl.Expr {
  const since = pl.col('time_s').clip(from_s, to_s);
  return since.shift(-1).fillNull(to_s).sub(since).mul(pl.col(column)).sum().div(to_s - from_s);
}

const count = (event: string) => pl.col('event').eq(pl.lit(event)).sum().alias(event);

/** Of each machine's own events, in program order. */
const ofEvents = once(() => [
  pl.col('tick').count().alias('ticks'), pl.col('tick').max().alias('last_tick'),
  count('receive'), count('send'), count('internal'),
  pl.col('time_s').max().alias('last_s'), pl.col('clock').last().alias('final_clock'),
  pl.col('jump').mean().alias('mean_jump'), pl.col('jump').max().alias('max_jump'),
  pl.col('queue').last().alias('final_queue'),
  pl.col('queue').add(pl.col('event').eq(pl.lit('receive')).cast(pl.Int32)).max()
    .alias('max_queue'),
  pl.col('late_ms').median().alias('late_ms_median'),
  pl.col('late_ms').quantile(0.99).alias('late_ms_p99'),
  pl.col('late_ms').max().alias('late_ms_max'),
]);

/**
 * Of each machine's lag the mean over time and the most, and the highest clock at the end. It goes
 * through the events in time once: as-of joins (timeline) say the same but need a row for each
 * machine at each event.
 */
function lags({ events, end_s, run }: Run) {
  const columns = events.select('time_s', 'machine', pl.col('clock').cast(pl.Float64));
  const [times, ids, values] = ['time_s', 'machine', 'clock']
    .map((name) => arrayOf(columns, name)) as [Float64Array, Float64Array, Float64Array];
  const clocks = run.rates_hz.map(() => 0);
  const [worst, left] = [[...clocks], [...clocks]];
  // A clock's area to the end of the run is what its jumps add to it from then on.
  let [front, front_left, before, now_s] = [0, 0, 0, 0];
  for (const at of merged(times, ids, clocks.length)) {
    const [time_s, id, clock] = [times[at]!, ids[at]!, values[at]!];
    if (time_s > now_s) [before, now_s] = [front, time_s];
    // A lag is at its worst just before an event of its machine: a lag of no time is none.
    worst[id] = Math.max(worst[id]!, before - clocks[id]!);
    const rest_s = Math.max(0, end_s - time_s);
    left[id]! += (clock - clocks[id]!) * rest_s;
    clocks[id] = clock;
    if (clock > front) [front, front_left] = [clock, front_left + (clock - front) * rest_s];
  }
  return {
    front, mean: left.map((area) => (front_left - area) / end_s),
    worst: worst.map((lag, id) => Math.max(lag, front - clocks[id]!)),
  };
}

/** The places of all events in the order of time, of a frame that goes machine by machine. */
function* merged(times: Float64Array, ids: Float64Array, machines: number): Generator<number> {
  const next = new Float64Array(machines).fill(Infinity);
  const end = new Float64Array(machines).fill(-1);
  for (let at = 0; at < ids.length; at++) {
    next[ids[at]!] = Math.min(next[ids[at]!]!, at);
    end[ids[at]!] = at;
  }
  for (let left = ids.length; left > 0; left--) {
    let first = -1;
    for (let id = 0; id < machines; id++) {
      const isLeft = next[id]! <= end[id]!;
      if (isLeft && (first < 0 || times[next[id]!]! < times[next[first]!]!)) first = id;
    }
    yield next[first]!++;
  }
}

/** A column that has no nulls, as numbers. */
const arrayOf = (frame: DataFrame, name: string) =>
  frame.getColumn(name).toTypedArray() as Float64Array;

/**
 * What became of each machine, one row a machine.
 *
 * | column | what |
 * |---|---|
 * | `machine`, `rate_hz` | its id and its ticks a model second |
 * | `ticks`, `skipped` | done, and left out because the process was late |
 * | `last_s` | when it was last heard of, in model seconds: the end, unless it died |
 * | `pace` | ticks / (rate × observed time) |
 * | `receives`, `sends`, `internal` | ticks of each kind |
 * | `receive_share`, `load` | receives, and messages that it heard, for each tick |
 * | `final_clock`, `clock_growth_hz` | clock at the end, and that over the observed time |
 * | `mean_lag`, `max_lag`, `lag_growth_hz` | behind the highest clock, and the last one over time |
 * | `mean_jump`, `max_jump` | clock − clock before, over its ticks |
 * | `mean_queue`, `max_queue` | messages that wait; the most are found by an event or the end |
 * | `final_queue`, `queue_growth_hz` | at the end, and that over the observed time |
 * | `late_ms_median`, `late_ms_p99`, `late_ms_max` | ticks after they were due, real time |
 *
 * Means of lag and queue are weighted by time from the start to the end of the run; a clock stays
 * as it is after a machine's last event. What cannot be said (the jump of a machine without ticks)
 * is NaN.
 */
export function summary(run: Run): DataFrame {
  const { end_s, run: { rates_hz } } = run;
  const found = run.events.groupBy('machine').agg(...ofEvents())
    .toRecords() as Record<string, number>[];
  const own = new Map(found.map((row) => [row.machine!, row]));
  const lag = lags(run);
  const mean_queues = meanQueues(run);

  return pl.readRecords(rates_hz.map((rate_hz, id) => {
    const of = (name: string, otherwise = 0) => own.get(id)?.[name] ?? otherwise;
    const [ticks, receives, final_queue] = [of('ticks'), of('receive'), of('final_queue')];
    const final_clock = of('final_clock');
    return {
      machine: id, rate_hz,
      ticks, skipped: of('last_tick', -1) + 1 - ticks,
      last_s: Math.min(end_s, of('last_s')), pace: ticks / (rate_hz * end_s),
      receives, sends: of('send'), internal: of('internal'),
      receive_share: receives / ticks, load: (receives + final_queue) / ticks,
      final_clock, clock_growth_hz: final_clock / end_s,
      // A difference of two means may be −1e-14 for the machine in front.
      mean_lag: Math.max(0, lag.mean[id]!), max_lag: lag.worst[id],
      lag_growth_hz: (lag.front - final_clock) / end_s,
      mean_jump: of('mean_jump', NaN), max_jump: of('max_jump', NaN),
      mean_queue: mean_queues[id], max_queue: of('max_queue'),
      final_queue, queue_growth_hz: final_queue / end_s,
      late_ms_median: of('late_ms_median', NaN), late_ms_p99: of('late_ms_p99', NaN),
      late_ms_max: of('late_ms_max', NaN),
    };
  })).withColumn(pl.col('machine').cast(pl.Int32));
}

/** Where one value stands among those of many runs. */
export interface Standing {
  value: number;
  /** The middle 95 of 100 lie between `low` and `high`. */
  low: number;
  median: number;
  high: number;
  /** Of 100 so many are below it, and half of those that are equal to it: 50 is the middle. */
  percentile: number;
}

/** Finds where a value stands among others. @throws RangeError if there are no others */
export function standing(value: number, others: Iterable<number>): Standing {
  const sorted = [...others].sort((a, b) => a - b);
  if (sorted.length === 0) throw new RangeError('there is nothing to compare with');
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const below = sorted.filter((other) => other < value).length;
  const equal = sorted.filter((other) => other === value).length;
  const percentile = (100 * (below + equal / 2)) / sorted.length;
  return { value, low: at(0.025), median: at(0.5), high: at(0.975), percentile };
}

// ── Prediction ───────────────────────────────────────────────────────────────────────────────

/**
 * The summary with the prediction of theory.ts beside it: of each of its quantities q a column
 * `theory_q`, as `load` and `theory_load`. The mean lag is for a run of this length, the others are
 * for the long run. The theory knows neither latency nor loss, and machines that live for ever.
 */
export async function withTheory(run: Run, frame: DataFrame = summary(run)): Promise<DataFrame> {
  // It brings much along that only this needs.
  const { meanLagOverRun, predict } = await import('./theory.ts');
  const mean_lags = meanLagOverRun(run.run, run.end_s);
  const rows = predict(run.run).map(({ machine, rate_hz: _, ...quantities }) => ({
    machine, ...Object.fromEntries(Object.entries({ ...quantities, mean_lag: mean_lags[machine] })
      .map(([name, value]) => [`theory_${name}`, value])),
  }));
  const theory = pl.readRecords(rows).withColumn(pl.col('machine').cast(pl.Int32));
  return frame.join(theory, { on: 'machine', how: 'left' });
}

// ── Tables ───────────────────────────────────────────────────────────────────────────────────

/** A number with so many decimals; a dash for what cannot be said. */
const number = (x: number | null | undefined, digits: number): string =>
  (x === Infinity ? '∞' : x === null || x === undefined || !Number.isFinite(x) ? '–'
    : x.toFixed(digits).replace(/^-(0\.?0*)$/, '$1'));

/** A column of a table: group, heading, column of the frame, decimals, factor. */
export type Shown =
  [group: string, heading: string, column: string, digits: number, times?: number];
/** A row of a table that is meant for people, whose first cell says what it is about. */
export interface Line { machine: number; name: string; cells: string[] }

export const summaryColumns: Shown[] = [
  ['rate', 'Hz', 'rate_hz', 1],
  ['ticks', 'made', 'ticks', 0], ['ticks', 'skipped', 'skipped', 0], ['pace', '%', 'pace', 1, 100],
  ['received', '', 'receives', 0], ['sent', '', 'sends', 0], ['internal', '', 'internal', 0],
  ['clock', 'final', 'final_clock', 0],
  ['lag', 'mean', 'mean_lag', 1], ['lag', 'max', 'max_lag', 0],
  ['jump', 'max', 'max_jump', 0],
  ['queue', 'max', 'max_queue', 0], ['queue', 'final', 'final_queue', 0],
];
const beside = (group: string, column: string, digits: number, times = 1): Shown[] =>
  [[group, 'run', column, digits, times], [group, 'theory', `theory_${column}`, digits, times]];
export const theoryColumns: Shown[] = [
  ...beside('heard a tick', 'load', 2), ...beside('receives, %', 'receive_share', 0, 100),
  ...beside('clock, +/s', 'clock_growth_hz', 2), ...beside('queue, +/s', 'queue_growth_hz', 2),
  ...beside('lag, +/s', 'lag_growth_hz', 2), ...beside('mean lag', 'mean_lag', 1),
];

/** The rows of a frame as text. */
export const linesOf = (frame: DataFrame, shown: Shown[]): Line[] =>
  (frame.toRecords() as Record<string, number | null>[]).map((row) => ({
    machine: row.machine!, name: `machine ${row.machine}`,
    cells: shown.map(([, , column, digits, times = 1]) =>
      number(row[column] === null ? null : row[column]! * times, digits)),
  }));

/**
 * The summary as a table for the terminal, one row a machine.
 * @param colour whether machines have their colours; without it the terminal decides
 */
export const summaryTable = (frame: DataFrame, colour?: boolean): string =>
  table(summaryColumns, linesOf(frame, summaryColumns), colour);

/** How late the ticks of all machines came, in words; empty in virtual time, where none is late. */
export function latenessLine(run: Run): string {
  if (run.run.kind === 'virtual' || run.events.getColumn('tick').max() === null) return '';
  const late_ms = pl.col('late_ms');
  const [median, p99, worst] = run.events.select(late_ms.median().alias('median'),
    late_ms.quantile(0.99).alias('p99'), late_ms.max().alias('worst')).row(0) as number[];
  const skipped = run.events.groupBy('machine').agg(pl.col('tick').max().add(1)
    .sub(pl.col('tick').count()).alias('skipped')).getColumn('skipped').sum();
  return `ticks came ${number(median, 1)} ms late in the median, 99 % of them within `
    + `${number(p99, 1)} ms, the worst ${number(worst, 1)} ms; ${skipped} skipped`;
}

/** The prediction beside the measurement, for the terminal. @param frame from withTheory */
export const theoryTable = (frame: DataFrame, colour?: boolean): string =>
  table(theoryColumns, linesOf(frame, theoryColumns), colour);

/** Several runs in one table, machine by machine. @param frames summaries by the runs' names */
export const comparisonTable = (frames: Map<string, DataFrame>, colour?: boolean): string =>
  table(summaryColumns, [...frames].flatMap(([name, frame]) =>
    linesOf(frame, summaryColumns).map((line) => ({ ...line, name: `${line.name} ${name}` })))
    .sort((one, other) => one.machine - other.machine), colour);

/** A box with two lines of headings, of which the upper spans its columns; numbers to the right. */
function table(shown: Shown[], lines: Line[], colour = process.stdout.isTTY === true): string {
  const box = new Table({
    chars: { middle: ' ' }, style: { border: [], 'padding-left': 0 },
    colAligns: ['left', ...shown.map(() => 'right' as const)],
  });
  const groups = shown.map(([group]) => group);
  const upper = groups.flatMap((content, at) => (groups[at - 1] === content ? [] : [{
    content, hAlign: 'right' as const, colSpan: groups.filter((group) => group === content).length,
  }]));
  box.push(['', ...upper], ['', ...shown.map(([, heading]) => heading)],
    ...lines.map(({ machine, name, cells }) =>
      [colour ? coloured(machine, ` ${name}`) : ` ${name}`, ...cells]));
  // The library rules off each row; only the line below the headings helps.
  const rows = box.toString().split('\n').filter((line) => line.startsWith('│'));
  const line = '─'.repeat(stripVTControlCharacters(rows[0]!).length - 2);
  return [`┌${line}┐`, ...rows.slice(0, 2), `├${line}┤`, ...rows.slice(2), `└${line}┘`].join('\n');
}

// ── Exports ──────────────────────────────────────────────────────────────────────────────────

/** The frames for other tools: `events` with the configuration, `messages` and `summary`. */
export const tablesOf = (run: Run): Record<string, DataFrame> => ({
  events: joined([run]), messages: messages(run), summary: summary(run),
});

/**
 * The run as a log for ShiViz (bestchai.bitbucket.io/shiviz), which reads the expression that takes
 * a line apart from the first line and what stands between executions, here nothing, from the
 * second. One event a line: host, vector clock, model seconds and what happened.
 */
export function shiviz(run: Run): string {
  const ticks = diagram(run);
  const clocks = vectorClocks(ticks);
  const { machines, machine, event, peer, message, clock, queue, time_s } = ticks;
  const ids = peer.map((text) => text.replaceAll(' ', ' and '));
  const lines = causalOrder(ticks, clocks).map((at) => {
    const vector = Array.from(clocks.subarray(at * machines, (at + 1) * machines), (n, id) =>
      (n > 0 ? `"machine-${id}":${n}` : '')).filter((entry) => entry !== '').join(', ');
    const what = { i: 'internal', s: `send ${message[at]} to ${ids[at]}`,
      r: `receive ${message[at]} from ${ids[at]}` }[event[at]!];
    return `machine-${machine[at]} {${vector}} ${time_s[at]} s: ${what}, clock ${clock[at]}, `
      + `queue ${queue[at]}\n`;
  });
  return `(?<host>\\S+) (?<clock>{.*?}) (?<time>\\S+) s: (?<event>.*)\n\n${lines.join('')}`;
}

/** Places such that each event stands after all that it can know of. */
function causalOrder({ machines, machine }: Diagram, clocks: Int32Array): number[] {
  const known = machine.map((_, at) =>
    clocks.subarray(at * machines, (at + 1) * machines).reduce((sum, n) => sum + n, 0));
  return [...machine.keys()].sort((a, b) => known[a]! - known[b]! || a - b);
}

/** Writes a run's frames as files for other tools; says which. */
function exportTables(run: Run, wish: { csv?: boolean; parquet?: boolean }): string[] {
  if (!wish.csv && !wish.parquet) return [];
  return Object.entries(tablesOf(run)).flatMap(([name, frame]) => {
    const path = join(run.folder, name);
    if (wish.csv) frame.writeCSV(`${path}.csv`);
    if (wish.parquet) frame.writeParquet(`${path}.parquet`);
    return [...(wish.csv ? [`${path}.csv`] : []), ...(wish.parquet ? [`${path}.parquet`] : [])];
  });
}

// ── The report ───────────────────────────────────────────────────────────────────────────────

/**
 * Writes the report of a run, or of several side by side, as `report.html` into the first folder.
 * @returns its path
 * @throws LogError if a folder cannot be read
 */
export async function writeReport(...folders: string[]): Promise<string> {
  const { report } = await import('./report.ts'); // Drawing needs more than a table does.
  const bad: string[] = [];
  return report(folders.map((folder) => load(folder, (message) => bad.push(message))), bad);
}

// ── Main ─────────────────────────────────────────────────────────────────────────────────────

async function main(): Promise<void> {
  const command = script(import.meta.url).usage('<folder...> [options]')
    .argument('<folder...>', "runs' folders")
    .option('--png', 'also each picture as a file')
    .option('--csv', 'also events, messages and summary as CSV')
    .option('--parquet', 'the same as Parquet')
    .option('--shiviz', 'also shiviz.log, for ShiViz')
    .parse();
  const wish = command.opts<{ png?: true; csv?: true; parquet?: true; shiviz?: true }>();
  try {
    const folders = await foldersOf(command.args);
    const bad: string[] = [];
    const runs = folders.map((folder) => load(folder, (message) => bad.push(message)));
    const frames = await Promise.all(runs.map(async (run): Promise<[string, DataFrame]> =>
      [run.name, await withTheory(run)]));
    for (const [name, frame] of frames) {
      console.log(`${name}\n${summaryTable(frame)}\n${theoryTable(frame)}`);
    }
    if (runs.length > 1) console.log(`all\n${comparisonTable(new Map(frames))}`);
    for (const message of bad) console.error(`left out: ${message}`);
    const { pictures, report } = await import('./report.ts');
    const files = [await report(runs, bad)];
    for (const run of runs) {
      files.push(...exportTables(run, wish));
      if (wish.shiviz) files.push(write(join(run.folder, 'shiviz.log'), shiviz(run)));
      for (const [name, png] of wish.png ? await pictures(run) : []) {
        files.push(write(join(run.folder, `${name}.png`), png));
      }
    }
    for (const file of files) console.log(`written: ${file}`);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    command.error(`error: ${error.message}`);
  }
}

function write(path: string, content: string | Uint8Array): string {
  writeFileSync(path, content);
  return path;
}

// Not awaited here: report.ts takes frames from this file, which must be done with loading first.
if (isMain(import.meta.url)) void main();
