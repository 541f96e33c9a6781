/**
 * What surely waits at a machine, what can wait at most, and what is therefore taken in a wrong
 * order or missing. In real time only rows prove something: a message surely waits at the
 * receiver's row R if its sender has a later row before R.
 */
import { blame, has, ms, type Context } from './context.ts';
import { LOST, OWED } from './excuses.ts';
import { goneBefore, left_us, named, sent_us, type Inbox } from './messages.ts';
import { INTERNAL, RECEIVE, RESTART, SEND, STOP } from './read.ts';
import { sorted } from './sorted.ts';

/** What is known of a message: bits. */
const [TAKEN, SURE, COUNTED] = [1, 2, 4];

/** So many of the newest messages are compared with one that is taken before them. */
const LOOKED_AT = 64;

/** One walk along a machine's rows, with the messages that have come by each. */
class Walk {
  readonly context: Context;
  readonly inbox: Inbox;
  readonly excused: Uint8Array;
  readonly error_us: number;
  /** When each message of the inbox was sent, and from when on it surely has been heard. */
  readonly sent: Float64Array;
  readonly heard: Float64Array;
  readonly bySent: Int32Array;
  readonly byHeard: Int32Array;
  /** The time of the row at which a message surely waited first. */
  readonly sureRow_us: Float64Array;
  readonly state: Uint8Array;
  /** How far the two orders are consumed; in `byHeard` also the oldest that is not taken yet. */
  nextSent = 0;
  nextHeard = 0;
  oldest = 0;
  /** How many messages wait: surely, and at most. */
  sure = 0;
  possible = 0;

  constructor(context: Context, inbox: Inbox, excused: Uint8Array) {
    const { messages, begin, end, log } = inbox;
    const count = end - begin;
    [this.context, this.inbox, this.excused] = [context, inbox, excused];
    const own = context.timing[log.id]!;
    this.error_us = own.error_us;
    this.sent = new Float64Array(count);
    this.heard = new Float64Array(count);
    for (let m = 0; m < count; m++) {
      const { heard_us } = context.timing[messages.from[begin + m]!]!;
      this.sent[m] = sent_us(context, messages, begin + m);
      this.heard[m] = excused[m] !== OWED ? Infinity : left_us(context, messages, begin + m)
        + own.error_us + Math.max(own.heard_us, heard_us);
    }
    this.bySent = sorted(count, (a, b) => this.sent[a]! < this.sent[b]!);
    this.byHeard = sorted(count, (a, b) => this.heard[a]! < this.heard[b]!);
    this.sureRow_us = new Float64Array(count);
    this.state = new Uint8Array(count);
  }

  /** Comes to a row: what can have arrived, and what must. */
  come(at_us: number, latest_us: number): void {
    const { sent, heard, bySent, byHeard, state } = this;
    for (; this.nextSent < bySent.length; this.nextSent++) {
      const m = bySent[this.nextSent]!;
      if (sent[m]! > latest_us) break;
      if ((state[m]! & TAKEN) !== 0 || this.excused[m] === LOST) continue;
      state[m]! |= COUNTED;
      this.possible++;
    }
    for (; this.nextHeard < byHeard.length; this.nextHeard++) {
      const m = byHeard[this.nextHeard]!;
      if (heard[m]! > at_us) break;
      this.sureRow_us[m] = at_us;
      if ((state[m]! & TAKEN) !== 0) continue;
      state[m]! |= SURE;
      this.sure++;
    }
  }

  /** The message that has surely waited longest, or -1. */
  longest(): number {
    const { state, byHeard } = this;
    while (this.oldest < this.nextHeard && (state[byHeard[this.oldest]!]! & TAKEN) !== 0) {
      this.oldest++;
    }
    return this.oldest < this.nextHeard ? this.byHeard[this.oldest]! : -1;
  }

  take(m: number): void {
    if ((this.state[m]! & TAKEN) !== 0) return;
    if ((this.state[m]! & COUNTED) !== 0) this.possible--;
    if ((this.state[m]! & SURE) !== 0) this.sure--;
    this.state[m]! |= TAKEN;
  }

  /** The machine comes back at row r: what was sent to it before is gone. */
  forget(r: number): void {
    const { inbox, context } = this;
    for (let m = 0; m < this.state.length; m++) {
      const taken = inbox.messages.taken[inbox.begin + m]!;
      if (taken > 0 && taken - 1 > r) continue; // It is taken after all.
      if (goneBefore(context, inbox, inbox.begin + m, r + 1)) {
        this.heard[m] = Infinity;
        this.take(m);
      }
    }
  }
}

/** Judges the order in which a machine took its messages, and how many waited at each row. */
export function waits(context: Context, inbox: Inbox, excused: Uint8Array): void {
  const { log, begin, took } = inbox;
  const walk = new Walk(context, inbox, excused);
  const { error_us, look_us } = context.timing[log.id]!;
  const newest = context.run.take === 'newest' ? new Newest(walk) : null;
  let [excess, missing, overlooked] = [0, 0, -1];
  for (let r = 0; r < log.rows; r++) {
    const at_us = log.time_us[r]!;
    const latest_us = at_us + error_us + look_us;
    walk.come(at_us, latest_us);
    if (has(log, r, RESTART)) walk.forget(r);
    for (let n = log.first[r]!; has(log, r, RECEIVE) && n < log.first[r + 1]!; n++) {
      const m = took[n]! - begin;
      if (took[n]! < 0) continue;
      if (newest) newest.judge(m, r);
      else if (context.run.take === 'oldest') oldestFirst(walk, m, r);
      walk.take(m);
    }
    const left = walk.longest();
    if ((has(log, r, INTERNAL) || has(log, r, SEND)) && walk.sure > 0 && left !== overlooked) {
      overlooked = left;
      blame(context, log, r, 'waiting', () =>
        `${named(context, inbox.messages, begin + left)} waits since ${
          ms(at_us - walk.sureRow_us[left]!)} or longer: a tick must receive`);
    }
    // One message too many or too few shows in every later row: only what is new is said.
    const queue = log.queue[r]!;
    if (queue - walk.possible > excess) {
      excess = queue - walk.possible;
      blame(context, log, r, 'queue', `${queue} in the queue, but no more than ${
        Math.max(0, walk.possible)} can have arrived`);
    } else if (walk.sure - queue > missing) {
      missing = walk.sure - queue;
      blame(context, log, r, has(log, r, STOP) ? 'conservation' : 'queue',
        `${queue} in the queue, but ${walk.sure} must have arrived`);
    }
  }
}

/** Of two messages the one that surely waited before the other was sent is taken first. */
function oldestFirst(walk: Walk, m: number, r: number): void {
  const { context, inbox } = walk;
  const left = walk.longest();
  if (left < 0 || left === m || walk.sureRow_us[left]! + walk.error_us >= walk.sent[m]!) return;
  const { messages, begin } = inbox;
  if (messages.from[begin + left] === messages.from[begin + m]) return; // That is said by fifo.
  blame(context, inbox.log, r, 'oldest first', () => {
    const before_us = walk.sent[m]! - walk.sureRow_us[left]!;
    return `${named(context, messages, begin + left)} still waits, and did so ${ms(before_us)} `
      + 'before this one was sent';
  });
}

/** The other discipline: what surely came later is taken before what surely had come. */
class Newest {
  readonly walk: Walk;
  /** Messages that surely wait, by the time of their sending; those that are taken stay in. */
  readonly waiting: number[] = [];
  #consumed = 0;

  constructor(walk: Walk) {
    this.walk = walk;
  }

  judge(m: number, r: number): void {
    const { walk, waiting } = this;
    const { context, inbox, sent, state, byHeard } = walk;
    for (; this.#consumed < walk.nextHeard; this.#consumed++) {
      const next = byHeard[this.#consumed]!;
      let place = waiting.length;
      while (place > 0 && sent[waiting[place - 1]!]! > sent[next]!) place--;
      waiting.splice(place, 0, next);
    }
    while (waiting.length > 0 && (state[waiting.at(-1)!]! & TAKEN) !== 0) waiting.pop();
    const { messages, begin, log } = inbox;
    const sure_us = (state[m]! & SURE) !== 0 ? walk.sureRow_us[m]! : Infinity;
    const least = Math.max(0, waiting.length - LOOKED_AT);
    for (let n = waiting.length - 1; n >= least; n--) {
      const other = waiting[n]!;
      if ((state[other]! & TAKEN) !== 0 || other === m) continue;
      const sameSender = messages.from[begin + other] === messages.from[begin + m];
      if (sameSender ? other < m : sent[other]! <= sure_us + walk.error_us) continue;
      blame(context, log, r, 'newest first', () =>
        `${named(context, messages, begin + other)} came later and still waits`);
      break;
    }
  }
}
