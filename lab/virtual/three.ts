/**
 * Two or three machines on a perfect network, as fast as this computer can: the loop that a million
 * runs spend their time in. It does what `step` says, and tests hold it against `step`.
 *
 * Why it looks as it does. A branch that chance decides is guessed wrongly every third time, which
 * costs as much as all the rest of a tick; so there is none: a message is taken by a mask that is
 * all ones if one waits, a send writes behind both peers' tails and moves the tails by 0 or 1. What
 * is left is as few instructions as could be found. All arrays are in the closure of one function
 * that is made once: V8 then knows their addresses. One word of each machine is in an array of its
 * own: an index that was checked for one of them is checked for all. The die is a table of its
 * first eight bits, but for the few places where these do not decide. Sums over time are not kept:
 * from one own tick to the next nothing but arrivals (for a queue) and rises of the highest clock
 * (for a lag) changes, and those are counted by their place in the window, where the time to the
 * next own tick is known.
 */
import { PURPOSE, stream } from '../model/chance.ts';
import { due_s, type Configuration } from '../model/run.ts';
import { wordsBefore } from './dice.ts';
import { REPEATS_MAX, WINDOW_TICKS, type Schedule } from './schedule.ts';
import type { Standing } from './statistics.ts';

/** Room of a queue here, in messages: a run whose queue needs more goes on in many.ts. */
const ROOM = 2 ** 16;
/** A lag up to this can be summed over a window in 32 bits. */
const LAG_MAX = 2 ** 18;
/** A window has a tick of each machine more than it should, at most. */
const TICKS_MAX = WINDOW_TICKS + 64;
/** The third of two machines never ticks and is never sent to; nobody is the fourth. */
const MACHINES = 4;
/**
 * Heads and tails of queues count in fours, from the machine's id on: the queues of all lie in one
 * memory, one message of each in turn.
 */
const MESSAGE = 4;
const QUEUED = MESSAGE * ROOM - 1;
const TAIL_MAX = 2 ** 31 - MESSAGE * TICKS_MAX;
/** What a roll does: a message to the first peer, to the second, or both; each in ten bits. */
const TO_FIRST = MESSAGE;
const TO_SECOND = MESSAGE << 10;
const UNDECIDED = -1;
/** Of three counts of ten bits at a place of the window, the third: rises of the highest clock. */
const RISES_BIT = 22;

/** Memory and loop. To be called once: of a second one V8 would not know the addresses. */
function makeThree() {
  const words = (many = MACHINES) => new Int32Array(new ArrayBuffer(4 * many));
  const numbers = () => new Float64Array(MACHINES);
  const clocks = words();
  const ticks = words();
  /** Where the next message is taken, and where the next one is put. */
  const heads = words();
  const tails = words();
  const queued = words(MESSAGE * ROOM);
  /** Of the own clock less the highest, and of head less tail (in fours): both fall again and … */
  const minLeads = words();
  const minMissing = words();
  /** … again, so they are found without a branch. The highest jump, less 1, is soon found. */
  const maxJumps = words();
  /** After each own tick; the second of head less tail. */
  const lagSums = words();
  const missingSums = words();
  /** The two words of a stream. */
  const firsts = words();
  const seconds = words();
  /** By the first eight bits of a roll. */
  const dice = words(MACHINES * 256);
  /** How many of the die's words send to the first peer, to one peer, at all. */
  const [toFirst, toOne, toAny] = [numbers(), numbers(), numbers()];
  /** Of a place in the window: whose tick it is, and the three counts. */
  const order = words(TICKS_MAX);
  const counts = words(TICKS_MAX);

  function decide(me: number, word: number): number {
    const roll = word >>> 0;
    if (roll >= toAny[me]!) return 0;
    return roll < toFirst[me]! ? TO_FIRST : roll < toOne[me]! ? TO_SECOND : TO_FIRST + TO_SECOND;
  }

  /** A window of so many places, again and again; takes and gives the highest clock. */
  function walk(places: number, repeats: number, highest: number): number {
    for (let place = 0; ;) {
      const me = order[place]!;
      const tick = ticks[me]!;
      ticks[me] = tick + 1;
      let word = tick ^ firsts[me]!;
      word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
      word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
      word = ((word ^ (word >>> 16)) + seconds[me]!) | 0;
      word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
      word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
      word = word ^ (word >>> 16);

      const clock = clocks[me]!;
      const head = heads[me]!;
      const missing = (head - tails[me]!) | 0;
      const lead = ((clock - highest) | 0) - minLeads[me]! | 0;
      minLeads[me] = minLeads[me]! + (lead & (lead >> 31));
      const more = (missing - minMissing[me]!) | 0;
      minMissing[me] = minMissing[me]! + (more & (more >> 31));

      const receives = missing >> 31;
      const taken = receives & MESSAGE;
      let ahead = (queued[head & QUEUED]! - clock) | 0;
      ahead = ahead & ~(ahead >> 31) & receives;
      if (ahead > maxJumps[me]!) maxJumps[me] = ahead;
      const after = (clock + ahead + 1) | 0;
      clocks[me] = after;
      heads[me] = head + taken;
      missingSums[me] = missingSums[me]! + missing + taken;
      const behind = (highest - after) | 0;
      const rise = behind >>> 31;
      highest = (highest + rise) | 0;
      lagSums[me] = lagSums[me]! + behind + rise;

      let sent = dice[(me << 8) + (word >>> 24)]!;
      if (sent === UNDECIDED) sent = decide(me, word);
      sent &= ~receives;
      const peer = (2 - me) >> 1; // Of 0, 1, 2 it is 1, 0, 0 …
      const tail = tails[peer]!;
      queued[tail & QUEUED] = after;
      tails[peer] = tail + (sent & MESSAGE);
      const peer_2 = 2 - (me >> 1); // … and 2, 2, 1.
      const tail_2 = tails[peer_2]!;
      queued[tail_2 & QUEUED] = after;
      tails[peer_2] = tail_2 + (sent >> 10);

      counts[place] = counts[place]! + sent + (rise << RISES_BIT);
      if (++place === places) {
        place = 0;
        if (--repeats === 0) return highest;
      }
    }
  }
  return { clocks, ticks, heads, tails, queued, minLeads, maxJumps, minMissing, lagSums,
    missingSums, firsts, seconds, dice, toFirst, toOne, toAny, order, counts, decide, walk };
}
const { clocks, ticks, heads, tails, queued, minLeads, maxJumps, minMissing, lagSums, missingSums,
  firsts, seconds, dice, toFirst, toOne, toAny, order, counts, decide, walk } = makeThree();

/** For how many machines and which `internal` the dice are. */
const diceOf = { machines: 0, internal: 0 };

function tabulate(machines: number, internal: number): void {
  if (diceOf.machines === machines && diceOf.internal === internal) return;
  Object.assign(diceOf, { machines, internal });
  for (let id = 0; id < machines; id++) {
    // Two machines: what goes to the one peer or to all goes to the one peer.
    toAny[id] = wordsBefore(id, machines, internal, machines);
    toOne[id] = machines === 2 ? toAny[id]! : wordsBefore(id, machines, internal, 2);
    toFirst[id] = machines === 2 ? toAny[id]! : wordsBefore(id, machines, internal, 1);
    for (let top = 0; top < 256; top++) {
      const [low, high] = [decide(id, top << 24), decide(id, (top << 24) | 0xffffff)];
      dice[256 * id + top] = low === high ? low : UNDECIDED;
    }
  }
}

/** Messages in the queue of a machine. */
const waiting = (id: number) => (tails[id]! - heads[id]!) / MESSAGE;

/**
 * Runs a schedule that has begun, from its first window on.
 * @returns whether a window is left that this loop has no room for: many.ts goes on from there
 */
export function runThree(
  { seed, machines, internal, rates_hz, phases }: Configuration, schedule: Schedule,
  standing: Standing,
): boolean {
  tabulate(machines, internal);
  for (let id = 0; id < 3; id++) {
    clocks[id] = ticks[id] = minLeads[id] = minMissing[id] = 0;
    heads[id] = tails[id] = id;
    maxJumps[id] = -1;
    const { first, second } = stream(seed, id, PURPOSE.rolls);
    firsts[id] = first;
    seconds[id] = second;
  }
  let more = schedule.next();
  for (; more && fits(machines, standing.highest, schedule); more = schedule.next()) {
    runWindow(machines, rates_hz, phases, schedule, standing);
  }
  leave(machines, standing);
  return more;
}

function fits(machines: number, highest: number, { count, repeats }: Schedule): boolean {
  if (count * repeats > TICKS_MAX) return false;
  for (let id = 0; id < machines; id++) {
    if (waiting(id) + count * repeats > ROOM || tails[id]! > TAIL_MAX) return false;
    if (highest - clocks[id]! > LAG_MAX) return false;
  }
  return true;
}

/** Of each machine, in seconds from the window's begin: its first tick … */
const firsts_s = new Float64Array(3);
/** … and, when walking back, its next. */
const nexts_s = new Float64Array(3);
/** How long after the window its next tick comes. */
const beyond_s = new Float64Array(3);

/**
 * One window, and its sums. With L the lag (or the queue) after an own tick, which lasts until the
 * next one, and g the time from a rise (or an arrival) to the next own tick, the sum over time is
 * L₀·(time to the first tick) + ΣL/r + Σg − L_end·(time from the window's end to the next tick).
 */
function runWindow(
  machines: number, rates_hz: number[], phases: number[], schedule: Schedule, standing: Standing,
): void {
  const { ids, times_s, base_s, count, repeats, length_s } = schedule;
  const { lagSums: lags, queueSums: queues } = standing;
  firsts_s.fill(length_s);
  for (let place = count - 1; place >= 0; place--) {
    const id = ids[place]!;
    order[place] = id;
    counts[place] = 0;
    firsts_s[id] = times_s[place]! - base_s;
  }
  for (let id = 0; id < machines; id++) {
    lags[id]! += (standing.highest - clocks[id]!) * firsts_s[id]!;
    queues[id]! += waiting(id) * firsts_s[id]!;
    lagSums[id] = missingSums[id] = 0;
    // A repeated order goes on as it began. A machine without a tick is read at the window's end.
    beyond_s[id] = repeats > 1 ? firsts_s[id]! : firsts_s[id]! >= length_s ? 0
      : due_s(schedule.ticks[id]!, phases[id]!, rates_hz[id]!) - schedule.until_s;
    nexts_s[id] = length_s + beyond_s[id]!;
  }
  if (count > 0) standing.highest = walk(count, repeats, standing.highest);

  for (let place = count - 1; place >= 0; place--) {
    const id = ids[place]!;
    const now_s = times_s[place]! - base_s;
    const here = counts[place]!;
    const rises = here >>> RISES_BIT;
    const peer = (2 - id) >> 1;
    const gap_s = nexts_s[peer]! - now_s;
    lags[peer]! += rises * gap_s;
    queues[peer]! += ((here >>> 2) & REPEATS_MAX) * gap_s;
    if (machines === 3) {
      const peer_2 = 2 - (id >> 1);
      const gap_2_s = nexts_s[peer_2]! - now_s;
      lags[peer_2]! += rises * gap_2_s;
      queues[peer_2]! += ((here >>> 12) & REPEATS_MAX) * gap_2_s;
    }
    nexts_s[id] = now_s;
  }
  for (let id = 0; id < machines; id++) {
    const [rate_hz, after_s] = [rates_hz[id]!, beyond_s[id]!];
    lags[id]! += lagSums[id]! / rate_hz - (standing.highest - clocks[id]!) * after_s;
    queues[id]! += -missingSums[id]! / MESSAGE / rate_hz - waiting(id) * after_s;
  }
}

function leave(machines: number, standing: Standing): void {
  standing.sent = 0;
  for (let id = 0; id < machines; id++) {
    standing.clocks[id] = clocks[id]!;
    standing.ticks[id] = ticks[id]!;
    standing.receives[id] = (heads[id]! - id) / MESSAGE;
    standing.queues[id] = waiting(id);
    standing.maxLags[id] = -minLeads[id]!;
    standing.maxJumps[id] = maxJumps[id]! + 1;
    standing.maxQueues[id] = -minMissing[id]! / MESSAGE;
    standing.sent += (tails[id]! - id) / MESSAGE;
  }
}

/** What the queues hold, oldest first: for many.ts, when runThree has stopped. */
export function waitingOfThree(machines: number): Int32Array[] {
  return Array.from({ length: machines }, (_, id) =>
    Int32Array.from({ length: waiting(id) }, (_, nth) =>
      queued[(heads[id]! + MESSAGE * nth) & QUEUED]!));
}
