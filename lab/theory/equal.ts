/** Equal machines: a few exactly, by a chain over relative clocks and what waits, and many. */
import { EQUAL } from './coefficients.ts';

/** States that are less likely than this are left out: 1e-4 of the growth, at most. */
const UNLIKELY = 1e-7;
/** Periods in which equal machines forget how they began: they are never near the boundary. */
const PERIODS = 30;
/** Four machines have some thousand states, half a second of work; five take ten times that. */
export const EQUAL_MAX = 4;

/** Machines of which as many have half an effect: a scale, for numbers from 5 to any. */
const HALF = 10;

/** Of equal machines, in the long run. */
export interface Equal {
  /** c/R, what the highest clock gains in a period. */
  growth: number;
  mean_lag: number;
  receive_share: number;
}

/** Clocks above the lowest, and for each machine what waits there, oldest first. */
interface State {
  clocks: number[];
  queues: number[][];
}

interface Move {
  to: Place;
  chance: number;
  /** What the highest clock gains. */
  gain: number;
}

/** A state, what is known of it, and its chance now and after the tick. */
interface Place {
  state: State;
  lag: number;
  receives: boolean;
  moves?: Move[];
  chance: number;
  next: number;
}

/** What the machine whose turn it is, the first, may do; afterwards it stands last. */
function outcomes(
  { clocks, queues }: State, machines: number, internal: number,
): [State, number][] {
  const [own, ...others] = queues as [number[], ...number[][]];
  const turn = (clock: number, left: number[], reached: (place: number) => boolean): State => ({
    clocks: [...clocks.slice(1), clock],
    queues: [...others.map((queue, place) => (reached(place) ? [...queue, clock] : queue)), left],
  });
  const nobody = () => false;
  if (own.length > 0) return [[turn(Math.max(clocks[0]!, own[0]!) + 1, own.slice(1), nobody), 1]];
  const [clock, all] = [clocks[0]! + 1, (1 - internal) / 3];
  const one = (2 * all) / (machines - 1);
  const moves: [State, number][] = [
    [turn(clock, [], nobody), 1 - all - one * others.length], [turn(clock, [], () => true), all],
    ...others.map((_, peer): [State, number] => [turn(clock, [], (at) => at === peer), one]),
  ];
  return moves.filter(([, chance]) => chance > 0);
}

/**
 * The same state in its plainest form: clocks from 0 on; a message that is no news is as good as
 * one of the value that the clock will have then.
 */
function plain({ clocks, queues }: State): State {
  const low = Math.min(...clocks);
  return {
    clocks: clocks.map((clock) => clock - low),
    queues: queues.map((queue, id) => {
      let clock = clocks[id]! - low - 1;
      return queue.map((message) => (clock = Math.max(clock + 1, message - low)));
    }),
  };
}

/**
 * Machines of one rate tick in an order that never changes, one after the other. So where each
 * clock stands above the lowest, and what waits, is a Markov chain from tick to tick, and whose
 * turn it is needs no word: the state is turned with it. Its distribution is carried on until it
 * stands. Phases are even on average, so that each of the N waits for a tick is as long.
 *
 * Left out are states of less than UNLIKELY, nothing else.
 * @param live how many they are, of `machines` in all: the others only take, and take no part
 * @throws RangeError if more than EQUAL_MAX are live
 * @example equal(3, 3, 0.7).growth // 1.1261
 */
export function equal(live: number, machines: number, internal: number): Equal {
  if (live > EQUAL_MAX) throw new RangeError(`the chain of ${live} machines is too large`);
  const places = new Map<string, Place>();
  const placeOf = (state: State): Place => {
    const name = `${state.clocks}|${state.queues.join('|')}`;
    let place = places.get(name);
    if (!place) {
      const top = Math.max(...state.clocks);
      const lag = top - state.clocks.reduce((sum, clock) => sum + clock, 0) / live;
      place = { state, lag, receives: state.queues[0]!.length > 0, chance: 0, next: 0 };
      places.set(name, place);
    }
    return place;
  };
  const movesOf = ({ state }: Place): Move[] => {
    const top = Math.max(...state.clocks);
    return outcomes(state, machines, internal).map(([after, chance]) => {
      const gain = Math.max(0, after.clocks.at(-1)! - top);
      return { to: placeOf(plain(after)), chance, gain };
    });
  };
  const none = Array<number>(live).fill(0);
  placeOf({ clocks: none, queues: none.map(() => []) }).chance = 1;
  let kept = 0; // What was left out was so at each tick: the last period has lost the same share.
  const result = { growth: 0, mean_lag: 0, receive_share: 0 };
  for (let tick = (PERIODS + 1) * live; tick > 0; tick--) {
    const last = tick <= live;
    for (const place of places.values()) {
      const { chance } = place;
      place.chance = 0;
      if (chance < UNLIKELY) continue;
      if (last && place.receives) result.receive_share += chance / live;
      for (const move of (place.moves ??= movesOf(place))) {
        move.to.next += chance * move.chance;
        if (last) result.growth += chance * move.chance * move.gain;
      }
    }
    for (const place of places.values()) {
      [place.chance, place.next] = [place.next, 0];
      if (last) result.mean_lag += (place.chance * place.lag) / live;
      if (tick === 1) kept += place.chance;
    }
  }
  return {
    growth: result.growth / kept, mean_lag: result.mean_lag / kept,
    receive_share: result.receive_share / kept,
  };
}

/** What `manyEqual` is fitted in: powers of N/(N + HALF) times powers of ln p, both near 0. */
export function equalTerms(machines: number, internal: number): number[] {
  const [many, rare] = [machines / (machines + HALF) - 0.7, Math.log((1 - internal) / 3) + 2.5];
  return [0, 1, 2, 3].flatMap((power) => [0, 1, 2].map((other) => many ** power * rare ** other));
}

/**
 * Five equal machines or more.
 *
 * After a send to all, everybody is busy for a period and then free; p = (1 − internal)/3 being the
 * chance that a free tick sends to all, the next such send is (1 − p)/(p·N) of a period away. With
 * chance p it is the last sender's, whose clock is one step above its last, else another's, who has
 * received in between: two steps. So c/R = (2 − p)/(1 + (1 − p)/(p·N)), which is the limit of many.
 *
 * Left out are sends to one, and a crowd that is not yet all busy: h in the place of the 1 before
 * (1 − p)/(p·N), and the lag as a whole, are **fitted** by polynomials to 253 long runs of an
 * independent simulator (bench/theory-equal.jsonl: N from 5 to 1000, internal 0.45 to 0.93). Of
 * those, growth is off by 0.2 % on average and 1.2 % at most, the lag by 0.5 and 2 %.
 */
export function manyEqual(machines: number, internal: number): Omit<Equal, 'receive_share'> {
  const all = (1 - internal) / 3;
  const terms = equalTerms(machines, internal);
  const fitted = (coefficients: readonly number[]) =>
    Math.exp(coefficients.reduce((sum, coefficient, nth) => sum + coefficient * terms[nth]!, 0));
  const factor = fitted(EQUAL.factor);
  return {
    growth: Math.max(1, (2 - all) / (1 + ((1 - all) * factor) / (all * machines))),
    mean_lag: fitted(EQUAL.lag),
  };
}
