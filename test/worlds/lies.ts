/**
 * Lies: well-formed changes to true logs and to run.json, most of them subtle, each with the rules
 * of which one must name it. A lie that does not apply to a run returns null.
 */
import type { Rule } from '../../lab/check/findings.ts';
import type { Cells, Played } from './world.ts';

/** 'unreadable': the oracle's reader refuses it before anything is judged. */
export type Named = Rule | 'unreadable';
export type Base = 'virtual' | 'network' | 'sockets' | 'stalled' | 'faults' | 'virtual faults';
export interface Lie {
  name: string;
  rules: readonly Named[];
  /** The runs it is told on; default: all. */
  on: readonly Base[];
  tell: (played: Played) => Played | null;
}

export const BASES: readonly Base[] =
  ['virtual', 'network', 'sockets', 'stalled', 'faults', 'virtual faults'];
const REAL: readonly Base[] = ['sockets', 'stalled', 'faults'];
const VIRTUAL: readonly Base[] = ['virtual', 'network', 'virtual faults'];

type Test = (cells: Cells, r: number, rows: Cells[]) => boolean;
const event = (what: Cells['event'], from = 6): Test =>
  (cells, r) => cells.event === what && r > from;
const ticked = (cells: Cells) => cells.tick !== '';

/** The first row, machine by machine, that passes a test; a lie is told there. */
function at(played: Played, test: Test, tell: (cells: Cells, rows: Cells[], r: number) => unknown) {
  for (const rows of played.rows) {
    const r = rows.findIndex((cells, n) => test(cells, n, rows));
    if (r < 0) continue;
    return tell(rows[r]!, rows, r) === null ? null : played;
  }
  return null;
}
/** The same at a row of each machine: whatever machine it is, it is refused. */
const change = (test: Test, tell: (cells: Cells, rows: Cells[], r: number) => unknown) =>
  (played: Played) => at(played, test, tell);
const record = (tell: (record: Record<string, any>, played: Played) => unknown) =>
  (played: Played) => (tell(played.record, played) === null ? null : played);

/** The clocks of a log again, as the rule has it, so that only what was meant stays wrong. */
export function reclocked(rows: Cells[]): void {
  let clock = 0;
  for (const cells of rows) {
    if (cells.event === 'receive') clock = Math.max(clock, ...cells.messages) + 1;
    else if (ticked(cells)) clock++;
    cells.clock = clock;
    if (cells.event === 'send') cells.messages = [clock];
  }
}

/** Where a machine received twice in a row, and whether both are of one sender. */
const twoReceives = (same: boolean): Test => (cells, r, rows) => r > 4
  && cells.event === 'receive' && rows[r - 1]!.event === 'receive'
  && rows[r - 1]!.peers.length === 1 && cells.peers.length === 1
  && (cells.peers[0] === rows[r - 1]!.peers[0]) === same;
function exchanged(cells: Cells, rows: Cells[], r: number): void {
  const before = rows[r - 1]!;
  [cells.peers, before.peers] = [before.peers, cells.peers];
  [cells.messages, before.messages] = [before.messages, cells.messages];
  let clock = rows[r - 2]!.clock;
  for (const each of [before, cells]) each.clock = clock = Math.max(clock, ...each.messages) + 1;
}

/** Takes a receive out of a log, as if its message had never come. */
function unreceived(cells: Cells, rows: Cells[], r: number): void {
  Object.assign(cells, { event: 'internal', peers: [], messages: [] });
  cells.clock = rows[r - 1]!.clock + 1;
}
const last = (rows: Cells[]) => rows.length - 1;
const sender = (played: Played, { peers, messages }: Cells) => played.rows[peers[0]!]!.find(
  (cells) => cells.event === 'send' && cells.messages[0] === messages[0])!;

const list: [name: string, rules: Named | Named[], tell: Lie['tell'], on?: readonly Base[]][] = [
  // ── clocks ──
  ['an internal event leaves the clock', 'clock', change(event('internal'), (c) => c.clock--)],
  ['an internal event raises it by two', 'clock', change(event('internal'), (c) => c.clock++)],
  ['a send leaves the clock', ['clock', 'message'], change(event('send'), (c) => {
    c.clock--; c.messages[0]!--;
  })],
  ['a send raises it by two', ['clock'], change(event('send'), (c) => {
    c.clock++; c.messages[0]!++;
  })],
  ['a send carries the clock before it', 'message', change(event('send'), (c) => c.messages[0]!--)],
  ['a send carries one more than its clock', 'message',
    change(event('send'), (c) => c.messages[0]!++)],
  ['a receive takes the highest without one more', 'receive',
    change(event('receive'), (c) => c.clock--)],
  ['a receive adds two', 'receive', change(event('receive'), (c) => c.clock++)],
  ['a receive ignores the message', 'receive', change((c, r, rows) => event('receive')(c, r, rows)
    && c.messages[0]! > rows[r - 1]!.clock, (c, rows, r) => { c.clock = rows[r - 1]!.clock + 1; })],
  ['a receive takes over an older message', 'receive', change((c, r, rows) =>
    event('receive')(c, r, rows) && c.messages[0]! < rows[r - 1]!.clock - 1,
  (c) => { c.clock = c.messages[0]! + 1; })],
  ['the clock jumps at the stop', 'clock', change(event('stop'), (c) => c.clock++)],
  ['the clock falls at the stop', 'clock', change(event('stop'), (c) => c.clock--)],
  ['the clock does not begin at 0', 'clock', change(event('start', -1), (c) => c.clock++)],
  ['all clocks of a machine are one higher', 'clock', (p) => {
    for (const c of p.rows[1]!) c.clock++;
    return p;
  }],
  ['all clocks are doubled', 'clock', (p) => {
    for (const c of p.rows.flat()) c.clock *= 2;
    return p;
  }],
  ['a clock beyond all counts of events', ['clock', 'receive'],
    change(event('internal'), (c) => { c.clock = 2 ** 52; })],
  ['two rows change places', ['tick', 'time'], change((c, r) => ticked(c) && r > 6,
    (_, rows, r) => { [rows[r], rows[r - 1]] = [rows[r - 1]!, rows[r]!]; })],
  ['a machine has the clocks of another', ['clock', 'receive'], (p) => {
    p.rows[0]!.forEach((c, r) => { c.clock = p.rows[1]![Math.min(r, last(p.rows[1]!))]!.clock; });
    return p;
  }],

  // ── ticks and time ──
  ['a tick twice', 'tick', change((c, r) => ticked(c) && r > 6, (c) => { (c.tick as number)--; })],
  ['a tick is numbered far ahead', ['pace'], change((c, r) => ticked(c) && r > 6,
    (c) => { (c.tick as number) += 50; })],
  ['all ticks are numbered one higher', ['pace', 'roll'], (p) => {
    for (const c of p.rows[1]!) if (ticked(c)) (c.tick as number)++;
    return p;
  }],
  ['a row is 1.5 periods late', 'pace', change((c, r, rows) => ticked(c) && r === last(rows) - 1,
    (c, rows) => {
      const period = (rows.at(-1)!.time_us - rows[0]!.time_us) / (rows.length - 2);
      c.time_us += Math.round(2.5 * period);
      rows.at(-1)!.time_us = Math.max(rows.at(-1)!.time_us, c.time_us);
    })],
  ['a row is early by 5 ms', 'pace', change((c, r, rows) => ticked(c) && r > 6
    && c.time_us - rows[r - 1]!.time_us > 20_000, (c) => { c.time_us -= 5000; })],
  ['a row is 2 µs late in virtual time', 'pace', change((c, r) => ticked(c) && r > 6,
    (c) => { c.time_us += 2; }), VIRTUAL],
  ['a row is 1 µs early in virtual time', 'pace', change((c, r) => ticked(c) && r > 6,
    (c) => { c.time_us--; }), VIRTUAL],
  ['time goes back', 'time', change((c, r) => ticked(c) && r > 6,
    (c, rows, r) => { c.time_us = rows[r - 2]!.time_us - 1; })],
  ['a machine is a second behind', ['pace', 'start'], (p) => {
    for (const c of p.rows[1]!) c.time_us += 1_000_000;
    return p;
  }],
  ['the times are those of twice the speed', 'pace', (p) => {
    for (const rows of p.rows) {
      const start = rows[0]!.time_us;
      for (const c of rows) c.time_us = start + Math.floor((c.time_us - start) / 2);
    }
    return p;
  }],
  ['a tick is left out in virtual time', 'pace', change((c, r) => c.event === 'internal' && r > 6,
    (_, rows, r) => { rows.splice(r, 1); reclocked(rows); }), VIRTUAL],
  ['a burst after a stall: the skipped ticks are made up for', 'pace', (p) => {
    for (const rows of p.rows) {
      const r = rows.findIndex((c, n) => n > 3 && ticked(c) && ticked(rows[n - 1]!)
        && (c.tick as number) - (rows[n - 1]!.tick as number) > 2);
      if (r < 0) continue;
      const [c, first] = [rows[r]!, rows[r - 1]!.tick as number + 1];
      const made = Array.from({ length: (c.tick as number) - first }, (_, n): Cells => ({ ...c,
        tick: first + n, event: 'internal', peers: [], messages: [], time_us: c.time_us }));
      rows.splice(r, 0, ...made);
      reclocked(rows);
      return p;
    }
    return null;
  }, ['stalled', 'faults']],
  ['a tick after the end', 'pace', change(event('stop'), (c, rows, r) => {
    const before = rows[r - 1]!;
    if (!ticked(before)) return null;
    const period = (c.time_us - rows[0]!.time_us) / (before.tick as number + 1);
    rows.splice(r, 0, { ...before, tick: (before.tick as number) + 2, event: 'internal', peers: [],
      messages: [], time_us: c.time_us, clock: before.clock + 1 });
    c.time_us += Math.ceil(2 * period);
    c.clock++;
    return c;
  })],

  // ── start, stop, ended ──
  ['no start', 'start', (p) => (p.rows[1]!.shift(), p)],
  ['a second start', 'start', (p) => (p.rows[1]!.splice(3, 0, { ...p.rows[1]![0]!,
    clock: p.rows[1]![2]!.clock, time_us: p.rows[1]![2]!.time_us }), p)],
  ['a start later than the others', 'start', (p) => (p.rows[1]![0]!.time_us++, p)],
  ['a queue at the start', 'queue', (p) => (p.rows[1]![0]!.queue = 1, p)],
  ['rows after the stop', 'stop', change(event('stop'), (c, rows, r) =>
    rows.splice(r, 0, { ...c }))],
  ['no stop, where all have finished', 'ended', (p) => (p.record.ended === 'finished'
    && p.rows[0]!.at(-1)!.event === 'stop' ? (p.rows[0]!.pop(), p) : null)],
  ['a log that ends in the middle, where all have finished', 'ended', (p) =>
    (p.record.ended === 'finished' ? (p.rows[0]!.splice(20), p) : null)],
  ['a stop two seconds too soon', 'pace', change((c, r, rows) => c.event === 'stop' && r > 6
    && ticked(rows[r - 1]!), (c, rows, r) => {
    let from = r;
    while (rows[from - 1]!.time_us > c.time_us - 2_000_000) from--;
    const before = rows[from - 1]!;
    rows.splice(from, r - from);
    Object.assign(c, { time_us: c.time_us - 2_000_000, clock: before.clock, queue: before.queue });
  })],
  ['finished, and a machine stopped half-way', ['pace', 'ended'], record((run) => {
    if (run.ended === 'finished') run.duration_s *= 2;
    else return null;
    return run;
  })],
  ['a machine is said to have died and stopped at the end', 'ended', record((run, p) => {
    if (run.kind === 'virtual' || p.rows[1]!.at(-1)!.event !== 'stop') return null;
    run.ended = 'machine 1 died (SIGKILL)';
    return run;
  }), ['sockets', 'stalled']],
  ['another machine is said to have died', 'ended', record((run, p) => {
    p.rows[0]!.pop();
    run.ended = 'machine 2 died (SIGKILL)';
  }), ['sockets', 'stalled']],
  ['finished before it began', 'unreadable', record((run) => { run.start_us = null; })],

  // ── dice ──
  ['an internal event that should have been a send', 'roll', change(event('send'), (c) => {
    Object.assign(c, { event: 'internal', peers: [], messages: [] });
  })],
  ['a send that should have been internal', 'roll', change(event('internal'), (c) => {
    Object.assign(c, { event: 'send', peers: [c.machine === 0 ? 1 : 0], messages: [c.clock] });
  })],
  ['a send to the wrong peer', 'roll', change((c, r) => c.event === 'send' && r > 6
    && c.peers.length === 1, (c) => { c.peers = [3 - c.machine - c.peers[0]!]; })],
  ['a send to one that was to all', 'roll', change((c, r) => c.event === 'send' && r > 6
    && c.peers.length === 2, (c) => { c.peers.pop(); })],
  ['a send to all that was to one', 'roll', change((c, r) => c.event === 'send' && r > 6
    && c.peers.length === 1, (c) => { c.peers = [0, 1, 2].filter((id) => id !== c.machine); })],
  ['the dice of another machine', 'roll', (p) => {
    const made = new Map(p.rows[0]!.map((c) => [c.tick, c.event]));
    let lies = 0;
    for (const c of p.rows[1]!) {
      if (c.event !== 'send' || made.get(c.tick) !== 'internal') continue;
      Object.assign(c, { event: 'internal', peers: [], messages: [] });
      lies++;
    }
    return lies > 0 ? p : null;
  }],
  ['another seed', ['roll', 'phases'], record((run) => { run.seed++; })],
  ['another seed by 2^32', ['roll', 'phases'], record((run) => { run.seed += 2 ** 32; })],
  ['another internal', 'roll', record((run) => { run.internal = 0.3; })],
  ['internal a little higher', 'roll', record((run) => { run.internal = 0.8; })],
  ['internal 1', 'roll', record((run) => { run.internal = 1; })],
  ['internal 0', 'roll', record((run) => { run.internal = 0; })],
  ['own dice said to be the seed’s', 'roll', (p) => {
    // Every send to one goes to the other peer: as fair, and not the seed's.
    for (const c of p.rows[1]!) {
      if (c.event === 'send' && c.peers.length === 1) c.peers = [2 - c.peers[0]!];
    }
    return p;
  }],
  ['phases of 0', 'phases', record((run) => { run.phases = run.phases.map(() => 0); })],
  ['phases in another order', 'phases', record((run) => { run.phases.reverse(); })],
  ['a phase off by 2^-20', 'phases', record((run) => { run.phases[1] += 2 ** -20; })],
  ['rates that were not drawn', 'rates', record((run) => { run.rates_range = [1, 600]; })],
  ['a rate range that does not reach', 'rates', record((run) => { run.rates_range = [7, 9]; })],
  ['another rate', ['pace', 'rates'], record((run) => { run.rates_hz[1] *= 1.01; })],
  ['rates in another order', 'pace', record((run) => { run.rates_hz.reverse(); })],
  ['half the rates and twice the speed', ['pace'], record((run) => {
    run.rates_hz = run.rates_hz.map((hz: number) => hz / 2);
    run.speed *= 2;
  })],
  ['senders that are not all', 'roll', record((run) => { run.senders = [0]; })],
  ['nobody may send', 'roll', record((run) => { run.senders = []; })],
  ['both a half', 'roll', record((run) => { run.both = 0.5; })],
  ['both 0', 'roll', record((run) => { run.both = 0; })],
  ['both 1', 'roll', record((run) => { run.both = 1; })],

  // ── waiting and the queue ──
  ['an internal event while a message waits', 'waiting',
    change((c, r, rows) => c.event === 'receive' && r > 6 && rows[r - 1]!.queue > 0, unreceived)],
  ['the queue says that one waits and the tick is internal', 'waiting',
    change(event('internal'), (c) => { c.queue = 1; })],
  ['a send while a message waits', 'waiting', change(event('send'), (c) => { c.queue = 1; })],
  ['a message vanishes from the queue', 'queue', change((c, r) => c.queue > 1 && r > 6
    && c.event === 'receive', (_, rows, r) => {
    for (let n = r + 1; n < rows.length; n++) rows[n]!.queue = Math.max(0, rows[n]!.queue - 1);
  })],
  ['the queue is one longer on a row', 'queue', change(event('receive', 10), (c, rows, r) => {
    c.queue = rows[r + 1]!.queue + 2;
  })],
  ['the queue is nine longer', 'queue', change(event('receive'), (c) => { c.queue += 9; })],
  ['the queue is longer to the end', 'queue', (p) => {
    const rows = p.rows.find((each) => each.at(-1)!.queue > 0) ?? p.rows[0]!;
    const r = rows.map(({ event: what }) => what).lastIndexOf('receive');
    if (r < 0) return null;
    for (const row of rows.slice(r)) if (!['internal', 'send'].includes(row.event)) row.queue += 3;
    return p;
  }],
  ['the queue at the stop is empty', ['queue', 'conservation'], change((c, _, rows) =>
    c.event === 'stop' && c.queue > 1 && rows.length > 6, (c) => { c.queue = 0; })],
  ['the queue at the stop is five longer', 'queue', change((c) => c.event === 'stop',
    (c) => { c.queue += 5; })],
  ['all queues are said to be empty', 'queue', (p) => {
    if (!p.rows.some((rows) => rows.some(({ queue }) => queue > 2))) return null;
    for (const c of p.rows.flat()) c.queue = 0;
    return p;
  }],

  // ── messages ──
  ['a message that nobody sent', 'matched', change(event('receive'), (c) => {
    c.messages[0]! += 1000; c.clock = c.messages[0]! + 1;
  })],
  ['a message of another value', 'matched', change(event('receive'),
    (c) => { c.messages[0]! += 1e6; })],
  ['a message of the other peer', ['matched', 'once'], change(event('receive'),
    (c) => { c.peers[0] = 3 - c.machine - c.peers[0]!; })],
  ['a message from itself', 'matched', change(event('receive'),
    (c) => { c.peers[0] = c.machine; })],
  ['a message of a machine that is not', 'matched',
    change(event('receive'), (c) => { c.peers[0] = 9; })],
  ['a message that was sent to another', 'matched', (p) => at(p, event('receive'), (c) => {
    const sent = sender(p, c);
    if (sent.peers.length > 1) return null;
    sent.peers = [3 - sent.machine - c.machine];
    return sent;
  })],
  ['a message received twice', 'once', change((c, r, rows) => c.event === 'receive' && r > 6
    && rows[r - 1]!.event === 'receive', (c, rows, r) => {
    c.peers = [...rows[r - 1]!.peers]; c.messages = [...rows[r - 1]!.messages];
  })],
  ['a message received twice, much later', 'once', change((c, r, rows) => c.event === 'receive'
    && rows.slice(2, r).filter((each) => each.event === 'receive').length > 5, (c, rows) => {
    const first = rows.find((each) => each.event === 'receive')!;
    c.peers = [...first.peers]; c.messages = [...first.messages];
  })],
  ['a message received a second before it was sent', ['matched', 'network', 'pace'], (p) =>
    at(p, event('receive', 20), (c) => { sender(p, c).time_us = c.time_us + 1_000_000; })],
  ['a message is taken too soon by its receiver', ['matched', 'network'], (p) => {
    for (const rows of p.rows) {
      const r = rows.findIndex((c, n) => n > 8 && c.event === 'receive'
        && sender(p, c).time_us > rows[n - 2]!.time_us + 10_000 && ticked(rows[n - 2]!)
        && rows[n - 2]!.event === 'receive');
      if (r < 0) continue;
      exchanged(rows[r]!, [rows[r - 3]!, rows[r - 2]!, rows[r]!], 2);
      return p;
    }
    return null;
  }],
  ['a send row is removed', 'matched', (p) => at(p, event('receive', 12), (c) => {
    const sent = sender(p, c);
    Object.assign(sent, { event: 'internal', peers: [], messages: [] });
  })],
  ['a receive is an internal event', ['waiting', 'queue', 'fifo', 'network', 'conservation'],
    change(event('receive'), unreceived)],
  ['two messages of one sender change places', ['fifo', 'network'],
    change(twoReceives(true), exchanged)],
  ['a receiver is left out of the log', ['fifo', 'queue', 'matched', 'roll'],
    (p) => at(p, (c, r) => c.event === 'send' && c.peers.length === 2 && r > 6,
      (c) => { c.peers.pop(); })],
  ['receivers out of order', 'receivers', change((c) => c.event === 'send' && c.peers.length === 2,
    (c) => { c.peers.reverse(); })],
  ['a receiver twice', 'receivers', change((c) => c.event === 'send' && c.peers.length === 2,
    (c) => { c.peers[1] = c.peers[0]!; })],
  ['a send to itself', 'receivers', change(event('send'), (c) => { c.peers = [c.machine]; })],
  ['a send to a machine that is not', 'receivers', change(event('send'),
    (c) => { c.peers = [3]; })],
  ['one tick takes two messages', 'receive', change((c, r, rows) => c.event === 'receive' && r > 6
    && rows[r + 1]?.event === 'receive', (c, rows, r) => {
    const next = rows[r + 1]!;
    c.peers.push(...next.peers); c.messages.push(...next.messages);
    c.clock = Math.max(rows[r - 1]!.clock, ...c.messages) + 1;
  })],

  // ── run.json ──
  ['seed −1', 'unreadable', record((run) => { run.seed = -1; })],
  ['seed 1.5', 'unreadable', record((run) => { run.seed = 1.5; })],
  ['seed as a text', 'unreadable', record((run) => { run.seed = '7'; })],
  ['a phase of 1', 'unreadable', record((run) => { run.phases[0] = 1; })],
  ['a phase of null', 'unreadable', record((run) => { run.phases[0] = null; })],
  ['a rate of 0', 'unreadable', record((run) => { run.rates_hz[0] = 0; })],
  ['no duration', 'unreadable', record((run) => { delete run.duration_s; })],
  ['internal 1.5', 'unreadable', record((run) => { run.internal = 1.5; })],
  ['a kind that is none', 'unreadable', record((run) => { run.kind = 'real'; })],
  ['a machine less than phases', 'unreadable', record((run) => { run.machines = 2; })],
  ['virtual said to be sockets', 'unreadable', record((run) => {
    run.kind = 'sockets';
    for (const name of ['latency', 'loss', 'reorder', 'what_if']) delete run[name];
  }), VIRTUAL],
  ['sockets said to be virtual', 'unreadable', record((run) => { run.kind = 'virtual'; }), REAL],
  ['sockets with a loss', 'unreadable', record((run) => { run.loss = 0.1; }), REAL],
  ['sockets with reorder', 'unreadable', record((run) => { run.reorder = true; }), REAL],
  ['sockets with a latency', 'unreadable', record((run) => { run.latency = 'constant:9'; }), REAL],
  ['sockets with a what-if', 'unreadable', record((run) => { run.what_if = []; }), REAL],
  ...['exponential:1e309', 'uniform:0,e', 'constant: 5', 'constant:0x10', 'uniform:9,1',
    'constant:', 'constant:-1', '5'].map((latency): typeof list[number] =>
    [`latency ${latency}`, 'unreadable', record((run) => { run.latency = latency; }), VIRTUAL]),
  ['loss 2', 'unreadable', record((run) => { run.loss = 2; }), VIRTUAL],
  ['take that is none', 'unreadable', record((run) => { run.take = 'best'; })],
  ['jitter of a half', 'unreadable', record((run) => { run.ticks = 'jitter:0.5'; })],
  ['ticks with jitter that are regular', 'pace', record((run) => { run.ticks = 'jitter:0.3'; })],
  ['ticks by Poisson that are regular', 'pace', record((run) => { run.ticks = 'poisson'; })],
  ['take newest that was oldest', ['newest first'], record((run) => { run.take = 'newest'; })],
  ['take all that was oldest', ['queue', 'network'], record((run) => { run.take = 'all'; })],
  ['a queue_max that was none', ['queue', 'fifo', 'conservation'],
    record((run) => { run.queue_max = 1; })],
  ['news that was not', 'news', record((run) => { run.news = true; }), VIRTUAL],
  ['a constant latency that was none', ['network', 'queue'],
    record((run) => { run.latency = 'constant:50'; }), ['virtual']],
  ['a small latency that was none', ['network', 'queue'],
    record((run) => { run.latency = 'uniform:0,90'; }), ['virtual']],
  ['no latency where there was one', ['network', 'queue'],
    record((run) => { delete run.latency; }), ['network', 'virtual faults']],
  ['a latency a little longer', ['network', 'queue'],
    record((run) => { run.latency = 'exponential:250'; }), ['network', 'virtual faults']],
  ['a loss that was none', 'network', record((run) => { run.loss = 0.2; }),
    ['virtual', 'virtual faults']],
  ['no loss where there was one', ['network', 'queue'], record((run) => { run.loss = 0; }),
    ['network']],
  ['a little more loss', 'network', record((run) => { run.loss += 0.05; }), ['network']],
  ['reorder that was not', ['network', 'queue', 'fifo'], record((run) => { run.reorder = true; }),
    ['network', 'virtual faults']],

  // ── faults ──
  ['a pause that was none', 'pause', record((run) => {
    run.faults = [{ do: 'pause', machine: 0, at_s: 5, for_s: 10, ...(run.kind === 'sockets'
      ? { from_us: [run.start_us + 5e6, run.start_us + 5e6 + 99],
        to_us: [run.start_us + 15e6, run.start_us + 15e6 + 99] } : {}) }];
  }), ['virtual', 'network', 'sockets']],
  ['a crash that was none', ['crash', 'pace'], record((run) => {
    run.faults = [{ do: 'crash', machine: 0, at_s: 5, for_s: null, ...(run.kind === 'sockets'
      ? { from_us: [run.start_us + 5e6, run.start_us + 5e6 + 99] } : {}) }];
  }), ['virtual', 'network', 'sockets']],
  ['a cut that was none', 'cut', record((run) => {
    run.faults = [{ do: 'cut', link: [0, 1], at_s: 5, for_s: 30, ...(run.kind === 'sockets'
      ? { from_us: [run.start_us + 5e6, run.start_us + 5e6 + 99],
        to_us: [run.start_us + 35e6, run.start_us + 35e6 + 99] } : {}) }];
  }), ['virtual', 'network', 'sockets']],
  ['the crash is not in run.json', ['restart', 'fifo', 'conservation', 'pace'], record((run) => {
    run.faults = run.faults.filter((fault: { do: string }) => fault.do !== 'crash');
  }), ['faults', 'virtual faults']],
  ['the cut is not in run.json', ['fifo', 'queue', 'conservation', 'network', 'waiting'],
    record((run) => {
      run.faults = run.faults.filter((fault: { do: string }) => fault.do !== 'cut');
    }), ['faults', 'virtual faults']],
  ['the pause is not in run.json', ['pace'], record((run) => {
    run.faults = run.faults.filter((fault: { do: string }) => fault.do !== 'pause');
  }), ['virtual faults']],
  ['the cut was of another link', ['cut', 'fifo', 'queue', 'network'], record((run) => {
    const cut = run.faults.find((fault: { do: string }) => fault.do === 'cut');
    cut.link = [1, 2];
  }), ['faults', 'virtual faults']],
  ['a restart loses a tick of the clock', 'restart', change(event('restart'), (_, rows, r) => {
    for (let n = r; n < rows.length; n++) rows[n]!.clock--;
  }), ['faults', 'virtual faults']],
  ['no restart row', ['crash', 'restart'], change(event('restart'),
    (_, rows, r) => { rows.splice(r, 1); }), ['faults', 'virtual faults']],
  ['a restart where none was', 'restart', change((c, r) => ticked(c) && r === 9,
    (c, rows, r) => { rows.splice(r, 0, { ...c, tick: '', event: 'restart', peers: [],
      messages: [], queue: 0, clock: rows[r - 1]!.clock }); })],
  ['a nemesis that draws otherwise', 'nemesis',
    record((run) => { run.nemesis = ['crash', 'cut']; }), ['faults', 'virtual faults']],
  ['two faults of one machine at once', 'unreadable', record((run) => {
    run.faults.push({ ...run.faults[0], at_s: run.faults[0].at_s + 0.01 });
  }), ['faults', 'virtual faults']],
  ['a fault after the end', 'unreadable', record((run) => { run.faults[0].at_s = 1e4; }),
    ['faults', 'virtual faults']],
  ['a fault of a machine that is not', 'unreadable', record((run) => {
    run.faults[0].machine = 7;
  }), ['faults', 'virtual faults']],
  ['a fault done long after its time', 'pace', record((run) => {
    for (const fault of run.faults) fault.at_s -= 2.5;
  }), ['faults']],
  ['a fault done before its time', 'pace', record((run) => {
    for (const fault of run.faults) fault.at_s += 1;
  }), ['faults']],
  ['a roll by what_if that was none', 'roll', record((run, p) => {
    const tick = p.rows[0]!.find(({ event: what, tick: k }) =>
      what === 'internal' && Number(k) > 9);
    run.what_if = [{ do: 'roll', machine: 0, tick: tick!.tick, roll: 0.01 }];
  }), VIRTUAL],
  ['a loss by what_if that was none', 'network', record((run, p) => {
    const taken = p.rows[1]!.find(({ event: what }) => what === 'receive')!;
    run.what_if = [{ do: 'lose', from: taken.peers[0], to: 1, clock: taken.messages[0] }];
  }), VIRTUAL],
  ['a pause by what_if that was none', 'pace', record((run) => {
    run.what_if = [{ do: 'pause', machine: 0, at_s: 1, for_s: 3 }];
  }), VIRTUAL],
  ['a rate by what_if that was none', 'pace', record((run) => {
    run.what_if = [{ do: 'rate', machine: 0, at_s: 10, rate_hz: 5.5 }];
  }), VIRTUAL],
];

export const LIES: readonly Lie[] = list.map(([name, rules, tell, on = BASES]) =>
  ({ name, rules: Array.isArray(rules) ? rules : [rules], tell, on }));
