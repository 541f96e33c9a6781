/** A run as the columns that happened-before, the space-time diagram and ShiViz are made from. */
import type { Diagram } from '../model/causality.ts';
import { type Run, secondsOf } from './load.ts';
import { eachInTime, EVENTS, type Log, NONE, RECEIVE } from './log.ts';
import { partnersOf } from './messages.ts';

/**
 * The run's ticks in the order of time, and which send each receive goes back to: what the
 * space-time diagram and the vector clocks are made from.
 * @param most is how many events it holds at most: the first ones, so that no cause is missing
 */
export function diagram(run: Run, most = Infinity): Diagram {
  const seconds = secondsOf(run);
  const partners = partnersOf(run);
  const found: Diagram = {
    name: run.name, machines: run.run.machines, end_s: run.end_s, events: 0,
    ends_s: run.logs.map((log) => lastSeen(run, log)), machine: [], time_s: [], event: [],
    peer: [], message: [], queue: [], clock: [], cause: [],
  };
  /** Of each machine's rows the place in the diagram. */
  const places = run.logs.map(() => new Map<number, number>());
  eachInTime(run.logs, (log, r) => {
    if (log.tick[r]! < 0 || found.events++ >= most) return;
    const [first, next] = [log.firstPeer[r]!, log.firstPeer[r + 1]!];
    places[log.machine]!.set(r, found.machine.length);
    found.machine.push(log.machine);
    found.time_s.push(Number(seconds(log.time_us[r]!).toFixed(4)));
    found.event.push(EVENTS[log.event[r]!]![0]!);
    found.peer.push(log.peer.subarray(first, next).join(' '));
    found.message.push(log.message[r] === NONE ? null : log.message[r]!);
    found.queue.push(log.queue[r]!);
    found.clock.push(log.clock[r]!);
    found.cause.push(log.event[r] === RECEIVE && next > first
      ? places[log.peer[first]!]?.get(partners[log.machine]![first]!) ?? NONE : NONE);
  });
  return found;
}

/** When a machine was last heard of, in model seconds. */
function lastSeen(run: Run, { time_us, rows }: Log): number {
  const last_s = rows === 0 ? 0
    : secondsOf(run)(time_us.subarray(0, rows).reduce((last, us) => Math.max(last, us), 0));
  return Math.min(last_s, run.run.duration_s);
}
