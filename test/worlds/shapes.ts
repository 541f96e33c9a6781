/** Worlds to play: each shape of run, each knob, each fault; and the oracle's answer to one. */
import { checkRun, parseLog, parseRun, Unreadable, type Report } from '../../check.ts';
import type { Fault } from '../../lab/model/faults.ts';
import { stream, uniform } from '../../lab/model/chance.ts';
import { BASES, type Base, type Lie, type Named } from './lies.ts';
import { copyOf, play, textOf, type Played, type World } from './play.ts';

const FAULTS: Fault[] = [{ do: 'pause', machine: 0, at_s: 10, for_s: 3.3 },
  { do: 'crash', machine: 1, at_s: 17, for_s: 4 }, { do: 'cut', link: [0, 2], at_s: 25, for_s: 6 }];
const GONE: Fault = { do: 'crash', machine: 2, at_s: 35, for_s: null };
const rates_hz = [4, 5, 6];

export const SHAPES: Readonly<Record<string, World>> = {
  'the exercise': {},
  'two machines': { rates_hz: [3, 1] },
  'five machines': { machines: 5, internal: 0.5 },
  'thirty machines': { machines: 30, duration_s: 5 },
  'an overloaded machine': { rates_hz: [1, 60, 5], duration_s: 10, internal: 0.2 },
  'nothing but internal events': { internal: 1 },
  'no internal event': { internal: 0 },
  'rates that are no integers': { rates_hz: [0.3, 7.77, 2.5] },
  'a run too short for a tick': { duration_s: 0.01 },
  'a constant latency': { latency: 'constant:1234.5' },
  'a latency that varies': { latency: 'uniform:1,900' },
  'an exponential latency': { latency: 'exponential:300' },
  'messages that overtake': { latency: 'exponential:500', reorder: true, loss: 0.1 },
  'messages that are lost': { loss: 0.3, latency: 'constant:5' },
  'messages that are all lost': { loss: 1 },
  'virtual, newest first': { take: 'newest', internal: 0.4 },
  'virtual, all at once': { take: 'all', internal: 0.4 },
  'virtual, three may wait, the oldest goes': { queue_max: 3, internal: 0.2 },
  'virtual, two may wait, the newest goes': { queue_max: 2, drop: 'newest', internal: 0.2 },
  'virtual, news alone': { news: true, latency: 'uniform:0,300' },
  'virtual, jitter': { ticks: 'jitter:0.4' },
  'virtual, Poisson': { ticks: 'poisson' },
  'virtual, one sender': { senders: [0] },
  'virtual, mostly to both': { both: 0.9 },
  'virtual, faults': { rates_hz, faults: [...FAULTS, GONE], latency: 'uniform:1,900' },
  'virtual, a nemesis': { nemesis: ['pause', 'crash', 'restart', 'cut'],
    latency: 'exponential:300' },
  'virtual, what if': { what_if: [{ do: 'roll', machine: 0, tick: 17, roll: 0.01 },
    { do: 'lose', from: 0, to: 2, clock: 4 }, { do: 'pause', machine: 1, at_s: 10, for_s: 5 },
    { do: 'rate', machine: 2, at_s: 20, rate_hz: 6 }] },
  sockets: { kind: 'sockets' },
  'sockets, an overloaded machine': { kind: 'sockets', rates_hz: [1, 6, 6] },
  'sockets at a speed of ten': { kind: 'sockets', speed: 10 },
  'sockets of the lab 0.1.0': { kind: 'sockets', lab: '0.1.0' },
  'sockets, two stalls at once': { kind: 'sockets', rates_hz, stalls: [
    { machine: 0, from_s: 10, to_s: 15 }, { machine: 1, from_s: 12, to_s: 20 }] },
  'sockets, a stall over the end': { kind: 'sockets', rates_hz, stalls: [
    { machine: 0, from_s: 57, to_s: 63 }] },
  'sockets, stuck between row and write': { kind: 'sockets', rates_hz, stuck: 0.05, stuck_s: 5 },
  'sockets, a death': { kind: 'sockets', rates_hz, deaths: [{ machine: 1, at_s: 20.2 }] },
  'sockets, two deaths of five': { kind: 'sockets', machines: 5,
    deaths: [{ machine: 1, at_s: 20.2 }, { machine: 3, at_s: 0.001 }] },
  'sockets, an interruption': { kind: 'sockets', interrupted_s: 13.4 },
  'sockets, newest first': { kind: 'sockets', take: 'newest', internal: 0.4 },
  'sockets, all at once': { kind: 'sockets', take: 'all', rates_hz: [1, 6, 6] },
  'sockets, three may wait, the oldest goes': { kind: 'sockets', queue_max: 3, internal: 0.2 },
  'sockets, two may wait, the newest goes':
    { kind: 'sockets', queue_max: 2, drop: 'newest', internal: 0.2 },
  'sockets, news alone': { kind: 'sockets', news: true },
  'sockets, jitter': { kind: 'sockets', ticks: 'jitter:0.4' },
  'sockets, Poisson': { kind: 'sockets', ticks: 'poisson' },
  'sockets, one sender': { kind: 'sockets', senders: [0] },
  'sockets, mostly to both': { kind: 'sockets', both: 0.9 },
  'sockets, dice of its own': { kind: 'sockets', dice: ['seed', 'own', 'seed'] },
  'sockets, gRPC': { kind: 'sockets', wire: 'grpc', rates_hz: [40, 50, 60], internal: 0.9 },
  'sockets, faults': { kind: 'sockets', rates_hz, faults: [...FAULTS, GONE] },
  'sockets, a nemesis': { kind: 'sockets', nemesis: ['pause', 'crash', 'restart', 'cut'] },
};

/** The runs that lies are told on. */
export const STAGES: Readonly<Record<Base, World>> = {
  virtual: { rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5 },
  network: { rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5, latency: 'exponential:200',
    loss: 0.1 },
  sockets: { kind: 'sockets', rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5 },
  stalled: { kind: 'sockets', rates_hz: [2, 4, 1], duration_s: 40, internal: 0.5, stuck: 0.05,
    stuck_s: 2, stalls: [{ machine: 0, from_s: 10, to_s: 14 },
      { machine: 2, from_s: 20, to_s: 24 }] },
  faults: { kind: 'sockets', rates_hz: [3, 4, 2], duration_s: 40, internal: 0.4, faults: FAULTS },
  'virtual faults': { rates_hz: [3, 4, 2], duration_s: 40, internal: 0.4,
    latency: 'exponential:200', faults: FAULTS },
};

/** The oracle's answer to what was played. @throws Unreadable */
export function check({ record, rows }: Played): Report {
  const run = parseRun(JSON.parse(JSON.stringify(record)), 'run.json');
  return checkRun(run, rows.slice(0, run.machines).map((each, id) =>
    parseLog(new TextEncoder().encode(textOf(each)), `machine-${id}.csv`)));
}

export const said = ({ violations }: Report): string =>
  violations.map(({ file, line, rule, text }) => `${file}:${line} ${rule}: ${text}`).join('\n');

const staged = new Map<string, Played>();

/** Which rules name what was told; null if the lie does not apply to this run. */
export function named(lie: Lie, base: Base, seed: number): Named[] | null {
  const name = `${base} ${seed}`;
  if (!staged.has(name)) staged.set(name, play({ ...STAGES[base], seed }));
  const played = lie.tell(copyOf(staged.get(name)!));
  if (played === null) return null;
  try {
    return Object.keys(check(played).counts) as Named[];
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return ['unreadable'];
  }
}

/** The bases of a lie, or one of them, another for each lie. */
export const someBase = ({ on }: Lie, nth: number): Base => on[nth % on.length] ?? BASES[0]!;

/** A world by chance: a shape, other rates, stalls from 0 to 10 s of whoever, a death. */
export function worldOf(seed: number): World {
  const draws = stream(seed, 0, 501);
  let n = 0;
  const chance = () => uniform(draws, n++);
  const among = <T>(items: readonly T[]): T => items[Math.floor(chance() * items.length)]!;
  const shape = among(Object.values(SHAPES));
  if (shape.kind !== 'sockets' || shape.faults || shape.nemesis || shape.machines) {
    return { ...shape, seed };
  }
  const stall = () => {
    const from_s = 50 * chance();
    return { machine: Math.floor(3 * chance()), from_s, to_s: from_s + 10 * chance() };
  };
  const stalls = Array.from({ length: Math.floor(4 * chance()) }, stall);
  return { ...shape, seed, stalls, ...(chance() < 0.3 ? { stuck: 0.03, stuck_s: 10 } : {}),
    ...(chance() < 0.2 && !shape.interrupted_s
      ? { deaths: [{ machine: Math.floor(3 * chance()), at_s: 60 * chance() }] } : {}) };
}
