/** The command line that every script shares: its usage, its errors, and the knobs of the model. */
import { readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import {
  checkFaults, KINDS, type Kind, nemesis, parseFault, type Fault,
} from '../model/faults.ts';
import { parseLatency } from '../model/network.ts';
import {
  configure, EXERCISE, type Configuration, type Knobs, parseTicks,
} from '../model/run.ts';
import { terminalWidth } from './terminal.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  rates_range: [1, 6] as [number, number], // Hz; the exercise draws from 1 to 6.
  internal: 0.7, // Chance; seven sides of the exercise's ten-sided die.
  duration_s: 60, // Model seconds; the exercise asks for a minute.
  machines_max: 500, // Processes; each takes some 50 MB and a connection to every other.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** A script's command line: --help prints the comment that opens it, bad input exits with 2. */
export function script(url: string): Command {
  const source = readFileSync(new URL(url), 'utf8');
  const comment = source.slice(source.indexOf('/**') + 3, source.indexOf('*/'));
  return new Command(basename(fileURLToPath(url)))
    .usage('[options]')
    .addHelpText('before', `${usageText(comment.replace(/^ \* ?/gm, '').trim())}\n`)
    .configureOutput({
      getOutHelpWidth: () => Math.max(terminalWidth(), 80),
      // A suggestion stands on the error's own line.
      outputError: (text, write) => write(text.replace(/\n\(/, ' (')),
    })
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** A comment as text for the terminal: sentences are set anew, commands stay on their lines. */
function usageText(comment: string): string {
  const width = terminalWidth();
  return comment.split('\n\n').map((block) => (block.startsWith(' ') ? block
    : block.split(/\s+/).reduce((text, word) => {
      const line = text.slice(text.lastIndexOf('\n') + 1);
      return line.length + word.length >= width ? `${text}\n${word}` : `${text} ${word}`;
    }))).join('\n\n');
}

/** True in the process that was started with this file, false where it is imported. */
export const isMain = (url: string): boolean =>
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);

/** What is stored with each run: which lab made it, and on which Node. */
export const versions = (): { lab: string; node: string } => {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return { lab: (JSON.parse(file) as { version: string }).version, node: process.version };
};

/**
 * Whoever reads the output may leave early, as `head` does, or have no room: the work goes on to
 * its end, and what nobody reads is not written. To be called first in a script's main.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

// ── Parsers ──────────────────────────────────────────────────────────────────────────────────

const numberThat = (what: string, holds: (x: number) => boolean) => (text: string): number => {
  const x = text.trim() === '' ? NaN : Number(text);
  if (!holds(x)) throw new InvalidArgumentError(`It is not ${what}.`);
  return x;
};
export const positive = numberThat('a number above 0', (x) => x > 0 && x < Infinity);
export const probability = numberThat('a number from 0 to 1', (x) => x >= 0 && x <= 1);
export const whole = numberThat('a whole number', (x) => x >= 0 && Number.isSafeInteger(x));
export const atLeast = (least: number, most = Number.MAX_SAFE_INTEGER) => numberThat(
  most === Number.MAX_SAFE_INTEGER ? `a whole number of ${least} or more`
    : `a whole number from ${least} to ${most}`,
  (x) => x >= least && x <= most && Number.isSafeInteger(x));
export const port = numberThat('a port', (x) => Number.isInteger(x) && x >= 0 && x < 65536);
export const rateList = (text: string): number[] => text.split(',').map(positive);
export const idList = (text: string): number[] => text.split(',').map(whole);

/** An option's parser from one that throws a RangeError with a sentence. */
export const readBy = <T>(parse: (text: string) => T) => (text: string): T => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
};
export const latencyText = readBy((text) => (parseLatency(text), text));
export const ticksText = readBy((text) => (parseTicks(text), text));
/** For options that may be given several times. */
export const several = <T>(parse: (text: string) => T) => (text: string, before: T[] = []): T[] =>
  [...before, parse(text)];

/** The name of one folder under logs/. */
export function folderName(text: string): string {
  if (/^[\w.-]*\w[\w.-]*$/.test(text)) return text;
  throw new InvalidArgumentError('It is not the name of one folder under logs/.');
}

const kindList = (text: string): Kind[] => text.split(',').map((word) => {
  const kind = KINDS.find((kind) => kind === word.trim());
  if (kind !== undefined) return kind;
  throw new InvalidArgumentError(`It is not a list of ${KINDS.join(', ')}.`);
});

// ── The model's options ──────────────────────────────────────────────────────────────────────

/** The knobs of the exercise, the same for every script that runs the model. */
export const modelOptions = (command: Command): Command => command
  .option('--rates <list>', 'ticks a second of each machine, as 2,4,1 (default: drawn)', rateList)
  .option('--min-rate <hz>', 'lowest rate that is drawn; the exercise says 1', atLeast(1),
    KNOBS.rates_range[0])
  .option('--max-rate <hz>', 'highest rate that is drawn; the exercise says 6', atLeast(1),
    KNOBS.rates_range[1])
  .option('--internal <p>', 'chance of an internal event; seven sides of ten', probability,
    KNOBS.internal)
  .option('--duration <s>', 'model seconds; the exercise asks for a minute', positive,
    KNOBS.duration_s);

/** The knobs beyond the exercise, each with its reason. */
export const knobOptions = (command: Command): Command => command
  .addOption(new Option('--take <which>', 'which waiting message a tick takes: the exercise\'s '
    + 'oldest can be stale news').choices(['oldest', 'newest', 'all']).default(EXERCISE.take))
  .option('--queue-max <n>', 'how many messages may wait, since real memory ends (default: any)',
    atLeast(1))
  .addOption(new Option('--drop <which>', 'which message goes when one too many comes')
    .choices(['oldest', 'newest']).default(EXERCISE.drop))
  .option('--news', 'a message that is not above the clock when it arrives is discarded and costs '
    + 'no tick; a machine that drowns discards nothing by it', false)
  .option('--ticks <how>', 'regular, jitter:0.3 (periods) or poisson: no machine is a metronome',
    ticksText, EXERCISE.ticks)
  .option('--senders <list>', 'ids of those who may send, as 0,2 (default: all)', idList)
  .option('--both <p>', 'share of sends that go to all peers (default: a third)', probability);

/** What is done to machines and links. */
export const faultOptions = (command: Command): Command => command
  .option('--fault <text>', '"pause 0 at 10 for 3", "crash 1 at 20 restart 25" or "cut 0-2 at 30 '
    + 'for 5", in model seconds; several times', several(readBy(parseFault)))
  .option('--nemesis <kinds>', `faults drawn from the seed: ${KINDS.join(',')}`, kindList);

/** What modelOptions reads. */
export interface ModelOptions {
  rates?: number[];
  minRate: number;
  maxRate: number;
  internal: number;
  duration: number;
}

/** What knobOptions reads. */
export interface KnobOptions {
  take?: Knobs['take'];
  queueMax?: number;
  drop?: Knobs['drop'];
  news?: boolean;
  ticks?: string;
  senders?: number[];
  both?: number;
}

/** What faultOptions reads. */
export interface FaultOptions {
  fault?: Fault[];
  nemesis?: Kind[];
}

/** How many machines the options name: as many as rates, if only those are given. */
export function machineCount(
  command: Command, { rates, machines }: { rates?: number[]; machines: number },
): number {
  if (rates && rates.length < 2) command.error('error: --rates needs two machines or more');
  const chosen = command.getOptionValueSource('machines') === 'cli';
  return rates && !chosen ? rates.length : machines;
}

/** Draws the configuration that the options and a seed describe, or ends with what is wrong. */
export function configured(
  command: Command, options: ModelOptions & KnobOptions & FaultOptions, machines: number,
  seed: number, speed = 1,
): Configuration {
  const { rates: rates_hz, minRate, maxRate, internal, duration: duration_s, senders } = options;
  if (minRate > maxRate) {
    command.error(`error: --min-rate ${minRate} is above --max-rate ${maxRate}`);
  }
  if (rates_hz && rates_hz.length !== machines) {
    command.error(`error: --rates names ${rates_hz.length} machines and there are ${machines}`);
  }
  const stranger = senders?.find((id) => id >= machines);
  if (stranger !== undefined) {
    command.error(`error: --senders ${stranger}: the machines are 0 to ${machines - 1}`);
  }
  const rates = rates_hz ? { rates_hz } : { rates_range: [minRate, maxRate] as [number, number] };
  const configuration = configure(
    { seed, machines, ...rates, internal, duration_s, speed, ...knobsFrom(options) });
  return { ...configuration, ...faultsFrom(command, options, configuration) };
}

/** The knobs that options name; those that are not named are the exercise's. */
export function knobsFrom(options: KnobOptions): Partial<Knobs> {
  const { queueMax, take, drop, news, ticks, senders, both } = options;
  const named = { take, queue_max: queueMax, drop, news, ticks, senders, both };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

/** The stated and the drawn faults of a run, in the order of time; nothing where there are none. */
export function faultsFrom(
  command: Command, { fault = [], nemesis: kinds }: FaultOptions, configuration: Configuration,
): Pick<Configuration, 'faults' | 'nemesis'> {
  const drawn = kinds ? nemesis(kinds, configuration) : [];
  const faults = [...fault, ...drawn].sort((one, other) => one.at_s - other.at_s);
  if (faults.length === 0) return {};
  try {
    checkFaults(faults, configuration);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    command.error(`error: --fault: ${error.message}`);
  }
  return { faults, ...(kinds && { nemesis: kinds }) };
}

export { KNOBS as MODEL_KNOBS };
