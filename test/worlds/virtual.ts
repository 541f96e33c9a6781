/** Virtual time, one instant after another: faults end, faults begin, arrivals, ticks by id. */
import { PURPOSE, stream, uniform } from '../../lab/model/chance.ts';
import { endOf, type Fault } from '../../lab/model/faults.ts';
import { arrive, Inbox, largest, take, type Message } from '../../lab/model/inbox.ts';
import { delay_ms, parseLatency } from '../../lab/model/network.ts';
import { NO_MESSAGE, receivers, step } from '../../lab/model/rule.ts';
import {
  knobsOf, machineOf, schedule, type Configuration, type Knobs,
} from '../../lab/model/run.ts';
import { recordOf, type Cells, type Played, type World } from './world.ts';

interface Flight extends Message {
  to: number;
  at_s: number;
  order: number;
}

/** A fault that begins (1) or ends (0). */
interface Change {
  at_s: number;
  begins: number;
  fault: Fault;
}

type Machine = ReturnType<typeof machinesFor>[number];

/** Plays a world in virtual time. */
export function virtual(configuration: Configuration, world: World): Played {
  return new Virtual(configuration, world).play();
}

function machinesFor(configuration: Configuration) {
  return Array.from({ length: configuration.machines }, (_, id) => ({
    ...machineOf(configuration, id), due: dueWithRates(configuration, id), k: 0,
    inbox: new Inbox(), rows: [] as Cells[],
    rolls: stream(configuration.seed, id, PURPOSE.rolls), pausedUntil_s: -1, down: false,
  }));
}

/** When faults begin and end, those of what_if too, in the order of time. */
function changesOf({ duration_s, faults = [], what_if = [] }: Configuration): Change[] {
  const outages = [...faults, ...what_if.flatMap((item): Fault[] => (item.do === 'pause'
    ? [{ do: 'pause', machine: item.machine, at_s: item.at_s, for_s: item.for_s }] : []))];
  return outages.flatMap((fault) => [
    { at_s: fault.at_s, begins: 1, fault },
    { at_s: endOf(fault, duration_s), begins: 0, fault }])
    .filter(({ at_s }) => at_s < duration_s).sort((a, b) => a.at_s - b.at_s || a.begins - b.begins);
}

const linkOf = (a: number, b: number) => [a, b].sort().join('-');

/** Machines, the messages under way between them, and what is to come. */
class Virtual {
  readonly configuration: Configuration;
  readonly world: World;
  readonly knobs: Knobs;
  readonly all: Machine[];
  readonly #changes: Change[];
  readonly #cuts = new Set<string>();
  readonly #network;
  /** When the last message of a channel arrives: the next is not before it. */
  readonly #lastOf = new Map<string, number>();
  #flights: Flight[] = [];
  #order = 0;

  constructor(configuration: Configuration, world: World) {
    [this.configuration, this.world] = [configuration, world];
    this.knobs = knobsOf(configuration);
    this.all = machinesFor(configuration);
    this.#changes = changesOf(configuration);
    this.#network = parseLatency(world.latency ?? 'constant:0');
  }

  play(): Played {
    const { all, configuration, world } = this;
    const { latency = 'constant:0', loss = 0, reorder = false } = world;
    const { duration_s } = configuration;
    for (const { id } of all) this.#note(id, 0, 'start');
    for (let now_s = 0; now_s <= duration_s;) now_s = this.#next(now_s);
    for (const { id, down } of all) if (!down) this.#note(id, duration_s, 'stop');
    const slow = latency === 'constant:0' && loss === 0 && !reorder ? {}
      : { latency, loss, reorder };
    return { record: recordOf(configuration, world, { kind: 'virtual', start_us: 0,
      ended: 'finished', ...slow }), rows: all.map(({ rows }) => rows) };
  }

  /** Does the one thing that is next and gives its time, or Infinity when the run is over. */
  #next(before_s: number): number {
    const { all, configuration: { duration_s } } = this;
    const nextOf = (machine: Machine) => (machine.down || machine.pausedUntil_s >= 0
      ? Infinity : Math.max(machine.due(machine.k), before_s));
    const now_s = Math.min(...all.map(nextOf), this.#flights[0]?.at_s ?? Infinity,
      this.#changes[0]?.at_s ?? Infinity);
    if (now_s > duration_s) return Infinity;
    if (this.#changes[0]?.at_s === now_s) {
      this.#change(this.#changes.shift()!);
    } else if (this.#flights[0]?.at_s === now_s) {
      this.#arrive(this.#flights.shift()!);
    } else {
      if (now_s >= duration_s) return Infinity;
      this.#tick(all.find((machine) => nextOf(machine) === now_s)!, now_s);
    }
    return now_s;
  }

  #note(id: number, at_s: number, event: Cells['event'], more: Partial<Cells> = {}): void {
    const { rows, inbox, clock } = this.all[id]!;
    rows.push({ time_us: Math.floor(at_s * 1e6), machine: id, tick: '', event, peers: [],
      messages: [], queue: inbox.length, clock, ...more });
  }

  #arrive({ from, to, clock }: Pick<Flight, 'from' | 'to' | 'clock'>): void {
    const machine = this.all[to]!;
    arrive(machine.inbox, { from, clock }, machine.clock, this.knobs);
  }

  #send(from: number, to: number, tick: number, clock: number, now_s: number): void {
    const { machines, seed, what_if = [] } = this.configuration;
    const { loss = 0, reorder = false } = this.world;
    const n = tick * machines + to;
    if (what_if.some((item) => item.do === 'lose' && item.from === from && item.to === to
      && item.clock === clock)) return;
    if (this.#cuts.has(linkOf(from, to)) || this.all[to]!.down) return;
    if (loss > 0 && uniform(stream(seed, from, PURPOSE.loss), n) < loss) return;
    if (this.#network.to_ms === 0) return this.#arrive({ from, to, clock });
    const chance = uniform(stream(seed, from, PURPOSE.latency), n);
    let at_s = now_s + delay_ms(this.#network, chance) / 1000;
    const channel = `${from} ${to}`;
    if (!reorder) at_s = Math.max(at_s, this.#lastOf.get(channel) ?? 0);
    this.#lastOf.set(channel, at_s);
    this.#flights.push({ from, to, clock, at_s, order: this.#order++ });
    this.#flights.sort((a, b) => a.at_s - b.at_s || a.order - b.order);
  }

  #destroy(lost: (flight: Flight) => boolean): void {
    for (const { from, to } of this.#flights.filter(lost)) this.#lastOf.delete(`${from} ${to}`);
    this.#flights = this.#flights.filter((flight) => !lost(flight));
  }

  #change({ at_s, begins, fault }: Change): void {
    if (fault.do === 'cut') {
      const name = linkOf(...fault.link!);
      if (!begins) return void this.#cuts.delete(name);
      this.#cuts.add(name);
      return this.#destroy(({ from, to }) => linkOf(from, to) === name);
    }
    const machine = this.all[fault.machine!]!;
    if (fault.do === 'pause') {
      machine.pausedUntil_s = begins ? endOf(fault, this.configuration.duration_s) : -1;
    }
    if (fault.do === 'pause' && !begins) {
      // The last tick that came due is made now.
      let k = machine.k;
      while (machine.due(k + 1) <= at_s) k++;
      if (machine.due(k) <= at_s) machine.k = k;
    } else if (fault.do === 'crash' && begins) {
      machine.down = true;
      machine.inbox.empty();
      this.#destroy(({ to }) => to === machine.id);
    } else if (fault.do === 'crash') {
      machine.down = false;
      this.#note(machine.id, at_s, 'restart');
      while (machine.due(machine.k) < at_s) machine.k++;
    }
  }

  #tick(machine: Machine, now_s: number): void {
    const { world: { bugs }, configuration: { what_if = [] } } = this;
    while (machine.due(machine.k + 1) <= now_s) machine.k++;
    const { id, k } = machine;
    const taken = take(machine.inbox, this.knobs);
    const message = taken.length > 0 ? largest(taken) : NO_MESSAGE;
    const other = what_if.find((item) => item.do === 'roll' && item.machine === id
      && item.tick === k) as { roll: number } | undefined;
    const before = machine.clock;
    const right = step(machine, message, other?.roll ?? uniform(machine.rolls, k));
    const { event, clock, to } = bugs?.step?.(right, before, message) ?? right;
    machine.clock = clock;
    const whom = receivers(machine, to);
    const sent = bugs?.wire?.(clock) ?? clock;
    const [peers, messages] = event === 'receive'
      ? [taken.map(({ from }) => from), taken.map((one) => one.clock)]
      : [whom, event === 'send' ? [sent] : []];
    this.#note(id, now_s, event, { tick: k, peers, messages });
    for (const peer of whom) {
      if (whom.length > 1 && peer === bugs?.leftOut) continue;
      this.#send(id, peer, k, sent, now_s);
    }
    machine.k++;
  }
}

/** When ticks are due where what_if changes the rate: what is left of a period goes on at it. */
function dueWithRates(configuration: Configuration, id: number): (k: number) => number {
  const due = schedule(configuration, id);
  const rates = (configuration.what_if ?? []).flatMap((item) =>
    (item.do === 'rate' && item.machine === id ? [item] : []));
  if (rates.length === 0) return due;
  const [{ at_s, rate_hz }] = rates as [typeof rates[number]];
  const first_hz = configuration.rates_hz[id]!;
  const p = at_s * first_hz;
  return (k) => (due(k) * first_hz < p ? due(k) * first_hz / first_hz
    : at_s + (due(k) * first_hz - p) / rate_hz);
}
