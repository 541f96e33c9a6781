/**
 * What run.json says, read by a validator of the oracle's own: it shares no code with whoever wrote
 * the file, believes nothing that cannot be, and knows no word that would switch a rule off.
 */

export type Kind = 'pause' | 'crash' | 'restart' | 'cut';

/** What was done to a machine or a link, model seconds. A restart is a crash with an end. */
export interface Fault {
  do: 'pause' | 'crash' | 'cut';
  machine?: number;
  link?: [number, number];
  at_s: number;
  /** Null: to the end of the run. */
  for_s: number | null;
  /** Real runs: epoch µs before and after it began, and ended; null if it did not. */
  from_us?: [number, number] | null;
  to_us?: [number, number] | null;
}

/** What went otherwise than the seed has it, in a virtual run. */
export type Override =
  | { do: 'roll'; machine: number; tick: number; roll: number }
  | { do: 'lose'; from: number; to: number; clock: number }
  | { do: 'pause'; machine: number; at_s: number; for_s: number }
  | { do: 'rate'; machine: number; at_s: number; rate_hz: number };

export interface Latency {
  kind: 'constant' | 'uniform' | 'exponential';
  from_ms: number;
  to_ms: number;
}

/** A run of the lab's own, with every knob filled in. */
export interface Run {
  kind: 'sockets' | 'virtual';
  seed: number;
  machines: number;
  rates_hz: readonly number[];
  /** From where to where rates were drawn; null: they were given, or nobody said. */
  rates_range: readonly [number, number] | null;
  phases: readonly number[];
  internal: number;
  duration_s: number;
  speed: number;
  /** Epoch µs, of virtual runs 0; null until the machines have begun. */
  start_us: number | null;
  ended: string | null;
  /** Whether its machines read the clock once a tick: of the lab 0.2.0 and later. */
  exact: boolean;
  /** What carried the messages of a run over sockets. */
  wire: 'tcp' | 'grpc';
  /** Whose dice each machine rolls. */
  dice: readonly ('seed' | 'own')[];
  take: 'oldest' | 'newest' | 'all';
  queue_max: number;
  drop: 'oldest' | 'newest';
  news: boolean;
  ticks: string;
  senders: readonly number[] | null;
  both: number;
  latency: string;
  loss: number;
  reorder: boolean;
  faults: readonly Fault[];
  nemesis: readonly Kind[] | null;
  what_if: readonly Override[];
}

/** The message says in one line what cannot be read, and why. */
export class Unreadable extends Error {}

/** The exercise's die: one of the three sides that send sends to both. */
export const THIRD = 1 / 3;
/** More machines than this nobody has run. */
const MACHINES_MAX = 100_000;
/** No virtual run has more ticks. */
const TICKS_MAX = 2 ** 31;
/** 2001-09-09 in µs since 1970: no socket of this lab is older. */
const EPOCH_LEAST_US = 1e15;
const KINDS = ['pause', 'crash', 'restart', 'cut'];

const NUMBER = String.raw`((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`;
const LATENCY = new RegExp(`^(?:(constant|exponential):${NUMBER}|(uniform):${NUMBER},${NUMBER})$`);

/** Reads 'constant:5', 'uniform:1,9' or 'exponential:5', model ms; null if it is none of them. */
export function parseLatency(text: unknown): Latency | null {
  const found = typeof text === 'string' ? LATENCY.exec(text) : null;
  if (!found) return null;
  const kind = (found[1] ?? found[3]) as Latency['kind'];
  const from_ms = Number(found[2] ?? found[4]);
  const to_ms = Number(found[5] ?? from_ms);
  return to_ms >= from_ms && to_ms < Infinity ? { kind, from_ms, to_ms } : null;
}

/** 'regular' → 0, 'jitter:0.3' → 0.3, 'poisson' → Infinity; NaN if it is none of them. */
export function parseTicks(text: string): number {
  if (text === 'poisson') return Infinity;
  if (text === 'regular') return 0;
  const jitter = Number(/^jitter:(\d*\.?\d+)$/.exec(text)?.[1] ?? NaN);
  return jitter < 0.5 ? jitter : NaN;
}

const isNumber = (x: unknown, least = -Infinity, most = Infinity): x is number =>
  typeof x === 'number' && Number.isFinite(x) && x >= least && x <= most;
const isPositive = (x: unknown): x is number => isNumber(x, 0) && x > 0;
const isWhole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

/** Demands that something holds of a field, or says which field is not what it must be. */
export type Demand = (holds: boolean, name: string, what: string) => void;

export function demandOf(file: string): Demand {
  return (holds, name, what) => {
    if (!holds) throw new Unreadable(`${file}: ${name} is not ${what}`);
  };
}

/** What run.json says, if that can be. @throws Unreadable if not, in one line */
export function parseRun(value: unknown, file: string): Run {
  const demand = demandOf(file);
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), 'what it holds',
    'one JSON object');
  const said = value as Record<string, unknown>;
  const { seed, machines, rates_hz, phases, internal, duration_s, speed, kind, start_us, ended,
    rates_range = null, versions, wire = 'tcp' } = said;
  demand(isWhole(machines) && machines >= 2 && machines <= MACHINES_MAX, 'machines',
    `a count from 2 to ${MACHINES_MAX}`);
  const list = (x: unknown, holds: (item: unknown) => boolean) =>
    Array.isArray(x) && x.length === machines && x.every(holds);
  demand(isWhole(seed), 'seed', 'a whole number of 0 or more');
  demand(list(rates_hz, isPositive), 'rates_hz', `${machines} numbers above 0`);
  demand(list(phases, (phase) => isNumber(phase, 0) && phase < 1), 'phases',
    `${machines} numbers from 0 to below 1`);
  demand(isNumber(internal, 0, 1), 'internal', 'a number from 0 to 1');
  demand(isPositive(duration_s), 'duration_s', 'a number above 0');
  demand(isPositive(speed), 'speed', 'a number above 0');
  demand(kind === 'sockets' || kind === 'virtual', 'kind', '"sockets" or "virtual"');
  const ticks = (rates_hz as number[]).reduce((sum, hz) => sum + hz * (duration_s as number), 0);
  demand(kind === 'sockets' || ticks < TICKS_MAX, 'duration_s',
    `one of a virtual run: it has less than ${TICKS_MAX} ticks`);
  demand(kind === 'virtual' ? start_us === 0 || start_us === null
    : start_us === null || (isWhole(start_us) && start_us >= EPOCH_LEAST_US), 'start_us',
  kind === 'virtual' ? '0, where virtual time begins' : 'a time in µs since 1970 or null');
  demand(wire === 'tcp' || wire === 'grpc', 'wire', 'tcp or grpc');
  demand(ended === null || ended === undefined || typeof ended === 'string', 'ended',
    'a text or null');
  demand(ended !== 'finished' || start_us !== null, 'ended', 'possible: "finished" without start');
  const range = rates_range as [number, number];
  demand(range === null || (Array.isArray(range) && range.length === 2 && range.every(isWhole)
    && range[0] >= 1 && range[1] >= range[0]),
  'rates_range', 'null or two whole numbers, as [1,6]');
  const run = said as unknown as Run;
  return {
    kind: run.kind, seed: run.seed, machines: run.machines, rates_hz: run.rates_hz,
    rates_range: range, phases: run.phases, internal: run.internal, duration_s: run.duration_s,
    speed: run.speed, start_us: run.start_us, ended: run.ended ?? null, exact: isExact(versions),
    wire: run.wire ?? 'tcp',
    ...parseKnobs(said, run.machines, demand), ...parseNetwork(said, run.kind, demand),
    ...parseFaults(said, run, demand),
  };
}

/** Whether versions.lab is 0.2.0 or later. */
function isExact(versions: unknown): boolean {
  const found = /^(\d+)\.(\d+)\./.exec(String(Object(versions).lab));
  return found !== null && (Number(found[1]) > 0 || Number(found[2]) >= 2);
}

function parseKnobs(said: Record<string, unknown>, machines: number, demand: Demand) {
  const { take = 'oldest', queue_max = null, drop = 'oldest', news = false, ticks = 'regular',
    senders = null, both = THIRD, dice = 'seed' } = said;
  demand(take === 'oldest' || take === 'newest' || take === 'all', 'take', 'oldest, newest or all');
  demand(queue_max === null || (isWhole(queue_max) && queue_max >= 1), 'queue_max',
    'null or a whole number of 1 or more');
  demand(drop === 'oldest' || drop === 'newest', 'drop', 'oldest or newest');
  demand(typeof news === 'boolean', 'news', 'true or false');
  demand(typeof ticks === 'string' && parseTicks(ticks) >= 0, 'ticks',
    'regular, jitter:j with j below 0.5, or poisson');
  demand(senders === null || (Array.isArray(senders) && senders.every((id) =>
    isWhole(id) && id < machines)), 'senders', `null or a list of ids below ${machines}`);
  demand(isNumber(both, 0, 1), 'both', 'a number from 0 to 1');
  const each = Array.isArray(dice) ? dice : Array.from({ length: machines }, () => dice);
  demand(each.length === machines && each.every((word) => word === 'seed' || word === 'own'),
    'dice', 'seed, own, or one of them for each machine');
  return {
    take, queue_max: (queue_max ?? Infinity) as number, drop, news, ticks, senders, both,
    dice: each,
  } as Pick<Run, 'take' | 'queue_max' | 'drop' | 'news' | 'ticks' | 'senders' | 'both' | 'dice'>;
}

function parseNetwork(said: Record<string, unknown>, kind: Run['kind'], demand: Demand) {
  const { latency = 'constant:0', loss = 0, reorder = false } = said;
  for (const name of ['latency', 'loss', 'reorder', 'what_if']) {
    demand(kind === 'virtual' || said[name] === undefined, name,
      'what a run over sockets has: only virtual time knows it');
  }
  demand(parseLatency(latency) !== null, 'latency',
    'like constant:5, uniform:1,9 or exponential:5');
  demand(isNumber(loss, 0, 1), 'loss', 'a number from 0 to 1');
  demand(typeof reorder === 'boolean', 'reorder', 'true or false');
  return { latency, loss, reorder } as Pick<Run, 'latency' | 'loss' | 'reorder'>;
}

/** The machines that a fault is done to: of a cut both ends. */
export const machinesOf = ({ machine, link }: Fault): readonly number[] => link ?? [machine!];

function parseFaults(said: Record<string, unknown>, run: Run, demand: Demand) {
  const { faults = [], nemesis = null, what_if = [] } = said;
  const { machines, duration_s, kind } = run;
  const isId = (x: unknown): x is number => isWhole(x) && x < machines;
  const isPair = (x: unknown) => x === undefined || x === null
    || (Array.isArray(x) && x.length === 2 && x.every(isWhole) && x[0]! <= x[1]!);
  demand(Array.isArray(faults), 'faults', 'a list');
  for (const [n, fault] of (faults as Fault[]).entries()) {
    const { do: what, machine, link, at_s, for_s, from_us, to_us } = Object(fault) as Fault;
    const name = `faults[${n}]`;
    demand(['pause', 'crash', 'cut'].includes(what), name, 'a pause, a crash or a cut');
    demand(what === 'cut' ? machine === undefined && Array.isArray(link) && link.length === 2
      && link.every(isId) && link[0] !== link[1] : link === undefined && isId(machine), name,
    `done to ${what === 'cut' ? 'a link of two machines' : 'a machine'} of the run`);
    demand(isPositive(at_s) && at_s < duration_s, name, 'inside the run');
    demand(for_s === null || isPositive(for_s), name, 'of some length');
    demand(isPair(from_us) && isPair(to_us), name, 'timed by pairs in µs, from_us and to_us');
    demand(kind === 'sockets' || (!from_us && !to_us), name,
      'timed by its run: virtual time has at_s alone');
    demand(!to_us || !from_us || from_us[1] <= to_us[0], name, 'over after it began');
  }
  overlaps(faults as Fault[], demand);
  demand(nemesis === null || (Array.isArray(nemesis) && nemesis.length > 0
    && nemesis.every((word) => KINDS.includes(word as string))), 'nemesis',
  `a list of ${KINDS.join(', ')}`);
  demand(Array.isArray(what_if), 'what_if', 'a list');
  for (const [n, item] of (what_if as Override[]).entries()) {
    const { do: what, ...rest } = Object(item) as Record<string, unknown>;
    const fields = { roll: ['machine', 'tick', 'roll'], lose: ['from', 'to', 'clock'],
      pause: ['machine', 'at_s', 'for_s'], rate: ['machine', 'at_s', 'rate_hz'] }[what as string];
    const ids = [rest.machine, rest.from, rest.to].filter((x) => x !== undefined);
    demand(fields !== undefined && fields.every((name) => isNumber(rest[name], 0))
      && ids.every(isId) && (what !== 'rate' || isPositive(rest.rate_hz)), `what_if[${n}]`,
    'a roll, a loss, a pause or a rate of this run');
  }
  return { faults, nemesis, what_if } as Pick<Run, 'faults' | 'nemesis' | 'what_if'>;
}

/** No two faults of one machine may be at once: nobody could say which of them cost what. */
function overlaps(faults: readonly Fault[], demand: Demand): void {
  const busy = new Map<number, number>();
  for (const fault of [...faults].sort((a, b) => a.at_s - b.at_s)) {
    for (const id of machinesOf(fault)) {
      demand((busy.get(id) ?? -1) < fault.at_s, 'faults',
        `possible: machine ${id} has two at once, at ${fault.at_s} s`);
      busy.set(id, fault.at_s + (fault.for_s ?? Infinity));
    }
  }
}
