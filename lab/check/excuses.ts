/**
 * Which of the messages that nobody took may be missing, in real time: because a machine died, a
 * link was cut, the queue was full, or the message was no news.
 */
import { countBelow, has, last_us, type Context } from './context.ts';
import { cutsOf, livesOf, type Life, type Window } from './faults.ts';
import { left_us, sent_us, type Channel, type Inbox } from './messages.ts';
import { RECEIVE, STOP, type Log } from './read.ts';

/** What the excuses of one inbox need of its machine. */
interface Receiver {
  context: Context;
  inbox: Inbox;
  error_us: number;
  heard_us: number;
  /** Rows before which the queue was full. */
  full: Float64Array;
}

/** What is known of a message that nobody took: it waits or is under way; it may be lost; it is. */
export const [OWED, EXCUSED, LOST] = [0, 1, 2] as const;

/** For each message of an inbox what is known of it; of those that were taken OWED. */
export function excusesOf(context: Context, inbox: Inbox): Uint8Array {
  const { begin, end, channels, log } = inbox;
  const excused = new Uint8Array(end - begin);
  const { faults, news, queue_max } = context.run;
  const someDied = context.logs.some(({ rows, event }) => rows > 0 && event[rows - 1] !== STOP);
  if (faults.length === 0 && !someDied && !news && queue_max === Infinity) return excused;
  const { error_us, heard_us } = context.timing[log.id]!;
  const receiver = { context, inbox, error_us, heard_us,
    full: queue_max < Infinity ? fullRows(log, queue_max) : new Float64Array() };
  for (const channel of channels) {
    byDeath(receiver, channel, excused);
    for (const cut of cutsOf(context, channel.from, log.id)) {
      byCut(receiver, channel, cut, excused);
    }
    if (news) byAge(receiver, channel, excused);
    if (queue_max < Infinity) byRoom(receiver, channel, excused);
  }
  return excused;
}

/** When a message had surely been heard by whoever looks then; Infinity if never. */
function sure_us({ context, inbox, error_us, heard_us }: Receiver, m: number): number {
  const { from } = inbox.messages;
  const sender_us = context.timing[from[m]!]!.heard_us;
  return left_us(context, inbox.messages, m) + error_us + Math.max(heard_us, sender_us);
}

/** The time of the receiver's last row before a moment. */
function lastRowBefore(log: Log, at_us: number): number {
  const row = countBelow(log.time_us, at_us, 0, log.rows) - 1;
  return row < 0 ? -Infinity : log.time_us[row]!;
}

/** What a machine sent just before it died may never have left it: a suffix of its life. */
function byDeath(receiver: Receiver, { from, begin, end }: Channel, excused: Uint8Array): void {
  const { context, inbox } = receiver;
  const { messages, log } = inbox;
  const lives = livesOf(context, context.logs[from]!);
  if (lives.every(({ death_us }) => death_us === Infinity)) return;
  let life: Life | undefined;
  let heard = -Infinity;
  let suffix = true;
  for (let m = end - 1; m >= begin; m--) {
    const row = messages.row[m]!;
    const own = lives.find((each) => row >= each.first && row < each.end);
    if (own !== life) {
      [life, suffix] = [own, true];
      heard = own && own.death_us < Infinity ? lastRowBefore(log, own.death_us) : Infinity;
    }
    if (messages.taken[m]! > 0) suffix = false;
    else if (suffix && sure_us(receiver, m) > heard) excused[m - inbox.begin] ||= EXCUSED;
  }
}

/** What was under way when a link was cut is lost as a suffix; what was sent into it, all of it. */
function byCut(
  receiver: Receiver, { begin, end }: Channel, cut: Window, excused: Uint8Array,
): void {
  const { context, inbox, error_us } = receiver;
  const heard = lastRowBefore(inbox.log, cut.from[0]);
  let suffix = true;
  for (let m = end - 1; m >= begin; m--) {
    const at_us = sent_us(context, inbox.messages, m);
    if (at_us > cut.to[1] + error_us) continue;
    const before = at_us < cut.from[0] - error_us;
    const inside = at_us > cut.from[1] + error_us
      && left_us(context, inbox.messages, m) < cut.to[0] - error_us;
    if (inbox.messages.taken[m]! > 0) suffix &&= !before;
    else if (inside) excused[m - inbox.begin] = LOST;
    else if (!before || (suffix && sure_us(receiver, m) > heard)) {
      excused[m - inbox.begin] ||= EXCUSED;
    }
  }
}

/** With `news`, a message that was not above the clock when it came has no row. */
function byAge(receiver: Receiver, { begin, end }: Channel, excused: Uint8Array): void {
  const { inbox: { log, messages, begin: first } } = receiver;
  for (let m = begin; m < end; m++) {
    if (messages.taken[m]! > 0) continue;
    const row = countBelow(log.time_us, sure_us(receiver, m), 0, log.rows);
    const clock = row > 0 ? log.clock[row - 1]! : 0;
    if (messages.value[m]! <= clock) excused[m - first] ||= EXCUSED;
  }
}

/** The rows before whose event as many messages waited as may. */
function fullRows(log: Log, queue_max: number): Float64Array {
  const rows: number[] = [];
  for (let r = 1; r < log.rows; r++) {
    const taken = has(log, r, RECEIVE) ? log.first[r + 1]! - log.first[r]! : 0;
    if (log.queue[r]! + taken >= queue_max) rows.push(r);
  }
  return Float64Array.from(rows);
}

/** A message is dropped only where the queue was full, as it came or (`oldest`) as it waited. */
function byRoom(receiver: Receiver, { begin, end }: Channel, excused: Uint8Array): void {
  const { context, inbox, full } = receiver;
  const { log, messages } = inbox;
  const { error_us, look_us } = context.timing[log.id]!;
  let passed = log.rows;
  for (let m = end - 1; m >= begin; m--) {
    const taken = messages.taken[m]!;
    if (taken > 0) {
      passed = Math.min(passed, taken - 1);
      continue;
    }
    const earliest = countBelow(log.time_us,
      sent_us(context, messages, m) - error_us - look_us, 0, log.rows);
    const latest = context.run.drop === 'newest'
      ? countBelow(log.time_us, sure_us(receiver, m), 0, log.rows) : passed;
    const row = full[countBelow(full, earliest)];
    const lost = (row !== undefined && row <= latest) || earliest > log.rows - 1
      || last_us(log) < sure_us(receiver, m);
    if (lost) excused[m - inbox.begin] ||= EXCUSED;
  }
}
