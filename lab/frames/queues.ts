/** How many messages wait at each machine at any time. */
import pl, { type DataFrame } from 'nodejs-polars';
import { frameOf } from './columns.ts';
import { type Run, secondsOf } from './load.ts';
import { eachInTime, NONE, SEND, takenAt } from './log.ts';

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
  eachInTime(logs, ({ event, peer, firstPeer, time_us }, r) => {
    if (event[r] !== SEND) return;
    const time_s = seconds(time_us[r]!);
    for (let place = firstPeer[r]!; place < firstPeer[r + 1]!; place++) {
      const to = peer[place]!;
      if (to < logs.length) arrivals[to]![counts[to]!++] = time_s;
    }
  });
  kept.set(run, arrivals);
  return arrivals;
}

/**
 * Tells of each step of each machine's queue, machine by machine in the order of time.
 *
 * A log says how many wait after an event. Until the next event come as many as that one finds, at
 * the times at which they were sent: over sockets, and in virtual runs without latency, this is
 * when they come but for a fraction of a millisecond. With latency it is the earliest time. Rows
 * that do not say how many wait have no steps.
 */
export function eachQueueStep(
  run: Run, step: (time_s: number, machine: number, queue: number) => void,
): void {
  const seconds = secondsOf(run);
  const arrivals = arrivalsOf(run);
  for (const log of run.logs) {
    const { machine: id, rows, queue, time_us } = log;
    const coming = arrivals[id]!;
    for (let r = 0, next = 0; r < rows; r++) {
      let waiting = queue[r]!;
      if (waiting === NONE) continue;
      const time_s = seconds(time_us[r]!);
      step(time_s, id, waiting);
      // As many come as the next event finds; after the last one nobody looks.
      const isLast = r === rows - 1;
      const found = isLast ? waiting : queue[r + 1]! + takenAt(log, r + 1);
      const until_s = isLast ? run.end_s : seconds(time_us[r + 1]!);
      for (; next < coming.length && coming[next]! < until_s; next++) {
        if (waiting < found) step(Math.max(coming[next]!, time_s), id, ++waiting);
      }
    }
  }
}

/**
 * The queue of each machine at all times: `time_s`, `machine`, `queue` (messages that wait),
 * machine by machine in the order of time, from each row to the next. @see eachQueueStep
 */
export function queues(run: Run): DataFrame {
  const steps = { time_s: [] as number[], machine: [] as number[], queue: [] as number[] };
  eachQueueStep(run, (time_s, machine, queue) => {
    steps.time_s.push(time_s);
    steps.machine.push(machine);
    steps.queue.push(queue);
  });
  return frameOf({ time_s: [steps.time_s, pl.Float64], machine: [steps.machine, pl.Int32],
    queue: [steps.queue, pl.Int32] });
}

/** The mean over time of each machine's queue; NaN where its log does not say how many wait. */
export function meanQueues(run: Run): number[] {
  const areas = run.logs.map(({ rows, queue }) => (rows > 0 && queue[0] === NONE ? NaN : 0));
  let [since_s, id, waiting] = [0, -1, 0];
  const hold = (until_s: number) => {
    if (id >= 0) areas[id]! += waiting * Math.max(0, until_s - since_s);
  };
  eachQueueStep(run, (time_s, machine, queue) => {
    hold(machine === id ? Math.min(time_s, run.end_s) : run.end_s);
    [since_s, id, waiting] = [time_s, machine, queue];
  });
  hold(run.end_s);
  return areas.map((area) => area / run.end_s);
}
