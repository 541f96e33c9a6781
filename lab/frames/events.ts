/** What happened when: the godlike view of a run, its jumps, and how its ticks were spent. */
import pl, { type DataFrame } from 'nodejs-polars';
import { frameOf } from './columns.ts';
import { jumpAt, type Run, secondsOf } from './load.ts';
import { eachInTime, EVENTS, INTERNAL, NONE, orderInTime, RECEIVE, SEND } from './log.ts';
import { queueSteps } from './queues.ts';

/**
 * The godlike view: the state of each machine by system time, as of what it was last.
 * `time_s` (model seconds), `machine`, `clock`, `queue` (messages that wait) and `lag` (highest
 * clock − its clock), in the order of time, machine by machine at each.
 * @param every_s at these steps; without it, at each time at which something happened
 */
export function timeline(run: Run, every_s?: number): DataFrame {
  const machines = run.logs.length;
  const times = every_s === undefined ? eventTimes(run)
    : Float64Array.from({ length: Math.floor(run.end_s / every_s) + 1 }, (_, k) => k * every_s);
  const rows = times.length * machines;
  const columns = { time_s: new Float64Array(rows), machine: new Float64Array(rows),
    clock: new Float64Array(rows), queue: new Float64Array(rows), lag: new Float64Array(rows) };

  const seconds = secondsOf(run);
  const clocks = new Float64Array(machines);
  const next = new Int32Array(machines);
  let [front, place] = [0, 0];
  // Writes the state as it is before `until_s`.
  const look = (until_s: number) => {
    for (; place < times.length && times[place]! < until_s; place++) {
      for (let id = 0, at = place * machines; id < machines; id++, at++) {
        columns.time_s[at] = times[place]!;
        columns.machine[at] = id;
        columns.clock[at] = clocks[id]!;
        columns.lag[at] = front - clocks[id]!;
      }
    }
  };
  for (const id of orderInTime(run.logs)) {
    const { time_us, clock } = run.logs[id]!;
    const r = next[id]!++;
    const time_s = seconds(time_us[r]!);
    if (times[place]! < time_s) look(time_s);
    clocks[id] = clock[r]!;
    // Clocks never go back, so the highest is the highest value seen so far.
    if (clock[r]! > front) front = clock[r]!;
  }
  look(Infinity);
  queuesAt(run, times, columns.queue);
  return frameOf({ time_s: [columns.time_s, pl.Float64], machine: [columns.machine, pl.Int32],
    clock: [columns.clock, pl.Int64], queue: [columns.queue, pl.Int64],
    lag: [columns.lag, pl.Int64] });
}

/** The times at which something happened, each once, and the first and the last of the run. */
function eventTimes(run: Run): Float64Array {
  const seconds = secondsOf(run);
  const times = new Float64Array(run.logs.reduce((sum, { rows }) => sum + rows, 2));
  let count = 0;
  const add = (time_s: number) => {
    if (time_s >= 0 && time_s <= run.end_s && time_s !== times[count - 1]) times[count++] = time_s;
  };
  add(0);
  eachInTime(run.logs, (log, r) => add(seconds(log.time_us[r]!)));
  add(run.end_s);
  return times.subarray(0, count);
}

/** Fills in how many waited at each machine at each time. */
function queuesAt(run: Run, times: Float64Array, queues: Float64Array): void {
  const machines = run.logs.length;
  for (const [id, log] of run.logs.entries()) {
    const { time_s, queue } = queueSteps(run, log);
    for (let n = -1, place = 0; n < queue.length; n++) {
      const until_s = n + 1 < queue.length ? time_s[n + 1]! : Infinity;
      for (; place < times.length && times[place]! < until_s; place++) {
        queues[place * machines + id] = n < 0 ? 0 : queue[n]!;
      }
    }
  }
}

/** From a timeline the drift, highest − lowest clock: `time_s`, `drift`. */
export const drift = (states: DataFrame): DataFrame =>
  states.groupBy('time_s').agg(pl.col('lag').max().alias('drift')).sort('time_s');

/** The drift's mean over time and its maximum. */
export function driftSummary(run: Run): { mean_drift: number; max_drift: number } {
  const since = pl.col('time_s').clip(0, run.end_s);
  const mean = since.shift(-1).fillNull(run.end_s).sub(since).mul(pl.col('drift')).sum()
    .div(run.end_s);
  const [mean_drift, max] = drift(timeline(run)).select(mean, pl.col('drift').max().alias('max'))
    .row(0);
  return { mean_drift: Number(mean_drift), max_drift: Number(max) };
}

/** One row a tick: `time_s`, `machine`, `tick`, `event`, `clock`, `jump` (clock − clock before). */
export const jumps = ({ events }: Run): DataFrame => events.filter(pl.col('tick').isNotNull())
  .select('time_s', 'machine', 'tick', 'event', 'clock', 'jump');

/** Jumps below this, which are nearly all, are counted by their place in an array. */
const JUMPS_FEW = 256;

/** How many ticks moved the clock by how much: `machine`, `jump`, `ticks`, `share` of its own. */
export function jumpCounts({ logs }: Run): DataFrame {
  const rows = logs.flatMap((log) => {
    const counts = new Map<number, number>();
    const few = new Float64Array(JUMPS_FEW);
    let all = 0;
    for (let r = 0; r < log.rows; r++) {
      const jump = jumpAt(log, r);
      if (Number.isNaN(jump)) continue;
      if (jump >= 0 && jump < JUMPS_FEW) few[jump]!++;
      else counts.set(jump, (counts.get(jump) ?? 0) + 1);
      all++;
    }
    for (const [jump, ticks] of few.entries()) if (ticks > 0) counts.set(jump, ticks);
    return [...counts].sort(([a], [b]) => a - b).map(([jump, ticks]) =>
      [log.machine, jump, ticks, ticks / all]);
  });
  const column = (place: number) => rows.map((row) => row[place]!);
  return frameOf({ machine: [column(0), pl.Int32], jump: [column(1), pl.Int64],
    ticks: [column(2), pl.Int64], share: [column(3), pl.Float64] });
}

/** The kinds of a tick by their names. */
const TICKS = [INTERNAL, RECEIVE, SEND] as const;

/**
 * How machines spend their ticks: `machine`, `event`, `ticks`, `share` (of the machine's ticks);
 * with a width also `from_s` and `to_s`, the bounds of each slice of so many model seconds.
 */
export function mix(run: Run, width_s?: number): DataFrame {
  const seconds = secondsOf(run);
  const rows = run.logs.flatMap((log) => {
    const slices = new Map<number, [number, number, number]>();
    let [slice, counts] = [NaN, [0, 0, 0] as [number, number, number]];
    for (let r = 0; r < log.rows; r++) {
      const event = log.event[r]!;
      const kind = event === INTERNAL ? 0 : event === RECEIVE ? 1 : event === SEND ? 2 : NONE;
      if (kind === NONE) continue;
      const nth = width_s === undefined ? 0 : Math.floor(seconds(log.time_us[r]!) / width_s);
      if (nth !== slice) {
        counts = slices.get(nth) ?? [0, 0, 0];
        slices.set(slice = nth, counts);
      }
      counts[kind]!++;
    }
    return [...slices].sort(([a], [b]) => a - b).flatMap(([nth, counts]) => {
      const all = counts[0] + counts[1] + counts[2];
      const from_s = width_s === undefined ? 0 : nth * width_s;
      return counts.flatMap((ticks, kind) => (ticks === 0 ? [] : [{ machine: log.machine,
        from_s, to_s: Math.min(from_s + (width_s ?? 0), run.end_s), event: EVENTS[TICKS[kind]!]!,
        ticks, share: ticks / all }]));
    });
  });
  const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
  return frameOf({ machine: [column('machine'), pl.Int32],
    ...(width_s !== undefined && { from_s: [column('from_s'), pl.Float64] as const,
      to_s: [column('to_s'), pl.Float64] as const }),
    event: [column('event'), pl.Utf8], ticks: [column('ticks'), pl.Int64],
    share: [column('share'), pl.Float64] });
}
