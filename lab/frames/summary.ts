/** What became of each machine, in numbers, and where a number stands among others. */
import pl, { type DataFrame } from 'nodejs-polars';
import type { RunRecord } from '../model/record.ts';
import { dueOf, jumpAt, type Run, secondsOf } from './load.ts';
import { INTERNAL, type Log, NONE, orderInTime, RECEIVE, SEND, takenAt } from './log.ts';
import { meanQueues } from './queues.ts';

/** Of one machine's rows, in program order; `…_row` is where the most was found, or NONE. */
interface Own {
  ticks: number;
  last_tick: number;
  receives: number;
  sends: number;
  internal: number;
  last_s: number;
  final_clock: number;
  jumps: number;
  sum_jump: number;
  max_jump: number;
  jump_row: number;
  final_queue: number;
  max_queue: number;
  queue_row: number;
}

function ownOf(log: Log, seconds: (time_us: number) => number): Own {
  const own: Own = { ticks: 0, last_tick: -1, receives: 0, sends: 0, internal: 0, last_s: 0,
    final_clock: 0, jumps: 0, sum_jump: 0, max_jump: NaN, jump_row: NONE, final_queue: 0,
    max_queue: 0, queue_row: NONE };
  let last_us = -Infinity;
  for (let r = 0; r < log.rows; r++) {
    const event = log.event[r]!;
    if (log.tick[r]! >= 0) own.ticks++;
    own.last_tick = Math.max(own.last_tick, log.tick[r]!);
    last_us = Math.max(last_us, log.time_us[r]!);
    if (event === RECEIVE) own.receives++;
    else if (event === SEND) own.sends++;
    else if (event === INTERNAL) own.internal++;
    const jump = jumpAt(log, r);
    if (!Number.isNaN(jump)) {
      own.jumps++;
      own.sum_jump += jump;
      if (!(jump <= own.max_jump)) [own.max_jump, own.jump_row] = [jump, r];
    }
    const found = log.queue[r] === NONE ? NaN : log.queue[r]! + takenAt(log, r);
    if (found > own.max_queue) [own.max_queue, own.queue_row] = [found, r];
  }
  if (log.rows === 0) return own;
  own.last_s = Math.max(0, seconds(last_us));
  own.final_clock = log.clock[log.rows - 1]!;
  own.final_queue = log.queue[log.rows - 1]!;
  if (own.final_queue === NONE) own.final_queue = own.max_queue = NaN;
  return own;
}

/** Of a machine's ticks the median, the 99th percentile and the most of how late they came. */
function lateness({ run, start_us }: Run, log: Log) {
  const due_us = dueOf(run, log.machine);
  const late_ms = new Float64Array(log.rows);
  let count = 0;
  let most = -Infinity;
  for (let r = 0; r < log.rows; r++) {
    if (log.tick[r]! < 0) continue;
    const late = (log.time_us[r]! - start_us - due_us(log.tick[r]!)) / 1000;
    late_ms[count++] = late;
    if (late > most) most = late;
  }
  if (count === 0) return { late_ms_median: NaN, late_ms_p99: NaN, late_ms_max: NaN };
  const own = late_ms.subarray(0, count);
  const [low, high] = [select(own, (count - 1) >> 1), select(own, count >> 1)];
  const last = Math.round(0.99 * (count - 1));
  return { late_ms_median: (low + high) / 2, late_ms_max: most,
    late_ms_p99: select(own.subarray(count >> 1), last - (count >> 1)) };
}

/** How late the ticks of all machines came, real ms, sorted. */
export function lateTicks({ run, start_us, logs }: Run): Float64Array {
  const late_ms = new Float64Array(logs.reduce((sum, { rows }) => sum + rows, 0));
  let count = 0;
  for (const log of logs) {
    const due_us = dueOf(run, log.machine);
    for (let r = 0; r < log.rows; r++) {
      if (log.tick[r]! < 0) continue;
      late_ms[count++] = (log.time_us[r]! - start_us - due_us(log.tick[r]!)) / 1000;
    }
  }
  return late_ms.subarray(0, count).sort();
}

/** The value that would stand at a place if all were sorted (Hoare's quickselect), in place. */
function select(values: Float64Array, place: number): number {
  for (let [low, high] = [0, values.length - 1]; low < high;) {
    const pivot = values[(low + high) >> 1]!;
    let [i, j] = [low - 1, high + 1];
    for (;;) {
      do i++; while (values[i]! < pivot);
      do j--; while (values[j]! > pivot);
      if (i >= j) break;
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
    if (place <= j) high = j;
    else low = j + 1;
  }
  return values[place]!;
}

/**
 * Of each machine's lag the mean over time and the most, the row before which it was found, and
 * the highest clock at the end. It goes through the events in time once: a timeline says the same
 * but needs a row for each machine at each event.
 */
function lagsOf(run: Run) {
  const { logs, end_s } = run;
  const seconds = secondsOf(run);
  const clocks = new Float64Array(logs.length);
  const [worst, left] = [new Float64Array(logs.length), new Float64Array(logs.length)];
  const rows = logs.map(() => NONE);
  // A clock's area to the end of the run is what its jumps add to it from then on.
  let [front, front_left, before, now_s] = [0, 0, 0, 0];
  const next = new Int32Array(logs.length);
  for (const id of orderInTime(logs)) {
    const r = next[id]!++;
    const [time_s, clock] = [seconds(logs[id]!.time_us[r]!), logs[id]!.clock[r]!];
    if (time_s > now_s) [before, now_s] = [front, time_s];
    // A lag is at its worst just before an event of its machine: a lag of no time is none.
    if (before - clocks[id]! > worst[id]!) [worst[id], rows[id]] = [before - clocks[id]!, r];
    const rest_s = Math.max(0, end_s - time_s);
    left[id]! += (clock - clocks[id]!) * rest_s;
    clocks[id] = clock;
    if (clock > front) [front, front_left] = [clock, front_left + (clock - front) * rest_s];
  }
  for (const { machine, rows: count } of logs) {
    if (front - clocks[machine]! <= worst[machine]!) continue;
    [worst[machine], rows[machine]] = [front - clocks[machine]!, count - 1];
  }
  return { front, rows, worst, mean: left.map((area) => (front_left - area) / end_s) };
}

/** Where in its log each machine was at its worst: rows, or NONE. */
export interface Places { lag: number; jump: number; queue: number }

const kept = new WeakMap<Run, { frame: DataFrame; places: Places[] }>();

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
export const summary = (run: Run): DataFrame => measured(run).frame;

/** The rows at which the numbers of the summary were found, machine by machine. */
export const placesOf = (run: Run): Places[] => measured(run).places;

function measured(run: Run): { frame: DataFrame; places: Places[] } {
  const known = kept.get(run);
  if (known) return known;
  const { logs, end_s, run: { rates_hz } } = run;
  const seconds = secondsOf(run);
  const lag = lagsOf(run);
  const mean_queues = meanQueues(run);
  const owns = logs.map((log) => ownOf(log, seconds));
  const frame = pl.readRecords(owns.map((own, id) => {
    const { ticks, receives, final_queue, final_clock } = own;
    const rate_hz = rates_hz[id] ?? NaN;
    return {
      machine: id, rate_hz,
      ticks, skipped: own.last_tick + 1 - ticks,
      last_s: Math.min(end_s, own.last_s), pace: ticks / (rate_hz * end_s),
      receives, sends: own.sends, internal: own.internal,
      receive_share: receives / ticks,
      load: (receives + (Number.isNaN(final_queue) ? 0 : final_queue)) / ticks,
      final_clock, clock_growth_hz: final_clock / end_s,
      // A difference of two means may be −1e-14 for the machine in front.
      mean_lag: Math.max(0, lag.mean[id]!), max_lag: lag.worst[id]!,
      lag_growth_hz: (lag.front - final_clock) / end_s,
      mean_jump: own.sum_jump / own.jumps, max_jump: own.max_jump,
      mean_queue: mean_queues[id]!, max_queue: own.max_queue,
      final_queue, queue_growth_hz: final_queue / end_s,
      ...lateness(run, logs[id]!),
    };
  })).withColumn(pl.col('machine').cast(pl.Int32));
  const places = owns.map((own, id) =>
    ({ lag: lag.rows[id]!, jump: own.jump_row, queue: own.queue_row }));
  const found = { frame, places };
  kept.set(run, found);
  return found;
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

/** One row a machine: `machine`, `rate_hz`, `ticks`, `skipped`, `pace`, `late_ms_…` of summary. */
export const pace = (run: Run): DataFrame => summary(run).select('machine', 'rate_hz', 'ticks',
  'skipped', 'pace', 'late_ms_median', 'late_ms_p99', 'late_ms_max');

/**
 * The summary with the prediction of theory.ts beside it: of each of its quantities q a column
 * `theory_q`, as `load` and `theory_load`. The mean lag is for a run of this length, the others are
 * for the long run. The theory knows neither latency nor loss, and machines that live for ever.
 */
export async function withTheory(run: Run, frame: DataFrame = summary(run)): Promise<DataFrame> {
  const setting = settingOf(run.run);
  if (setting === null) {
    return frame.withColumns(...QUANTITIES.map((name) => pl.lit(NaN).alias(`theory_${name}`)));
  }
  // It brings much along that only this needs.
  const [{ predict }, { meanLagOverRun }] =
    await Promise.all([import('../theory/predict.ts'), import('../theory/start.ts')]);
  const mean_lags = meanLagOverRun(setting, run.end_s);
  const rows = predict(setting).map((prediction) => ({
    machine: prediction.machine, ...Object.fromEntries(QUANTITIES.map((name) =>
      [`theory_${name}`, name === 'mean_lag' ? mean_lags[prediction.machine] : prediction[name]])),
  }));
  const theory = pl.readRecords(rows).withColumn(pl.col('machine').cast(pl.Int32));
  return frame.join(theory, { on: 'machine', how: 'left' });
}

const QUANTITIES = ['arrival_hz', 'load', 'receive_share', 'queue_growth_hz', 'clock_growth_hz',
  'lag_growth_hz', 'mean_lag'] as const;

/** What the theory starts from; null where the logs of others do not tell it. */
function settingOf({ rates_hz, internal }: RunRecord) {
  const known = (rates_hz as (number | null)[]).filter((rate_hz) => rate_hz !== null) as number[];
  return internal === null || known.length < Math.max(2, rates_hz.length) ? null
    : { rates_hz: known, internal };
}
