/**
 * A machine's log, read from bytes into columns in one pass. It knows no `node:`, so that a browser
 * can read logs as well.
 */
import { Findings } from './findings.ts';
import { Unreadable, type Run } from './record.ts';

/** A machine's log in columns; row r is line r + 2 of the file. */
export interface Log {
  file: string;
  id: number;
  rows: number;
  time_us: Float64Array;
  /** NONE at start, stop and restart. */
  tick: Int32Array;
  event: Uint8Array;
  queue: Int32Array;
  clock: Float64Array;
  /** The peers of row r are `peer[first[r]]` up to before `peer[first[r + 1]]` … */
  peer: Int32Array;
  /** … and these the values that were sent to them or taken from them. */
  value: Float64Array;
  first: Int32Array;
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

/** The words of a log, in the order of their numbers in `event`. */
export const EVENTS = ['start', 'internal', 'send', 'receive', 'stop', 'restart'];
export const [START, INTERNAL, SEND, RECEIVE, STOP, RESTART] = [0, 1, 2, 3, 4, 5] as const;
const FIELDS = 'time_us,machine,tick,event,peer,message,queue,clock';
const NAMES = FIELDS.split(',');
const decoder = new TextDecoder();
const WORDS = EVENTS.map((word) => new TextEncoder().encode(word));
/** In the place of a number: the field is empty. */
export const NONE = -1;
const [NEWLINE, SPACE, COMMA, ZERO] = [10, 32, 44, 48];
const LETTER = { i: 105, s: 115 };
/** Ticks, ids and queues are counted in 31 bits: no run comes near. */
const COUNT_MAX = 2 ** 31 - 1;

/** Reads fields from left to right; each reader stands behind what it has read. */
class Cursor {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** A whole number without signs and leading zeros; NONE if empty, NaN if there is none. */
  whole(): number {
    const { bytes } = this;
    const from = this.at;
    let at = from;
    let value = 0;
    for (let digit; (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) {
      value = value * 10 + digit;
    }
    this.at = at;
    if (at === from) return NONE;
    if (at - from > 16 || (bytes[from] === ZERO && at - from > 1)) return NaN;
    return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
  }

  /** Steps over a byte; false if it is another. */
  is(byte: number): boolean {
    return this.bytes[this.at++] === byte;
  }

  /** The number of an event's word, or NONE. */
  event(): number {
    const { bytes } = this;
    for (let event = 0; event < WORDS.length; event++) {
      const word = WORDS[event]!;
      let n = 0;
      while (n < word.length && bytes[this.at + n] === word[n]) n++;
      if (n < word.length || bytes[this.at + n] !== COMMA) continue;
      this.at += n;
      return event;
    }
    return NONE;
  }

  /** Numbers with single spaces between them, into a list; how many, or NaN. */
  list(into: Int32Array | Float64Array, place: number, most: number): number {
    if (this.bytes[this.at] === COMMA) return 0;
    for (let count = 0; ; this.at++) {
      const value = this.whole();
      if (!(value >= 0 && value <= most)) return NaN;
      into[place + count++] = value;
      if (this.bytes[this.at] !== SPACE) return count;
    }
  }
}

/** Whether a whole number without leading zeros begins at a place. */
function isNumber(bytes: Uint8Array, at: number): boolean {
  const digit = bytes[at]! ^ ZERO; // At most 9 for digits and for no other byte.
  return digit <= 9 && (digit > 0 || (bytes[at + 1]! ^ ZERO) > 9);
}

/** What `scan` finds in a row, but for its peers. */
export interface Scanned {
  time_us: number;
  id: number;
  tick: number;
  event: number;
  /** How many there are. */
  peers: number;
  message: number;
  queue: number;
  clock: number;
}
export const scanned = (): Scanned =>
  ({ time_us: 0, id: 0, tick: 0, event: 0, peers: 0, message: 0, queue: 0, clock: 0 });

/**
 * Reads a row as nearly all are: a tick with every field, that carries one message at most. All
 * stands in this one loop of bytes, since with a call for each field it takes twice as long.
 * @param peers takes the ids from `place` on
 * @param row takes the rest; `message` is 0 where none is carried
 * @returns where the next line begins; NONE if it is no such row, or `peers` has no room for it
 */
export function scan(
  bytes: Uint8Array, from: number, peers: Int32Array, place: number, row: Scanned,
): number {
  let [at, digit] = [from, 0];
  let [time_us, id, tick, message, queue, clock] = [0, 0, 0, 0, 0, 0];
  if (!isNumber(bytes, at)) return NONE;
  for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) time_us = time_us * 10 + digit;
  if (bytes[at++] !== COMMA || !isNumber(bytes, at)) return NONE;
  for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) id = id * 10 + digit;
  if (bytes[at++] !== COMMA || !isNumber(bytes, at)) return NONE;
  for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) tick = tick * 10 + digit;
  if (bytes[at++] !== COMMA) return NONE;

  const letter = bytes[at];
  const event = letter === LETTER.i ? INTERNAL : letter === LETTER.s ? SEND : RECEIVE;
  const word = WORDS[event]!;
  for (let n = 0; n < word.length; n++) if (bytes[at++] !== word[n]) return NONE;
  if (bytes[at++] !== COMMA) return NONE;

  let next = place;
  if (event !== INTERNAL) {
    for (let isMore = true; isMore; isMore = bytes[at] === SPACE && ++at > 0) {
      if (next >= peers.length || !isNumber(bytes, at)) return NONE;
      let value = 0;
      for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) value = value * 10 + digit;
      if (value > COUNT_MAX) return NONE;
      peers[next++] = value;
    }
    if (bytes[at++] !== COMMA || !isNumber(bytes, at)) return NONE;
    for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) message = message * 10 + digit;
  } else if (bytes[at++] !== COMMA) return NONE;

  if (bytes[at++] !== COMMA || !isNumber(bytes, at)) return NONE;
  for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) queue = queue * 10 + digit;
  if (bytes[at++] !== COMMA || !isNumber(bytes, at)) return NONE;
  for (; (digit = bytes[at]! ^ ZERO) <= 9; at++) clock = clock * 10 + digit;
  if (bytes[at++] !== NEWLINE || queue > COUNT_MAX
    || Math.max(time_us, tick, message, clock) > Number.MAX_SAFE_INTEGER) return NONE;

  row.time_us = time_us;
  row.id = id;
  row.tick = tick;
  row.event = event;
  row.peers = next - place;
  row.message = message;
  row.queue = queue;
  row.clock = clock;
  return at;
}

/** Reads a row in `scan`'s way. @returns where the next begins; NONE: `readRow` is to look at it */
function readPlain(log: Log, bytes: Uint8Array, from: number, row: Scanned): number {
  const r = log.rows;
  const place = log.first[r]!;
  const next = scan(bytes, from, log.peer, place, row);
  if (next === NONE || row.id !== log.id || row.tick > COUNT_MAX
    || (row.event === RECEIVE && row.peers > 1)) return NONE;
  for (let n = place; n < place + row.peers; n++) log.value[n] = row.message;
  log.time_us[r] = row.time_us;
  log.tick[r] = row.tick;
  log.event[r] = row.event;
  log.queue[r] = row.queue;
  log.clock[r] = row.clock;
  log.first[r + 1] = place + row.peers;
  log.rows = r + 1;
  return next;
}

/** Reads any row; false if it is none. A foreign one may leave fields empty. */
function readRow(log: Log, cursor: Cursor, foreign: boolean): boolean {
  const r = log.rows;
  const place = log.first[r]!;
  const time_us = cursor.whole();
  if (!(time_us >= 0) || !cursor.is(COMMA)) return false;
  if (cursor.whole() !== log.id || !cursor.is(COMMA)) return false;
  const tick = cursor.whole();
  if (!(tick <= COUNT_MAX) || !cursor.is(COMMA)) return false;
  const event = cursor.event();
  if (event === NONE || !cursor.is(COMMA)) return false;
  const peers = cursor.list(log.peer, place, COUNT_MAX);
  if (!(peers >= 0) || !cursor.is(COMMA)) return false;
  const values = cursor.list(log.value, place, Number.MAX_SAFE_INTEGER);
  if (!(values >= 0) || !cursor.is(COMMA)) return false;
  const queue = cursor.whole();
  if (!(queue <= COUNT_MAX) || !cursor.is(COMMA)) return false;
  const clock = cursor.whole();
  if (!(clock >= 0) || !cursor.is(NEWLINE)) return false;

  let entries = peers;
  if (event === SEND) {
    if (values === 1) log.value.fill(log.value[place]!, place + 1, place + peers);
    else if (!foreign || values > 1) return false;
    if (peers === 0 && !foreign) return false;
  } else if (event === RECEIVE) {
    if (peers !== values && !(foreign && (peers === 0 || values === 0))) return false;
    if (peers === 0 && !foreign) return false;
  } else if (peers > 0 || values > 0) return false;
  const ticks = event === INTERNAL || event === SEND || event === RECEIVE;
  if (ticks ? tick === NONE && !foreign : tick !== NONE) return false;
  if (queue === NONE && !foreign) return false;
  if (foreign && (event === SEND || event === RECEIVE)) {
    entries = Math.max(peers, values);
    if (peers < entries) log.peer.fill(NONE, place + peers, place + entries);
    if (values < entries && event === RECEIVE) {
      log.value.fill(NONE, place + values, place + entries);
    } else if (values === 0) log.value.fill(NONE, place, place + entries);
  }
  log.time_us[r] = time_us;
  log.tick[r] = tick;
  log.event[r] = event;
  log.queue[r] = queue;
  log.clock[r] = clock;
  log.first[r + 1] = place + entries;
  log.rows = r + 1;
  return true;
}

/** Says in words what is wrong with a line that is no row. */
function complaint(line: string, id: number): string {
  const fields = line.split(',');
  if (fields.length !== 8) return `${fields.length} fields where there must be 8`;
  const isWhole = (text: string, most = Number.MAX_SAFE_INTEGER) =>
    /^(0|[1-9]\d{0,15})$/.test(text) && Number(text) <= most;
  const list = (text: string) => (text === '' ? [] : text.split(' '));
  const [time, machine, tick, event, peer, message, queue, clock] = fields as [string, string,
    string, string, string, string, string, string];
  const [peers, values] = [list(peer), list(message)];
  const carries = event === 'send' || event === 'receive';
  const ticks = carries || event === 'internal';
  const why: [field: number, wrong: boolean, what: string][] = [
    [0, !isWhole(time), 'is not a whole number'],
    [1, machine !== String(id), `is not ${id}`],
    [3, !EVENTS.includes(event), `is not one of ${EVENTS.join(', ')}`],
    [2, ticks ? !isWhole(tick, COUNT_MAX) : tick !== '', `does not fit ${event}`],
    [5, carries ? values.length === 0 || !values.every((text) => isWhole(text))
      || (event === 'send' && values.length > 1) : values.length > 0, `does not fit ${event}`],
    [4, carries ? peers.length === 0 || !peers.every((text) => isWhole(text, COUNT_MAX))
      || (event === 'receive' && peers.length !== values.length) : peers.length > 0,
    `does not fit ${event}`],
    [6, !isWhole(queue, COUNT_MAX), 'is not a whole number'],
    [7, !isWhole(clock), 'is not a whole number'],
  ];
  const [field, , what] = why.find(([, wrong]) => wrong) ?? [0, true, 'cannot be read'];
  return `${NAMES[field]} ${JSON.stringify(fields[field]!.slice(0, 40))} ${what}`;
}

/** How often a byte stands somewhere; where it is rare, far quicker than to look at each. */
function countOf(bytes: Uint8Array, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) count++;
  return count;
}

/**
 * Reads a log. Lines that are none are left out and named in `malformed`; a last line without an
 * end is cut.
 * @param file its name, machine-<id>.csv, says whose it must be
 * @param foreign whether fields may be empty, as in a log that was imported
 * @throws Unreadable if its first line is not that of a log
 */
export function parseLog(bytes: Uint8Array, file: string, foreign = false): Log {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const head = decoder.decode(bytes.subarray(0, FIELDS.length + 1));
  if (!(end === 0 ? FIELDS.startsWith(head) : head === `${FIELDS}\n`)) {
    throw new Unreadable(`${file}:1: it is no log: the first line is not ${FIELDS}`);
  }
  const whole = bytes.subarray(0, end);
  const [lines, spaces] = [Math.max(0, countOf(whole, NEWLINE) - 1), countOf(whole, SPACE)];
  const log: Log = {
    file, id: Number(/(\d+)\.csv$/.exec(file)?.[1]), rows: 0, time_us: new Float64Array(lines),
    tick: new Int32Array(lines), event: new Uint8Array(lines), queue: new Int32Array(lines),
    clock: new Float64Array(lines), peer: new Int32Array(lines + spaces),
    value: new Float64Array(lines + spaces), first: new Int32Array(lines + 1),
    torn: end < bytes.length, missing: bytes.length === 0, malformed: new Findings(),
  };
  const [cursor, row] = [new Cursor(bytes), scanned()];
  for (let from = FIELDS.length + 1, line = 2; from < end; line++, from = cursor.at) {
    cursor.at = readPlain(log, bytes, from, row);
    if (cursor.at !== NONE) continue;
    cursor.at = from;
    if (readRow(log, cursor, foreign)) continue;
    cursor.at = bytes.indexOf(NEWLINE, from) + 1;
    const text = decoder.decode(bytes.subarray(from, Math.min(cursor.at - 1, from + 1000)));
    log.malformed.add('schema', file, line, () => complaint(text, log.id));
  }
  return log;
}

/** The largest value of a row's messages, NONE if it has none. */
export function largest(log: Log, r: number): number {
  let most = NONE;
  for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
    if (log.value[n]! > most) most = log.value[n]!;
  }
  return most;
}
