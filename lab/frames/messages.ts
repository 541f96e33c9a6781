/** The messages of a run: who sent what to whom, when it was taken, and how long it waited. */
import pl, { type DataFrame } from 'nodejs-polars';
import { frameOf } from './columns.ts';
import { type Run, secondsOf } from './load.ts';
import { eachInTime, type Log, NONE, RECEIVE, SEND, valueAt } from './log.ts';

/**
 * For each machine, beside its log's `peer`: of a send the row of the receive in that peer's log,
 * of a receive the row of the send; NONE where there is none.
 */
export type Partners = Int32Array[];

const kept = new WeakMap<Run, Partners>();

/** Which receive takes which message. (sender, value) names a message. */
export function partnersOf(run: Run): Partners {
  let partners = kept.get(run);
  if (!partners) kept.set(run, partners = match(run.logs));
  return partners;
}

function match(logs: Log[]): Partners {
  const partners = logs.map(({ peer, firstPeer, rows }) =>
    new Int32Array(Math.min(peer.length, firstPeer[rows]!)).fill(NONE));
  const sends = logs.map(sendsOf);
  /** Where in the sends of each machine the receiver has come to. */
  const cursors = new Int32Array(logs.length);
  for (const log of logs) {
    cursors.fill(0);
    const own = partners[log.machine]!;
    for (let r = 0; r < log.rows; r++) {
      if (log.event[r] !== RECEIVE) continue;
      for (let place = log.firstPeer[r]!; place < log.firstPeer[r + 1]!; place++) {
        const from = log.peer[place]!;
        const value = valueAt(log, r, place);
        if (!(from < logs.length && value >= 0)) continue;
        const sent = find(sends[from]!, value, cursors, from);
        if (sent === NONE) continue;
        own[place] = sent;
        const { peer, firstPeer } = logs[from]!;
        let to = firstPeer[sent]!;
        while (to < firstPeer[sent + 1]! && peer[to] !== log.machine) to++;
        if (to < firstPeer[sent + 1]!) partners[from]![to] = r;
      }
    }
  }
  return partners;
}

/** The sends of a machine: their rows, and the values that they carry. */
interface Sends {
  rows: Int32Array;
  values: Float64Array;
  /** Rows by value, where values do not rise, as in the logs of others. */
  byValue: Map<number, number> | null;
}

function sendsOf(log: Log): Sends {
  let count = 0;
  for (let r = 0; r < log.rows; r++) if (log.event[r] === SEND) count++;
  const [rows, values] = [new Int32Array(count), new Float64Array(count)];
  let isRising = true;
  for (let r = 0, n = 0; r < log.rows; r++) {
    if (log.event[r] !== SEND) continue;
    rows[n] = r;
    values[n] = log.message[r]!;
    if (n > 0 && values[n]! <= values[n - 1]!) isRising = false;
    n++;
  }
  return { rows, values, byValue: isRising ? null
    : new Map(Array.from(rows, (r, n) => [values[n]!, r])) };
}

/**
 * The row in which a machine sent a value, or NONE. As values rise, a search begins where that of
 * the same receiver ended.
 */
function find(
  { rows, values, byValue }: Sends, value: number, cursors: Int32Array, from: number,
): number {
  if (byValue) return byValue.get(value) ?? NONE;
  const cursor = cursors[from]!;
  let low = values[cursor]! <= value ? cursor : 0;
  let step = 1;
  while (low + step < values.length && values[low + step]! <= value) {
    low += step;
    step *= 2;
  }
  for (let high = Math.min(values.length, low + step); high - low > 1;) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= value) low = middle;
    else high = middle;
  }
  cursors[from] = low;
  return values[low] === value ? rows[low]! : NONE;
}

/** Visits each message and receiver in the order of sending; `taken`: a row of `to`'s, or NONE. */
export function eachMessage(
  run: Run, visit: (from: Log, sent: number, to: number, taken: number) => void,
): void {
  const partners = partnersOf(run);
  eachInTime(run.logs, (log, r) => {
    if (log.event[r] !== SEND) return;
    for (let place = log.firstPeer[r]!; place < log.firstPeer[r + 1]!; place++) {
      visit(log, r, log.peer[place]!, partners[log.machine]![place]!);
    }
  });
}

/**
 * One row for each message and receiver, in the order of sending: `from`, `to`, `message` (its
 * value), `sent_s`, `received_s` and `wait_s` between them, all in model seconds, null if it was
 * not taken from the queue, and `send_tick`, `receive_tick`. (from, message) names a message.
 */
export function messages(run: Run): DataFrame {
  const seconds = secondsOf(run);
  const rows = { from: [] as number[], to: [] as number[], message: [] as number[],
    sent_s: [] as number[], received_s: [] as (number | null)[], wait_s: [] as (number | null)[],
    send_tick: [] as number[], receive_tick: [] as (number | null)[] };
  eachMessage(run, (log, r, to, taken) => {
    const receiver = run.logs[to];
    const sent_s = seconds(log.time_us[r]!);
    const received_s = taken === NONE ? null : seconds(receiver!.time_us[taken]!);
    rows.from.push(log.machine);
    rows.to.push(to);
    rows.message.push(log.message[r]!);
    rows.sent_s.push(sent_s);
    rows.received_s.push(received_s);
    rows.wait_s.push(received_s === null ? null : received_s - sent_s);
    rows.send_tick.push(log.tick[r]!);
    rows.receive_tick.push(taken === NONE ? null : receiver!.tick[taken]!);
  });
  const { from, to, message, sent_s, received_s, wait_s, send_tick, receive_tick } = rows;
  return frameOf({ from: [from, pl.Int32], to: [to, pl.Int32], message: [message, pl.Int64],
    sent_s: [sent_s, pl.Float64], received_s: [received_s, pl.Float64],
    wait_s: [wait_s, pl.Float64], send_tick: [send_tick, pl.Int64],
    receive_tick: [receive_tick, pl.Int64] });
}

/**
 * How long messages waited from send to receive, one row a receiver: `machine`, `taken`,
 * `not_taken` (still in its queue, under way or lost; null where clocks alone name messages), and
 * of those that were taken `mean_wait_s`, `median_wait_s`, `max_wait_s`.
 */
export function waits(run: Run): DataFrame {
  const reconstructed = isReconstructed(run);
  const rows = waitsOf(run).flatMap(({ sorted, not_taken }, machine) => {
    const taken = sorted.length;
    if (taken + not_taken === 0) return [];
    const [low, high] = [sorted[(taken - 1) >> 1], sorted[taken >> 1]];
    return [{ machine, taken, not_taken: reconstructed ? null : not_taken,
      mean_wait_s: taken === 0 ? null : sorted.reduce((sum, s) => sum + s, 0) / taken,
      median_wait_s: taken === 0 ? null : (low! + high!) / 2, max_wait_s: sorted.at(-1) ?? null }];
  });
  const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
  return frameOf({ machine: [column('machine'), pl.Int32], taken: [column('taken'), pl.Int64],
    not_taken: [column('not_taken'), pl.Int64], mean_wait_s: [column('mean_wait_s'), pl.Float64],
    median_wait_s: [column('median_wait_s'), pl.Float64],
    max_wait_s: [column('max_wait_s'), pl.Float64] });
}

/** Of each receiver how long its messages waited, seconds, and how many it did not take. */
function waitsOf(run: Run): { sorted: Float64Array; not_taken: number }[] {
  const { logs } = run;
  const partners = partnersOf(run);
  const seconds = secondsOf(run);
  const [taken, not_taken] = [new Int32Array(logs.length), new Int32Array(logs.length)];
  const each = (visit: (log: Log, r: number, to: number, row: number) => void) => {
    for (const log of logs) {
      for (let r = 0; r < log.rows; r++) {
        if (log.event[r] !== SEND) continue;
        for (let place = log.firstPeer[r]!; place < log.firstPeer[r + 1]!; place++) {
          const to = log.peer[place]!;
          if (to < logs.length) visit(log, r, to, partners[log.machine]![place]!);
        }
      }
    }
  };
  each((_log, _r, to, row) => (row === NONE ? not_taken : taken)[to]!++);
  const waits = logs.map((_, id) => new Float64Array(taken[id]!));
  taken.fill(0);
  each((log, r, to, row) => {
    if (row === NONE) return;
    waits[to]![taken[to]!++] = seconds(logs[to]!.time_us[row]!) - seconds(log.time_us[r]!);
  });
  return waits.map((of_s, id) => ({ sorted: of_s.sort(), not_taken: not_taken[id]! }));
}

/** Whether the messages of an imported run are known from clocks and not from rows. */
export function isReconstructed({ run }: Run): boolean {
  const { messages } = (run.foreign ?? {}) as { messages?: { reconstructed?: number } };
  return run.kind === 'foreign' && (messages?.reconstructed ?? 0) > 0;
}
