/**
 * A run: what decides it, when its ticks are due, and the rows of its logs. Real and virtual
 * machines take all of it from here, so that they agree to the bit.
 */
import { logarithm, PURPOSE, stream, uniform } from './chance.ts';
import type { Fault, Kind, Override } from './faults.ts';
import { THIRD, type TickEvent } from './rule.ts';

// ── Configuration ────────────────────────────────────────────────────────────────────────────

/** What may differ from the exercise, which is EXERCISE. */
export interface Knobs {
  /** Which of the waiting messages a tick takes. */
  take: 'oldest' | 'newest' | 'all';
  /** How many messages may wait; null: no bound. */
  queue_max: number | null;
  /** Which message goes when one more comes: the oldest that waits or the new one. */
  drop: 'oldest' | 'newest';
  /** Whether a message that is not above the clock is discarded on arrival and costs no tick. */
  news: boolean;
  /** 'regular'; 'jitter:j', each tick up to j < 0.5 periods off; 'poisson', gaps at random. */
  ticks: string;
  /** Who may send; null: everybody. */
  senders: number[] | null;
  /** Share of the sends that go to all peers. */
  both: number;
}

/** The exercise. */
export const EXERCISE: Readonly<Knobs> = {
  take: 'oldest', queue_max: null, drop: 'oldest', news: false, ticks: 'regular', senders: null,
  both: THIRD,
};

/** What decides a run, but for the seed's own part: rates and phases are already drawn. */
export interface Configuration extends Partial<Knobs> {
  seed: number;
  machines: number;
  /** Ticks a model second, one for each machine. */
  rates_hz: number[];
  /** From where to where rates were drawn; null: they were given. Older runs do not say. */
  rates_range?: [number, number] | null;
  /** Where in its period a machine has its first tick, in [0, 1): machines are not in step. */
  phases: number[];
  /** Chance that a tick that does not receive is an internal event. */
  internal: number;
  /** Model seconds. */
  duration_s: number;
  /** Model seconds in one real second. */
  speed: number;
  /** What is done to machines and links, and the kinds from which the seed drew it. */
  faults?: Fault[];
  nemesis?: Kind[];
  /** What goes otherwise than the seed has it. */
  what_if?: Override[];
}

/** What `configure` is asked for. Rates are given, or drawn as integers from a range. */
export type ConfigureOptions = Partial<Knobs> & {
  seed: number;
  machines: number;
  internal: number;
  duration_s: number;
  speed?: number;
} & ({ rates_hz: number[] } | { rates_range: [number, number] });

/** Draws what the seed decides before a run. A knob that is the exercise's is left out. */
export function configure(options: ConfigureOptions): Configuration {
  const { seed, machines, internal, duration_s, speed = 1 } = options;
  const draws = Array.from({ length: machines },
    (_, id) => stream(seed, id, PURPOSE.configuration));
  const rates_range = 'rates_range' in options ? options.rates_range : null;
  const rates_hz = 'rates_range' in options
    ? draws.map((draw) => drawnRate_hz(uniform(draw, 0), options.rates_range)) : options.rates_hz;
  const phases = phasesOf(seed, machines);
  return { seed, machines, rates_hz, rates_range, phases, internal, duration_s, speed,
    ...otherThanExercise(options) };
}

/** The phase of each machine, which the seed draws. */
export const phasesOf = (seed: number, machines: number): number[] =>
  Array.from({ length: machines }, (_, id) =>
    uniform(stream(seed, id, PURPOSE.configuration), 1));

const drawnRate_hz = (share: number, [least, most]: [number, number]): number =>
  least + Math.floor(share * (most - least + 1));

/** The knobs of a configuration that are not the exercise's. */
export function otherThanExercise(knobs: Partial<Knobs>): Partial<Knobs> {
  return Object.fromEntries(Object.entries(EXERCISE).flatMap(([name, usual]) => {
    const value = knobs[name as keyof Knobs];
    return value === undefined || value === usual ? [] : [[name, value]];
  }));
}

/** All knobs of a configuration: those that it states, else the exercise's. */
export const knobsOf = (configuration: Partial<Knobs>): Knobs =>
  ({ ...EXERCISE, ...otherThanExercise(configuration) });

/** What the rule must know of a machine at its start. @see Machine in rule.ts */
export function machineOf(configuration: Configuration, id: number) {
  const { machines, internal, both, senders } = configuration;
  return { id, machines, internal, clock: 0, both, sends: senders?.includes(id) ?? true };
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

/** When tick k = 0, 1, … is due: model seconds from the start, so that no error adds up. */
export function due_s(k: number, phase: number, rate_hz: number): number {
  return (k + phase) / rate_hz;
}

/** 'jitter:0.3' → 0.3; 'regular' → 0; 'poisson' → null. @throws RangeError with one sentence */
export function parseTicks(text: string): number | null {
  if (text === 'poisson') return null;
  const jitter = text === 'regular' ? 0 : Number(/^jitter:(\d*\.?\d+)$/.exec(text)?.[1]);
  if (jitter >= 0 && jitter < 0.5) return jitter;
  throw new RangeError('It is not regular, jitter:j with j below 0.5, or poisson.');
}

/**
 * When each tick of a machine is due, as a function of k = 0, 1, …: model seconds, not falling.
 * Regular ticks and jitter may be asked in any order; Poisson ticks are sums of gaps, so asking
 * for a k below the last one starts again from the first.
 */
export function schedule(
  { seed, rates_hz, phases, ticks = EXERCISE.ticks }: Configuration, id: number,
): (k: number) => number {
  const [rate_hz, phase] = [rates_hz[id]!, phases[id]!];
  const jitter = parseTicks(ticks);
  if (jitter === 0) return (k) => due_s(k, phase, rate_hz);
  const chance = stream(seed, id, PURPOSE.ticks);
  if (jitter !== null) {
    return (k) => Math.max(0, k + phase + jitter * (2 * uniform(chance, k) - 1)) / rate_hz;
  }
  let [last, at_s] = [-1, 0];
  return (k) => {
    if (k < last) [last, at_s] = [-1, 0];
    while (last < k) at_s -= logarithm(1 - uniform(chance, ++last)) / rate_hz;
    return at_s;
  };
}

// ── Logs ─────────────────────────────────────────────────────────────────────────────────────

/** The first line of every log. */
export const HEADER = 'time_us,machine,tick,event,peer,message,queue,clock\n';

/** One line of a log, in the order of HEADER; `tick`, `peer` and `message` may be empty. */
export function row(
  time_us: number, machine: number, tick: number | '',
  event: TickEvent | 'start' | 'stop' | 'restart', peers: number | string,
  message: number | string, queue: number, clock: number,
): string {
  return `${time_us},${machine},${tick},${event},${peers},${message},${queue},${clock}\n`;
}

/** The path of a machine's log in a run's folder. */
export const logPath = (folder: string, id: number): string => `${folder}/machine-${id}.csv`;
