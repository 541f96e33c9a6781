/** What became of each machine, in numbers, and where a number stands among others. */
import pl, { type DataFrame } from 'nodejs-polars';
import { arrayOf, meanQueues } from './events.ts';
import type { RunRecord } from '../model/record.ts';
import { once, type Run } from './load.ts';

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
    const value = (name: string, otherwise = 0) => own.get(id)?.[name] ?? otherwise;
    const [ticks, receives, final_queue] = [value('ticks'), value('receive'), value('final_queue')];
    const final_clock = value('final_clock');
    return {
      machine: id, rate_hz,
      ticks, skipped: value('last_tick', -1) + 1 - ticks,
      last_s: Math.min(end_s, value('last_s')), pace: ticks / ((rate_hz ?? NaN) * end_s),
      receives, sends: value('send'), internal: value('internal'),
      receive_share: receives / ticks, load: (receives + final_queue) / ticks,
      final_clock, clock_growth_hz: final_clock / end_s,
      // A difference of two means may be −1e-14 for the machine in front.
      mean_lag: Math.max(0, lag.mean[id]!), max_lag: lag.worst[id],
      lag_growth_hz: (lag.front - final_clock) / end_s,
      mean_jump: value('mean_jump', NaN), max_jump: value('max_jump', NaN),
      mean_queue: mean_queues[id], max_queue: value('max_queue'),
      final_queue, queue_growth_hz: final_queue / end_s,
      late_ms_median: value('late_ms_median', NaN), late_ms_p99: value('late_ms_p99', NaN),
      late_ms_max: value('late_ms_max', NaN),
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
