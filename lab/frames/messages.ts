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
  const find = logs.map(sendFinder);
  for (const log of logs) {
    for (let r = 0; r < log.rows; r++) {
      if (log.event[r] !== RECEIVE) continue;
      for (let place = log.firstPeer[r]!; place < log.firstPeer[r + 1]!; place++) {
        const sender = logs[log.peer[place]!];
        const value = valueAt(log, r, place);
        const sent = sender && value >= 0 ? find[sender.machine]!(value, log.machine) : NONE;
        if (sent === NONE) continue;
        partners[log.machine]![place] = sent;
        const from = sender!.firstPeer[sent]!;
        const to = sender!.peer.subarray(from, sender!.firstPeer[sent + 1]).indexOf(log.machine);
        if (to >= 0) partners[sender!.machine]![from + to] = r;
      }
    }
  }
  return partners;
}

/**
 * The row in which a machine sent a value. Values rise, so that a search begins where that of the
 * same receiver ended; where they do not, as in the logs of others, all are kept by value.
 */
function sendFinder(log: Log): (value: number, receiver: number) => number {
  const sends: number[] = [];
  let isRising = true;
  for (let r = 0; r < log.rows; r++) {
    if (log.event[r] !== SEND) continue;
    if (sends.length > 0 && log.message[r]! <= log.message[sends.at(-1)!]!) isRising = false;
    sends.push(r);
  }
  if (!isRising) {
    const rows = new Map(sends.map((r) => [log.message[r]!, r]));
    return (value) => rows.get(value) ?? NONE;
  }
  const values = Float64Array.from(sends, (r) => log.message[r]!);
  const cursors = new Map<number, number>();
  return (value, receiver) => {
    const cursor = cursors.get(receiver) ?? 0;
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
    cursors.set(receiver, low);
    return values[low] === value ? sends[low]! : NONE;
  };
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
  const seconds = secondsOf(run);
  const own = run.logs.map(() => ({ waits: [] as number[], not_taken: 0 }));
  eachMessage(run, (log, r, to, taken) => {
    if (!own[to]) return;
    if (taken === NONE) own[to]!.not_taken++;
    else own[to]!.waits.push(seconds(run.logs[to]!.time_us[taken]!) - seconds(log.time_us[r]!));
  });
  const rows = own.flatMap((of_s, machine) => {
    const sorted = Float64Array.from(of_s.waits).sort();
    const taken = sorted.length;
    if (taken + of_s.not_taken === 0) return [];
    const [low, high] = [sorted[(taken - 1) >> 1], sorted[taken >> 1]];
    return [{ machine, taken, not_taken: reconstructed ? null : of_s.not_taken,
      mean_wait_s: taken === 0 ? null : sorted.reduce((sum, s) => sum + s, 0) / taken,
      median_wait_s: taken === 0 ? null : (low! + high!) / 2, max_wait_s: sorted.at(-1) ?? null }];
  });
  const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
  return frameOf({ machine: [column('machine'), pl.Int32], taken: [column('taken'), pl.Int64],
    not_taken: [column('not_taken'), pl.Int64], mean_wait_s: [column('mean_wait_s'), pl.Float64],
    median_wait_s: [column('median_wait_s'), pl.Float64],
    max_wait_s: [column('max_wait_s'), pl.Float64] });
}

/** Whether the messages of an imported run are known from clocks and not from rows. */
export function isReconstructed({ run }: Run): boolean {
  const { messages } = (run.foreign ?? {}) as { messages?: { reconstructed?: number } };
  return run.kind === 'foreign' && (messages?.reconstructed ?? 0) > 0;
}
