/**
 * Machines with everything that may be asked for: latency, loss, faults, knobs, irregular ticks,
 * what-if, and somebody who looks. It walks the same schedule as the fast loops, and says `step`.
 *
 * At one instant: faults end, faults begin, messages arrive in the order in which they were sent,
 * machines tick in the order of their ids. A message arrives in memory when its receiver next
 * looks, which nobody can tell from the instant at which it is due.
 *
 * What faults do here. Paused machines make no tick; ticks.ts says which one follows. A crash takes
 * the queue and all that is under way to the machine, and whatever is sent to it until it is back;
 * what it sent itself goes on. A restart that would come at the run's end or later does not come. A
 * cut takes what is under way on its link, both ways, and what is sent on it until it heals. What
 * is lost no longer holds up what follows on its channel.
 */
import { PURPOSE, stream, uniform, type Stream } from '../model/chance.ts';
import { endOf, type Fault } from '../model/faults.ts';
import { arrive, Inbox, largest, take } from '../model/inbox.ts';
import { delay_ms, parseLatency, type Latency, type Network } from '../model/network.ts';
import { EVERYONE, type Machine, NO_MESSAGE, NOBODY, receivers, step } from '../model/rule.ts';
import {
  type Configuration, type Knobs, knobsOf, machineOf, type row,
} from '../model/run.ts';
import { type Flight, Flights } from './flights.ts';
import { Schedule } from './schedule.ts';
import type { Standing } from './statistics.ts';
import { Ticks } from './ticks.ts';

/** Takes the cells of a row of the log, as `row` does. */
export type Observe = (...cells: Parameters<typeof row>) => void;

/**
 * Is told what becomes of each message: `sent` (at_s says when it will arrive), and then one of
 * `lost`, or `arrived` and at last `taken`, or `dropped`, on arrival or in the queue.
 */
export type Follow = (
  what: 'sent' | 'lost' | 'arrived' | 'dropped' | 'taken', message: Readonly<Flight>, now_s: number,
) => void;

/** Something that a fault does at a time. */
interface Turn {
  at_s: number;
  begins: boolean;
  fault: Fault;
}

/** Ends before beginnings at one instant. */
function turnsOf({ faults = [], duration_s }: Configuration): Turn[] {
  return faults.filter(({ do: what }) => what !== 'pause').flatMap((fault) => [
    { at_s: fault.at_s, begins: true, fault },
    { at_s: endOf(fault, duration_s), begins: false, fault },
  ]).filter(({ at_s }) => at_s < duration_s)
    .sort((one, other) => one.at_s - other.at_s || Number(one.begins) - Number(other.begins));
}

/** One run. */
export class Full {
  private readonly configuration: Configuration;
  private readonly standing: Standing;
  private readonly observe: Observe | undefined;
  private readonly follow: Follow | undefined;
  private readonly knobs: Knobs;
  private readonly machines: Machine[];
  private readonly inboxes: Inbox<Flight>[];
  private readonly rolls: Stream[];
  private readonly schedule: Schedule;
  private readonly turns: Turn[];

  private readonly latency: Latency;
  private readonly loss: number;
  private readonly delays: Stream[] = [];
  private readonly losses: Stream[] = [];
  /** Null where messages arrive at once. */
  private readonly flights: Flights | null;
  private order = 0;
  /** Who is down, and which links are cut, as 'lower-higher'. */
  private readonly down: boolean[];
  private readonly cut = new Set<string>();
  /** Overrides: rolls as 'machine tick', messages as 'from to clock'. */
  private readonly rolled = new Map<string, number>();
  private readonly stopped = new Set<string>();

  /** Sums over the time of a window. */
  private end_s = 0;
  private highestSum = 0;
  private readonly clockSums: Float64Array;
  private readonly queueSums: Float64Array;

  constructor(
    configuration: Configuration, { latency, loss, reorder }: Network, standing: Standing,
    observe?: Observe, follow?: Follow,
  ) {
    const { seed, machines } = configuration;
    [this.configuration, this.standing] = [configuration, standing];
    [this.observe, this.follow] = [observe, follow];
    this.knobs = knobsOf(configuration);
    const each = <T>(value: (id: number) => T) => Array.from({ length: machines }, (_, id) =>
      value(id));
    this.machines = each((id) => machineOf(configuration, id));
    this.inboxes = each(() => new Inbox());
    this.down = each(() => false);
    this.rolls = each((id) => stream(seed, id, PURPOSE.rolls));
    [this.latency, this.loss] = [parseLatency(latency), loss];
    const slow = this.latency.to_ms > 0;
    if (slow) this.delays = each((id) => stream(seed, id, PURPOSE.latency));
    if (loss > 0) this.losses = each((id) => stream(seed, id, PURPOSE.loss));
    // Under a constant latency no message overtakes another: there is nothing to remember.
    this.flights = slow ? new Flights(machines, !reorder && this.latency.kind !== 'constant')
      : null;
    this.schedule = new Schedule(machines);
    this.turns = turnsOf(configuration);
    for (const change of configuration.what_if ?? []) {
      if (change.do === 'roll') this.rolled.set(`${change.machine} ${change.tick}`, change.roll);
      if (change.do === 'lose') {
        this.stopped.add(`${change.from} ${change.to} ${change.clock}`);
      }
    }
    [this.clockSums, this.queueSums] = [new Float64Array(machines), new Float64Array(machines)];
  }

  run(): void {
    const { configuration, schedule, machines, standing, observe } = this;
    const { duration_s, rates_hz } = configuration;
    for (const { id } of machines) observe?.(0, id, '', 'start', '', '', 0, 0);
    schedule.beginWith(machines.map(({ id }) => new Ticks(configuration, id)), rates_hz,
      duration_s);
    while (schedule.next()) {
      this.open(schedule.until_s);
      const { ids, times_s, numbers, count } = schedule;
      for (let n = 0; n < count; n++) {
        if (this.turns.length > 0) this.turn(times_s[n]!, true);
        this.tick(ids[n]!, numbers[n]!, times_s[n]!);
      }
      this.close();
    }
    for (const { id, clock } of machines) {
      standing.queues[id] = this.inboxes[id]!.length;
      if (this.down[id]) continue;
      observe?.(Math.floor(duration_s * 1e6), id, '', 'stop', '', '', standing.queues[id], clock);
    }
    standing.in_flight = this.flights?.count() ?? 0;
  }

  /** Begins a window: what already is, is there for all of it. */
  private open(until_s: number): void {
    const length_s = until_s - this.schedule.from_s;
    this.end_s = until_s;
    this.highestSum = 0;
    for (const { id, clock } of this.machines) {
      this.clockSums[id] = (clock - this.standing.highest) * length_s;
      this.queueSums[id] = this.inboxes[id]!.length * length_s;
    }
  }

  /** Ends a window: its sums are added to the run's. */
  private close(): void {
    this.turn(this.end_s, false);
    for (const { id } of this.machines) {
      this.receiveBy(id, this.end_s);
      this.standing.lagSums[id]! += this.highestSum - this.clockSums[id]!;
      this.standing.queueSums[id]! += this.queueSums[id]!;
    }
  }

  private tick(id: number, number: number, now_s: number): void {
    const { standing, observe } = this;
    const machine = this.machines[id]!;
    const inbox = this.inboxes[id]!;
    this.receiveBy(id, now_s);
    const left_s = this.end_s - now_s;
    standing.maxLags[id] = Math.max(standing.maxLags[id]!, standing.highest - machine.clock);
    standing.maxQueues[id] = Math.max(standing.maxQueues[id]!, inbox.length);
    const taken = take(inbox, this.knobs);
    const message = taken.length > 0 ? largest(taken) : NO_MESSAGE;
    const roll = message !== NO_MESSAGE ? 0 // A tick that receives does not look at its roll.
      : (this.rolled.size > 0 ? this.rolled.get(`${id} ${number}`) : undefined)
        ?? uniform(this.rolls[id]!, number);
    const { event, clock, to } = step(machine, message, roll);
    const jump = clock - machine.clock;
    machine.clock = clock;
    standing.ticks[id]!++;
    standing.clocks[id] = clock;
    if (taken.length > 0) standing.receives[id]!++;
    this.queueSums[id]! -= taken.length * left_s;
    this.clockSums[id]! += jump * left_s;
    standing.maxJumps[id] = Math.max(standing.maxJumps[id]!, jump);
    if (clock > standing.highest) {
      this.highestSum += (clock - standing.highest) * left_s;
      standing.highest = clock;
    }
    if (this.follow) for (const each of taken) this.follow('taken', each, now_s);
    if (observe) {
      const peers = taken.length > 0 ? taken.map(({ from }) => from) : receivers(machine, to);
      observe(Math.floor(now_s * 1e6), id, number, event, peers.join(' '),
        event === 'send' ? clock : taken.map(({ clock }) => clock).join(' '), inbox.length, clock);
    }
    if (to !== NOBODY) this.send(machine, number, to, now_s);
  }

  private send({ id: from, machines, clock }: Machine, tick: number, to: number, now_s: number) {
    const [first, last] = to === EVERYONE ? [0, machines - 1] : [to, to];
    for (let id = first; id <= last; id++) {
      if (id !== from) this.transmit(from, id, tick * machines + id, clock, now_s);
    }
  }

  /** One message. @param n which number of its sender's streams says its loss and its latency */
  private transmit(from: number, to: number, n: number, clock: number, now_s: number): void {
    const { loss, flights } = this;
    this.standing.sent++;
    const message: Flight = { from, to, clock, at_s: now_s, order: this.order++ };
    const lost = (loss > 0 && uniform(this.losses[from]!, n) < loss) || this.down[to]!
      || (this.cut.size > 0 && this.cut.has(linkText(from, to)))
      || (this.stopped.size > 0 && this.stopped.has(`${from} ${to} ${clock}`));
    if (!lost && flights !== null) {
      message.at_s += delay_ms(this.latency, uniform(this.delays[from]!, n)) / 1000;
      flights.add(message);
    }
    this.follow?.('sent', message, now_s);
    if (lost) this.lose(message, now_s);
    else if (flights === null) this.enqueue(message);
  }

  private lose(message: Flight, now_s: number): void {
    this.standing.lost++;
    this.follow?.('lost', message, now_s);
  }

  /** Puts into a machine's queue what has arrived by a time. */
  private receiveBy(id: number, by_s: number, before = false): void {
    if (this.flights === null) return;
    for (let next; (next = this.flights.arrived(id, by_s, before));) this.enqueue(next);
  }

  private enqueue(message: Flight): void {
    const { to, at_s } = message;
    const inbox = this.inboxes[to]!;
    const waiting = inbox.length;
    const dropped = arrive(inbox, message, this.machines[to]!.clock, this.knobs);
    this.queueSums[to]! += (inbox.length - waiting) * (this.end_s - at_s);
    if (dropped !== message) this.follow?.('arrived', message, at_s);
    if (dropped === null) return;
    this.standing.dropped++;
    this.follow?.('dropped', dropped, at_s);
  }

  /** What faults do up to a time, or before it. */
  private turn(by_s: number, including: boolean): void {
    for (let next; (next = this.turns[0]) && (including ? next.at_s <= by_s : next.at_s < by_s);) {
      const { at_s, begins, fault: { machine, link } } = this.turns.shift()!;
      if (link !== undefined) this.turnLink(link, begins, at_s);
      else if (begins) this.crash(machine!, at_s);
      else {
        const { clock } = this.machines[machine!]!;
        this.down[machine!] = false;
        this.observe?.(Math.floor(at_s * 1e6), machine!, '', 'restart', '', '', 0, clock);
      }
    }
  }

  private turnLink([one, other]: [number, number], begins: boolean, at_s: number): void {
    if (!begins) this.cut.delete(linkText(one, other));
    else {
      this.cut.add(linkText(one, other));
      this.destroy(one, other, at_s);
      this.destroy(other, one, at_s);
    }
  }

  private crash(id: number, at_s: number): void {
    this.destroy(id, null, at_s);
    const inbox = this.inboxes[id]!;
    this.standing.maxQueues[id] = Math.max(this.standing.maxQueues[id]!, inbox.length);
    this.queueSums[id]! -= inbox.length * (this.end_s - at_s);
    for (const message of inbox.empty()) this.lose(message, at_s);
    this.down[id] = true;
  }

  /** Loses what has not arrived before a time. */
  private destroy(to: number, from: number | null, at_s: number): void {
    if (this.flights === null) return;
    this.receiveBy(to, at_s, true);
    for (const message of this.flights.destroy(to, from)) this.lose(message, at_s);
  }
}

const linkText = (one: number, other: number) =>
  (one < other ? `${one}-${other}` : `${other}-${one}`);
