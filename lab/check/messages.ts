/** The rules that only the logs of all machines together show: who received what, and when. */
import { died, fault, has, last_us, ms, type Context } from './machines.ts';
import { NONE, RECEIVE, SEND, STOP, type Log } from './read.ts';

/**
 * Every message of a run, once for each receiver. Those to j are `first[j]` up to before
 * `first[j + 1]`, by their sender and then in the order in which they were sent.
 */
export interface Messages {
  first: Int32Array;
  from: Int32Array;
  /** The sender's row. */
  row: Int32Array;
  value: Float64Array;
  time_us: Float64Array;
  /** The line of the log that received it, or 0. */
  taken: Int32Array;
}

export function gather({ logs }: Context): Messages {
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
export function countBelow(sorted: Float64Array, limit: number, from = 0, to = sorted.length): number {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** What was sent to a machine, and what it took of it. */
export interface Inbox {
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

export function inboxOf({ logs, timing, someDied }: Context, messages: Messages, log: Log): Inbox {
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

export const named = ({ logs }: Context, { value, from, row }: Messages, m: number) =>
  `message ${value[m]} of machine ${from[m]} (${logs[from[m]!]!.file}:${row[m]! + 2})`;

/** A message that is received was sent to this machine, and not later; it is received once. */
export function matched(context: Context, { log, messages, channel, took }: Inbox): void {
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
export function firstInFirstOut(context: Context, { log, messages, channel, took }: Inbox): void {
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
export function oldestFirst(context: Context, { log, messages, sure_us, took }: Inbox): void {
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
export function oldestWaiting({ first, taken, time_us }: Messages, { id }: Log, r: number): number {
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
export function arrivals(context: Context, { log, sent_us, sure_us }: Inbox): void {
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
