/**
 * Virtual time leaves nothing open: from the seed and what was sent, the oracle's own small loop
 * knows which message reaches which queue when, which are lost, and what each tick must do. Each
 * machine is judged by what the others logged, so that one wrong row does not spoil those after it.
 */
import { delay_ms, delaysOf, lossesOf, type Draw } from './chance.ts';
import { blame, has, plural, ticks, type Context } from './context.ts';
import { endOf } from './faults.ts';
import type { Rule } from './findings.ts';
import { named, type Channel, type Inbox } from './messages.ts';
import { RECEIVE, RESTART, STOP } from './read.ts';
import { parseLatency, type Fault, type Run } from './record.ts';
import { sorted } from './sorted.ts';

/** What became of a message: where it waits, or why it does not. */
const FATES = ['under way', 'waiting', 'taken', 'lost by chance', 'lost by what_if',
  'lost in a cut', 'lost in a crash', 'no news', 'dropped'] as const;
const [UNDER_WAY, WAITING, TAKEN, BY_CHANCE, BY_WHAT_IF, IN_CUT, IN_CRASH, NO_NEWS, DROPPED] =
  [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

/** Whether one of the faults lasts at an instant. */
const lastsAt = (run: Run, faults: Fault[], now_s: number): boolean =>
  faults.some((fault) => now_s >= fault.at_s && now_s < endOf(run, fault));
/** Whether one of the faults begins while a message is under way. */
const begunBetween = (faults: Fault[], sent_s: number, arrives_s: number): boolean =>
  faults.some(({ at_s }) => sent_s < at_s && arrives_s >= at_s);

/** One machine's queue in virtual time. */
class Queue {
  readonly context: Context;
  readonly inbox: Inbox;
  readonly sent_s: Float64Array;
  readonly arrives_s: Float64Array;
  readonly fate: Uint8Array;
  readonly order: Int32Array;
  /** The messages that wait, from `head` on, in the order of their arrival. */
  waiting: number[] = [];
  head = 0;
  #next = 0;

  constructor(context: Context, inbox: Inbox, at_s: readonly Float64Array[]) {
    const count = inbox.end - inbox.begin;
    [this.context, this.inbox] = [context, inbox];
    this.sent_s = new Float64Array(count);
    this.arrives_s = new Float64Array(count);
    this.fate = new Uint8Array(count);
    for (const channel of inbox.channels) this.#transmit(channel, at_s[channel.from]!);
    const { sent_s, arrives_s } = this;
    this.order = sorted(count, (a, b) => {
      const later_s = arrives_s[b]! - arrives_s[a]!;
      return later_s > 0 || (later_s === 0 && sent_s[a]! < sent_s[b]!);
    });
  }

  get length(): number {
    return this.waiting.length - this.head;
  }

  /** What the network does to the messages of one channel. */
  #transmit({ from, begin, end }: Channel, at_s: Float64Array): void {
    const { context: { run, logs }, inbox: { messages, log, begin: first } } = this;
    const latency = parseLatency(run.latency)!;
    const [delays, losses]: Draw[] = [delaysOf(run, from), lossesOf(run, from)];
    const cuts = run.faults.filter(({ link }) => link?.includes(from) && link.includes(log.id));
    const lose = new Set(run.what_if.flatMap((item) =>
      (item.do === 'lose' && item.from === from && item.to === log.id ? [item.clock] : [])));
    const crashes = run.faults.filter(({ do: what, machine }) =>
      what === 'crash' && machine === log.id);
    // What was under way when one of these began is lost, and holds up nothing any more.
    const breaks = [...cuts, ...crashes].map(({ at_s: begin_s }) => begin_s).sort((a, b) => a - b);
    let last_s = 0;
    for (let m = begin; m < end; m++) {
      const row = messages.row[m]!;
      const n = logs[from]!.tick[row]! * run.machines + log.id;
      const sent_s = at_s[row]!;
      this.sent_s[m - first] = sent_s;
      this.arrives_s[m - first] = Infinity;
      for (; breaks.length > 0 && sent_s >= breaks[0]!; breaks.shift()) last_s = 0;
      if (lose.size > 0 && lose.has(messages.value[m]!)) this.fate[m - first] = BY_WHAT_IF;
      else if (lastsAt(run, cuts, sent_s)) this.fate[m - first] = IN_CUT;
      else if (lastsAt(run, crashes, sent_s)) this.fate[m - first] = IN_CRASH;
      else if (run.loss > 0 && losses!(n) < run.loss) this.fate[m - first] = BY_CHANCE;
      else {
        let arrives_s = sent_s;
        if (latency.to_ms > 0) arrives_s += delay_ms(latency, delays!(n)) / 1000;
        if (!run.reorder) arrives_s = last_s = Math.max(arrives_s, last_s);
        if (begunBetween(cuts, sent_s, arrives_s)) this.fate[m - first] = IN_CUT;
        else if (begunBetween(crashes, sent_s, arrives_s)) this.fate[m - first] = IN_CRASH;
        else this.arrives_s[m - first] = arrives_s;
      }
    }
  }

  /** Lets arrive what has by an instant, for a machine that ticks then with a clock. */
  advance(now_s: number, clock: number): void {
    const { sent_s, arrives_s, fate, order, inbox, context: { run } } = this;
    const { from } = inbox.messages;
    for (; this.#next < order.length; this.#next++) {
      const m = order[this.#next]!;
      if (!(arrives_s[m]! <= now_s)) break;
      if (sent_s[m] === now_s && from[inbox.begin + m]! > inbox.log.id) break;
      if (fate[m] !== UNDER_WAY) continue;
      if (run.news && inbox.messages.value[inbox.begin + m]! <= clock) fate[m] = NO_NEWS;
      else if (this.length >= run.queue_max && run.drop === 'newest') fate[m] = DROPPED;
      else {
        if (this.length >= run.queue_max) fate[this.waiting[this.head++]!] = DROPPED;
        fate[m] = WAITING;
        this.waiting.push(m);
      }
    }
  }

  /** It comes back from a crash, and what waited then is gone. */
  restart(): void {
    for (let n = this.head; n < this.waiting.length; n++) this.fate[this.waiting[n]!] = IN_CRASH;
    [this.waiting, this.head] = [[], 0];
  }

  /** The message that a tick takes; there is one. */
  first(): number {
    return this.context.run.take === 'newest' ? this.waiting.at(-1)! : this.waiting[this.head]!;
  }

  remove(m: number): void {
    if (this.fate[m] === WAITING) {
      if (this.waiting[this.head] === m) this.head++;
      else this.waiting.splice(this.waiting.lastIndexOf(m), 1);
      if (this.head > 4096) [this.waiting, this.head] = [this.waiting.slice(this.head), 0];
    }
    this.fate[m] = TAKEN;
  }
}

/** In words: the network that run.json names. */
const networkText = ({ run: { latency, loss, reorder } }: Context) =>
  `latency ${latency}, loss ${loss}${reorder ? ', reorder' : ''}`;

/** Why a message that was taken cannot have waited. */
function impossible(queue: Queue, m: number): [Rule, string] {
  const { context, fate, arrives_s, inbox } = queue;
  const what = named(context, inbox.messages, inbox.begin + m);
  const was = FATES[fate[m]!]!;
  switch (fate[m]) {
    case IN_CUT: return ['cut', `${what} was ${was}`];
    case IN_CRASH: return ['crash', `${what} was ${was}`];
    case NO_NEWS: return ['news', `${what} was not above the clock when it came: it has no row`];
    case DROPPED: return ['queue', `${what} was dropped: the queue was full`];
    case UNDER_WAY: return ['network', `${what} arrives at ${arrives_s[m]!.toFixed(6)} s, later `
      + `(${networkText(context)})`];
    default: return ['network', `${what} was ${was} (${networkText(context)})`];
  }
}

/** Judges what one row takes against what waits; then the queue is what the log says. */
function judge(queue: Queue, r: number): void {
  const { context, inbox, fate } = queue;
  const { log, begin, took, messages } = inbox;
  const { take } = context.run;
  for (let n = log.first[r]!; n < log.first[r + 1]!; n++) {
    if (took[n]! < 0) continue;
    const m = took[n]! - begin;
    if (fate[m] !== WAITING) blame(context, log, r, ...impossible(queue, m));
    else if (queue.first() !== m) {
      const other = queue.first();
      const same = messages.from[begin + other] === messages.from[begin + m];
      const rule = take === 'newest' ? 'newest first' : same ? 'fifo' : 'oldest first';
      blame(context, log, r, rule, () =>
        `${named(context, messages, begin + other)} waits, and was to be taken before`);
    }
    queue.remove(m);
  }
}

/**
 * Replays what comes to a machine and what it takes.
 * @param at_s of each log: when each row was, model seconds
 * @returns how many messages to it are still under way at the end
 */
export function replay(
  context: Context, inbox: Inbox, at_s: readonly Float64Array[],
): number {
  const { log, begin, messages } = inbox;
  const queue = new Queue(context, inbox, at_s);
  let overlooked = -1;
  let off = 0;
  for (let r = 0; r < log.rows; r++) {
    const now_s = at_s[log.id]![r]!;
    if (!ticks(log, r) && !has(log, r, STOP) && !has(log, r, RESTART)) continue;
    queue.advance(now_s, r > 0 ? log.clock[r - 1]! : 0);
    if (has(log, r, RESTART)) queue.restart();
    if (has(log, r, RECEIVE)) judge(queue, r);
    const mustTake = ticks(log, r) && queue.length > 0
      && (!has(log, r, RECEIVE) || context.run.take === 'all');
    if (mustTake && queue.first() !== overlooked) {
      overlooked = queue.first();
      const m = begin + overlooked;
      if (log.queue[r - 1] === 0 || has(log, r, RECEIVE)) {
        blame(context, log, r, 'network', () => `${named(context, messages, m)} came at `
          + `${queue.arrives_s[overlooked]!.toFixed(6)} s and waits: a tick must receive it `
          + `(${networkText(context)})`);
      }
    }
    if (log.queue[r]! - queue.length === off) continue;
    off = log.queue[r]! - queue.length;
    blame(context, log, r, 'queue', `${log.queue[r]} in the queue, and ${
      plural(queue.length, 'message')} must wait (${networkText(context)})`);
  }
  let underWay = 0;
  for (const fate of queue.fate) if (fate === UNDER_WAY) underWay++;
  return underWay;
}
