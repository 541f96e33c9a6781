/** A run as the columns that happened-before, the space-time diagram and ShiViz are made from. */
import type { Diagram } from '../model/causality.ts';
import { PURPOSE, stream, uniform } from '../model/chance.ts';
import { delay_ms, parseLatency } from '../model/network.ts';
import { spansOf } from './faults.ts';
import { type Run, secondsOf } from './load.ts';
import { eachInTime, EVENTS, type Log, NONE, RECEIVE, SEND } from './log.ts';
import { isReconstructed, partnersOf } from './messages.ts';

/** A diagram with what its page shows beside events and messages. */
export interface Scene extends Diagram {
  /** Messages that were never taken: the place of the send, and the receiver. */
  lost: [send: number, receiver: number][];
  /** When the message of a receive had arrived, model seconds; null where nobody knows any. */
  arrived_s: (number | null)[] | null;
  /** Whether arrows are read from rows, or from what clocks prove. */
  reconstructed: boolean;
  /** What was done to machines and links: stretches of time on their lines. */
  faults: { do: string; machines: number[]; from_s: number; to_s: number }[];
}

/**
 * The run's ticks in the order of time, and which send each receive goes back to: what the
 * space-time diagram and the vector clocks are made from.
 * @param most is how many events it holds at most: the first ones, so that no cause is missing
 */
export const diagram = (run: Run, most = Infinity): Diagram => gathered(run, most).diagram;

/** The same with messages that nobody took, arrivals and faults. */
export function scene(run: Run, most = Infinity): Scene {
  const { diagram, places } = gathered(run, most);
  const partners = partnersOf(run);
  const arrival_s = arrivals(run);
  const reconstructed = isReconstructed(run);
  const lost: Scene['lost'] = [];
  const arrived_s: (number | null)[] = diagram.machine.map(() => null);
  for (const log of run.logs) {
    for (const [r, place] of places[log.machine]!) {
      for (let p = log.firstPeer[r]!; p < log.firstPeer[r + 1]!; p++) {
        const partner = partners[log.machine]![p]!;
        // What no clock proves to be taken may have been, where no row names a message.
        if (log.event[r] === SEND && partner === NONE && !reconstructed) {
          lost.push([place, log.peer[p]!]);
        }
        if (log.event[r] === RECEIVE && partner !== NONE && arrival_s) {
          arrived_s[place] = Number(arrival_s(log.peer[p]!, partner, log.machine).toFixed(4));
        }
      }
    }
  }
  return { ...diagram, lost, arrived_s: arrival_s && arrived_s, reconstructed,
    faults: spansOf(run).map(({ do: what, machines, from_s, to_s }) =>
      ({ do: what, machines, from_s, to_s })) };
}

function gathered(run: Run, most: number) {
  const seconds = secondsOf(run);
  const partners = partnersOf(run);
  const diagram: Diagram = {
    name: run.name, machines: run.run.machines, end_s: run.end_s, events: 0,
    ends_s: run.logs.map((log) => lastSeen(run, log)), machine: [], time_s: [], event: [],
    peer: [], message: [], queue: [], clock: [], cause: [],
  };
  /** Of each machine's rows the place in the diagram. */
  const places = run.logs.map(() => new Map<number, number>());
  const causes: [log: Log, place: number][] = [];
  eachInTime(run.logs, (log, r) => {
    if (log.tick[r]! < 0 || diagram.events++ >= most) return;
    const [first, next] = [log.firstPeer[r]!, log.firstPeer[r + 1]!];
    places[log.machine]!.set(r, diagram.machine.length);
    diagram.machine.push(log.machine);
    diagram.time_s.push(Number(seconds(log.time_us[r]!).toFixed(4)));
    diagram.event.push(EVENTS[log.event[r]!]![0]!);
    diagram.peer.push(log.peer.subarray(first, next).join(' '));
    diagram.message.push(log.message[r] === NONE ? null : log.message[r]!);
    diagram.queue.push(log.queue[r]!);
    diagram.clock.push(log.clock[r]!);
    diagram.cause.push(NONE);
    causes.push([log, r]);
  });
  // A receive may stand before its send, where the clocks of hosts disagree.
  for (const [at, [log, r]] of causes.entries()) {
    const first = log.firstPeer[r]!;
    if (log.event[r] !== RECEIVE || first === log.firstPeer[r + 1]) continue;
    const sent = partners[log.machine]![first]!;
    diagram.cause[at] = places[log.peer[first]!]?.get(sent) ?? NONE;
  }
  return { diagram, places };
}

/**
 * When a message arrived, model seconds: in virtual time it follows from the seed, as the page
 * *Chance, to the bit* has it. Null over sockets, where nobody writes it down.
 */
function arrivals(run: Run): ((from: number, sent: number, to: number) => number) | null {
  const { run: record } = run;
  if (record.kind !== 'virtual') return null;
  const seconds = secondsOf(run);
  const { latency = 'constant:0', reorder = false, seed, machines } = record;
  const delay = parseLatency(latency);
  const streams = run.logs.map((_, id) => stream(seed, id, PURPOSE.latency));
  const own_s = (log: Log, r: number, to: number) => seconds(log.time_us[r]!)
    + delay_ms(delay, uniform(streams[log.machine]!, log.tick[r]! * machines + to)) / 1000;
  if (reorder || delay.kind === 'constant') {
    return (from, sent, to) => own_s(run.logs[from]!, sent, to);
  }
  // Without overtaking it comes no sooner than those before it on its channel.
  const latest = new Map<number, Float64Array>();
  const channel = (log: Log, to: number) => {
    const key = log.machine * machines + to;
    const known = latest.get(key);
    if (known) return known;
    const times = new Float64Array(log.rows);
    let last_s = 0;
    for (let r = 0; r < log.rows; r++) {
      const goes = log.event[r] === SEND
        && log.peer.subarray(log.firstPeer[r], log.firstPeer[r + 1]).includes(to);
      times[r] = last_s = goes ? Math.max(last_s, own_s(log, r, to)) : last_s;
    }
    latest.set(key, times);
    return times;
  };
  return (from, sent, to) => channel(run.logs[from]!, to)[sent]!;
}

/** When a machine was last heard of, in model seconds. */
function lastSeen(run: Run, { time_us, rows }: Log): number {
  const last_s = rows === 0 ? 0
    : secondsOf(run)(time_us.subarray(0, rows).reduce((last, us) => Math.max(last, us), 0));
  return Math.min(last_s, run.run.duration_s);
}
