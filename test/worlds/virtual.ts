/** Virtual time as one plain loop: at each instant faults end, faults begin, arrivals, ticks by id. */
import { PURPOSE, stream, uniform } from '../../lab/model/chance.ts';
import { endOf, type Fault } from '../../lab/model/faults.ts';
import { arrive, largest, take, type Message } from '../../lab/model/inbox.ts';
import { delay_ms, parseLatency } from '../../lab/model/network.ts';
import { NO_MESSAGE, receivers, step } from '../../lab/model/rule.ts';
import { knobsOf, machineOf, schedule, type Configuration } from '../../lab/model/run.ts';
import { recordOf, type Cells, type Played, type World } from './world.ts';

interface Flight extends Message {
  to: number;
  at_s: number;
  order: number;
}

/** Plays a world in virtual time. */
export function virtual(configuration: Configuration, world: World): Played {
  const { machines, duration_s, seed, faults = [], what_if = [] } = configuration;
  const { latency = 'constant:0', loss = 0, reorder = false } = world;
  const network = parseLatency(latency);
  const knobs = knobsOf(configuration);
  const all = Array.from({ length: machines }, (_, id) => ({
    ...machineOf(configuration, id), due: dueWithRates(configuration, id), k: 0, inbox: [] as Message[],
    rows: [] as Cells[], rolls: stream(seed, id, PURPOSE.rolls), pausedUntil_s: -1, down: false,
  }));
  const outages = [...faults, ...what_if.flatMap((item): Fault[] => (item.do === 'pause'
    ? [{ do: 'pause', machine: item.machine, at_s: item.at_s, for_s: item.for_s }] : []))];
  const changes = outages.flatMap((fault) => [
    { at_s: fault.at_s, begins: 1, fault },
    { at_s: endOf(fault, duration_s), begins: 0, fault }])
    .filter(({ at_s }) => at_s < duration_s).sort((a, b) => a.at_s - b.at_s || a.begins - b.begins);
  let flights: Flight[] = [];
  let order = 0;
  const cuts = new Set<string>();
  const link = (a: number, b: number) => [a, b].sort().join('-');
  const note = (id: number, at_s: number, event: Cells['event'], more: Partial<Cells> = {}) => {
    const { rows, inbox, clock } = all[id]!;
    rows.push({ time_us: Math.floor(at_s * 1e6), machine: id, tick: '', event, peers: [],
      messages: [], queue: inbox.length, clock, ...more });
  };
  const lastOf = new Map<string, number>();

  const send = (from: number, to: number, tick: number, clock: number, now_s: number) => {
    const n = tick * machines + to;
    if (what_if.some((item) => item.do === 'lose' && item.from === from && item.to === to
      && item.clock === clock)) return;
    if (cuts.has(link(from, to)) || all[to]!.down) return;
    if (loss > 0 && uniform(stream(seed, from, PURPOSE.loss), n) < loss) return;
    if (network.to_ms === 0) {
      arrive(all[to]!.inbox, { from, clock }, all[to]!.clock, knobs);
      return;
    }
    let at_s = now_s + delay_ms(network, uniform(stream(seed, from, PURPOSE.latency), n)) / 1000;
    const channel = `${from} ${to}`;
    if (!reorder) at_s = Math.max(at_s, lastOf.get(channel) ?? 0);
    lastOf.set(channel, at_s);
    flights.push({ from, to, clock, at_s, order: order++ });
    flights.sort((a, b) => a.at_s - b.at_s || a.order - b.order);
  };
  const destroy = (lost: (flight: Flight) => boolean) => {
    for (const { from, to } of flights.filter(lost)) lastOf.delete(`${from} ${to}`);
    flights = flights.filter((flight) => !lost(flight));
  };
  const change = ({ at_s, begins, fault }: (typeof changes)[number]) => {
    if (fault.do === 'cut') {
      const name = link(...fault.link!);
      if (!begins) return void cuts.delete(name);
      cuts.add(name);
      return destroy(({ from, to }) => link(from, to) === name);
    }
    const machine = all[fault.machine!]!;
    if (fault.do === 'pause') machine.pausedUntil_s = begins ? endOf(fault, duration_s) : -1;
    if (fault.do === 'pause' && !begins) {
      // The last tick that came due is made now.
      let k = machine.k;
      while (machine.due(k + 1) <= at_s) k++;
      if (machine.due(k) <= at_s) machine.k = k;
    } else if (fault.do === 'crash' && begins) {
      machine.down = true;
      machine.inbox.length = 0;
      destroy(({ to }) => to === machine.id);
    } else if (fault.do === 'crash') {
      machine.down = false;
      note(machine.id, at_s, 'restart');
      while (machine.due(machine.k) < at_s) machine.k++;
    }
  };

  for (const { id } of all) note(id, 0, 'start');
  for (let now_s = 0; ;) {
    const next = (machine: (typeof all)[number]) => (machine.down || machine.pausedUntil_s >= 0
      ? Infinity : Math.max(machine.due(machine.k), now_s));
    const tick_s = Math.min(...all.map(next));
    now_s = Math.min(tick_s, flights[0]?.at_s ?? Infinity, changes[0]?.at_s ?? Infinity);
    if (now_s > duration_s) break;
    if (changes[0]?.at_s === now_s) {
      change(changes.shift()!);
      continue;
    }
    if (flights[0]?.at_s === now_s) {
      const { to, from, clock } = flights.shift()!;
      arrive(all[to]!.inbox, { from, clock }, all[to]!.clock, knobs);
      continue;
    }
    if (now_s >= duration_s) break;
    const machine = all.find((each) => next(each) === now_s)!;
    while (machine.due(machine.k + 1) <= now_s) machine.k++;
    const { id, k } = machine;
    const taken = take(machine.inbox, knobs);
    const message = taken.length > 0 ? largest(taken) : NO_MESSAGE;
    const other = what_if.find((item) => item.do === 'roll' && item.machine === id
      && item.tick === k) as { roll: number } | undefined;
    const before = machine.clock;
    const right = step(machine, message, other?.roll ?? uniform(machine.rolls, k));
    const { event, clock, to } = world.bugs?.step?.(right, before, message) ?? right;
    machine.clock = clock;
    const whom = receivers(machine, to);
    note(id, now_s, event, { tick: k, peers: event === 'receive' ? taken.map(({ from }) => from)
      : whom, messages: event === 'receive' ? taken.map((one) => one.clock)
      : event === 'send' ? [world.bugs?.wire?.(clock) ?? clock] : [] });
    for (const peer of whom) {
      if (whom.length > 1 && peer === world.bugs?.leftOut) continue;
      send(id, peer, k, world.bugs?.wire?.(clock) ?? clock, now_s);
    }
    machine.k++;
  }
  for (const { id, down } of all) if (!down) note(id, duration_s, 'stop');
  const slow = latency === 'constant:0' && loss === 0 && !reorder ? {} : { latency, loss, reorder };
  return { record: recordOf(configuration, world, { kind: 'virtual', start_us: 0,
    ended: 'finished', ...slow }), rows: all.map(({ rows }) => rows) };
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
