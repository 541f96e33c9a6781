/** Real processes and sockets, with stalls, deaths and faults: a list of things to do at times. */
import { PURPOSE, stream, uniform } from '../../lab/model/chance.ts';
import { endOf, type Fault } from '../../lab/model/faults.ts';
import { arrive, Inbox, largest, take, type Message } from '../../lab/model/inbox.ts';
import { NO_MESSAGE, receivers, step } from '../../lab/model/rule.ts';
import {
  knobsOf, machineOf, schedule, type Configuration, type Knobs,
} from '../../lab/model/run.ts';
import { recordOf, START_US, type Cells, type Played, type World } from './world.ts';

interface Machine {
  id: number;
  clock: number;
  machines: number;
  internal: number;
  due_us: (k: number) => number;
  due_s: (k: number) => number;
  k: number;
  inbox: Inbox;
  /** What stands in its sockets, by sender. */
  unread: Message[][];
  rows: Cells[];
  /** It stands still until then; what it was about to do is done after. */
  away_us: number;
  /** Until when it writes what it sends; no row comes before. */
  busy_us: number;
  /** When all that it has sent is under way. */
  flushed_us: number;
  alive: boolean;
  /** Counts its lives: what was planned in one does not happen in the next. */
  life: number;
  reads: boolean;
}

/** Processes and sockets: what happens is a list of things to do at times, µs. */
export class Real {
  readonly configuration: Configuration;
  readonly world: World;
  readonly knobs: Knobs;
  readonly all: Machine[];
  readonly faults: Fault[];
  readonly cuts = new Set<string>();
  readonly end_us: number;
  readonly second_us: number;
  now_us = START_US;
  /** What each channel is still to carry, in its order. */
  readonly #unwritten = new Map<string, number[]>();
  #todo: { at_us: number; order: number; what: () => void }[] = [];
  #order = 0;
  #n = 0;
  readonly #draws;

  constructor(configuration: Configuration, world: World) {
    const { machines, seed, speed, duration_s } = configuration;
    [this.configuration, this.world] = [configuration, world];
    this.knobs = knobsOf(configuration);
    this.#draws = stream(seed, 0, 77);
    this.second_us = 1e6 / speed;
    this.end_us = START_US + duration_s * this.second_us;
    this.faults = structuredClone(configuration.faults ?? []);
    this.all = Array.from({ length: machines }, (_, id): Machine => {
      const due_s = schedule(configuration, id);
      return { ...machineOf(configuration, id), due_s,
        due_us: (k) => START_US + (due_s(k) * 1e6) / speed, k: 0, inbox: new Inbox(),
        unread: Array.from({ length: machines }, () => []), rows: [], away_us: 0, busy_us: 0,
        flushed_us: 0, alive: true, life: 0, reads: true };
    });
  }

  #chance = (most = 1) => most * uniform(this.#draws, this.#n++);
  #us = (model_s: number) => START_US + model_s * this.second_us;

  #at(at_us: number, what: () => void): void {
    const item = { at_us, order: this.#order++, what };
    let place = this.#todo.length;
    while (place > 0 && this.#todo[place - 1]!.at_us <= at_us) place--;
    this.#todo.splice(place, 0, item); // The last is the next.
  }

  play(): Played {
    const { world, all } = this;
    for (const machine of all) {
      this.#row(machine, 'start');
      this.#plan(machine);
    }
    for (const { machine, from_s, to_s } of world.stalls ?? []) {
      this.#at(this.#us(from_s), () => this.#stall(all[machine]!, this.#us(to_s)));
    }
    for (const { machine, at_s } of world.deaths ?? []) {
      this.#at(this.#us(at_s), () => this.#die(all[machine]!));
    }
    for (const fault of this.faults) this.#schedule(fault);
    if (world.interrupted_s !== undefined) {
      for (const machine of all) {
        this.#at(this.#us(world.interrupted_s) + this.#chance(900), () => this.#stop(machine));
      }
    }
    for (let item; (item = this.#todo.pop());) {
      this.now_us = item.at_us;
      item.what();
    }
    return { record: recordOf(this.configuration, world, this.#ending()),
      rows: all.map(({ rows }) => rows) };
  }

  #ending() {
    const { world, faults } = this;
    const died = (world.deaths ?? []).map(({ machine }) => `machine ${machine} died (SIGKILL)`);
    const ended = world.interrupted_s !== undefined ? 'interrupted by SIGINT'
      : died.join(', ') || 'finished';
    return { kind: 'sockets', start_us: START_US, ended, ...(faults.length > 0 ? { faults } : {}) };
  }

  #row(machine: Machine, event: Cells['event'], at_us = this.now_us, more: Partial<Cells> = {}) {
    machine.rows.push({ time_us: Math.floor(at_us), machine: machine.id, tick: '', event, peers: [],
      messages: [], queue: machine.inbox.length, clock: machine.clock, ...more });
  }

  /** It stands still from now to a time. */
  #stall(machine: Machine, to_us: number): void {
    if (!machine.alive) return;
    machine.away_us = Math.max(machine.away_us, to_us);
    this.#at(to_us, () => this.#read(machine));
  }

  /** Its next tick, or its stop. */
  #plan(machine: Machine): void {
    const { life } = machine;
    const due_us = machine.due_us(machine.k);
    const at_us = Math.max(this.now_us, Math.min(due_us, this.end_us)) + this.#chance(300);
    this.#at(at_us, () => this.#wake(machine, life));
  }

  #wake(machine: Machine, life: number): void {
    if (!machine.alive || machine.life !== life) return;
    if (this.now_us < machine.away_us && !this.world.bugs?.restless) {
      this.#at(machine.away_us + this.#chance(200), () => this.#wake(machine, life));
      return;
    }
    if (this.now_us <= machine.busy_us) {
      this.#at(machine.busy_us + 1, () => this.#wake(machine, life));
      return;
    }
    while (!this.world.bugs?.burst && machine.due_us(machine.k + 1) <= Math.floor(this.now_us)) {
      machine.k++;
    }
    if (machine.due_us(machine.k) >= this.end_us) return this.#stop(machine);
    this.#tick(machine);
    if (machine.rows.at(-1)!.event === 'stop') return;
    machine.k++;
    this.#plan(machine);
  }

  #tick(machine: Machine): void {
    const { world, knobs } = this;
    const { id, life, k } = machine;
    this.#read(machine);
    const waiting = machine.inbox.length;
    const taken = world.bugs?.newestFirst && waiting > 0 ? [machine.inbox.pop()!]
      : take(machine.inbox, knobs);
    const message = taken.length > 0 ? largest(taken) : NO_MESSAGE;
    const own = world.dice?.[id] === 'own';
    const roll = own ? this.#chance()
      : uniform(stream(this.configuration.seed, id, PURPOSE.rolls), k);
    const right = step(machine, message, roll);
    const { event, clock, to } = world.bugs?.step?.(right, machine.clock, message) ?? right;
    machine.clock = clock;
    const whom = receivers(machine, to);
    const sent = world.bugs?.wire?.(clock) ?? clock;
    const late_us = world.lab === '0.1.0' ? this.#chance(100) : 0;
    this.#row(machine, event, this.now_us + late_us, { tick: k,
      peers: event === 'receive' ? taken.map(({ from }) => from) : whom,
      messages: event === 'receive' ? taken.map((one) => one.clock)
      : event === 'send' ? [sent] : [] });
    if (whom.length === 0) return;
    if (this.#chance() < (world.stuck ?? 0)) {
      this.#stall(machine, this.now_us + 1 + this.#chance((world.stuck_s ?? 3) * this.second_us));
    }
    for (const peer of whom) {
      if (whom.length > 1 && peer === world.bugs?.leftOut) continue;
      // gRPC has queues and threads of its own between a row and what its receiver hears.
      const under_way_us = this.#chance(world.wire === 'grpc' ? 45_000 : 200);
      const at_us = Math.max(this.now_us + 20 + late_us + under_way_us, machine.away_us + 20);
      this.#unwrittenOf(machine, life, peer).push(sent);
      machine.flushed_us = Math.max(machine.flushed_us, at_us);
      if (world.wire !== 'grpc') machine.busy_us = machine.flushed_us;
      this.#at(at_us, () => this.#write(machine, life, this.all[peer]!));
    }
  }

  #link = (a: number, b: number) => [a, b].sort().join('-');

  #unwrittenOf(machine: Machine, life: number, peer: number): number[] {
    const channel = `${machine.id}-${life}>${peer}`;
    if (!this.#unwritten.has(channel)) this.#unwritten.set(channel, []);
    return this.#unwritten.get(channel)!;
  }

  /** Writes the oldest that a channel is to carry. */
  #write(machine: Machine, life: number, to: Machine): void {
    const { bugs } = this.world;
    if (!machine.alive || machine.life !== life) return;
    if (this.now_us < machine.away_us) {
      return this.#at(machine.away_us + 20, () => this.#write(machine, life, to));
    }
    const clock = this.#unwrittenOf(machine, life, to.id).shift()!;
    if (!to.alive) {
      if (bugs?.nothingLost) to.unread[machine.id]!.push({ from: machine.id, clock });
      return;
    }
    if (this.cuts.has(this.#link(machine.id, to.id)) && !bugs?.nothingLost
      && !(bugs?.oneWay && machine.id < to.id)) return;
    to.unread[machine.id]!.push({ from: machine.id, clock });
    if (this.now_us >= to.away_us) this.#read(to);
  }

  /** Reads its sockets, one after the other in any order: senders are not in step. */
  #read(machine: Machine): void {
    if (!machine.alive || this.now_us < machine.away_us) return;
    const drawn = this.#n;
    this.#n += machine.unread.length;
    // Most often one has written, or none: then the order that is drawn does not matter.
    const order = machine.unread.map((_, id) => id).filter((id) => machine.unread[id]!.length > 0);
    if (order.length > 1) {
      const by = machine.unread.map((_, id) => uniform(this.#draws, drawn + id));
      order.sort((a, b) => by[a]! - by[b]!);
    }
    for (const id of order) {
      for (const message of machine.unread[id]!.splice(0)) {
        arrive(machine.inbox, message, machine.clock, this.knobs);
      }
    }
  }

  #stop(machine: Machine): void {
    if (!machine.alive || machine.rows.at(-1)!.event === 'stop') return;
    if (this.now_us < machine.away_us) {
      return this.#at(machine.away_us + this.#chance(200), () => this.#stop(machine));
    }
    if (this.now_us <= machine.flushed_us) {
      return this.#at(machine.flushed_us + 1, () => this.#stop(machine));
    }
    this.#read(machine);
    this.#row(machine, 'stop');
    machine.life++;
    machine.reads = false;
  }

  #die(machine: Machine): void {
    machine.alive = false;
    machine.life++;
    machine.inbox.empty();
    for (const unread of machine.unread) unread.length = 0;
    // Whoever has not read what it said may get a reset in the place of it.
    for (const peer of this.all) if (this.#chance() < 0.5) peer.unread[machine.id]!.length = 0;
  }

  #schedule(fault: Fault): void {
    const { duration_s } = this.configuration;
    const at_us = this.#us(fault.at_s) + this.#chance(3000);
    const until_us = this.#us(endOf(fault, duration_s)) + this.#chance(3000);
    const machine = this.all[fault.machine ?? 0]!;
    const begin = (what: () => void) => this.#at(at_us, () => {
      const to_us = at_us + 100 + this.#chance(5000);
      fault.from_us = [Math.floor(at_us), Math.floor(to_us)];
      this.#at(at_us + 50, what);
    });
    const finish = (what: () => void, takes_us: number) => this.#at(until_us, () => {
      fault.to_us = [Math.floor(until_us), Math.floor(until_us + takes_us)];
      this.#at(until_us + takes_us / 2, what);
    });
    if (fault.do === 'pause') {
      begin(() => this.#stall(machine, until_us + 20));
      finish(() => {}, 60);
    } else if (fault.do === 'cut') {
      const [i, j] = fault.link!;
      begin(() => {
        this.cuts.add(this.#link(i, j));
        if (this.world.bugs?.nothingLost) return;
        this.all[i]!.unread[j]!.length = 0;
        if (!this.world.bugs?.oneWay) this.all[j]!.unread[i]!.length = 0;
      });
      finish(() => this.cuts.delete(this.#link(i, j)), 4000);
    } else {
      begin(() => this.#die(machine));
      if (endOf(fault, duration_s) < duration_s) {
        finish(() => this.#restart(machine), 200_000 + this.#chance(300_000));
      }
    }
  }

  #restart(machine: Machine): void {
    const { bugs } = this.world;
    machine.alive = true;
    machine.clock -= bugs?.clockBack ?? 0;
    const back = () => {
      // What came while it was on its way is not its own.
      if (!bugs?.nothingLost) {
        machine.inbox.empty();
        for (const unread of machine.unread) unread.length = 0;
      }
      const again = machine.rows.filter(({ event }) => event === 'receive').at(-1);
      this.#row(machine, 'restart', this.now_us, { queue: 0 });
      if (bugs?.takenTwice && again) {
        const twice = { from: again.peers[0]!, clock: again.messages[0]! };
        machine.inbox = new Inbox([twice, ...machine.inbox.toArray()]);
      }
      while (machine.due_us(machine.k) < this.now_us) machine.k++;
      if (bugs?.tickTwice) {
        const { k } = machine;
        machine.k = Number(machine.rows.filter(({ tick }) => tick !== '').at(-1)!.tick);
        this.#tick(machine);
        machine.k = k;
      }
      this.#plan(machine);
    };
    this.#at(this.now_us + 1000 + this.#chance(20_000), back);
  }
}
