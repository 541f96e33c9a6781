/**
 * Reads a run's logs with no code of those who wrote them, and says whether Lamport's rule could
 * have made them. Or lays two runs of one seed side by side, tick by tick.
 *
 *   npx tsx check.ts logs/mine                           the verdict, and what is wrong where
 *   npx tsx check.ts logs/mine --json                    the same, for programs
 *   npx tsx check.ts logs/mine --against logs/virtual-7  which ticks agree, and why others do not
 *
 * Exit code 0: consistent, or compared; 1: violated; 2: there is nothing that can be read.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { Command, type CommanderError } from 'commander';

/** Tails of the binomial distribution; the package's "exports" hide its types. */
const cephes = createRequire(import.meta.url)('cephes') as {
  compiled: Promise<void>;
  bdtr(k: number, n: number, p: number): number;
  bdtrc(k: number, n: number, p: number): number;
};
await cephes.compiled;

// What real time may do. Virtual time is exact but for rounding: a log has whole microseconds.
const SOCKETS = {
  /** A message that was logged as sent so long ago has arrived: thousands of times the usual. */
  latest_us: 1_000_000,
  /** Two processes, or two computers, read the time so far apart. */
  error_us: 1000,
  /** A timer may fire so much before its time … */
  early_us: 2000,
  /** … and a loaded computer take so long, beside the period after which a tick is skipped. */
  late_us: 50_000,
};
/** An exponential latency has no end, but one message in 10^17 takes so many times its mean. */
const EXPONENTIAL_END = 40;
/** Chance alone departs as far as this from what was to be expected once in a billion runs. */
const ABSURD = 1e-9;
/** So many violations of a rule are kept, and printed in all; the others are counted. */
const KEPT = 20;
/** So many ticks of a machine that differ between two runs are told. */
const TOLD = 3;
/** A table with more machines than this says nothing to a person. */
const MACHINES_SHOWN = 12;

// ── What is read ─────────────────────────────────────────────────────────────────────────────

/** What run.json must say; see DESIGN.md. The last three are of virtual runs. */
export interface Run {
  seed: number;
  machines: number;
  rates_hz: readonly number[];
  phases: readonly number[];
  internal: number;
  duration_s: number;
  speed: number;
  kind: 'sockets' | 'virtual';
  start_us: number | null;
  ended: string | null;
  latency?: string;
  loss?: number;
  reorder?: boolean;
}

/** A machine's log in columns; row r is line r + 2 of the file. */
export interface Log {
  file: string;
  id: number;
  rows: number;
  time_us: Float64Array;
  /** NONE at start and stop, as are messages where there is none. */
  tick: Float64Array;
  event: Uint8Array;
  message: Float64Array;
  queue: Float64Array;
  clock: Float64Array;
  /** The peers of row r are `peer[firstPeer[r]]` up to before `peer[firstPeer[r + 1]]`. */
  peer: Int32Array;
  firstPeer: Int32Array;
  /** The last line has no end; it is not read. */
  torn: boolean;
  /** There is no such file, or it was empty. */
  missing: boolean;
  malformed: Findings;
}

/** A run's folder. */
export interface Recording {
  folder: string;
  run: Run;
  /** By the machines' ids; of a machine that has none, an empty one. */
  logs: Log[];
}

export type Rule = 'schema' | 'start' | 'stop' | 'time' | 'tick' | 'clock' | 'receive' | 'message'
  | 'receivers' | 'waiting' | 'queue' | 'pace' | 'matched' | 'once' | 'fifo' | 'oldest first'
  | 'conservation' | 'mix';

export interface Violation {
  file: string;
  /** Null if it is of the file as a whole. */
  line: number | null;
  rule: Rule;
  text: string;
}

/** Violations of which there may be millions: all are counted, the first of each rule are kept. */
export class Findings {
  readonly counts: Partial<Record<Rule, number>> = {};
  readonly kept: Violation[] = [];

  /** @param text a function if it is dear to make */
  add(rule: Rule, file: string, line: number | null, text: string | (() => string)): void {
    const count = (this.counts[rule] = (this.counts[rule] ?? 0) + 1);
    if (count > KEPT) return;
    this.kept.push({ file, line, rule, text: typeof text === 'string' ? text : text() });
  }
}

/** The message says in one line which file cannot be read, and why. */
export class Unreadable extends Error {}

const EVENTS = ['start', 'internal', 'send', 'receive', 'stop'];
const [START, INTERNAL, SEND, RECEIVE, STOP] = [0, 1, 2, 3, 4];
const FIELDS = 'time_us,machine,tick,event,peer,message,queue,clock';
const NAMES = FIELDS.split(',');
const WORDS = EVENTS.map((word) => Buffer.from(word));
const NONE = -1;
const [NEWLINE, SPACE, COMMA, ZERO] = [10, 32, 44, 48];

/** A whole number without signs, blanks and leading zeros; NONE if empty, NaN if it is not one. */
function whole(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return NONE;
  if (to - from > 16 || (bytes[from] === ZERO && to - from > 1)) return NaN;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
}

/** The place of a word in EVENTS, or NONE. */
function eventOf(bytes: Uint8Array, from: number, to: number): number {
  return WORDS.findIndex((word) => {
    if (word.length !== to - from) return false;
    for (let n = 0; n < word.length; n++) if (word[n] !== bytes[from + n]) return false;
    return true;
  });
}

/** Appends ids with single spaces between them to the log's; returns how many, NaN if not so. */
function readPeers(log: Log, place: number, bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let begin = from, at = from; from < to && at <= to; at++) {
    if (at < to && bytes[at] !== SPACE) continue;
    const peer = whole(bytes, begin, at);
    if (!(peer >= 0 && peer < 2 ** 31)) return NaN;
    log.peer[place + count++] = peer;
    begin = at + 1;
  }
  return count;
}

/** Whether a field has a number where there must be one, and nothing where there must be none. */
const isFilled = (value: number, must: boolean) => (must ? value >= 0 : value === NONE);

/** Says in words that a field is not what it must be. */
function complaint(log: Log, bytes: Uint8Array, at: Int32Array, field: number): string {
  const text = (n: number) => Buffer.from(bytes.subarray(at[n]!, at[n + 1]! - 1)).toString();
  const why = field === 1 ? `is not ${log.id}` : field === 3 ? `is not one of ${EVENTS.join(', ')}`
    : [0, 6, 7].includes(field) ? 'is not a whole number' : `does not fit ${text(3)}`;
  return `${NAMES[field]} ${JSON.stringify(text(field).slice(0, 40))} ${why}`;
}

/** Reads the line whose fields begin at `at`; returns what is wrong with it, or null. */
function readRow(log: Log, bytes: Uint8Array, at: Int32Array): string | null {
  const r = log.rows;
  const time_us = whole(bytes, at[0]!, at[1]! - 1);
  const machine = whole(bytes, at[1]!, at[2]! - 1);
  const tick = whole(bytes, at[2]!, at[3]! - 1);
  const event = eventOf(bytes, at[3]!, at[4]! - 1);
  const peers = readPeers(log, log.firstPeer[r]!, bytes, at[4]!, at[5]! - 1);
  const message = whole(bytes, at[5]!, at[6]! - 1);
  const queue = whole(bytes, at[6]!, at[7]! - 1);
  const clock = whole(bytes, at[7]!, at[8]! - 1);
  const ticks = event === INTERNAL || event === SEND || event === RECEIVE;
  const carries = event === SEND || event === RECEIVE;
  const wrong = !(time_us >= 0) ? 0 : machine !== log.id ? 1 : event === NONE ? 3
    : !isFilled(tick, ticks) ? 2 : !isFilled(message, carries) ? 5
    : !(event === RECEIVE ? peers === 1 : event === SEND ? peers > 0 : peers === 0) ? 4
    : !(queue >= 0) ? 6 : !(clock >= 0) ? 7 : NONE;
  if (wrong !== NONE) return complaint(log, bytes, at, wrong);
  [log.time_us[r], log.tick[r], log.event[r]] = [time_us, tick, event];
  [log.message[r], log.queue[r], log.clock[r]] = [message, queue, clock];
  log.firstPeer[r + 1] = log.firstPeer[r]! + peers;
  log.rows++;
  return null;
}

/**
 * Reads a log. Lines that are none are left out and told in `malformed`; a last line without an
 * end is cut.
 * @param file its name, machine-<id>.csv, says whose it must be
 */
export function parseLog(bytes: Uint8Array, file: string): Log {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  let [lines, spaces] = [0, 0];
  for (let at = 0; at < end; at++) {
    if (bytes[at] === NEWLINE) lines++;
    else if (bytes[at] === SPACE) spaces++;
  }
  const numbers = () => new Float64Array(lines);
  const log: Log = {
    file, id: Number(/(\d+)\.csv$/.exec(file)?.[1]), rows: 0, time_us: numbers(), tick: numbers(),
    event: new Uint8Array(lines), message: numbers(), queue: numbers(), clock: numbers(),
    peer: new Int32Array(lines + spaces), firstPeer: new Int32Array(lines + 1),
    torn: end < bytes.length, missing: bytes.length === 0, malformed: new Findings(),
  };
  const at = new Int32Array(9);
  if (end === 0 && !FIELDS.startsWith(Buffer.from(bytes.subarray(0, 99)).toString())) {
    log.malformed.add('schema', file, 1, `it is not ${FIELDS}`);
  }
  for (let from = 0, line = 1; from < end; line++) {
    let to = from;
    let fields = 1;
    at[0] = from;
    for (; bytes[to] !== NEWLINE; to++) if (bytes[to] === COMMA) at[fields++] = to + 1;
    at[8] = to + 1;
    const wrong = line === 1
      ? (Buffer.from(bytes.subarray(from, to)).toString() === FIELDS ? null : `it is not ${FIELDS}`)
      : fields === 8 ? readRow(log, bytes, at) : `${fields} fields where there must be 8`;
    if (wrong !== null) log.malformed.add('schema', file, line, wrong);
    from = to + 1;
  }
  return log;
}

const LATENCY = /^(constant|uniform|exponential):([\d.e+-]+)(?:,([\d.e+-]+))?$/;

/** What run.json says, if that can be. @throws Unreadable if not */
export function parseRun(value: unknown, file: string): Run {
  const run = Object(value) as Run;
  const demand = (name: keyof Run, what: string, holds: boolean) => {
    if (!holds) throw new Unreadable(`${file}: ${name} is not ${what}`);
  };
  const number = (x: unknown, least: number, most = Infinity): x is number =>
    typeof x === 'number' && x >= least && x <= most && x < Infinity;
  const list = (x: unknown, holds: (item: number) => boolean) =>
    Array.isArray(x) && x.length === run.machines && x.every(holds);
  demand('seed', 'a number', number(run.seed, -Infinity));
  demand('machines', 'a count of 2 or more',
    Number.isInteger(run.machines) && number(run.machines, 2, 1e6));
  demand('rates_hz', `${run.machines} numbers above 0`,
    list(run.rates_hz, (rate_hz) => number(rate_hz, 0) && rate_hz > 0));
  demand('phases', `${run.machines} numbers from 0 to 1`,
    list(run.phases, (phase) => number(phase, 0, 1)));
  demand('internal', 'a number from 0 to 1', number(run.internal, 0, 1));
  demand('duration_s', 'a number above 0', number(run.duration_s, 0) && run.duration_s > 0);
  demand('speed', 'a number above 0', number(run.speed, 0) && run.speed > 0);
  demand('kind', '"sockets" or "virtual"', ['sockets', 'virtual'].includes(run.kind));
  demand('start_us', 'a time in µs or null', run.start_us === null || number(run.start_us, 0));
  demand('ended', 'a text or null', run.ended === null || typeof run.ended === 'string');
  demand('latency', 'like constant:5, uniform:1,9 or exponential:5',
    LATENCY.test(run.latency ?? 'constant:0'));
  demand('loss', 'a number from 0 to 1', number(run.loss ?? 0, 0, 1));
  demand('reorder', 'true or false', typeof (run.reorder ?? false) === 'boolean');
  return run;
}

/** Reads a run's folder. @throws Unreadable if it is not one */
export function readRun(folder: string): Recording {
  const read = (path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Unreadable(`${path}: ${code === 'ENOENT' ? 'there is no such file' : message}`);
    }
  };
  const path = join(folder, 'run.json');
  const text = read(path).toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    throw new Unreadable(`${path}:${text.slice(0, position).split('\n').length}: ${message}`);
  }
  const run = parseRun(value, path);
  const files = readdirSync(folder).filter((file) => /^machine-\d+\.csv$/.test(file));
  if (files.length === 0) throw new Unreadable(`${folder}: there is no machine-<id>.csv`);
  const expected = Array.from({ length: run.machines }, (_, id) => `machine-${id}.csv`);
  const stray = files.find((file) => !expected.includes(file));
  if (stray) throw new Unreadable(`${join(folder, stray)}: run.json has ${run.machines} machines`);
  const logs = expected.map((file) =>
    parseLog(files.includes(file) ? read(join(folder, file)) : new Uint8Array(), file));
  return { folder, run, logs };
}

// ── The rules, one machine at a time ─────────────────────────────────────────────────────────

/** When a message arrives after it was logged as sent, and what time may do beside; real µs. */
interface Timing {
  soonest_us: number;
  latest_us: number;
  error_us: number;
  early_us: number;
  late_us: number;
}

/** What the rules need; `start_us` is NaN if no machine has started. */
interface Context {
  run: Run;
  logs: readonly Log[];
  timing: Timing;
  start_us: number;
  lossless: boolean;
  ordered: boolean;
  someDied: boolean;
  found: Findings;
}

function timingOf({ kind, latency = 'constant:0', speed }: Run): Timing {
  if (kind === 'sockets') return { soonest_us: 0, ...SOCKETS };
  const [, shape, from, to] = LATENCY.exec(latency)!;
  const us = 1000 / speed;
  const [soonest_us, latest_us] = shape === 'exponential'
    ? [0, EXPONENTIAL_END * Number(from) * us] : [Number(from) * us, Number(to ?? from) * us];
  return { soonest_us, latest_us, error_us: 1, early_us: 1, late_us: 1 };
}

const has = (log: Log, r: number, event: number) => log.event[r] === event;
const ticks = (log: Log, r: number) => log.tick[r] !== NONE;
const stopped = (log: Log) => log.rows > 0 && has(log, log.rows - 1, STOP);
const died = (log: Log) => log.rows > 0 && !stopped(log);
const last_us = (log: Log) => log.time_us[log.rows - 1]!;
const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const ms = (time_us: number) => `${Number((time_us / 1000).toPrecision(3))} ms`;

function fault(
  { found }: Context, log: Log, r: number, rule: Rule, text: string | (() => string),
): void {
  found.add(rule, log.file, r + 2, text);
}

/** A log begins with its start, the same instant for all, and nothing follows its stop. */
function startAndStop(context: Context, log: Log): void {
  const { run, start_us, found } = context;
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, START) !== (r === 0)) {
      fault(context, log, r, 'start', r === 0 ? 'the first event is no start' : 'a second start');
    }
    if (r > 0 && has(log, r - 1, STOP)) fault(context, log, r, 'stop', 'it comes after the stop');
  }
  if (log.rows > 0 && log.time_us[0] !== start_us) {
    fault(context, log, 0, 'start', `time_us ${log.time_us[0]} is not the common ${start_us}`);
  }
  if (run.ended === 'finished' && !stopped(log)) {
    found.add('stop', log.file, log.rows > 0 ? log.rows + 1 : null,
      'there is no stop, and run.json says that every machine finished');
  }
}

/** Time does not go back; the numbers of ticks go up. */
function order(context: Context, log: Log): void {
  const { time_us, tick } = log;
  for (let r = 1, before = NONE; r < log.rows; r++) {
    if (time_us[r]! < time_us[r - 1]!) {
      fault(context, log, r, 'time', `${ms(time_us[r - 1]! - time_us[r]!)} before the last row`);
    }
    if (!ticks(log, r)) continue;
    if (tick[r]! <= before) fault(context, log, r, 'tick', `tick ${tick[r]} after tick ${before}`);
    before = tick[r]!;
  }
}

/** Lamport's IR1 and IR2: up by one, or above the message that was taken. */
function clocks(context: Context, log: Log): void {
  const { event, clock, message } = log;
  for (let r = 0, before = 0; r < log.rows; before = clock[r++]!) {
    const [now, taken] = [clock[r]!, message[r]!];
    if (event[r] === RECEIVE) {
      if (now === Math.max(before, taken) + 1) continue;
      fault(context, log, r, 'receive', `clock ${now} is not max(${before}, ${taken}) + 1`);
    } else if (event[r] === INTERNAL || event[r] === SEND) {
      if (now !== before + 1) fault(context, log, r, 'clock', `clock ${now} is not ${before} + 1`);
    } else if (now !== before) {
      fault(context, log, r, 'clock', `clock ${now} at ${EVENTS[event[r]!]} is not ${before}`);
    }
  }
}

/** A send carries the clock, to one peer or to all. */
function sends(context: Context, log: Log): void {
  const { machines } = context.run;
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, SEND)) continue;
    if (log.message[r] !== log.clock[r]) {
      fault(context, log, r, 'message',
        `message ${log.message[r]} is not the clock ${log.clock[r]}`);
    }
    const peers = log.peer.subarray(log.firstPeer[r], log.firstPeer[r + 1]);
    const odd = peers.find((peer, n) =>
      peer >= machines || peer === log.id || (n > 0 && peer <= peers[n - 1]!));
    if (odd !== undefined) {
      fault(context, log, r, 'receivers', odd >= machines ? `there is no machine ${odd}`
        : odd === log.id ? 'a send to itself' : `${peers.join(' ')} is not in order`);
    } else if (peers.length !== 1 && peers.length !== machines - 1) {
      fault(context, log, r, 'receivers',
        `${peers.length} receivers: neither one peer nor all ${machines - 1}`);
    }
  }
}

/** While a message waits, a tick receives; and what waits stays until it is taken. */
function waiting(context: Context, log: Log): void {
  const { event, queue } = log;
  for (let r = 0, before = 0; r < log.rows; before = queue[r++]!) {
    const now = queue[r]!;
    if ((event[r] === INTERNAL || event[r] === SEND) && (before > 0 || now > 0)) {
      fault(context, log, r, 'waiting', `${EVENTS[event[r]!]} while `
        + `${plural(before || now, 'message')} waited: a tick must receive`);
    } else if (event[r] === START ? now > 0 : now < before - (event[r] === RECEIVE ? 1 : 0)) {
      fault(context, log, r, 'queue', event[r] === START ? `queue ${now} at the start`
        : `queue ${now} after ${before}: a message is gone`);
    }
  }
}

/**
 * A tick happens at its time: never sooner, and never so late that it was to be skipped, for
 * ticks that are made up for are a burst. Virtual time skips none and leaves none out.
 */
function pace(context: Context, log: Log): void {
  const { run, timing, start_us } = context;
  const { tick, time_us } = log;
  const [rate_hz, phase] = [run.rates_hz[log.id]!, run.phases[log.id]!];
  const virtual = run.kind === 'virtual';
  const late_us = timing.late_us + (virtual ? 0 : 1e6 / (rate_hz * run.speed));
  let next = 0;
  for (let r = 0; r < log.rows; r++) {
    if (!ticks(log, r)) continue;
    const k = tick[r]!;
    const due_s = (k + phase) / rate_hz;
    const lateness_us = time_us[r]! - start_us - (due_s * 1e6) / run.speed;
    const wrong = due_s >= run.duration_s ? `is due after the end at ${run.duration_s} s`
      : lateness_us < -timing.early_us ? `comes ${ms(-lateness_us)} before it is due`
      : lateness_us > late_us ? `comes ${ms(lateness_us)} after it is due`
      : virtual && k > next ? `comes where tick ${next} is due` : null;
    if (wrong !== null) fault(context, log, r, 'pace', `tick ${k} ${wrong}`);
    next = k + 1;
  }
  if (!stopped(log)) return;
  const early_us = start_us + (run.duration_s * 1e6) / run.speed - last_us(log);
  if (run.ended === 'finished' && early_us > timing.early_us) {
    fault(context, log, log.rows - 1, 'pace', `it stopped ${ms(early_us)} before the end`);
  } else if (virtual && early_us < -timing.late_us) {
    fault(context, log, log.rows - 1, 'pace', `it stopped ${ms(-early_us)} after the end`);
  } else if (virtual && dueBy(context, log, last_us(log) - timing.late_us) > next) {
    fault(context, log, log.rows - 1, 'pace', `tick ${next} was due before the stop`);
  }
}

/** How many ticks are due before a time, and before the end of the run. */
function dueBy({ run, start_us }: Context, log: Log, until_us: number): number {
  const model_s = Math.min(((until_us - start_us) * run.speed) / 1e6, run.duration_s);
  return Math.max(0, Math.ceil(model_s * run.rates_hz[log.id]! - run.phases[log.id]! - 1e-6));
}

// ── The rules, across machines ───────────────────────────────────────────────────────────────

/**
 * Every message of a run, once for each receiver. Those to j are `first[j]` up to before
 * `first[j + 1]`, by their sender and then in the order in which they were sent.
 */
interface Messages {
  first: Int32Array;
  from: Int32Array;
  /** The sender's row. */
  row: Int32Array;
  value: Float64Array;
  time_us: Float64Array;
  /** The line of the log that received it, or 0. */
  taken: Int32Array;
}

function gather({ logs }: Context): Messages {
  const each = (visit: (to: number, log: Log, r: number) => void) => {
    for (const log of logs) {
      for (let r = 0; r < log.rows; r++) {
        if (!has(log, r, SEND)) continue;
        for (let n = log.firstPeer[r]!; n < log.firstPeer[r + 1]!; n++) {
          if (log.peer[n]! < logs.length) visit(log.peer[n]!, log, r);
        }
      }
    }
  };
  const first = new Int32Array(logs.length + 1);
  each((to) => first[to + 1]!++);
  for (let id = 0; id < logs.length; id++) first[id + 1]! += first[id]!;
  const count = first[logs.length]!;
  const messages = {
    first, from: new Int32Array(count), row: new Int32Array(count),
    value: new Float64Array(count), time_us: new Float64Array(count), taken: new Int32Array(count),
  };
  const next = first.slice();
  each((to, log, r) => {
    const m = next[to]!++;
    messages.from[m] = log.id;
    messages.row[m] = r;
    messages.value[m] = log.message[r]!;
    messages.time_us[m] = log.time_us[r]!;
  });
  return messages;
}

/** How many of a sorted list's numbers are below a limit. */
function countBelow(sorted: Float64Array, limit: number, from = 0, to = sorted.length): number {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** What was sent to a machine, and what it took of it. */
interface Inbox {
  log: Log;
  messages: Messages;
  /** Messages of sender i are those from `channel[i]` up to before `channel[i + 1]`. */
  channel: Int32Array;
  /** When they were sent, in order. */
  sent_us: Float64Array;
  /** Without those that a machine logged just before it died, for they may never have left it. */
  sure_us: Float64Array;
  /** For each row the message that it received, or NONE. */
  took: Int32Array;
}

function inboxOf({ logs, timing, someDied }: Context, messages: Messages, log: Log): Inbox {
  const { first, from, time_us } = messages;
  const [begin, end] = [first[log.id]!, first[log.id + 1]!];
  const channel = new Int32Array(logs.length + 1);
  for (let id = 0, m = begin; id <= logs.length; id++) {
    channel[id] = m;
    while (m < end && from[m] === id) m++;
  }
  const sent_us = time_us.slice(begin, end).sort();
  const sure_us = !someDied ? sent_us : time_us.slice(begin, end).filter((at_us, n) => {
    const sender = logs[from[begin + n]!]!;
    return !died(sender) || at_us <= last_us(sender) - timing.latest_us;
  }).sort();
  return { log, messages, channel, sent_us, sure_us, took: new Int32Array(log.rows).fill(NONE) };
}

const named = ({ logs }: Context, { value, from, row }: Messages, m: number) =>
  `message ${value[m]} of machine ${from[m]} (${logs[from[m]!]!.file}:${row[m]! + 2})`;

/** A message that is received was sent to this machine, and not later; it is received once. */
function matched(context: Context, { log, messages, channel, took }: Inbox): void {
  const { value, time_us, taken } = messages;
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, RECEIVE)) continue;
    const [peer, message] = [log.peer[log.firstPeer[r]!]!, log.message[r]!];
    const end = channel[peer + 1] ?? 0;
    const m = countBelow(value, message, channel[peer] ?? 0, end);
    if (m === end || value[m] !== message) {
      fault(context, log, r, 'matched', `machine ${peer} sent no ${message} to machine ${log.id}`);
    } else if (taken[m]! > 0) {
      fault(context, log, r, 'once',
        `${named(context, messages, m)} was received before, in line ${taken[m]}`);
    } else {
      const early_us = time_us[m]! - log.time_us[r]!;
      if (early_us > context.timing.error_us) {
        fault(context, log, r, 'matched',
          `${named(context, messages, m)} was sent ${ms(early_us)} later`);
      }
      taken[m] = r + 2;
      took[r] = m;
    }
  }
}

/** Messages of one sender are received in the order in which they were sent, and all of them. */
function firstInFirstOut(context: Context, { log, messages, channel, took }: Inbox): void {
  const next = channel.slice();
  for (let r = 0; r < log.rows; r++) {
    const m = took[r]!;
    if (m === NONE) continue;
    const peer = messages.from[m]!;
    const awaited = next[peer]!;
    if (m < awaited) {
      fault(context, log, r, 'fifo', `${named(context, messages, m)} comes too late: the next was `
        + 'received before it');
    } else if (m > awaited && context.lossless) {
      fault(context, log, r, 'fifo', `it overtakes ${named(context, messages, awaited)}`);
    }
    next[peer] = Math.max(awaited, m + 1);
  }
}

/**
 * The queue is one: of two messages, also of two senders, the one that surely came first is taken
 * first. Where nothing is lost, as many were taken before a message as came surely before it.
 */
function oldestFirst(context: Context, { log, messages, sure_us, took }: Inbox): void {
  const { lossless, timing } = context;
  const window_us = timing.latest_us - timing.soonest_us + timing.error_us;
  let [received, passed, newest_us] = [0, 0, -Infinity];
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, RECEIVE)) continue;
    const before = received++;
    if (took[r] === NONE) continue;
    const at_us = messages.time_us[took[r]!]!;
    const older = lossless ? countBelow(sure_us, at_us - window_us) - before : 0;
    if (older > passed) {
      passed = older; // Whoever is passed over is so again by those after; once is told.
      fault(context, log, r, 'oldest first', () => {
        const oldest = oldestWaiting(messages, log, r);
        return `${named(context, messages, oldest)}, sent ${ms(at_us - messages.time_us[oldest]!)} `
          + 'before it, still waits';
      });
    } else if (!lossless && at_us < newest_us - window_us) {
      fault(context, log, r, 'oldest first',
        `it came ${ms(newest_us - at_us)} before a message that was received before it`);
    }
    newest_us = Math.max(newest_us, at_us);
  }
}

/** Of the messages to a machine that it has not received by row r, the one that was sent first. */
function oldestWaiting({ first, taken, time_us }: Messages, { id }: Log, r: number): number {
  let oldest = NONE;
  for (let m = first[id]!; m < first[id + 1]!; m++) {
    const waits = taken[m] === 0 || taken[m]! > r + 2;
    if (waits && (oldest === NONE || time_us[m]! < time_us[oldest]!)) oldest = m;
  }
  return oldest;
}

/**
 * What has reached a machine by a row is what it has received and what waits. That is no more
 * than was sent to it, and no less than was sent so long ago that it must have arrived.
 */
function arrivals(context: Context, { log, sent_us, sure_us }: Inbox): void {
  const { timing, lossless } = context;
  let [received, possible, certain, excess, missing] = [0, 0, 0, 0, 0];
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, RECEIVE)) received++;
    const arrived = received + log.queue[r]!;
    const latest_us = log.time_us[r]! + timing.error_us - timing.soonest_us;
    const surely_us = log.time_us[r]! - timing.error_us - timing.latest_us;
    while (possible < sent_us.length && sent_us[possible]! <= latest_us) possible++;
    while (certain < sure_us.length && sure_us[certain]! < surely_us) certain++;
    // One message too many or too few shows in every later row: only what is new is told.
    if (arrived - possible > excess) {
      excess = arrived - possible;
      fault(context, log, r, 'queue', `${received} received and ${log.queue[r]} in the queue, `
        + `but only ${possible} can have arrived`);
    } else if (lossless && certain - arrived > missing) {
      missing = certain - arrived;
      fault(context, log, r, has(log, r, STOP) ? 'conservation' : 'queue',
        `${received} received and ${log.queue[r]} in the queue, but ${certain} must have arrived`);
    }
  }
}

// ── The run as a whole ───────────────────────────────────────────────────────────────────────

export interface MachineSummary {
  machine: number;
  rate_hz: number;
  started: boolean;
  /** It has started and has no stop. */
  died: boolean;
  ticks: number;
  /** Ticks whose time had come while it lived, and that it did not make. */
  skipped: number;
  /** Ticks made / (rate × model seconds that it lived). */
  pace: number;
  receives: number;
  sends: number;
  internal: number;
  final_clock: number;
  final_queue: number;
  /** Messages that were lost because it died: on their way or in its queue, and of its own. */
  lost_to: number;
  lost_from: number;
}

/** Messages, a send to several counted for each: sent = received + queued + in_flight + lost. */
export interface MessageSummary {
  sent: number;
  received: number;
  queued: number;
  in_flight: number;
  lost: number;
}

export interface Report {
  consistent: boolean;
  /** Those that are told: of each rule the first 20. */
  violations: Violation[];
  /** Those that there are, by rule. */
  counts: Partial<Record<Rule, number>>;
  /** What is worth knowing and wrong with nobody. */
  notes: string[];
  machines: MachineSummary[];
  messages: MessageSummary;
  statistics: Mix;
}

function summarise(context: Context, log: Log): MachineSummary {
  const { run, start_us, timing } = context;
  const rate_hz = run.rates_hz[log.id]!;
  const counts = EVENTS.map(() => 0);
  let next = 0;
  for (let r = 0; r < log.rows; r++) {
    counts[log.event[r]!]!++;
    if (ticks(log, r)) next = Math.max(next, log.tick[r]! + 1);
  }
  const made = counts[INTERNAL]! + counts[SEND]! + counts[RECEIVE]!;
  // In real time, what was due at the last moment may not have had its turn.
  const turn_us = run.kind === 'virtual' ? 0 : timing.late_us;
  const due = stopped(log) ? dueBy(context, log, last_us(log) - turn_us) : 0;
  const lived_s = Math.min(((last_us(log) - start_us) * run.speed) / 1e6, run.duration_s);
  return {
    machine: log.id, rate_hz, started: log.rows > 0, died: died(log), ticks: made,
    skipped: Math.max(next, due) - made, pace: made / (rate_hz * lived_s),
    receives: counts[RECEIVE]!, sends: counts[SEND]!, internal: counts[INTERNAL]!,
    final_clock: log.clock[log.rows - 1] ?? 0, final_queue: log.queue[log.rows - 1] ?? 0,
    lost_to: 0, lost_from: 0,
  };
}

/** Every message ends in one of four ways; says which, and whose death cost how many. */
function conserve(context: Context, messages: Messages, all: MachineSummary[]): MessageSummary {
  const { logs, timing, found, run } = context;
  const { first, from, time_us, taken } = messages;
  const sum = { sent: taken.length, received: 0, queued: 0, in_flight: 0, lost: 0 };
  let [toSurvivors, lostToSurvivors] = [0, 0];
  for (const log of logs) {
    const [begin, end] = [first[log.id]!, first[log.id + 1]!];
    const on_way_us = last_us(log) - timing.latest_us - timing.error_us;
    let [open, late] = [0, 0];
    for (let m = begin; m < end; m++) {
      if (taken[m]! > 0) continue;
      open++;
      if (time_us[m]! > on_way_us) late++;
    }
    sum.received += end - begin - open;
    const queued = stopped(log) ? Math.min(open, all[log.id]!.final_queue) : 0;
    const in_flight = stopped(log) ? Math.min(open - queued, late) : 0;
    let lost = open - queued - in_flight;
    sum.queued += queued;
    sum.in_flight += in_flight;
    sum.lost += lost;
    if (!stopped(log)) {
      all[log.id]!.lost_to = lost;
      continue;
    }
    toSurvivors += end - begin;
    lostToSurvivors += lost;
    for (let m = begin; m < end && lost > 0; m++) {
      if (taken[m]! > 0 || !died(logs[from[m]!]!)) continue;
      all[from[m]!]!.lost_from++;
      lost--;
    }
  }
  const most = lostToSurvivors + sum.in_flight;
  if (run.loss && chance(lostToSurvivors, most, toSurvivors, run.loss) < ABSURD) {
    found.add('conservation', 'run.json', null,
      `${lostToSurvivors} of ${plural(toSurvivors, 'message')} lost, and loss is ${run.loss}`);
  }
  return sum;
}

/**
 * The p-value of a count that lies from `fewest` to `most`, of n chances p: twice the binomial's
 * smaller tail. It is exact, so that it holds for small counts, where a chi-square test fails.
 */
function chance(fewest: number, most: number, n: number, p: number): number {
  if (p <= 0) return fewest <= 0 ? 1 : 0;
  if (p >= 1) return most >= n ? 1 : 0;
  const above = fewest <= 0 ? 1 : cephes.bdtrc(fewest - 1, n, p);
  return Math.min(1, 2 * above, most >= n ? 1 : 2 * cephes.bdtr(most, n, p));
}

interface Counts {
  /** Ticks that did not receive. */
  rolls: number;
  internal: number;
  sends: number;
  /** Sends to more than one; none with two machines, where all is one. */
  to_all: number;
}

/** The mix of events in all machines, and p-values: how likely chance is to differ as much. */
export interface Mix extends Counts {
  internal_p: number;
  to_all_p: number;
  /** The smallest p-value of all tests, of each machine and of all together, times their number. */
  p_value: number;
}

interface MixTest {
  /** Null: of all machines together. */
  log: Log | null;
  what: string;
  p: number;
}

/** What the ticks of one machine that did not receive have chosen. */
function choices(log: Log, machines: number): { count: Counts; most: number; least: number } {
  const count = { rolls: 0, internal: 0, sends: 0, to_all: 0 };
  const chosen = new Int32Array(machines);
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, INTERNAL)) count.internal++;
    if (!has(log, r, SEND)) continue;
    count.sends++;
    if (log.firstPeer[r + 1]! - log.firstPeer[r]! > 1) count.to_all++;
    else chosen[log.peer[log.firstPeer[r]!]!]!++;
  }
  count.rolls = count.internal + count.sends;
  let [most, least] = [0, Infinity];
  for (let id = 0; id < machines; id++) {
    if (id === log.id) continue;
    most = Math.max(most, chosen[id]!);
    least = Math.min(least, chosen[id]!);
  }
  return { count, most, least };
}

/** Events that do not wait for a message are chosen by chance: does it look like that? */
function mix({ run: { machines, internal }, logs, found }: Context): Mix {
  const tests: MixTest[] = [];
  const test = (log: Log | null, what: string, count: number, n: number, p: number, times = 1) =>
    tests.push({ log, p: Math.min(1, times * chance(count, count, n, p)),
      what: `${count} of ${n} ${what}, and the chance of each is ${p}` });
  const shares = (log: Log | null, { rolls, internal: count, sends, to_all }: Counts) => {
    test(log, 'ticks without a message are internal', count, rolls, internal);
    if (machines > 2) test(log, 'sends go to all', to_all, sends, 1 / 3);
  };
  const total = { rolls: 0, internal: 0, sends: 0, to_all: 0 };
  for (const log of logs) {
    const { count, most, least } = choices(log, machines);
    for (const key of ['rolls', 'internal', 'sends', 'to_all'] as const) total[key] += count[key];
    shares(log, count);
    if (machines === 2) continue;
    const [single, peers] = [count.sends - count.to_all, machines - 1];
    test(log, 'sends to one go to the same machine', most, single, 1 / peers, peers);
    test(log, 'sends to one go to the same machine', least, single, 1 / peers, peers);
  }
  const pooled = tests.length;
  shares(null, total);
  for (const { log, what, p } of tests) {
    if (p * tests.length >= ABSURD) continue;
    const impossible = internal === 0 ? INTERNAL : internal === 1 ? SEND : NONE;
    const r = log === null ? NONE : log.event.subarray(0, log.rows).indexOf(impossible);
    found.add('mix', log?.file ?? 'run.json', r === NONE ? null : r + 2, `${what} (p = ${p})`);
  }
  return {
    ...total, internal_p: tests[pooled]!.p, to_all_p: tests[pooled + 1]?.p ?? 1,
    p_value: Math.min(1, tests.length * tests.reduce((least, { p }) => Math.min(least, p), 1)),
  };
}

function notes(context: Context, all: MachineSummary[]): string[] {
  const { run, logs, start_us, lossless, ordered } = context;
  const told: string[] = [];
  for (const log of logs) {
    const { skipped, lost_to, lost_from, died, started } = all[log.id]!;
    const who = `machine ${log.id}`;
    const lost = `${plural(lost_to, 'message')} to it and ${lost_from} from it were lost`;
    const at_s = ((last_us(log) - start_us) * run.speed) / 1e6;
    if (log.torn) told.push(`${log.file}: the last line has no end and was not read`);
    if (died) told.push(`${who} died: its last row is at ${at_s.toFixed(3)} s; ${lost}`);
    if (!started) told.push(`${who} never started${log.missing ? ', it has no log' : ''}; ${lost}`);
    if (skipped > 0 && run.kind === 'sockets') {
      told.push(`${who} was kept from running: ${plural(skipped, 'tick')} skipped`);
    }
  }
  if (!ordered) told.push('the order of messages was not checked: reorder is true');
  if (!lossless) told.push('that no message is missing was checked in sum only: some are lost');
  return told;
}

/** Whether the rule could have made these logs, and what is in them. */
export function checkRun(run: Run, logs: readonly Log[]): Report {
  const malformed = logs.filter((log) => log.malformed.kept.length > 0);
  const found = new Findings();
  const context: Context = {
    run, logs, found, timing: timingOf(run),
    lossless: !run.loss, ordered: !run.reorder, someDied: logs.some(died),
    start_us: run.start_us ?? logs.find(({ rows }) => rows > 0)?.time_us[0] ?? NaN,
  };
  for (const log of logs) {
    for (const rule of [startAndStop, order, clocks, sends, waiting, pace]) rule(context, log);
  }
  const messages = gather(context);
  for (const log of logs) {
    const inbox = inboxOf(context, messages, log);
    matched(context, inbox);
    if (context.ordered) {
      firstInFirstOut(context, inbox);
      oldestFirst(context, inbox);
    }
    arrivals(context, inbox);
  }
  const machines = logs.map((log) => summarise(context, log));
  const sum = conserve(context, messages, machines);
  const statistics = mix(context);
  const told = notes(context, machines);
  const report = (findings: { counts: Report['counts']; kept: Violation[] }): Report => ({
    consistent: findings.kept.length === 0, violations: findings.kept, counts: findings.counts,
    notes: told, machines, messages: sum, statistics,
  });
  if (malformed.length === 0) return report(found);
  // A line that is none leaves a hole in every other account: whatever they find follows from it.
  told.push('nothing but the form of the lines was checked: some cannot be read');
  const schema = malformed.reduce((n, log) => n + log.malformed.counts.schema!, 0);
  const kept = malformed.flatMap((log) => log.malformed.kept);
  return report({ counts: { schema }, kept });
}

// ── Two runs side by side ────────────────────────────────────────────────────────────────────

export interface Difference {
  machine: number;
  tick: number;
  /** When the tick is due, in model seconds. */
  due_s: number;
  /** What the one run did on it, and the other. */
  one: string;
  other: string;
  why: string;
}

export interface Comparison {
  /** Ticks that both runs have, and how many of them are the same in all but time. */
  ticks: number;
  agree: number;
  share: number;
  /** Ticks that only one of them has, up to the end of the shorter. */
  only_one: number;
  only_other: number;
  machines: { machine: number; ticks: number; agree: number; share: number }[];
  /** The first ticks of each machine that differ, by the time when they are due. */
  differences: Difference[];
}

/** Lays one run beside another of the same configuration. @throws Unreadable if it is not */
export function compare(one: Recording, other: Recording): Comparison {
  for (const name of ['seed', 'machines', 'rates_hz', 'phases', 'internal'] as const) {
    const [a, b] = [one, other].map(({ run }) => JSON.stringify(run[name]));
    if (a !== b) {
      throw new Unreadable(`${other.folder}: ${name} is ${b}, and in ${one.folder} it is ${a}`);
    }
  }
  for (const { folder, logs } of [one, other]) {
    const log = logs.find(({ malformed }) => malformed.kept.length > 0);
    if (log) throw new Unreadable(`${join(folder, log.file)}: it has lines that cannot be read`);
  }
  const differences: Difference[] = [];
  const total = { ticks: 0, agree: 0, only_one: 0, only_other: 0 };
  const machines = one.logs.map((log, id) => {
    const sum = { ticks: 0, agree: 0 };
    let [told, same] = [0, true];
    eachTick(log, other.logs[id]!, (a, b) => {
      if (a === NONE || b === NONE) {
        total[a === NONE ? 'only_other' : 'only_one']++;
        return;
      }
      const before = same;
      same = deed(log, a) === deed(other.logs[id]!, b);
      sum.ticks++;
      if (same) sum.agree++;
      else if (told++ < TOLD) differences.push(difference(one, other, id, a, b, before));
    });
    total.ticks += sum.ticks;
    total.agree += sum.agree;
    return { machine: id, ...sum, share: sum.agree / sum.ticks };
  });
  differences.sort((a, b) => a.due_s - b.due_s);
  return { ...total, share: total.agree / total.ticks, machines, differences };
}

/** Visits each tick's rows in two logs, NONE where one lacks it, to the end of the shorter. */
function eachTick(one: Log, other: Log, visit: (a: number, b: number) => void): void {
  for (let [a, b] = [0, 0]; a < one.rows && b < other.rows;) {
    if (!ticks(one, a)) a++;
    else if (!ticks(other, b)) b++;
    else {
      const ahead = one.tick[a]! - other.tick[b]!;
      visit(ahead > 0 ? NONE : a, ahead < 0 ? NONE : b);
      if (ahead <= 0) a++;
      if (ahead >= 0) b++;
    }
  }
}

/** What a tick did, in words; two ticks that did the same give the same. */
function deed(log: Log, r: number): string {
  const peers = () => log.peer.subarray(log.firstPeer[r], log.firstPeer[r + 1]).join(' ');
  const what = has(log, r, SEND) ? ` to ${peers()}`
    : has(log, r, RECEIVE) ? ` ${log.message[r]} from ${peers()}` : '';
  return `${EVENTS[log.event[r]!]}${what}, clock ${log.clock[r]}`;
}

/** A tick that differs, in rows a and b; `fresh` if the tick before it did not. */
function difference(
  one: Recording, other: Recording, machine: number, a: number, b: number, fresh: boolean,
): Difference {
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  const tick = log.tick[a]!;
  const due_s = (tick + one.run.phases[machine]!) / one.run.rates_hz[machine]!;
  const races = [race(one, other, machine, a, b), race(other, one, machine, b, a)];
  const why = !fresh ? 'it follows from the tick before'
    : races.filter((text) => text !== null).join('; ')
    || 'it follows from a difference of another machine';
  return { machine, tick, due_s, one: deed(log, a), other: deed(log2, b), why };
}

/**
 * The race that let a tick of one run, row r, receive what the same tick of another, row r2, did
 * not; null if there was none: the message was never sent there, or was received before.
 */
function race(
  one: Recording, other: Recording, machine: number, r: number, r2: number,
): string | null {
  const [log, log2] = [one.logs[machine]!, other.logs[machine]!];
  if (!has(log, r, RECEIVE)) return null;
  const [from, message] = [log.peer[log.firstPeer[r]!]!, log.message[r]!];
  const same = (row: number) => has(log2, row, RECEIVE) && log2.message[row] === message
    && log2.peer[log2.firstPeer[row]!] === from;
  for (let row = 0; row <= r2; row++) if (same(row)) return null;
  const gap = ({ logs, folder }: Recording, at_us: number) => {
    const sender = logs[from];
    const row = sender ? countBelow(sender.clock, message, 0, sender.rows) : 0;
    if (!sender || row === sender.rows || !has(sender, row, SEND)
      || sender.clock[row] !== message) return null;
    const gap_us = at_us - sender.time_us[row]!;
    return `${gap_us === 0 ? 'at the moment of' : `${ms(Math.abs(gap_us))} ${
      gap_us > 0 ? 'before' : 'after'}`} the tick in ${folder}`;
  };
  const [here, there] = [gap(one, log.time_us[r]!), gap(other, log2.time_us[r2]!)];
  return here && there && `${message} from ${from} was sent ${here}, ${there}`;
}

// ── Main ─────────────────────────────────────────────────────────────────────────────────────

const paint = (colour: 'green' | 'red' | 'yellow', text: string) =>
  (process.stdout.isTTY && !process.env.NO_COLOR ? styleText(colour, text) : text);

const percent = (share: number, digits = 1) =>
  (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(digits)} %`);

/** The first rows of a table, aligned to the right. */
function table<T>(head: string[], items: T[], cells: (item: T) => (string | number)[]): string {
  const lines = new Table({ head, style: { head: [], border: [], compact: true },
    colAligns: head.map(() => 'right' as const) });
  lines.push(...items.slice(0, MACHINES_SHOWN).map(cells));
  const more = items.length - MACHINES_SHOWN;
  return `${lines}${more > 0 ? `\nand ${plural(more, 'machine')} more` : ''}`;
}

function tell(folder: string, report: Report): string {
  const { consistent, violations, counts, machines, messages, statistics, notes } = report;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const head = ['machine', 'rate (Hz)', 'ticks', 'skipped', 'pace', 'receives', 'sends', 'internal',
    'clock', 'queue'];
  const { sent, received, queued, in_flight, lost } = messages;
  const { rolls, internal, internal_p, sends, to_all, to_all_p } = statistics;
  const of = (what: string, count: number, n: number, p: number) =>
    `${what} ${count} of ${n} = ${percent(count / n)} (p = ${Number(p.toPrecision(2))})`;
  return [
    consistent ? paint('green', `consistent: the rule could have made ${folder}`)
      : paint('red', `violated: the rule cannot have made ${folder}`),
    table(head, machines, (m) => [m.machine, m.rate_hz, m.ticks, m.skipped, percent(m.pace),
      m.receives, m.sends, m.internal, m.final_clock, m.final_queue]),
    `messages  ${sent} sent = ${received} received + ${queued} queued + ${in_flight} in flight + `
      + `${lost} lost`,
    `chance    ${of('internal', internal, rolls, internal_p)}`
      + (machines.length === 2 || sends === 0 ? '' : `, ${of('to all', to_all, sends, to_all_p)}`),
    ...notes.map((note) => paint('yellow', `note      ${note}`)),
    ...(consistent ? [] : ['', `${plural(total, 'violation')}: ${
      Object.entries(counts).map(([rule, count]) => `${rule} ${count}`).join(', ')}`]),
    ...violations.slice(0, KEPT).map(({ file, line, rule, text }) =>
      `${`${file}${line === null ? '' : `:${line}`}`.padEnd(18)} ${rule.padEnd(13)} ${text}`),
    ...(total > KEPT ? [`and ${total - KEPT} more`] : []),
  ].join('\n');
}

function tellComparison(one: Recording, other: Recording, result: Comparison): string {
  const { machines, ticks, agree, share, only_one, only_other, differences } = result;
  const only = (count: number, { folder }: Recording) =>
    (count > 0 ? [`${plural(count, 'tick')} of ${folder} alone, not compared`] : []);
  return [
    `${agree} of ${ticks} ticks agree (${percent(share, 2)}) in event, peer, message and `
      + `clock, up to the end of the shorter run`,
    table(['machine', 'ticks', 'agree', 'share'], machines,
      (m) => [m.machine, m.ticks, m.agree, percent(m.share)]),
    ...only(only_one, one), ...only(only_other, other),
    ...differences.slice(0, 5).flatMap(({ machine, tick, due_s, one: a, other: b, why }) => [
      `machine ${machine} tick ${tick}, due at ${due_s.toFixed(3)} s: ${a} in ${one.folder}, `
        + `${b} in ${other.folder}`, `  ${why}`]),
  ].join('\n');
}

async function main(): Promise<void> {
  const source = readFileSync(fileURLToPath(import.meta.url), 'utf8');
  const comment = source.slice(source.indexOf('/**') + 3, source.indexOf('*/'));
  const command = new Command(basename(import.meta.url))
    .description(comment.replace(/^ \* ?/gm, '').trim())
    .argument('<folder>', 'a run: logs/<name>')
    .option('--json', 'print everything as JSON')
    .option('--against <folder>', 'compare with this run, tick by tick, instead of checking')
    .showSuggestionAfterError(false)
    .configureOutput({ getOutHelpWidth: () => 100 })
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse();
  const { json, against } = command.opts<{ json?: boolean; against?: string }>();
  const print = (value: object, text: () => string) =>
    console.log(json ? JSON.stringify(value, null, 2) : text());
  try {
    const one = readRun(command.args[0]!);
    if (against !== undefined) {
      const other = readRun(against);
      const result = compare(one, other);
      print(result, () => tellComparison(one, other, result));
    } else {
      const report = checkRun(one.run, one.logs);
      print(report, () => tell(one.folder, report));
      process.exitCode = report.consistent ? 0 : 1;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    command.error(`error: ${error.message}`);
  }
}

if (process.argv[1] !== undefined
  && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
