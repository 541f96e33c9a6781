/** How many messages wait at each machine at any time. */
import pl, { type DataFrame } from 'nodejs-polars';
import { frameOf } from './columns.ts';
import { type Run, secondsOf } from './load.ts';
import { type Log, NONE, orderInTime, SEND, takenAt } from './log.ts';

const kept = new WeakMap<Run, Float64Array[]>();

/** For each machine the times at which messages to it were sent, in their order. */
function arrivalsOf(run: Run): Float64Array[] {
  const known = kept.get(run);
  if (known) return known;
  const { logs } = run;
  const counts = new Int32Array(logs.length);
  for (const { event, peer, firstPeer, rows } of logs) {
    for (let r = 0; r < rows; r++) {
      if (event[r] !== SEND) continue;
      for (let place = firstPeer[r]!; place < firstPeer[r + 1]!; place++) counts[peer[place]!]!++;
    }
  }
  const seconds = secondsOf(run);
  const arrivals = logs.map((_, id) => new Float64Array(counts[id]!));
  counts.fill(0);
  const next = new Int32Array(logs.length);
  for (const id of orderInTime(logs)) {
    const { event, peer, firstPeer, time_us } = logs[id]!;
    const r = next[id]!++;
    if (event[r] !== SEND) continue;
    const time_s = seconds(time_us[r]!);
    for (let place = firstPeer[r]!; place < firstPeer[r + 1]!; place++) {
      const to = peer[place]!;
      if (to < logs.length) arrivals[to]![counts[to]!++] = time_s;
    }
  }
  kept.set(run, arrivals);
  return arrivals;
}

/** The steps of one machine's queue in the order of time: how many wait from a time on. */
export interface QueueSteps { time_s: Float64Array; queue: Int32Array }

/**
 * Each step of a machine's queue.
 *
 * A log says how many wait after an event. Until the next event come as many as that one finds, at
 * the times at which they were sent: over sockets, and in virtual runs without latency, this is
 * when they come but for a fraction of a millisecond. With latency it is the earliest time. Rows
 * that do not say how many wait have no steps.
 */
export function queueSteps(run: Run, log: Log): QueueSteps {
  return fill(run, log, roomFor(run, [log]));
}

/** Room for the steps of the one of these machines that has the most. */
function roomFor(run: Run, logs: Log[]): QueueSteps {
  const most = logs.reduce((most, { machine, rows }) =>
    Math.max(most, rows + arrivalsOf(run)[machine]!.length), 0);
  return { time_s: new Float64Array(most), queue: new Int32Array(most) };
}

/** @see queueSteps @param steps room for all; the result is a part of it */
function fill(run: Run, log: Log, steps: QueueSteps): QueueSteps {
  const seconds = secondsOf(run);
  const { rows, queue, time_us } = log;
  const coming = arrivalsOf(run)[log.machine]!;
  let count = 0;
  for (let r = 0, next = 0; r < rows; r++) {
    let waiting = queue[r]!;
    if (waiting === NONE) continue;
    const time_s = seconds(time_us[r]!);
    steps.time_s[count] = time_s;
    steps.queue[count++] = waiting;
    // As many come as the next event finds; after the last one nobody looks.
    const isLast = r === rows - 1;
    const found = isLast ? waiting : queue[r + 1]! + takenAt(log, r + 1);
    const until_s = isLast ? run.end_s : seconds(time_us[r + 1]!);
    for (; next < coming.length && coming[next]! < until_s; next++) {
      if (waiting >= found) continue;
      steps.time_s[count] = Math.max(coming[next]!, time_s);
      steps.queue[count++] = ++waiting;
    }
  }
  return { time_s: steps.time_s.subarray(0, count), queue: steps.queue.subarray(0, count) };
}

/**
 * The queue of each machine at all times: `time_s`, `machine`, `queue` (messages that wait),
 * machine by machine in the order of time, from each row to the next. @see queueSteps
 */
export function queues(run: Run): DataFrame {
  const all = run.logs.map((log) => queueSteps(run, log));
  const count = all.reduce((sum, { queue }) => sum + queue.length, 0);
  const columns = { time_s: new Float64Array(count), machine: new Float64Array(count),
    queue: new Float64Array(count) };
  let place = 0;
  for (const [nth, { time_s, queue }] of all.entries()) {
    columns.time_s.set(time_s, place);
    columns.queue.set(queue, place);
    columns.machine.fill(run.logs[nth]!.machine, place, place += queue.length);
  }
  return frameOf({ time_s: [columns.time_s, pl.Float64], machine: [columns.machine, pl.Int32],
    queue: [columns.queue, pl.Int32] });
}

/** The mean over time of each machine's queue; NaN where its log does not say how many wait. */
export function meanQueues(run: Run): number[] {
  const room = roomFor(run, run.logs);
  return run.logs.map((log) => {
    const { time_s, queue } = fill(run, log, room);
    let area = log.rows > 0 && log.queue[0] === NONE ? NaN : 0;
    for (let n = 0; n < queue.length; n++) {
      const until_s = n + 1 < queue.length ? Math.min(time_s[n + 1]!, run.end_s) : run.end_s;
      area += queue[n]! * Math.max(0, until_s - time_s[n]!);
    }
    return area / run.end_s;
  });
}
