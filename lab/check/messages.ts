/** Who sent what to whom, and which row took it: the rules of a message by itself. */
import { blame, countBelow, has, ms, type Context } from './context.ts';
import { cutsOf, windowsOf } from './faults.ts';
import { RECEIVE, RESTART, SEND, type Log } from './read.ts';

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
  /** The row of the receiver that took it, and one; 0 if none did. */
  taken: Int32Array;
}

export function gather(logs: readonly Log[]): Messages {
  const each = (visit: (to: number, log: Log, r: number, n: number) => void) => {
    for (const log of logs) {
      for (let r = 0; r < log.rows; r++) {
        if (!has(log, r, SEND)) continue;
        for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
          if (log.peer[n]! < logs.length) visit(log.peer[n]!, log, r, n);
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
    value: new Float64Array(count), taken: new Int32Array(count),
  };
  const next = first.slice();
  each((to, log, r, n) => {
    const m = next[to]!++;
    messages.from[m] = log.id;
    messages.row[m] = r;
    messages.value[m] = log.value[n]!;
  });
  return messages;
}

/** What one machine sent to another: the messages from `begin` up to before `end`. */
export interface Channel {
  from: number;
  begin: number;
  end: number;
}

/** What was sent to a machine, and what it took of it. */
export interface Inbox {
  log: Log;
  messages: Messages;
  begin: number;
  end: number;
  /** Those that hold a message, by their senders. */
  channels: Channel[];
  /** For each entry of the log's peers the message that was taken there, or -1. */
  took: Int32Array;
}

/**
 * @param place one number a machine, shared by all inboxes: in run order of ids, the channel of a
 *   sender is `channels[place[sender]]` if that is its own
 */
export function inboxOf(context: Context, messages: Messages, log: Log, place: Int32Array): Inbox {
  const [begin, end] = [messages.first[log.id]!, messages.first[log.id + 1]!];
  const channels: Channel[] = [];
  for (let m = begin; m < end;) {
    const from = messages.from[m]!;
    const channel = { from, begin: m, end: m };
    while (m < end && messages.from[m] === from) m++;
    channel.end = m;
    place[from] = channels.push(channel) - 1;
  }
  const inbox = { log, messages, begin, end, channels, took: new Int32Array(log.first[log.rows]!) };
  match(context, inbox, place);
  return inbox;
}

export const sent_us = ({ logs }: Context, { from, row }: Messages, m: number): number =>
  logs[from[m]!]!.time_us[row[m]!]!;

/**
 * When its sender surely had let go of a message: the time of its next row, if it lived on; where
 * threads do the sending, of the next one that is not before they had their time.
 */
export function left_us({ logs, timing }: Context, { from, row }: Messages, m: number): number {
  const log = logs[from[m]!]!;
  const threads_us = log.time_us[row[m]!]! + timing[log.id]!.threads_us;
  let next = row[m]! + 1;
  while (next < log.rows && log.time_us[next]! < threads_us && !has(log, next, RESTART)) next++;
  return next >= log.rows || has(log, next, RESTART) ? Infinity : log.time_us[next]!;
}

export const named = ({ logs }: Context, { value, from, row }: Messages, m: number): string =>
  `message ${value[m]} of machine ${from[m]} (${logs[from[m]!]!.file}:${row[m]! + 2})`;

/** A message that is received was sent to this machine, and not later; it is received once. */
function match(
  context: Context, { log, messages, channels, took }: Inbox, place: Int32Array,
): void {
  const { value, taken } = messages;
  const { error_us, look_us } = context.timing[log.id]!;
  const next = Int32Array.from(channels, ({ begin }) => begin);
  const lastRow = new Int32Array(channels.length).fill(-1);
  took.fill(-1);
  for (let r = 0; r < log.rows; r++) {
    if (!has(log, r, RECEIVE)) continue;
    for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
      const [peer, message] = [log.peer[n]!, log.value[n]!];
      const c = place[peer] ?? -1;
      const channel = c >= 0 && channels[c]?.from === peer ? channels[c]! : null;
      let m = channel === null ? -1 : next[c]!;
      if (channel !== null && (m >= channel.end || value[m] !== message)) {
        m = countBelow(value, message, channel.begin, channel.end);
      }
      if (channel === null || m >= channel.end || value[m] !== message) {
        blame(context, log, r, 'matched',
          `machine ${peer} sent no ${message} to machine ${log.id}`);
      } else if (taken[m]! > 0) {
        blame(context, log, r, 'once',
          `${named(context, messages, m)} was received before, in line ${taken[m]! + 1}`);
      } else {
        const early_us = sent_us(context, messages, m) - log.time_us[r]!;
        if (early_us > error_us + look_us) {
          blame(context, log, r, 'matched', `${named(context, messages, m)} was sent `
            + `${ms(early_us)} later`);
        }
        if (lastRow[c] === r && m < next[c]! && !context.run.reorder) {
          blame(context, log, r, 'fifo',
            `${named(context, messages, m)} stands behind one that was sent after it`);
        }
        lastRow[c] = r;
        taken[m] = r + 1;
        took[n] = m;
        next[c] = m + 1;
      }
    }
  }
}

/** What is received was not sent into a cut, nor to a machine that was gone. */
export function nothingFromBeyond(context: Context, { log, messages, channels }: Inbox): void {
  if (context.run.faults.length === 0) return;
  const { error_us } = context.timing[log.id]!;
  const restarts: number[] = [];
  for (let r = 0; r < log.rows; r++) if (has(log, r, RESTART)) restarts.push(r);
  const crashes = windowsOf(context, log.id).filter(({ fault }) => fault.do === 'crash');
  for (const { from, begin, end } of channels) {
    const cuts = cutsOf(context, from, log.id);
    if (cuts.length + restarts.length === 0) continue;
    for (let m = begin; m < end; m++) {
      const r = messages.taken[m]! - 1;
      if (r < 0) continue;
      const [at_us, let_us] = [sent_us(context, messages, m), left_us(context, messages, m)];
      const cut = cuts.find((window) => at_us > window.from[1] + error_us
        && Math.min(let_us, log.time_us[r]!) < window.to[0] - error_us);
      if (cut) {
        blame(context, log, r, 'cut', `${named(context, messages, m)} was sent into the cut of `
          + `link ${cut.fault.link!.join('-')} at ${cut.fault.at_s} s`);
      }
      const back = restarts.filter((row) => row < r).at(-1);
      if (back === undefined) continue;
      const down = crashes.filter(({ to }) => to[0] <= log.time_us[back]! + error_us).at(-1);
      if (down && let_us < down.to[0] - error_us) {
        blame(context, log, r, 'crash', `${named(context, messages, m)} was sent before the `
          + `restart in line ${back + 2}, and what waited then was lost`);
      }
    }
  }
}

/**
 * Messages of one sender are received in the order in which they were sent, and all of them but
 * those that something excuses.
 * @param excused by message of the inbox, from its first one: 0 if it must have come
 */
export function firstInFirstOut(context: Context, inbox: Inbox, excused: Uint8Array): void {
  const { log, messages, channels, begin } = inbox;
  for (const channel of channels) {
    let newest = -1;
    for (let m = channel.begin; m < channel.end; m++) {
      const r = messages.taken[m]! - 1;
      if (r >= 0 && r < newest) {
        blame(context, log, r, 'fifo', `${named(context, messages, m)} comes too late: one that `
          + `was sent after it was received in line ${newest + 2}`);
      }
      newest = Math.max(newest, r);
    }
    // From the end: who is received passes over all before it that are not, or are so later.
    let first = log.rows;
    for (let m = channel.end - 1; m >= channel.begin; m--) {
      const r = messages.taken[m]! - 1;
      const passed = first < log.rows && (r < 0 ? excused[m - begin] === 0 : r > first);
      if (passed && !goneBefore(context, inbox, m, first)) {
        blame(context, log, first, 'fifo', `it overtakes ${named(context, messages, m)}`);
      }
      if (r >= 0 && r < first) first = r;
    }
  }
}

/** Whether a message was lost with its receiver, which came back before row r. */
export function goneBefore(
  context: Context, { log, messages }: Inbox, m: number, r: number,
): boolean {
  if (context.run.faults.length === 0) return false;
  const { error_us } = context.timing[log.id]!;
  const at_us = sent_us(context, messages, m);
  for (let row = r - 1; row > 0; row--) {
    if (has(log, row, RESTART)) return at_us <= log.time_us[row]! + error_us;
  }
  return false;
}
