/**
 * What happens to machines and links, as data: a schedule that is stated or drawn from the seed, is
 * done to real and to virtual machines alike, and is judged by the oracle.
 */
import { PURPOSE, stream, uniform } from './chance.ts';

/** Model seconds from the start. A restart is a crash with an end. */
export interface Fault {
  do: 'pause' | 'crash' | 'cut';
  /** Of a pause or a crash. */
  machine?: number;
  /** Of a cut: its two ends, the lower id first. */
  link?: [number, number];
  at_s: number;
  /** How long; null: to the end of the run. */
  for_s: number | null;
  /** Real runs: epoch µs before and after it began and ended; null while that is not so. */
  from_us?: [number, number] | null;
  to_us?: [number, number] | null;
}

/** What a schedule must know of its run; a Configuration says more. */
interface Scene {
  seed: number;
  machines: number;
  duration_s: number;
}

/** What a nemesis may be told to do. */
export const KINDS = ['pause', 'crash', 'restart', 'cut'] as const;
export type Kind = (typeof KINDS)[number];

/** The shortest slot of a nemesis, in seconds: time to feel one fault before the next. */
const SLOT_S = 15;

const SECONDS = String.raw`(\d+(?:\.\d+)?(?:e[+-]?\d+)?)`;
const PAUSE = new RegExp(`^pause (\\d+) at ${SECONDS}(?: for ${SECONDS})?$`);
const CRASH = new RegExp(`^crash (\\d+) at ${SECONDS}(?: (restart|for) ${SECONDS})?$`);
const CUT = new RegExp(`^cut (\\d+)-(\\d+) at ${SECONDS}(?: for ${SECONDS})?$`);

/**
 * Reads 'pause 0 at 10 for 3', 'crash 1 at 20', 'crash 1 at 20 restart 25' (the time of its return)
 * or 'cut 0-2 at 30 for 5'. @throws RangeError with one sentence
 */
export function parseFault(text: string): Fault {
  const words = text.trim().replace(/\s+/g, ' ');
  const length = (found: string | undefined) => (found === undefined ? null : Number(found));
  const pause = PAUSE.exec(words);
  if (pause) {
    const [, machine, at, long] = pause;
    return { do: 'pause', machine: Number(machine), at_s: Number(at), for_s: length(long) };
  }
  const crash = CRASH.exec(words);
  if (crash) {
    const [, machine, at, how, until] = crash;
    const for_s = how === 'restart' ? Number(until) - Number(at) : length(until);
    return { do: 'crash', machine: Number(machine), at_s: Number(at), for_s };
  }
  const cut = CUT.exec(words);
  if (cut) {
    const ends = [Number(cut[1]), Number(cut[2])].sort((a, b) => a - b) as [number, number];
    return { do: 'cut', link: ends, at_s: Number(cut[3]), for_s: length(cut[4]) };
  }
  throw new RangeError(`"${text}" is not like "pause 0 at 10 for 3", `
    + '"crash 1 at 20 restart 25" or "cut 0-2 at 30 for 5".');
}

/** A fault in the words that parseFault reads; what it reads is the same fault, to the last bit. */
export function faultText(fault: Fault): string {
  const { do: what, at_s, for_s } = fault;
  if (for_s === null) return inWords(fault, at_s, '');
  const back = what === 'crash' ? returnText(at_s, for_s) : null;
  const isShort = back !== null && back.length <= `${for_s}`.length + SPARE_DIGITS;
  return inWords(fault, at_s, isShort ? ` restart ${back}` : ` for ${for_s}`);
}

const SPARE_DIGITS = 3; // A time that is larger than the length has some more digits.

/** The same for people, who read no more than milliseconds. */
export function faultWords(fault: Fault): string {
  const { do: what, at_s, for_s } = fault;
  return inWords(fault, whole_ms(at_s), for_s === null ? ''
    : what === 'crash' ? ` restart ${whole_ms(at_s + for_s)}` : ` for ${whole_ms(for_s)}`);
}

const whole_ms = (s: number): number => Number(s.toFixed(3));

const inWords = (fault: Fault, at_s: number, end: string): string =>
  `${fault.do} ${machinesOf(fault).join('-')} at ${at_s}${end}`;

/**
 * The shortest number from which the return of a machine is read back to the bit: 10.1 + 5.835 is
 * 15.934999999999999, and 15.935 says it as well. Null if there is none.
 */
function returnText(at_s: number, for_s: number): string | null {
  for (let digits = 1; digits <= 17; digits++) {
    const back_s = Number((at_s + for_s).toPrecision(digits));
    if (back_s - at_s === for_s) return String(back_s);
  }
  return null;
}

/** The machines that a fault is done to: of a cut both ends. */
export const machinesOf = ({ machine, link }: Fault): number[] => link ?? [machine!];

/** When a fault is over, model seconds: the run's end where it has none of its own. */
export const endOf = ({ at_s, for_s }: Fault, duration_s: number): number =>
  Math.min(for_s === null ? Infinity : at_s + for_s, duration_s);

/**
 * Whether a schedule can be done: known machines, inside the run, and no two faults of one machine
 * at once. @throws RangeError with one sentence
 */
export function checkFaults(
  faults: readonly Fault[], { machines, duration_s }: Omit<Scene, 'seed'>,
): void {
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0
    && (id as number) < machines;
  for (const fault of faults) {
    const { do: what, machine, link, at_s, for_s } = fault ?? {};
    if (!['pause', 'crash', 'cut'].includes(what)) throw new RangeError(`no fault is "${what}".`);
    const aimed = what === 'cut' ? link === undefined || !Array.isArray(link) ? false
      : link.length === 2 && link.every(isId) && link[0] !== link[1] : isId(machine);
    if (!aimed) throw new RangeError(`a ${what} names no machine from 0 to ${machines - 1}.`);
    if (!(at_s > 0 && at_s < duration_s)) {
      throw new RangeError(`"${faultText(fault)}" is not inside the run's ${duration_s} s.`);
    }
    if (for_s !== null && !(for_s > 0 && for_s < Infinity)) {
      throw new RangeError(`"${faultText(fault)}" ends before it begins.`);
    }
  }
  const inTime = [...faults].sort((a, b) => a.at_s - b.at_s);
  const busy: (Fault | undefined)[] = [];
  for (const fault of inTime) {
    for (const id of machinesOf(fault)) {
      const before = busy[id];
      if (before && (before.for_s === null || before.at_s + before.for_s >= fault.at_s)) {
        throw new RangeError(`"${faultText(before)}" and "${faultText(fault)}" overlap.`);
      }
      busy[id] = fault;
    }
  }
}

/**
 * Draws a schedule from the seed: the run is cut into equal slots, each has one fault, and the
 * kinds take turns. A crash for good comes only in the last slot; before, the machine returns.
 */
export function nemesis(
  kinds: readonly Kind[], { seed, machines, duration_s }: Scene,
): Fault[] {
  const slots = Math.max(kinds.length, Math.floor(duration_s / SLOT_S));
  const slot_s = duration_s / slots;
  return Array.from({ length: slots }, (_, slot) => {
    const kind = kinds[slot % kinds.length]!;
    const chance = stream(seed, slot, PURPOSE.nemesis);
    const machine = Math.floor(uniform(chance, 0) * machines);
    const at_s = slot_s * (slot + 0.1 + 0.4 * uniform(chance, 1));
    const for_s = slot_s * (0.1 + 0.3 * uniform(chance, 2));
    if (kind === 'cut') {
      const place = Math.floor(uniform(chance, 3) * (machines - 1));
      const peer = place < machine ? place : place + 1;
      return { do: 'cut', link: machine < peer ? [machine, peer] : [peer, machine], at_s, for_s };
    }
    if (kind === 'pause') return { do: 'pause', machine, at_s, for_s };
    const returns = kind === 'restart' || slot < slots - 1;
    return { do: 'crash', machine, at_s, for_s: returns ? for_s : null };
  });
}

// ── What if ──────────────────────────────────────────────────────────────────────────────────

/** One thing that goes otherwise than the seed has it, in virtual time. */
export type Override =
  /** The die of a tick shows this. */
  | { do: 'roll'; machine: number; tick: number; roll: number }
  /** The message of this value never arrives. */
  | { do: 'lose'; from: number; to: number; clock: number }
  | { do: 'pause'; machine: number; at_s: number; for_s: number }
  /** From then on the machine has another rate; its next tick keeps its share of the period. */
  | { do: 'rate'; machine: number; at_s: number; rate_hz: number };

const ROLL = new RegExp(`^roll of (\\d+) at tick (\\d+) is ${SECONDS}$`);
const LOSE = /^lose (\d+) from (\d+) to (\d+)$/;
const RATE = new RegExp(`^rate of (\\d+) from ${SECONDS} is ${SECONDS}$`);

/**
 * Reads 'roll of 0 at tick 17 is 0.05', 'lose 23 from 0 to 2', 'pause 1 at 10 for 5' or 'rate of 2
 * from 20 is 6'. @throws RangeError with one sentence
 */
export function parseOverride(text: string): Override {
  const words = text.trim().replace(/\s+/g, ' ');
  const numbers = (found: RegExpExecArray | null) => found?.slice(1).map(Number);
  const [machine, tick, roll] = numbers(ROLL.exec(words)) ?? [];
  if (roll !== undefined && roll < 1) return { do: 'roll', machine: machine!, tick: tick!, roll };
  const [clock, from, to] = numbers(LOSE.exec(words)) ?? [];
  if (to !== undefined) return { do: 'lose', from: from!, to, clock: clock! };
  const [whose, since_s, rate_hz] = numbers(RATE.exec(words)) ?? [];
  if (rate_hz) return { do: 'rate', machine: whose!, at_s: since_s!, rate_hz };
  const [paused, at_s, for_s] = numbers(PAUSE.exec(words)) ?? [];
  if (for_s) return { do: 'pause', machine: paused!, at_s: at_s!, for_s };
  throw new RangeError(`"${text}" is not like "roll of 0 at tick 17 is 0.05", `
    + '"lose 23 from 0 to 2", "pause 1 at 10 for 5" or "rate of 2 from 20 is 6".');
}

/** An override in the words that parseOverride reads. */
export function overrideText(override: Override): string {
  switch (override.do) {
    case 'roll': return `roll of ${override.machine} at tick ${override.tick} is ${override.roll}`;
    case 'lose': return `lose ${override.clock} from ${override.from} to ${override.to}`;
    case 'rate': return `rate of ${override.machine} from ${override.at_s} is ${override.rate_hz}`;
    case 'pause':
      return `pause ${override.machine} at ${override.at_s} for ${override.for_s}`;
  }
}
