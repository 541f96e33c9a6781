/**
 * A machine's log, read from its bytes into columns: a plain loop over bytes, since ten million
 * rows are to be summed up in seconds.
 */
import { scan, type Scanned, scanned } from '../check/read.ts';
import { HEADER } from '../model/run.ts';

/** The words of a log, in the order of their numbers in `event`. */
export const EVENTS = ['start', 'internal', 'send', 'receive', 'stop', 'restart'] as const;
export const [START, INTERNAL, SEND, RECEIVE, STOP, RESTART] = [0, 1, 2, 3, 4, 5] as const;
/** A number that a row does not have. */
export const NONE = -1;

/** The rows of one machine in program order. What a row has not is NONE. */
export interface Log {
  machine: number;
  rows: number;
  time_us: Float64Array;
  tick: Float64Array;
  event: Uint8Array;
  /** The value that was sent or taken; of several that were taken the largest. */
  message: Float64Array;
  queue: Int32Array;
  clock: Float64Array;
  /** The peers of row r are peer[firstPeer[r]] up to before peer[firstPeer[r + 1]]. */
  peer: Int32Array;
  firstPeer: Int32Array;
  /** Beside `peer` the value of each message, where a tick took several; null where none did. */
  values: Float64Array | null;
}

/** Lines of a file that are no rows: how many, and the first of them, which is line `line`. */
export interface Bad { count: number; line: number; text: string }

const [NEWLINE, SPACE, COMMA, ZERO, FIELDS] = [10, 32, 44, 48, 8];
/** Rows of a file may be shorter further on than at its beginning. */
const ROOM_MORE = 1.05;
const ROWS_MORE = 2 ** 16;
/** A number of more digits is above the safe integers. */
const DIGITS_MOST = 16;
const encoder = new TextEncoder();
const WORDS = EVENTS.map((word) => encoder.encode(word));
const ROOM = [
  'time_us', 'tick', 'event', 'message', 'queue', 'clock', 'peer', 'firstPeer',
] as const;

const emptyLog = (machine: number, rows: number): Log => ({
  machine, rows: 0, time_us: new Float64Array(rows), tick: new Float64Array(rows),
  event: new Uint8Array(rows), message: new Float64Array(rows), queue: new Int32Array(rows),
  clock: new Float64Array(rows), peer: new Int32Array(rows), firstPeer: new Int32Array(rows + 1),
  values: null,
});

/** A log from elsewhere as those that are made here: loops over both are then as fast. */
export const asMadeHere = (log: Log): Log => Object.assign(emptyLog(log.machine, 0), log);

/** The same array with more room. */
function grown<T extends Float64Array | Int32Array | Uint8Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}

function grow(log: Log): void {
  const rows = Math.ceil(log.time_us.length * 1.5) + ROWS_MORE;
  for (const name of ROOM) log[name] = grown(log[name], rows + 1) as never;
  if (log.values) log.values = grown(log.values, rows + 1).fill(NONE, log.values.length);
}

/** Reads a log piece by piece. */
export interface LogReader {
  readonly log: Log;
  /** Lines that are no rows, which are left out; null if there is none. */
  readonly bad: Bad | null;
  /** Reads the whole lines of what is given, and says how many bytes they are. */
  read(bytes: Uint8Array): number;
}

/**
 * @param length of the file in bytes, so that there is room for its rows from the beginning
 * @param foreign whether rows may lack a peer, a message and a queue, as those of others do
 */
export function logReader(machine: number, length: number, foreign = false): LogReader {
  let log = emptyLog(machine, 0);
  let line = 0;
  let bad: Bad | null = null;
  const row = scanned();
  /** Where the fields of a line begin, and where the one after it would. */
  const at = new Int32Array(FIELDS + 1);
  const read = (bytes: Uint8Array): number => {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (line === 0 && end > 0) {
      const lines = bytes.reduce((sum, byte) => sum + (byte === NEWLINE ? 1 : 0), 0);
      log = emptyLog(machine, Math.ceil((length / end) * lines * ROOM_MORE) + 16);
    }
    for (let from = 0; from < end;) {
      const next = line > 0 ? readPlain(log, bytes, from, row) : NONE;
      if (next !== NONE) {
        line++;
        from = next;
        continue;
      }
      let [to, fields] = [from, 1];
      at[0] = from;
      for (let byte; (byte = bytes[to]!) !== NEWLINE; to++) {
        if (byte === COMMA && fields <= FIELDS) at[fields++] = to + 1;
      }
      at[FIELDS] = to + 1;
      const good = line++ === 0 ? isHeader(bytes, to + 1)
        : fields === FIELDS && readRow(log, bytes, at, foreign);
      if (!good) {
        const text = new TextDecoder().decode(bytes.subarray(from, Math.min(to, from + 80)));
        if (bad) bad.count++;
        else bad = { count: 1, line, text };
      }
      from = to + 1;
    }
    return end;
  };
  return {
    read,
    get log() { return log; },
    get bad() { return bad; },
  };
}

function isHeader(bytes: Uint8Array, length: number): boolean {
  for (let at = 0; at < HEADER.length; at++) {
    if (bytes[at] !== HEADER.charCodeAt(at)) return false;
  }
  return length === HEADER.length;
}

/** Reads a row as nearly all are. @returns where the next begins; NONE: `readRow` is to look */
function readPlain(log: Log, bytes: Uint8Array, from: number, row: Scanned): number {
  const r = log.rows;
  if (r + 1 >= log.time_us.length) return NONE;
  const place = log.firstPeer[r]!;
  const next = scan(bytes, from, log.peer, place, row);
  if (next === NONE || row.id !== log.machine) return NONE;
  log.time_us[r] = row.time_us;
  log.tick[r] = row.tick;
  log.event[r] = row.event;
  log.message[r] = row.event === INTERNAL ? NONE : row.message;
  log.queue[r] = row.queue;
  log.clock[r] = row.clock;
  log.firstPeer[r + 1] = place + row.peers;
  log.rows = r + 1;
  return next;
}

/** Reads any row, whose fields begin at `at`; false if it is none, and then it is not kept. */
function readRow(log: Log, bytes: Uint8Array, at: Int32Array, foreign: boolean): boolean {
  const r = log.rows;
  if (r + 1 >= log.time_us.length) grow(log);
  const event = eventOf(bytes, at[3]!, at[4]! - 1);
  const peers = readPeers(log, bytes, at[4]!, at[5]! - 1);
  const messages = peers < 0 ? NaN : readMessages(log, bytes, at[5]!, at[6]! - 1, peers);
  const time_us = whole(bytes, at[0]!, at[1]! - 1);
  const tick = whole(bytes, at[2]!, at[3]! - 1);
  const queue = whole(bytes, at[6]!, at[7]! - 1);
  const clock = whole(bytes, at[7]!, at[8]! - 1);
  const carries = event === SEND || event === RECEIVE;
  const ticks = carries || event === INTERNAL;
  if (whole(bytes, at[1]!, at[2]! - 1) !== log.machine || event === NONE || !(messages >= 0)
    || !(time_us >= 0) || !(clock >= 0) || (ticks ? !(tick >= 0) : tick !== NONE)
    || (!(queue >= 0) && !(foreign && queue === NONE))
    || (carries ? !foreign && (peers === 0 || messages === 0) : peers + messages > 0)
    || (event === SEND && messages > 1)) return false;
  log.time_us[r] = time_us;
  log.tick[r] = tick;
  log.event[r] = event;
  log.queue[r] = queue;
  log.clock[r] = clock;
  log.firstPeer[r + 1] = log.firstPeer[r]! + peers;
  log.rows++;
  return true;
}

/** A whole number; NONE if there is nothing, NaN if it is none. */
function whole(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return NONE;
  if (to - from > DIGITS_MOST) return NaN;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** The number of a word in EVENTS; NONE if it is none of them. */
function eventOf(bytes: Uint8Array, from: number, to: number): number {
  const third = bytes[from + 2];
  // Of r and s there are several, which differ in their third letter.
  const event = bytes[from] === 105 ? INTERNAL : bytes[from] === 114
    ? (third === 99 ? RECEIVE : RESTART) : third === 110 ? SEND : third === 97 ? START : STOP;
  const word = WORDS[event]!;
  if (word.length !== to - from) return NONE;
  for (let n = 0; n < word.length; n++) if (bytes[from + n] !== word[n]) return NONE;
  return event;
}

/** Where a number that begins here ends: at a space, or at the end of its field. */
function endOf(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end] !== SPACE) end++;
  return end;
}

/** Reads ids with spaces between them; returns how many, −1 if they are none. */
function readPeers(log: Log, bytes: Uint8Array, from: number, to: number): number {
  const place = log.firstPeer[log.rows]!;
  let count = 0;
  for (let begin = from; from < to && begin <= to; count++) {
    if (place + count >= log.peer.length) grow(log);
    const end = endOf(bytes, begin, to);
    const id = whole(bytes, begin, end);
    if (!(id >= 0)) return -1;
    log.peer[place + count] = id;
    begin = end + 1;
  }
  return count;
}

/** Reads messages, of which the largest is kept in `message`; returns how many, −1 if none are. */
function readMessages(
  log: Log, bytes: Uint8Array, from: number, to: number, peers: number,
): number {
  const r = log.rows;
  let count = 0;
  log.message[r] = NONE;
  for (let begin = from; from < to && begin <= to; count++) {
    const end = endOf(bytes, begin, to);
    const value = whole(bytes, begin, end);
    if (!(value >= 0) || (count > 0 && count >= peers)) return -1;
    if (value > log.message[r]!) log.message[r] = value;
    if (end < to || count > 0) {
      log.values ??= new Float64Array(log.peer.length).fill(NONE);
      log.values[log.firstPeer[r]! + count] = value;
    }
    begin = end + 1;
  }
  return count <= 1 || count === peers ? count : -1;
}

/** The value of the message at a place of `peer`, which belongs to row r. */
export const valueAt = ({ values, message }: Log, r: number, place: number): number =>
  (values !== null && values[place]! >= 0 ? values[place]! : message[r]!);

/** How many messages a row has taken. */
export const takenAt = ({ event, firstPeer }: Log, r: number): number =>
  (event[r] === RECEIVE ? Math.max(1, firstPeer[r + 1]! - firstPeer[r]!) : 0);

const kept = new WeakMap<readonly Log[], Uint16Array | Int32Array>();

/**
 * Goes through the rows of all logs in the order of time; at one time by id, and those of a machine
 * in program order.
 */
export function eachInTime(logs: readonly Log[], visit: (log: Log, r: number) => void): void {
  const order = orderInTime(logs);
  const next = new Int32Array(logs.length);
  for (let n = 0; n < order.length; n++) {
    const place = order[n]!;
    visit(logs[place]!, next[place]!++);
  }
}

/**
 * Of each row, in the order in which `eachInTime` goes, the place of its log. The logs are merged
 * once, since half a dozen questions go this way; those that keep sums of every row walk it
 * themselves, since what a function changes outside of itself is slow.
 */
export function orderInTime(logs: readonly Log[]): Uint16Array | Int32Array {
  let order = kept.get(logs);
  if (!order) kept.set(logs, order = merged(logs));
  return order;
}

/** A heap of the logs by their next row, since there may be thousands. */
function merged(logs: readonly Log[]): Uint16Array | Int32Array {
  const rows = logs.reduce((sum, log) => sum + log.rows, 0);
  const order = logs.length <= 2 ** 16 ? new Uint16Array(rows) : new Int32Array(rows);
  const next = new Int32Array(logs.length);
  const next_us = Float64Array.from(logs, ({ time_us }) => time_us[0] ?? 0);
  const heap = Int32Array.from([...logs.keys()].filter((place) => logs[place]!.rows > 0));
  let size = heap.length;
  const isBefore = (a: number, b: number) =>
    next_us[a]! < next_us[b]! || (next_us[a] === next_us[b] && a < b);
  const sink = (from: number) => {
    const place = heap[from]!;
    let at = from;
    for (let child; (child = 2 * at + 1) < size; at = child) {
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, place)) break;
      heap[at] = heap[child]!;
    }
    heap[at] = place;
  };
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(at);
  for (let n = 0; n < rows; n++) {
    const place = heap[0]!;
    const { time_us, rows: end } = logs[place]!;
    order[n] = place;
    const r = ++next[place]!;
    if (r < end) next_us[place] = time_us[r]!;
    else heap[0] = heap[--size]!;
    sink(0);
  }
  return order;
}
