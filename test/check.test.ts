/**
 * The checker against good logs of every shape, logs with one thing wrong, and machines that break
 * the rule. The runs come from a small driver of its own, so that nothing but `step` is shared.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkRun, parseLog, parseRun, readRun, Unreadable, type Report, type Rule, type Run,
} from '../check.ts';
import {
  configure, HEADER, NO_MESSAGE, PURPOSE, receivers, row, step, stream, uniform, type Step,
} from '../machine.ts';

// ── A driver ─────────────────────────────────────────────────────────────────────────────────

interface World {
  seed?: number;
  machines?: number;
  rates_hz?: number[];
  internal?: number;
  duration_s?: number;
  speed?: number;
  kind?: 'sockets' | 'virtual';
  /** Constant, real ms. */
  latency_ms?: number;
  loss?: number;
  /** Model seconds at which machines are killed, interrupted, or stalled from … to. */
  killed_s?: Record<number, number>;
  interrupted_s?: number;
  stalled_s?: Record<number, [number, number]>;
  /** A machine that makes up for ticks it missed. */
  burst?: boolean;
  /** What a machine does instead of the rule, and what leaves it instead of its clock. */
  broken?: (right: Step, before: number, message: number) => Step;
  wire?: (clock: number) => number;
  /** A receiver of a send to all that gets nothing. */
  leftOut?: number;
  newestFirst?: boolean;
}

interface Played {
  run: Run;
  texts: string[];
}

/** Plays a run and returns what it would have written. */
function play(world: World = {}): Played {
  const { kind = 'virtual', latency_ms = 0, loss = 0 } = world;
  const configuration = configure({
    seed: world.seed ?? 7, machines: world.rates_hz?.length ?? world.machines ?? 3,
    rates_hz: world.rates_hz, min_rate_hz: 1, max_rate_hz: 6, internal: world.internal ?? 0.7,
    duration_s: world.duration_s ?? 60, speed: world.speed ?? 1,
  });
  const { seed, machines, rates_hz, phases, internal, duration_s, speed } = configuration;
  const start_us = kind === 'virtual' ? 0 : 1_700_000_000_000_000;
  const us = (model_s: number) => start_us + (model_s * 1e6) / speed;
  const end_us = us(duration_s);
  const jitter = stream(seed, 0, 99);
  let chances = 0;
  const delay_us = (most: number) => (kind === 'virtual' ? 0 : most * uniform(jitter, chances++));
  const stops = rates_hz.map((_, id) => Math.min(end_us, world.killed_s?.[id] !== undefined
    ? us(world.killed_s[id]!) : us(world.interrupted_s ?? Infinity) + delay_us(900)));

  const due = rates_hz.flatMap((rate_hz, id) => {
    const ticks: { id: number; k: number; at_us: number }[] = [];
    for (let k = 0; (k + phases[id]!) / rate_hz < duration_s; k++) {
      let at_us = us((k + phases[id]!) / rate_hz) + delay_us(1500);
      const [from_us, to_us] = (world.stalled_s?.[id] ?? [0, 0]).map(us) as [number, number];
      if (at_us >= from_us && at_us < to_us) {
        const missed = us((k + 1 + phases[id]!) / rate_hz) <= to_us;
        if (missed && !world.burst) continue;
        at_us = to_us + k / 100;
      }
      if (at_us < stops[id]!) ticks.push({ id, k, at_us });
    }
    return ticks;
  }).sort((a, b) => a.at_us - b.at_us || a.id - b.id);

  const texts = rates_hz.map((_, id) =>
    HEADER + row(start_us, id, '', 'start', '', '', 0, 0));
  const clocks = rates_hz.map(() => 0);
  const inboxes = rates_hz.map((): { at_us: number; from: number; clock: number }[] => []);
  const arrived = (id: number, now_us: number) =>
    inboxes[id]!.filter(({ at_us }) => at_us <= now_us).length;
  for (const { id, k, at_us } of due) {
    const inbox = inboxes[id]!;
    const waiting = arrived(id, at_us);
    const [taken] = waiting === 0 ? [] : inbox.splice(world.newestFirst ? waiting - 1 : 0, 1);
    const machine = { id, machines, internal, clock: clocks[id]! };
    const message = taken?.clock ?? NO_MESSAGE;
    const right = step(machine, message, uniform(stream(seed, id, PURPOSE.rolls), k));
    const { event, clock, to } = world.broken?.(right, machine.clock, message) ?? right;
    clocks[id] = clock;
    const peers = receivers(machine, to);
    const sent = world.wire?.(clock) ?? clock;
    texts[id] += row(Math.floor(at_us), id, k, event, taken?.from ?? peers.join(' '),
      taken?.clock ?? (event === 'send' ? sent : ''), arrived(id, at_us), clock);
    for (const peer of peers) {
      if (peers.length > 1 && peer === world.leftOut) continue;
      if (loss > 0 && uniform(jitter, chances++) < loss) continue;
      // The last words of a machine that is killed may never leave it.
      if (at_us > us(world.killed_s?.[id] ?? Infinity) - 300_000) continue;
      const arrival_us = at_us + latency_ms * 1000 + (kind === 'virtual' ? 0 : 200);
      inboxes[peer]!.push({ at_us: arrival_us, from: id, clock: sent });
    }
  }
  for (const id of rates_hz.keys()) {
    if (world.killed_s?.[id] !== undefined) continue;
    const stop_us = stops[id]!;
    texts[id] +=
      row(Math.floor(stop_us), id, '', 'stop', '', '', arrived(id, stop_us), clocks[id]!);
  }
  const ended = world.killed_s ? 'machine died'
    : world.interrupted_s !== undefined ? 'interrupted' : 'finished';
  const network = { latency: `constant:${latency_ms * speed}`, loss, reorder: false };
  const run = { ...configuration, kind, start_us, ended };
  return { run: kind === 'virtual' ? { ...run, ...network } : run, texts };
}

const bytes = (text: string) => Buffer.from(text);
const check = ({ run, texts }: Played): Report =>
  checkRun(run, texts.map((text, id) => parseLog(bytes(text), `machine-${id}.csv`)));
const told = ({ violations }: Report) =>
  violations.map(({ file, line, rule, text }) => `${file}:${line} ${rule}: ${text}`).join('\n');
type Fields = string[];

/** Where the first row is whose fields satisfy a test: the line's number in the file. */
function find(
  { texts }: Played, id: number, holds: (fields: Fields, before: Fields) => boolean,
): number {
  const rows = texts[id]!.split('\n').map((line) => line.split(','));
  const place = rows.findIndex((fields, n) =>
    fields.length === 8 && n > 0 && holds(fields, rows[n - 1]!));
  assert.ok(place >= 0, 'the run has no such row: choose another seed');
  return place + 1;
}

const [TIME, MACHINE, TICK, EVENT, PEER, MESSAGE, QUEUE, CLOCK] = [0, 1, 2, 3, 4, 5, 6, 7];
const of = (event: string, past = 5) => (fields: Fields) =>
  fields[EVENT] === event && (fields[TICK] === '' || Number(fields[TICK]) > past);

/** The run with lines in the place of one of a log's; none of them takes it out. */
function exchange({ run, texts }: Played, id: number, line: number, ...by: string[]): Played {
  const lines = texts[id]!.split('\n');
  lines.splice(line - 1, 1, ...by);
  return { run, texts: texts.map((text, other) => (other === id ? lines.join('\n') : text)) };
}
/** The run with a field of a line changed. */
function change(played: Played, id: number, line: number, n: number, value: string): Played {
  const fields = played.texts[id]!.split('\n')[line - 1]!.split(',');
  fields[n] = value;
  return exchange(played, id, line, fields.join(','));
}
const field = (played: Played, id: number, line: number, n: number) =>
  played.texts[id]!.split('\n')[line - 1]!.split(',')[n]!;

// ── Good logs ────────────────────────────────────────────────────────────────────────────────

const good = suite('checkRun() passes');
const shapes: Record<string, World> = {
  'three machines of the exercise': {},
  'two machines': { rates_hz: [3, 1] },
  'five machines': { machines: 5, internal: 0.5 },
  'thirty machines': { machines: 30, duration_s: 10 },
  'an overloaded machine': { rates_hz: [1, 60, 5], duration_s: 20, internal: 0.2 },
  'nothing but internal events': { internal: 1 },
  'no internal event': { internal: 0 },
  'rates that are no integers': { rates_hz: [0.3, 7.77, 2.5] },
  'messages that take long': { latency_ms: 1234.5 },
  'messages that are lost': { loss: 0.3, latency_ms: 5 },
  'messages that are all lost': { loss: 1 },
  'a run too short for a tick': { duration_s: 0.01 },
  'a speed of ten': { speed: 10, kind: 'sockets' },
  'sockets': { kind: 'sockets' },
  'a machine that died': { kind: 'sockets', killed_s: { 1: 20.2 } },
  'machines that died, one at once': { kind: 'sockets', machines: 5, killed_s: { 1: 20.2, 3: 0 } },
  'an interruption': { kind: 'sockets', interrupted_s: 13.37 },
  'a stall': { kind: 'sockets', rates_hz: [6, 4, 5], stalled_s: { 0: [20, 22] } },
  'a stall at the end': { kind: 'sockets', rates_hz: [6, 4, 5], stalled_s: { 0: [57, 59.999] } },
};
for (const [name, world] of Object.entries(shapes)) {
  good(name, () => {
    const report = check(play(world));
    assert.is(told(report), '');
    assert.ok(report.consistent);
    const { sent, received, queued, in_flight, lost } = report.messages;
    assert.is(sent, received + queued + in_flight + lost);
  });
}

good('and counts what each machine did', () => {
  const played = play({ rates_hz: [1, 4, 6] });
  const { machines, messages } = check(played);
  for (const { machine, ticks, receives, sends, internal, skipped, pace, final_clock, final_queue,
    died } of machines) {
    const rows = played.texts[machine]!.trim().split('\n').map((line) => line.split(','));
    const count = (event: string) => rows.filter((fields) => fields[EVENT] === event).length;
    assert.equal([receives, sends, internal], ['receive', 'send', 'internal'].map(count));
    assert.is(ticks, receives + sends + internal);
    assert.equal([skipped, died], [0, false]);
    assert.ok(Math.abs(pace - 1) < 0.01);
    assert.equal([final_queue, final_clock], rows.at(-1)!.slice(QUEUE).map(Number));
  }
  const received = machines.reduce((sum, { receives }) => sum + receives, 0);
  assert.equal(messages, { ...messages, received, in_flight: 0, lost: 0 });
});

good('skipped ticks, and counts and tells them', () => {
  const { machines, notes } = check(play(shapes['a stall']));
  assert.equal(machines.map(({ skipped }) => skipped > 8), [true, false, false]);
  assert.match(notes.join(), 'machine 0 was kept from running');
});

good('a machine that died, and tells what was lost with it', () => {
  const { machines, messages, notes } = check(play(shapes['a machine that died']));
  assert.equal(machines.map(({ died }) => died), [false, true, false]);
  assert.ok(messages.lost > 0);
  assert.is(messages.lost, machines[1]!.lost_to + machines[1]!.lost_from);
  assert.match(notes.join(), /machine 1 died: its last row is at 20\.\d+ s; \d+ messages to it/);
});

good('a log of nothing but the header, a torn header or no log: it never started', () => {
  const { run, texts } = play({ kind: 'sockets', killed_s: { 2: 0 }, internal: 1 });
  for (const text of [HEADER, '', HEADER.slice(0, 9)]) {
    const report = check({ run, texts: [texts[0]!, texts[1]!, text] });
    assert.is(told(report), '');
    assert.equal(report.machines.map(({ started }) => started), [true, true, false]);
    assert.match(report.notes.join(), 'machine 2 never started');
  }
});

good('logs of which none has started', () => {
  const { run } = play();
  const none = { ...run, start_us: null, ended: null };
  const report = check({ run: none, texts: [HEADER, HEADER, ''] });
  assert.ok(report.consistent);
});

good('a torn last line, which it does not read', () => {
  const { run, texts } = play({ kind: 'sockets', killed_s: { 1: 30 } });
  const torn = { run, texts: texts.map((text, id) => (id === 1 ? `${text}17000000001` : text)) };
  const report = check(torn);
  assert.is(told(report), '');
  assert.match(report.notes.join(), 'machine-1.csv: the last line has no end and was not read');
  assert.equal(report.machines, check({ run, texts }).machines);
});

good('whatever run the rule makes', () => {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const rate = fc.oneof(fc.integer({ min: 1, max: 8 }), number(0.2, 20));
  const worlds = fc.record({
    seed: fc.nat(), rates_hz: fc.array(rate, { minLength: 2, maxLength: 5 }),
    internal: fc.oneof(number(0, 1), fc.constantFrom(0, 1)),
    duration_s: number(0.1, 12),
    kind: fc.constantFrom('sockets' as const, 'virtual' as const),
    speed: fc.constantFrom(1, 7), latency_ms: fc.constantFrom(0, 0.5, 20, 700),
    loss: fc.constantFrom(0, 0, 0.2), killed_s: fc.option(fc.record({ 1: number(0, 9) })),
    interrupted_s: fc.option(number(0, 12)),
  });
  fc.assert(fc.property(worlds, ({ killed_s, interrupted_s, ...world }) => {
    const sockets = world.kind === 'sockets';
    const played = play({
      ...world, ...(sockets ? { loss: 0 } : { speed: 1 }),
      ...(sockets && killed_s ? { killed_s } : {}),
      ...(sockets && interrupted_s !== null ? { interrupted_s } : {}),
    });
    assert.is(told(check(played)), '');
  }), { numRuns: 200 });
});
good.run();

// ── Logs with one thing wrong ────────────────────────────────────────────────────────────────

const BASE = play({ rates_hz: [2, 4, 1] });
const REAL = play({ rates_hz: [2, 4, 1], kind: 'sockets' });
const FOUR = play({ rates_hz: [3, 3, 3, 3] });

/** What is wrong: makes the change, and says in which log and line it is to be found. */
type Corruption = () => [played: Played, id: number | null, line: number | null];
const inField = (
  n: number, value: string | ((now: string) => string), event: string, id = 1,
): Corruption => () => {
  const line = find(BASE, id, of(event));
  const now = field(BASE, id, line, n);
  return [change(BASE, id, line, n, typeof value === 'string' ? value : value(now)), id, line];
};
const add = (n: number) => (now: string) => String(Number(now) + n);

/** Rewrites the clocks of a log as the rule has it, so that only what was meant stays wrong. */
function reclocked({ run, texts }: Played, id: number): Played {
  let clock = 0;
  const lines = texts[id]!.split('\n').map((line) => {
    const fields = line.split(',');
    if (fields[EVENT] === 'receive') clock = Math.max(clock, Number(fields[MESSAGE])) + 1;
    else if (fields[EVENT] === 'internal' || fields[EVENT] === 'send') clock++;
    else if (fields[EVENT] !== 'stop') return line;
    return [...fields.slice(0, CLOCK), clock].join(',');
  });
  return { run, texts: texts.map((text, other) => (other === id ? lines.join('\n') : text)) };
}

/** Exchanges what two receives that follow each other took. */
function swapped(played: Played, id: number, sameSender: boolean): [Played, number] {
  const line = find(played, id, (fields, before) => of('receive')(fields) && of('receive')(before)
    && (fields[PEER] === before[PEER]) === sameSender && Number(field(played, id, 2, 0)) >= 0) - 1;
  const [one, two] = [line, line + 1].map((at) =>
    [PEER, MESSAGE].map((n) => field(played, id, at, n)));
  let result = played;
  for (const [n, [peer, message]] of [[line, two!], [line + 1, one!]] as [number, string[]][]) {
    result = change(change(result, id, n, PEER, peer!), id, n, MESSAGE, message!);
  }
  return [reclocked(result, id), line];
}

const corruptions: [name: string, rule: Rule, make: Corruption][] = [
  ['a header that is another', 'schema', () => [change(BASE, 0, 1, 0, 'time'), 0, 1]],
  ['a field too few', 'schema', () => [exchange(BASE, 0, 7, '1,0,5,internal,,,0'), 0, 7]],
  ['a field too many', 'schema', () => [change(BASE, 0, 7, CLOCK, '1,2'), 0, 7]],
  ['an empty line', 'schema', () => [exchange(BASE, 0, 7, ''), 0, 7]],
  ['a leading zero', 'schema', inField(CLOCK, (now) => `0${now}`, 'internal')],
  ['a sign', 'schema', inField(CLOCK, (now) => `+${now}`, 'internal')],
  ['a negative number', 'schema', inField(CLOCK, '-4', 'internal')],
  ['a fraction', 'schema', inField(TIME, (now) => `${now}.5`, 'internal')],
  ['a blank', 'schema', inField(QUEUE, ' 0', 'internal')],
  ['a number beyond all counts', 'schema', inField(CLOCK, '9007199254740993', 'internal')],
  ['a carriage return', 'schema', inField(CLOCK, (now) => `${now}\r`, 'internal')],
  ['a word that is no event', 'schema', inField(EVENT, 'recieve', 'receive')],
  ['an internal event with a peer', 'schema', inField(PEER, '0', 'internal')],
  ['an internal event with a message', 'schema', inField(MESSAGE, '3', 'internal')],
  ['a receive without a message', 'schema', inField(MESSAGE, '', 'receive')],
  ['a receive from two', 'schema', inField(PEER, '0 2', 'receive')],
  ['a send to nobody', 'schema', inField(PEER, '', 'send')],
  ['a list of peers with two blanks', 'schema', inField(PEER, '0  2', 'send')],
  ['a stop with a tick', 'schema', inField(TICK, '9', 'stop')],
  ['an event without a tick', 'schema', inField(TICK, '', 'internal')],
  ['a line of another machine', 'schema', inField(MACHINE, '0', 'internal')],
  ['no start', 'start', () => [exchange(BASE, 1, 2), 1, 2]],
  ['a second start', 'start', () =>
    [exchange(BASE, 1, 2, '0,1,,start,,,0,0', '0,1,,start,,,0,0'), 1, 3]],
  ['a start at another time', 'start', () => [change(BASE, 1, 2, TIME, '17'), 1, 2]],
  ['events after the stop', 'stop', () => {
    const line = find(BASE, 1, of('stop'));
    const stop = BASE.texts[1]!.split('\n')[line - 1]!;
    return [exchange(BASE, 1, line, stop, stop), 1, line + 1];
  }],
  ['no stop, where all are said to have finished', 'stop', () => {
    const line = find(BASE, 1, of('stop'));
    return [exchange(BASE, 1, line), 1, line - 1];
  }],
  ['a time that goes back', 'time', inField(TIME, '17', 'internal')],
  ['a tick twice', 'tick', inField(TICK, add(-1), 'internal')],
  ['a tick left out in virtual time', 'pace', () => {
    const line = find(BASE, 1, of('internal'));
    return [reclocked(exchange(BASE, 1, line), 1), 1, line];
  }],
  ['a tick in virtual time 3 µs late', 'pace', inField(TIME, add(3), 'internal')],
  ['a tick before it is due', 'pace', () => {
    const line = find(REAL, 1, of('internal'));
    return [change(REAL, 1, line, TIME, add(-6000)(field(REAL, 1, line, TIME))), 1, line];
  }],
  ['a tick after the end', 'pace', () => [{ ...REAL, run: { ...REAL.run, duration_s: 50 } }, 0,
    find(REAL, 0, ([time, , tick]) => Number(time) - REAL.run.start_us! > 50e6 && tick !== '')]],
  ['a burst after a stall', 'pace', () => {
    const burst = play({ ...shapes['a stall'], burst: true });
    return [burst, 0, find(burst, 0, ([time]) => Number(time) - burst.run.start_us! >= 22e6)];
  }],
  ['a stop long before the end', 'pace', () => {
    const played = play({ kind: 'sockets', interrupted_s: 40 });
    const run = { ...played.run, ended: 'finished' };
    return [{ ...played, run }, 0, find(played, 0, of('stop'))];
  }],
  ['a stop in virtual time after the end', 'pace', inField(TIME, add(5), 'stop')],
  ['a virtual run that ticks no more', 'pace', () => {
    const { texts } = play({ rates_hz: [2, 4, 1], internal: 1, duration_s: 30 });
    const { run } = play({ rates_hz: [2, 4, 1], internal: 1 });
    const late = texts.map((text) => text.replace(/^30000000/m, '60000000'));
    return [{ run, texts: late }, 0, find({ run, texts: late }, 0, of('stop'))];
  }],
  ['an internal event that leaves the clock', 'clock', inField(CLOCK, add(-1), 'internal')],
  ['a send that raises the clock by two', 'clock', inField(CLOCK, add(1), 'send')],
  ['a clock that jumps at the stop', 'clock', inField(CLOCK, add(1), 'stop')],
  ['a clock that is not 0 at the start', 'clock', () => [change(BASE, 0, 2, CLOCK, '1'), 0, 2]],
  ['a receive that is not max + 1', 'receive', inField(CLOCK, add(1), 'receive')],
  ['a message that is not the clock', 'message', inField(MESSAGE, add(-1), 'send')],
  ['a send to itself', 'receivers', inField(PEER, '1', 'send')],
  ['a send to a machine that is not', 'receivers', inField(PEER, '3', 'send')],
  ['receivers out of order', 'receivers', () => {
    const line = find(BASE, 1, ({ [PEER]: peers }) => peers === '0 2');
    return [change(BASE, 1, line, PEER, '2 0'), 1, line];
  }],
  ['a receiver twice', 'receivers', inField(PEER, '0 0', 'send')],
  ['two receivers of three', 'receivers', () => {
    const line = find(FOUR, 1, ({ [PEER]: peers }) => peers === '0 2 3');
    return [change(FOUR, 1, line, PEER, '0 2'), 1, line];
  }],
  ['a message that nobody sent', 'matched', inField(MESSAGE, add(1000), 'receive', 2)],
  ['a message of a machine that is not', 'matched', inField(PEER, '7', 'receive')],
  ['a message from itself', 'matched', inField(PEER, '1', 'receive')],
  ['a message that was sent to another', 'matched', () => {
    const line = find(BASE, 1, (fields) => of('send')(fields) && fields[PEER] === '2');
    const message = field(BASE, 1, line, MESSAGE);
    return [change(BASE, 1, line, PEER, '0'), 2,
      find(BASE, 2, (fields) => fields[PEER] === '1' && fields[MESSAGE] === message)];
  }],
  ['a message that is received before it is sent', 'matched', () => {
    const line = find(REAL, 2, of('receive', 20));
    const [peer, message] = [PEER, MESSAGE].map((n) => field(REAL, 2, line, n));
    const sent = find(REAL, Number(peer), (fields) =>
      of('send')(fields) && fields[MESSAGE] === message);
    const late = add(5000)(field(REAL, 2, line, TIME));
    return [change(REAL, Number(peer), sent, TIME, late), 2, line];
  }],
  ['a message that is received twice', 'once', () => {
    const line = find(BASE, 2, (fields, before) => of('receive')(fields) && of('receive')(before));
    const copy = [PEER, MESSAGE].map((n) => field(BASE, 2, line - 1, n));
    const same = change(change(BASE, 2, line, PEER, copy[0]!), 2, line, MESSAGE, copy[1]!);
    return [reclocked(same, 2), 2, line];
  }],
  ['a message that overtakes another of its sender', 'fifo', () => {
    const [played, line] = swapped(BASE, 2, true);
    return [played, 2, line];
  }],
  ['a message that is overtaken by another of its sender, where some are lost', 'fifo', () => {
    const [played, line] = swapped(play({ rates_hz: [2, 4, 1], loss: 0.05 }), 2, true);
    return [played, 2, line + 1];
  }],
  ['a message that overtakes one of another sender', 'oldest first', () => {
    const [played, line] = swapped(BASE, 2, false);
    return [played, 2, line];
  }],
  ['a message that is overtaken by another sender’s, where some are lost', 'oldest first', () => {
    const [played, line] = swapped(play({ rates_hz: [2, 4, 1], loss: 0.05 }), 2, false);
    return [played, 2, line + 1];
  }],
  ['a message that overtakes one by more than a second of real time', 'oldest first', () => {
    const played = play(
      { rates_hz: [0.2, 0.3, 0.1], kind: 'sockets', duration_s: 500, internal: 0.2 });
    const [wrong, line] = swapped(played, 2, false);
    return [wrong, 2, line];
  }],
  ['an internal event while a message waits', 'waiting', inField(QUEUE, '1', 'internal')],
  ['an internal event instead of a receive', 'waiting', () => {
    const line = find(BASE, 2, (fields, before) => of('receive')(fields) && before[QUEUE] !== '0');
    let played = change(BASE, 2, line, EVENT, 'internal');
    for (const n of [PEER, MESSAGE]) played = change(played, 2, line, n, '');
    return [reclocked(played, 2), 2, line];
  }],
  ['a message that is gone from the queue', 'queue', () => {
    const line = find(BASE, 2, (fields) => Number(fields[QUEUE]) > 2);
    return [change(BASE, 2, line + 1, QUEUE, '0'), 2, line + 1];
  }],
  ['a queue that is longer than what was sent', 'queue', inField(QUEUE, '9', 'receive', 0)],
  ['a queue at the start', 'queue', () => [change(BASE, 0, 2, QUEUE, '1'), 0, 2]],
  ['a queue that is always empty', 'queue', () => {
    const texts = REAL.texts.map((text) => text.replace(/,\d+,(\d+)$/gm, ',0,$1'));
    const slow = find(REAL, 2, (fields) => of('receive')(fields) && Number(fields[QUEUE]) > 3);
    const first = check({ run: REAL.run, texts }).violations
      .find(({ file, rule }) => file === 'machine-2.csv' && rule === 'queue')?.line ?? 0;
    assert.ok(first <= slow, `${first} is not after line ${slow}`);
    return [{ run: REAL.run, texts }, 2, first];
  }],
  ['messages that are gone at the stop', 'queue', inField(QUEUE, '0', 'stop', 2)],
  ['messages that vanished', 'conservation', () => {
    const { run, texts } = play({ rates_hz: [0.01, 4, 1], kind: 'sockets' });
    const line = find({ run, texts }, 0, of('stop'));
    return [change({ run, texts }, 0, line, QUEUE, '2'), 0, line];
  }],
  ['more losses than chance allows', 'conservation', () => {
    const { run, texts } = play({ loss: 0.5 });
    return [{ run: { ...run, loss: 0.05 }, texts }, null, null];
  }],
  ['fewer losses than chance allows', 'conservation', () =>
    [{ ...BASE, run: { ...BASE.run, loss: 0.3 } }, null, null]],
  ['a mix of events that chance does not make', 'mix', () =>
    [{ ...BASE, run: { ...BASE.run, internal: 0.3 } }, null, null]],
  ['an internal event where there is none', 'mix', () =>
    [{ ...BASE, run: { ...BASE.run, internal: 0 } }, 1, find(BASE, 1, of('internal', -1))]],
  ['a send where there is none', 'mix', () =>
    [{ ...BASE, run: { ...BASE.run, internal: 1 } }, 1, find(BASE, 1, of('send', -1))]],
];

const caught = suite('checkRun() finds');
for (const [name, rule, make] of corruptions) {
  caught(`${name} (${rule})`, () => {
    const [played, id, line] = make();
    const report = check(played);
    assert.not.ok(report.consistent);
    const file = id === null ? 'run.json' : `machine-${id}.csv`;
    assert.ok(report.violations.some((v) => v.file === file && v.line === line && v.rule === rule),
      `${file}:${line} ${rule} is not among:\n${told(report)}`);
    assert.ok(report.counts[rule]! > 0);
  });
}

caught('nothing in the runs that these are made of', () => {
  for (const played of [BASE, REAL, FOUR]) assert.is(told(check(played)), '');
});

caught('nothing else in a run whose lines cannot all be read', () => {
  const [played] = inField(EVENT, 'recieve', 'receive')();
  const { counts, notes } = check(played);
  assert.equal(counts, { schema: 1 });
  assert.match(notes.join(), 'nothing but the form');
});

caught('and counts every violation, and keeps the first of each rule', () => {
  const texts = BASE.texts.map((text) => text.replace(/,(\d+)$/gm, (_, clock) => `,${2 * clock}`));
  const { counts, violations } = check({ run: BASE.run, texts });
  assert.ok(counts.clock! > 100);
  assert.is(violations.filter(({ rule }) => rule === 'clock').length, 20);
});

caught('whatever bytes there are, without an exception', () => {
  const flip = fc.tuple(fc.nat(2), fc.nat(), fc.constantFrom(...'0123456789 ,\n-srtip', '\0', 'ÿ'));
  const some = fc.array(flip, { minLength: 1, maxLength: 9 });
  fc.assert(fc.property(some, fc.nat(2), (flips, keep) => {
    const buffers = BASE.texts.map((text) => Buffer.from(text, 'latin1'));
    for (const [id, at, by] of flips) buffers[id]!.write(by, at % buffers[id]!.length, 'latin1');
    buffers[keep] = buffers[keep]!.subarray(0, flips[0]![1] % buffers[keep]!.length);
    const report = checkRun({ ...BASE.run, ended: null },
      buffers.map((buffer, id) => parseLog(buffer, `machine-${id}.csv`)));
    assert.is(report.consistent, report.violations.length === 0);
    const { sent, received, queued, in_flight, lost } = report.messages;
    assert.is(sent, received + queued + in_flight + lost);
  }), { numRuns: 300 });
});

caught('any other time, tick, message, queue or clock in a virtual run without loss', () => {
  // In virtual time without chance in the network every number of every row is decided, but that
  // two events of the same microsecond may come in either order; this seed has none such.
  const played = play({ rates_hz: [2, 5.3, 1.1], duration_s: 20, seed: 11, internal: 0.5 });
  const rows = played.texts.flatMap((text, id) =>
    text.trim().split('\n').slice(1).map((_, n) => [id, n + 2] as const));
  const fields = fc.constantFrom(TIME, TICK, MESSAGE, QUEUE, CLOCK);
  const by = fc.oneof(fc.constantFrom(-2, -1, 1, 2, 3), fc.integer({ min: -50, max: 5000 }));
  fc.assert(fc.property(fc.constantFrom(...rows), fields, by, ([id, line], n, delta) => {
    const now = field(played, id, line, n);
    fc.pre(now !== '' && delta !== 0 && Number(now) + delta >= 0);
    fc.pre(n !== TIME || Math.abs(delta) > 1); // Its times are rounded to one microsecond.
    const report = check(change(played, id, line, n, add(delta)(now)));
    assert.not.ok(report.consistent, `machine-${id}.csv:${line} ${now} ${delta}`);
    assert.ok(report.violations.some(({ file, line: at }) =>
      file === `machine-${id}.csv` && Math.abs(at! - line) <= 1), told(report));
  }), { numRuns: 500 });
});

caught('any other message or clock in a real run', () => {
  // A queue can be longer or shorter by what may have arrived in the second before; a tick can be
  // another if its neighbour was skipped. All else is decided by the rule and the other logs.
  const played = play({ rates_hz: [2, 5.3, 1.1], duration_s: 20, kind: 'sockets', internal: 0.5 });
  const rows = played.texts.flatMap((text, id) =>
    text.trim().split('\n').slice(1).map((_, n) => [id, n + 2] as const));
  const by = fc.oneof(fc.constantFrom(-2, -1, 1, 2, 3), fc.integer({ min: -50, max: 5000 }));
  fc.assert(fc.property(fc.constantFrom(...rows), fc.constantFrom(MESSAGE, CLOCK, TICK), by,
    ([id, line], n, delta) => {
      const now = field(played, id, line, n);
      fc.pre(now !== '' && delta !== 0 && Number(now) + delta >= 0);
      assert.not.ok(check(change(played, id, line, n, add(delta)(now))).consistent);
    }), { numRuns: 300 });
});
caught.run();

// ── Machines that break the rule ─────────────────────────────────────────────────────────────

const broken = suite('checkRun() finds a machine that');
const busy = { rates_hz: [2, 4, 1], internal: 0.4 };
const breaks: [name: string, rules: Rule[], world: World][] = [
  ['sends before it raises the clock, and logs it', ['message'],
    { wire: (clock) => clock - 1 }],
  ['takes the highest without adding one', ['receive'], { broken: (right, before, message) =>
    (right.event === 'receive' ? { ...right, clock: Math.max(before, message) } : right) }],
  ['adds one to a message that is behind', ['receive'], { broken: (right, _before, message) =>
    (right.event === 'receive' ? { ...right, clock: message + 1 } : right) }],
  ['raises the clock twice at a receive', ['receive'], { broken: (right) =>
    (right.event === 'receive' ? { ...right, clock: right.clock + 1 } : right) }],
  ['raises the clock by nothing at an internal event', ['clock'], { broken: (right) =>
    (right.event === 'internal' ? { ...right, clock: right.clock - 1 } : right) }],
  ['leaves a receiver out of a send to all', ['fifo', 'queue', 'conservation'], { leftOut: 0 }],
  ['leaves the slowest receiver out of a send to all', ['fifo', 'queue'], { leftOut: 2 }],
  ['takes the newest message first', ['fifo'], { newestFirst: true }],
  ['sends to all only', ['mix'], { duration_s: 200, broken: (right) =>
    (right.event === 'send' ? { ...right, to: -2 } : right) }],
];
for (const [name, rules, world] of breaks) {
  for (const kind of ['virtual', 'sockets'] as const) {
    broken(`${name}: ${kind}`, () => {
      assert.is(told(check(play({ ...busy, kind }))), '');
      const report = check(play({ ...busy, ...world, kind }));
      assert.not.ok(report.consistent);
      assert.ok(rules.some((rule) => report.counts[rule]! > 0), told(report));
    });
  }
}
broken('logs one clock and sends another', () => {
  // The log is what it should be; only the receivers' logs can show it.
  const told = check(play({ ...busy, wire: (clock) => clock - 1 }));
  const right = play(busy);
  const wrong = play({ ...busy, wire: (clock) => clock - 1 });
  const mended = wrong.texts.map((text) =>
    text.replace(/^(.*,send,.*),\d+,(\d+),(\d+)$/gm, '$1,$3,$2,$3'));
  assert.ok(told.counts.message! > 0);
  const { counts } = check({ run: right.run, texts: mended });
  assert.ok(counts.matched! > 0);
  assert.is(counts.message, undefined);
});
broken('takes the newest message first, also if each is of another sender', () => {
  const report = check(play({ machines: 30, duration_s: 10, newestFirst: true }));
  assert.ok(report.counts['oldest first']! > 0, told(report));
});
broken.run();

// ── run.json, and the command ────────────────────────────────────────────────────────────────

const sensible = suite('parseRun() refuses');
const { run } = BASE;
const nonsense: [string, unknown][] = [
  ['seed', { ...run, seed: 'x' }], ['machines', { ...run, machines: 1 }],
  ['machines', { ...run, machines: 2.5 }], ['rates_hz', { ...run, rates_hz: [1, 2] }],
  ['rates_hz', { ...run, rates_hz: [1, 2, 0] }], ['rates_hz', { ...run, rates_hz: [1, 2, null] }],
  ['phases', { ...run, phases: [0, 0, 2] }], ['internal', { ...run, internal: 1.5 }],
  ['duration_s', { ...run, duration_s: 0 }], ['speed', { ...run, speed: undefined }],
  ['kind', { ...run, kind: 'real' }], ['start_us', { ...run, start_us: 'now' }],
  ['ended', { ...run, ended: 7 }], ['latency', { ...run, latency: '5' }],
  ['loss', { ...run, loss: 2 }], ['reorder', { ...run, reorder: 'no' }],
  ['seed', null], ['seed', []],
];
for (const [name, value] of nonsense) {
  sensible(`${name}: ${JSON.stringify(Object(value)[name])}`, () => {
    assert.throws(() => parseRun(value, 'x/run.json'), (error: Error) =>
      error instanceof Unreadable && error.message.startsWith(`x/run.json: ${name} is not `));
  });
}
sensible('nothing that a run says', () => {
  for (const played of [BASE, REAL, FOUR]) assert.is(parseRun(played.run, 'run.json'), played.run);
});
sensible.run();

const command = suite('check.ts');
const folder = mkdtempSync(join(tmpdir(), 'check-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
function write(name: string, { run, texts }: Played): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'run.json'), JSON.stringify(run));
  texts.forEach((text, id) => writeFileSync(join(path, `machine-${id}.csv`), text));
  return path;
}
function cli(...words: string[]) {
  const script = join(import.meta.dirname, '..', 'check.ts');
  const { status, stdout, stderr } =
    spawnSync(process.execPath, ['--import', 'tsx', script, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

command('ends with 0 and says consistent', () => {
  const path = write('good', BASE);
  const { status, stdout, stderr } = cli(path);
  assert.equal([status, stderr], [0, '']);
  assert.match(stdout, /^consistent: the rule could have made/);
  assert.match(stdout, /messages +\d+ sent = \d+ received \+ \d+ queued \+ 0 in flight \+ 0 lost/);
  assert.not.match(stdout, '\x1b', 'no colours where there is no terminal');
});

command('ends with 1 and names file, line and rule', () => {
  const line = find(BASE, 1, of('receive'));
  const now = field(BASE, 1, line, CLOCK);
  const path = write('bad', change(BASE, 1, line, CLOCK, add(1)(now)));
  const { status, stdout } = cli(path);
  assert.is(status, 1);
  assert.match(stdout, /^violated/);
  const what = `clock ${Number(now) + 1} is not max\\(\\d+, \\d+\\) \\+ 1`;
  assert.match(stdout, new RegExp(`^machine-1.csv:${line} +receive +${what}$`, 'm'));
});

command('--json prints the report', () => {
  const { status, stdout } = cli(write('json', BASE), '--json');
  assert.is(status, 0);
  assert.equal(JSON.parse(stdout), JSON.parse(JSON.stringify(check(BASE))));
});

command('ends with 2 and one line that names what it cannot read', () => {
  const cases: [string[], RegExp][] = [
    [[join(folder, 'nowhere')], /^error: .*nowhere\/run.json: there is no such file\n$/],
    [[], /^error: missing required argument 'folder'\n$/],
    [[folder, '--jsno'], /^error: unknown option '--jsno'\n$/],
  ];
  for (const [words, what] of cases) {
    const { status, stdout, stderr } = cli(...words);
    assert.equal([status, stdout], [2, ''], stderr);
    assert.match(stderr, what);
  }
});

command('--help prints the comment that opens it', () => {
  const { status, stdout } = cli('--help');
  assert.is(status, 0);
  assert.match(stdout, 'npx tsx check.ts logs/mine --json');
});
command.run();

const reading = suite('readRun()');
reading('refuses a folder that is no run, with one line that names the file', () => {
  const empty = write('empty', { run: BASE.run, texts: [] });
  const stray = write('stray', { run: BASE.run, texts: [...BASE.texts, HEADER] });
  const senseless = write('senseless', { ...BASE, run: { ...BASE.run, machines: 4 } });
  const cut = write('cut', BASE);
  writeFileSync(join(cut, 'run.json'), '{\n  "seed": 1,\n  "machines" 3\n}\n');
  const cases: [string, RegExp][] = [
    [join(folder, 'nowhere'), /^.*nowhere\/run.json: there is no such file$/],
    [empty, /^.*empty: there is no machine-<id>.csv$/],
    [stray, /^.*stray\/machine-3.csv: run.json has 3 machines$/],
    [senseless, /^.*senseless\/run.json: rates_hz is not 4 numbers above 0$/],
    [cut, /^.*cut\/run.json:3: [^\n]*$/],
  ];
  for (const [path, what] of cases) {
    assert.throws(() => readRun(path), (error: Error) =>
      error instanceof Unreadable && what.test(error.message));
  }
});
reading('takes a log that is not there as one of a machine that never started', () => {
  const { run, texts } = play({ kind: 'sockets', killed_s: { 2: 0 }, internal: 1 });
  const { logs } = readRun(write('two', { run, texts: texts.slice(0, 2) }));
  assert.equal(logs.map(({ rows, missing }) => [rows > 0, missing]),
    [[true, false], [true, false], [false, true]]);
  assert.ok(checkRun(run, logs).consistent);
});
reading.run();
