/** run.json: what it says, and whether it says it rightly. All readers but the oracle ask here. */
import { checkFaults, KINDS, type Kind } from './faults.ts';
import { parseLatency } from './network.ts';
import { type Configuration, EXERCISE, parseTicks } from './run.ts';

/** More machines than this no reader takes; a run of so many has never been made. */
export const MACHINES_MAX = 100_000;

interface Recorded {
  /** Epoch µs (virtual: 0); null until the machines have begun. */
  start_us: number | null;
  versions: { lab: string; node: string };
  /** How it ended, in words; null while it runs and for ever if the writer was killed. */
  ended: string | null;
  [more: string]: unknown;
}

/** What run.json says of a run of the lab, beside the configuration. */
export interface OwnRecord extends Configuration, Recorded {
  kind: 'sockets' | 'virtual';
  /** Whether machines roll the seed's dice, or `own` ones: all alike, or one word a machine. */
  dice?: Dice | Dice[];
  /** Of runs over sockets: what carries their messages; tcp where nothing is said. */
  wire?: 'tcp' | 'grpc';
  /** Of virtual runs. */
  latency?: string;
  loss?: number;
  reorder?: boolean;
}
export type Dice = 'seed' | 'own';

/** Of a run that was imported; null is what its logs do not tell. */
export interface ForeignRecord extends Recorded {
  kind: 'foreign';
  machines: number;
  rates_hz: (number | null)[];
  seed: null;
  phases: null;
  internal: number | null;
  duration_s: number;
  speed: number;
}

export type RunRecord = OwnRecord | ForeignRecord;

/** What is wrong with a run.json, in one sentence. */
export class RunError extends Error {}

const isNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x);
const isPositive = (x: unknown) => isNumber(x) && x > 0;
const isShare = (x: unknown) => isNumber(x) && x >= 0 && x <= 1;
const isWhole = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
const isAbsent = (x: unknown) => x === undefined;

/**
 * The value of a run.json as a record, if it is one that the lab can have written.
 * @throws RunError with what is wrong, in one sentence that names the field
 */
export function validateRun(value: unknown): RunRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RunError('it is no JSON object');
  }
  const run = value as Record<string, unknown>;
  const must = (holds: boolean, name: string, what: string) => {
    if (!holds) throw new RunError(`${name} is not ${what}`);
  };
  must(['sockets', 'virtual', 'foreign'].includes(run.kind as string), 'kind',
    'sockets, virtual or foreign');
  const foreign = run.kind === 'foreign';
  const machines = run.machines as number;
  must(isWhole(machines) && machines >= (foreign ? 1 : 2) && machines <= MACHINES_MAX, 'machines',
    `a whole number from 2 to ${MACHINES_MAX}`);
  const isList = (list: unknown, each: (x: unknown) => boolean) =>
    Array.isArray(list) && list.length === machines && list.every(each);
  must(isList(run.rates_hz, (x) => isPositive(x) || (foreign && x === null)), 'rates_hz',
    `a list of ${machines} numbers above 0`);
  must(isPositive(run.duration_s), 'duration_s', 'a number above 0');
  must(isPositive(run.speed), 'speed', 'a number above 0');
  must(run.start_us === null || isWhole(run.start_us), 'start_us', 'a time in µs or null');
  must(run.ended === null || typeof run.ended === 'string', 'ended', 'a text or null');
  must((foreign && run.internal === null) || isShare(run.internal), 'internal',
    'a number from 0 to 1');
  if (foreign) return run as unknown as ForeignRecord;

  must(isWhole(run.seed), 'seed', 'a whole number of 0 or more');
  must(isList(run.phases, (x) => isNumber(x) && x >= 0 && x < 1), 'phases',
    `a list of ${machines} numbers from 0 to below 1`);
  must([undefined, 'tcp', 'grpc'].includes(run.wire as undefined), 'wire', 'tcp or grpc');
  validateKnobs(run, machines, must);
  validateNetwork(run, must);
  validateFaults(run, must);
  return run as unknown as OwnRecord;
}

type Must = (holds: boolean, name: string, what: string) => void;

/** One sentence of another parser, under the field's name. */
function read(name: string, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(`${name}: ${error.message}`);
  }
}

function validateKnobs(run: Record<string, unknown>, machines: number, must: Must): void {
  const { take, queue_max, drop, news, ticks, senders, both, rates_range, dice } = run;
  must(isAbsent(take) || ['oldest', 'newest', 'all'].includes(take as string), 'take',
    'oldest, newest or all');
  must(isAbsent(queue_max) || queue_max === null || (isWhole(queue_max) && queue_max !== 0),
    'queue_max', 'a whole number of 1 or more, or null');
  must(isAbsent(drop) || ['oldest', 'newest'].includes(drop as string), 'drop', 'oldest or newest');
  must(isAbsent(news) || typeof news === 'boolean', 'news', 'true or false');
  read('ticks', () => parseTicks(String(ticks ?? EXERCISE.ticks)));
  must(isAbsent(senders) || senders === null || (Array.isArray(senders)
    && senders.every((id) => isWhole(id) && id < machines)), 'senders', 'a list of ids');
  must(isAbsent(both) || isShare(both), 'both', 'a number from 0 to 1');
  must(isAbsent(rates_range) || rates_range === null || (Array.isArray(rates_range)
    && rates_range.length === 2 && rates_range.every(isWhole) && rates_range[0] >= 1
    && rates_range[0] <= rates_range[1]), 'rates_range', 'a pair of whole numbers, or null');
  const isDice = (x: unknown) => x === 'seed' || x === 'own';
  must(isAbsent(dice) || isDice(dice) || (Array.isArray(dice) && dice.length === machines
    && dice.every(isDice)), 'dice', 'seed, own, or one of them for each machine');
}

function validateNetwork(run: Record<string, unknown>, must: Must): void {
  const { kind, latency, loss, reorder } = run;
  if (kind !== 'virtual') {
    for (const name of ['latency', 'loss', 'reorder']) {
      must(isAbsent(run[name]), name, 'of a run over sockets: only virtual time states it');
    }
    return;
  }
  read('latency', () => parseLatency(String(latency ?? 'constant:0')));
  must(isAbsent(loss) || isShare(loss), 'loss', 'a number from 0 to 1');
  must(isAbsent(reorder) || typeof reorder === 'boolean', 'reorder', 'true or false');
}

function validateFaults(run: Record<string, unknown>, must: Must): void {
  const { faults, nemesis, what_if } = run;
  must(isAbsent(faults) || Array.isArray(faults), 'faults', 'a list');
  must(isAbsent(nemesis) || (Array.isArray(nemesis)
    && nemesis.every((kind) => KINDS.includes(kind as Kind))), 'nemesis',
  `a list of ${KINDS.join(', ')}`);
  must(isAbsent(what_if) || Array.isArray(what_if), 'what_if', 'a list');
  const configuration = run as unknown as Configuration;
  if (faults) read('faults', () => checkFaults(configuration.faults!, configuration));
}
