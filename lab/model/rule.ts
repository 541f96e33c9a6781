/**
 * The rule of the scale model: what one tick of a machine does. After Lamport (1978), rules IR1 and
 * IR2, and the course exercise. Sockets, virtual time and the browser all call this one function.
 */

export type TickEvent = 'internal' | 'send' | 'receive';

/** The outcome of a tick. */
export interface Step {
  event: TickEvent;
  /** The clock after it; of a send also the message. */
  clock: number;
  /** Of a send: a peer's id, or EVERYONE; else NOBODY. */
  to: number;
}

/** The least that the rule must know of a machine. */
export interface Machine {
  readonly id: number;
  readonly machines: number;
  /** Chance that a tick that does not receive is an internal event. */
  readonly internal: number;
  clock: number;
  /** Share of the sends that go to all peers; the exercise's third where it is not stated. */
  readonly both?: number | undefined;
  /** False: a roll to send is an internal event. */
  readonly sends?: boolean | undefined;
}

/** In the place of a message's value: none waits. */
export const NO_MESSAGE = -1;
/** In the place of a receiver: nobody, and each of the peers. */
export const NOBODY = -1;
export const EVERYONE = -2;
/** No count of events comes near this; a message above it is a lie that would break arithmetic. */
export const CLOCK_MAX = 2 ** 52;
/** The exercise's die: of its three sides that send one sends to both. */
export const THIRD = 1 / 3;

/**
 * One tick. Pure: the same arguments always give the same step, and nothing is changed.
 * @param machine before the tick
 * @param message value of the message that is taken, or NO_MESSAGE
 * @param roll the die: uniform in [0, 1)
 */
export function step(machine: Machine, message: number, roll: number): Step {
  if (message !== NO_MESSAGE) {
    return { event: 'receive', clock: Math.max(machine.clock, message) + 1, to: NOBODY };
  }
  const clock = machine.clock + 1; // Before the send, so that a receive is above its send.
  const sends = 1 - machine.internal;
  if (roll >= sends || machine.sends === false) return { event: 'internal', clock, to: NOBODY };

  const share = lineShare(machine.both, roll, sends);
  if (share === BEYOND) return { event: 'send', clock, to: EVERYONE };
  return { event: 'send', clock, to: peer(machine, share) };
}

const BEYOND = Infinity;

/** Where a roll that sends falls in the line of peers: a share of it, or beyond, where all are. */
function lineShare(both: number | undefined, roll: number, sends: number): number {
  // The exercise's third is written without a division by it: 2/3 has no double of its own.
  if (both === undefined || both === THIRD) {
    return 3 * roll < 2 * sends ? (1.5 * roll) / sends : BEYOND;
  }
  const one = (1 - both) * sends;
  return roll < one ? roll / one : BEYOND;
}

/** The peer at a share in [0, 1) of the line of peers, which is in the order of their ids. */
function peer({ id, machines }: Machine, share: number): number {
  const place = Math.min(Math.floor(share * (machines - 1)), machines - 2);
  return place < id ? place : place + 1;
}

/** The ids that a send reaches, in order. */
export function receivers(
  { id, machines }: Pick<Machine, 'id' | 'machines'>, to: number,
): number[] {
  if (to !== EVERYONE) return to === NOBODY ? [] : [to];
  return Array.from({ length: machines }, (_, other) => other).filter((other) => other !== id);
}
