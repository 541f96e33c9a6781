/** What a run's folder holds, read from bytes and kept in columns. It runs in a browser too. */
import type { Run } from './record.ts';

/** So many violations of a rule are kept, and printed in all; the others are counted. */
export const KEPT = 20;

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

  /** @param text a function if it takes time to make */
  add(rule: Rule, file: string, line: number | null, text: string | (() => string)): void {
    const count = (this.counts[rule] = (this.counts[rule] ?? 0) + 1);
    if (count > KEPT) return;
    this.kept.push({ file, line, rule, text: typeof text === 'string' ? text : text() });
  }
}

/** The words of a log, in the order of their numbers in `event`. */
export const EVENTS = ['start', 'internal', 'send', 'receive', 'stop'];
export const [START, INTERNAL, SEND, RECEIVE, STOP] = [0, 1, 2, 3, 4] as const;
const FIELDS = 'time_us,machine,tick,event,peer,message,queue,clock';
const NAMES = FIELDS.split(',');
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const WORDS = EVENTS.map((word) => encoder.encode(word));
export const NONE = -1;
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
  const text = (n: number) => decoder.decode(bytes.subarray(at[n]!, at[n + 1]! - 1));
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
  if (end === 0 && !FIELDS.startsWith(decoder.decode(bytes.subarray(0, 99)))) {
    log.malformed.add('schema', file, 1, `it is not ${FIELDS}`);
  }
  for (let from = 0, line = 1; from < end; line++) {
    let to = from;
    let fields = 1;
    at[0] = from;
    for (; bytes[to] !== NEWLINE; to++) if (bytes[to] === COMMA) at[fields++] = to + 1;
    at[8] = to + 1;
    const wrong = line === 1
      ? (decoder.decode(bytes.subarray(from, to)) === FIELDS ? null : `it is not ${FIELDS}`)
      : fields === 8 ? readRow(log, bytes, at) : `${fields} fields where there must be 8`;
    if (wrong !== null) log.malformed.add('schema', file, line, wrong);
    from = to + 1;
  }
  return log;
}
