/**
 * Two or three machines on a perfect network, as fast as this computer can: the loop that a million
 * runs spend their time in. It does what `step` says, and tests hold it against `step`.
 *
 * Why it looks as it does. A branch that chance decides is guessed wrongly every third time, which
 * costs as much as all the rest of a tick; so there is none: a message is taken by a mask that is
 * all ones if one waits, a send writes behind both peers' tails and moves the tails by 0 or 1. All
 * is in two blocks of integers in the closure of one function that is made once: V8 then knows
 * their addresses. Sums over time are not kept: from one own tick to the next nothing but arrivals
 * (for a queue) and rises of the highest clock (for a lag) changes, and those are counted by their
 * place in the window, where the time to the next own tick is known.
 */
import { PURPOSE, stream } from '../model/chance.ts';
import { due_s, type Configuration } from '../model/run.ts';
import { wordsBefore } from './dice.ts';
import { WINDOW_TICKS, type Schedule } from './schedule.ts';
import type { Standing } from './statistics.ts';

/** Room of a queue here, in messages: a run whose queue needs more goes on in many.ts. */
const ROOM = 2 ** 16;
/** A lag up to this can be summed over a window in 32 bits. */
const LAG_MAX = 2 ** 18;
/** A machine's state is so many words; walk() says what each is. Its base is id × WORDS. */
const WORDS = 32;
/** Turns the order of unsigned words into that of signed ones. */
const SIGN = 0x80000000;

/** Memory and loop. To be called once: of a second one V8 would not know the addresses. */
function makeThree() {
  const state = new Int32Array(4 * WORDS);
  const queued = new Int32Array(4 * ROOM);
  /** A place of the window is two words: the base of who ticks, and three counts of ten bits. */
  const places = new Int32Array(4 * WINDOW_TICKS);

  /**
   * So many ticks, over the places of a window and again; takes and gives the highest clock. The
   * words of a machine: 0 clock, 1 tick, 2 head and 3 tail of its queue, 4 highest lag, 5 highest
   * jump less 1, 6 longest queue, 7 and 8 sums of lags and queues after its ticks, 9 and 10 its
   * stream, 11 to 13 the last words of its die that send to its first peer, to one peer, at all,
   * 14 and 15 the bases of its peers, 16 whether any word sends.
   */
  function walk(end: number, ticks: number, highest: number): number {
    let place = 0;
    for (; ticks > 0; ticks--) {
      const me = places[place]!;
      const tick = state[me + 1]!;
      state[me + 1] = tick + 1;
      let word = tick ^ state[me + 9]!;
      word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
      word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
      word = ((word ^ (word >>> 16)) + state[me + 10]!) | 0;
      word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
      word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
      word = word ^ (word >>> 16) ^ SIGN;

      const clock = state[me]!;
      const head = state[me + 2]!;
      const waiting = (state[me + 3]! - head) | 0;
      const lag = (highest - clock) | 0;
      const lagLess = (state[me + 4]! - lag) | 0;
      state[me + 4] = (lag + (lagLess & ~(lagLess >> 31))) | 0;
      const queueLess = (state[me + 6]! - waiting) | 0;
      state[me + 6] = (waiting + (queueLess & ~(queueLess >> 31))) | 0;

      const receives = -waiting >> 31;
      let ahead = (queued[(me << 11) + (head & 0xffff)]! - clock) | 0;
      ahead = ahead & ~(ahead >> 31) & receives;
      const aheadLess = (state[me + 5]! - ahead) | 0;
      state[me + 5] = (ahead + (aheadLess & ~(aheadLess >> 31))) | 0;
      const after = (clock + ahead + 1) | 0;
      state[me] = after;
      state[me + 2] = (head - receives) | 0;
      const rise = (highest - after) >>> 31;
      highest = (highest + rise) | 0;
      state[me + 7] = (state[me + 7]! + highest - after) | 0;
      state[me + 8] = (state[me + 8]! + waiting + receives) | 0;

      const sends = ~receives & state[me + 16]!;
      const one = (word <= state[me + 11]! ? 1 : 0);
      const other = (word <= state[me + 12]! ? 1 : 0);
      const all = (word <= state[me + 13]! ? 1 : 0);
      const toOne = (one | (other ^ all)) & sends;
      const toOther = (all ^ one) & sends;
      const peer = state[me + 14]!;
      const tail = state[peer + 3]!;
      queued[(peer << 11) + (tail & 0xffff)] = after;
      state[peer + 3] = (tail + toOne) | 0;
      const peer_2 = state[me + 15]!;
      const tail_2 = state[peer_2 + 3]!;
      queued[(peer_2 << 11) + (tail_2 & 0xffff)] = after;
      state[peer_2 + 3] = (tail_2 + toOther) | 0;

      places[place + 1] = (places[place + 1]! + toOne + (toOther << 10) + (rise << 20)) | 0;
      place += 2;
      if (place === end) place = 0;
    }
    return highest;
  }
  return { state, queued, places, walk };
}
const { state, queued, places, walk } = makeThree();

/** For how many machines and which `internal` the dice stand in the state. */
let tabled = '';

function table(machines: number, internal: number): void {
  if (tabled === `${machines} ${internal}`) return;
  tabled = `${machines} ${internal}`;
  for (let id = 0; id < machines; id++) {
    const me = id * WORDS;
    for (let place = 1; place <= 3; place++) {
      // Two machines: what goes to the one peer or to all goes to the one peer.
      const words = wordsBefore(id, machines, internal, machines === 2 ? 2 : place);
      state[me + 10 + place] = (words - 1) ^ SIGN;
      state[me + 16] = words === 0 ? 0 : -1;
    }
    state[me + 14] = id === 0 ? WORDS : 0;
    // The second peer of two machines is a third one that never ticks and is never sent to.
    state[me + 15] = machines === 2 || id !== 2 ? 2 * WORDS : WORDS;
  }
}

/**
 * Runs a schedule that has begun, from its first window on.
 * @returns whether a window is left that this loop has no room for: many.ts goes on from there
 */
export function runThree(
  { seed, machines, internal, rates_hz, phases }: Configuration, schedule: Schedule,
  standing: Standing,
): boolean {
  table(machines, internal);
  for (let me = 0; me < 3 * WORDS; me += WORDS) {
    for (let word = 0; word < 9; word++) state[me + word] = 0;
    state[me + 5] = -1;
    const { first, second } = stream(seed, me / WORDS, PURPOSE.rolls);
    [state[me + 9], state[me + 10]] = [first, second];
  }
  let more = schedule.next();
  for (; more && fits(machines, standing.highest, schedule); more = schedule.next()) {
    runWindow(machines, rates_hz, phases, schedule, standing);
  }
  leave(machines, standing);
  return more;
}

function fits(machines: number, highest: number, schedule: Schedule): boolean {
  const ticks = schedule.count * schedule.repeats;
  if (2 * schedule.count > places.length || ticks > places.length) return false;
  for (let id = 0; id < machines; id++) {
    const me = id * WORDS;
    if (state[me + 3]! - state[me + 2]! + ticks > ROOM) return false;
    if (highest - state[me]! > LAG_MAX) return false;
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
  firsts_s.fill(length_s);
  for (let place = count - 1; place >= 0; place--) {
    const id = ids[place]!;
    places[2 * place] = id * WORDS;
    places[2 * place + 1] = 0;
    firsts_s[id] = times_s[place]! - base_s;
  }
  const { lagSums, queueSums } = standing;
  for (let id = 0; id < machines; id++) {
    const me = id * WORDS;
    lagSums[id]! += (standing.highest - state[me]!) * firsts_s[id]!;
    queueSums[id]! += (state[me + 3]! - state[me + 2]!) * firsts_s[id]!;
    state[me + 7] = state[me + 8] = 0;
    // A repeated order goes on as it began. A machine without a tick is read at the window's end.
    const ticks = firsts_s[id]! < length_s;
    beyond_s[id] = repeats > 1 ? firsts_s[id]! : !ticks ? 0
      : due_s(schedule.ticks[id]!, phases[id]!, rates_hz[id]!) - schedule.until_s;
    nexts_s[id] = length_s + beyond_s[id]!;
  }
  standing.highest = walk(2 * count, count * repeats, standing.highest);

  for (let place = count - 1; place >= 0; place--) {
    const id = ids[place]!;
    const now_s = times_s[place]! - base_s;
    const counts = places[2 * place + 1]!;
    const rises = counts >>> 20;
    const [peer, peer_2] = [id === 0 ? 1 : 0, id === 2 ? 1 : 2];
    const [gap_s, gap_2_s] = [nexts_s[peer]! - now_s, nexts_s[peer_2]! - now_s];
    lagSums[peer]! += rises * gap_s;
    queueSums[peer]! += (counts & 0x3ff) * gap_s;
    if (machines === 3) {
      lagSums[peer_2]! += rises * gap_2_s;
      queueSums[peer_2]! += ((counts >>> 10) & 0x3ff) * gap_2_s;
    }
    nexts_s[id] = now_s;
  }
  for (let id = 0; id < machines; id++) {
    const me = id * WORDS;
    const [lag, queue] = [standing.highest - state[me]!, state[me + 3]! - state[me + 2]!];
    lagSums[id]! += state[me + 7]! / rates_hz[id]! - lag * beyond_s[id]!;
    queueSums[id]! += state[me + 8]! / rates_hz[id]! - queue * beyond_s[id]!;
  }
}

function leave(machines: number, standing: Standing): void {
  standing.sent = 0;
  for (let id = 0; id < machines; id++) {
    const me = id * WORDS;
    standing.clocks[id] = state[me]!;
    standing.ticks[id] = state[me + 1]!;
    standing.receives[id] = state[me + 2]!;
    standing.queues[id] = state[me + 3]! - state[me + 2]!;
    standing.maxLags[id] = state[me + 4]!;
    standing.maxJumps[id] = state[me + 5]! + 1;
    standing.maxQueues[id] = state[me + 6]!;
    standing.sent += state[me + 3]!;
  }
}

/** What the queues hold, oldest first: for many.ts, when runThree has stopped. */
export function waitingOfThree(machines: number): Int32Array[] {
  return Array.from({ length: machines }, (_, id) => {
    const me = id * WORDS;
    return Int32Array.from({ length: state[me + 3]! - state[me + 2]! }, (_, nth) =>
      queued[id * ROOM + ((state[me + 2]! + nth) & (ROOM - 1))]!);
  });
}
