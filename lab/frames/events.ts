/** What happened when: the godlike view of a run, its jumps, messages, queues and mix of events. */
import pl, { type DataFrame } from 'nodejs-polars';
import { machinesOf, type Run } from './load.ts';

/** Events in the order of time; those of one machine stay in program order. */
export const inTime = (events: DataFrame) => events.sort({ by: 'time_s', maintainOrder: true });

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
export function meanQueues(run: Run): number[] {
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

/** Mean over time of a step function of `time_s`, each row of which holds until the next. */
function timeMean(column: string, from_s: number, to_s: number): pl.Expr {
  const since = pl.col('time_s').clip(from_s, to_s);
  return since.shift(-1).fillNull(to_s).sub(since).mul(pl.col(column)).sum().div(to_s - from_s);
}

/** A column that has no nulls, as numbers. */
export const arrayOf = (frame: DataFrame, name: string) =>
  frame.getColumn(name).toTypedArray() as Float64Array;
