/** From rows as they stand to the events of a run: one send a send, clocks after the event. */
import type { Row } from './patterns.ts';
import type { Group, Unit } from './places.ts';

/** An event of one machine. */
export interface Event {
  event: Row['event'];
  /** Since the epoch, since midnight or since anything; NaN if nothing tells. */
  time_us: number;
  /** After the event. */
  clock: number;
  vector: number[] | null;
  /** After the event; null if their row has none. */
  queue: number | null;
  /** Their names of receivers or sender. */
  peers: string[];
  both: boolean;
  message: number | null;
  /** The first of its rows, and how many lines it has there. */
  row: Row;
  lines: number;
}

export interface Machine {
  name: string;
  names: string[];
  text: number;
  events: Event[];
  absolute: boolean;
}

export interface Run {
  name: string;
  machines: Machine[];
}

/** What was found of how they log; each may be stated. */
export interface Logged {
  clock: 'after' | 'before';
  queue: 'after' | 'before' | null;
  both: 'one row' | 'two rows of one clock' | 'two rows of two clocks' | null;
}

const order = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** A group's machines in the order of their names, their rows of one send joined. */
export function runOf({ name, units }: Group): Run {
  const machines = units.map((unit): Machine => ({
    name: unit.names[0] ?? '',
    names: unit.names,
    text: unit.text,
    absolute: unit.absolute,
    events: eventsOf(unit, units.length),
  }));
  machines.sort((a, b) => order(a.name, b.name));
  return { name, machines };
}

function eventsOf({ rows, time_us }: Unit, machines: number): Event[] {
  const events: Event[] = [];
  for (const [n, row] of rows.entries()) {
    const before = events.at(-1);
    const { event, clock, vector, queue, message } = row;
    if (before && isSame(before, row) && before.peers.length < Math.max(2, machines - 1)) {
      before.peers = [...before.peers, ...row.peers];
      before.both = true;
      before.lines = row.line + row.lines - before.row.line;
      continue;
    }
    const peers = row.peers.filter((peer) => !(event === 'send' && peer === row.machine));
    events.push({
      event,
      time_us: time_us[n]!,
      clock,
      vector,
      queue,
      peers,
      both: row.both,
      message,
      row,
      lines: row.lines,
    });
  }
  return events;
}

/** Whether a row is one more of the send before it: the same clock, another peer. */
const isSame = (before: Event, { event, clock, peers }: Row) =>
  event === 'send' &&
  before.event === 'send' &&
  before.clock === clock &&
  !peers.some((peer) => before.peers.includes(peer));

/** How a send to both is written, over some runs. */
export function bothOf(runs: readonly Run[]): Logged['both'] {
  let [joined, one, pairs, sends] = [0, 0, 0, 0];
  for (const { events } of runs.flatMap(({ machines }) => machines)) {
    for (const [n, { event, both, lines, row, time_us, clock, peers }] of events.entries()) {
      if (event !== 'send') continue;
      sends++;
      if (both && lines > row.lines) joined++;
      else if (both) one++;
      const next = events[n + 1];
      const gap_us = next ? next.time_us - time_us : NaN;
      if (
        next?.event === 'send' &&
        next.clock === clock + 1 &&
        gap_us >= 0 &&
        gap_us < 20_000 &&
        time_us % 1e6 !== 0 &&
        !next.peers.some((peer) => peers.includes(peer))
      )
        pairs++;
    }
  }
  if (joined > one && joined > pairs) return 'two rows of one clock';
  if (pairs > sends * 0.1 && pairs > one) return 'two rows of two clocks';
  return one > 0 ? 'one row' : null;
}

/** Whether the clock stands in the row before its event: jumps then show one row after receives. */
export function clockLogged(runs: readonly Run[]): Logged['clock'] {
  let [here, there] = [0, 0];
  const machines = runs.flatMap((run) => run.machines);
  for (const { events } of machines) {
    for (let n = 1; n < events.length; n++) {
      const [one, two] = [events[n - 1]!, events[n]!];
      if (two.clock - one.clock < 2) continue;
      if (two.event === 'receive' && one.event !== 'receive') here++;
      if (two.event !== 'receive' && one.event === 'receive') there++;
    }
  }
  // Where no receive tells, all machines' first events of clock 0 do.
  const fromZero = machines.length > 1 && machines.every(({ events }) => events[0]?.clock === 0);
  const isAlone = here === 0 && (fromZero || there >= 3);
  return isAlone || (there >= 3 && there > 2 * here) ? 'before' : 'after';
}

/** Whether the queue is counted with the message that is taken: no receive then leaves it empty. */
export function queueLogged(runs: readonly Run[]): Logged['queue'] {
  let [with0, followed, receives] = [0, 0, 0];
  for (const { events } of runs.flatMap(({ machines }) => machines)) {
    for (const [n, { event, queue }] of events.entries()) {
      if (event !== 'receive' || queue === null) continue;
      receives++;
      if (queue === 0) with0++;
      else if (events[n + 1] && events[n + 1]!.event !== 'receive') followed++;
    }
  }
  if (receives === 0) return null;
  return with0 < receives * 0.01 && followed >= Math.max(2, receives * 0.02) ? 'before' : 'after';
}

/** Brings a run to clocks and queues after the event. */
export function settled(run: Run, { clock, queue }: Logged): Run {
  const machines = run.machines.map((machine) => {
    let events = machine.events;
    if (clock === 'before') {
      events = events.map((event, n) => {
        const next = events[n + 1];
        return { ...event, clock: next?.clock ?? event.clock + 1, vector: next?.vector ?? null };
      });
      // What the last receive made of the clock, no row says.
      if (events.at(-1)?.event === 'receive') events = events.slice(0, -1);
    }
    if (queue === 'before') {
      events = events.map((event) =>
        event.event === 'receive' && event.queue !== null
          ? { ...event, queue: Math.max(0, event.queue - 1) }
          : event,
      );
    }
    return { ...machine, events };
  });
  return { ...run, machines };
}
