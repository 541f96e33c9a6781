/**
 * The same machines in virtual time: no process, no socket, no waiting. The one rule of lab/model
 * decides each tick, and the logs are those of a real run, so that every reader of logs works.
 *
 *   npx tsx simulate.ts                                   three machines, a minute, rates drawn
 *   npx tsx simulate.ts --rates 2,4,1 --seed 7            the same logs on every computer
 *   npx tsx simulate.ts --runs 5 --name mine              five seeds in a row: mine-1 … mine-5
 *   npx tsx simulate.ts --latency uniform:1,9 --loss 0.1  messages take 1 to 9 ms, a tenth is lost
 *   npx tsx simulate.ts --fault 'crash 1 at 20 restart 25' --fault 'cut 0-2 at 30 for 5'
 *   npx tsx simulate.ts --seed 7 --what-if 'roll of 0 at tick 17 is 0.05'
 *   npx tsx check.ts logs/mine-1                          what holds for sockets holds here
 *
 * What happens at one instant happens in this order: faults end, faults begin, messages arrive, in
 * the order in which they were sent; then machines tick, in the order of their ids. Without latency
 * a message waits at its receiver as soon as it is sent, for whoever ticks next. The run ends at
 * its duration: a tick that is due then does not happen any more, a message that arrives then still
 * counts as waiting.
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Command } from 'commander';
import { newFolder } from './lab/cli/folder.ts';
import {
  atLeast, configured, type FaultOptions, faultOptions, folderName, isMain, knobOptions,
  type KnobOptions, latencyText, machineCount, modelOptions, type ModelOptions, outliveReaders,
  positive, probability, readBy, script, several, whole,
} from './lab/cli/options.ts';
import { type Column, table } from './lab/cli/table.ts';
import { plural, rateWords } from './lab/cli/terminal.ts';
import { checkFaults, type Override, parseOverride } from './lab/model/faults.ts';
import { type Network, PERFECT } from './lab/model/network.ts';
import type { Configuration } from './lab/model/run.ts';
import { logBytes, record } from './lab/virtual/record.ts';
import { expectedTicks, type Statistics, TICKS_MAX } from './lab/virtual/statistics.ts';

export { PERFECT, type Network } from './lab/model/network.ts';
export { simulate } from './lab/virtual/engine.ts';
export { record } from './lab/virtual/record.ts';
export { MEASURES, type Measure, type Statistics } from './lab/virtual/statistics.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  machines: 3, // The exercise has three.
  runs: 1, // One seed; a series is asked for.
  latency: PERFECT.latency, // Model ms; the exercise's sockets are as good as instant.
  loss: PERFECT.loss, // Chance; TCP loses nothing.
  reorder: PERFECT.reorder, // TCP keeps the order on a channel.
  log_max_mb: 1000, // MB of logs in one run: more is a slip of a digit more often than a plan.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

type Options = ModelOptions & KnobOptions & FaultOptions & Network & {
  machines: number; seed?: number; runs: number; name?: string; whatIf?: Override[];
  logMax: number };

const COLUMNS: Column[] = [
  { heading: 'machine' }, { heading: 'rate Hz' }, { heading: 'ticks' },
  { group: 'receives', heading: '%', spare: 1 }, { group: 'clock', heading: 'final' },
  { group: 'lag', heading: 'mean' }, { group: 'lag', heading: 'max' },
  { group: 'jump', heading: 'mean', spare: 3 }, { group: 'jump', heading: 'max', spare: 4 },
  { group: 'queue', heading: 'mean' }, { group: 'queue', heading: 'max', spare: 2 },
  { group: 'queue', heading: 'final' },
];

/** The statistics as a person reads them. */
function summary(rates_hz: number[], statistics: Statistics): string {
  const { ticks, final_clock, mean_lag, max_lag, mean_jump, max_jump, receive_share, mean_queue,
    max_queue, final_queue, sent, lost, dropped, in_flight } = statistics;
  const digits = (x: number) => (Number.isNaN(x) ? '–' : x.toFixed(1));
  const rows = rates_hz.map((rate_hz, id) => [id, Number(rate_hz.toFixed(2)), ticks[id]!,
    digits(100 * receive_share[id]!), final_clock[id]!, digits(mean_lag[id]!), max_lag[id]!,
    digits(mean_jump[id]!), max_jump[id]!, digits(mean_queue[id]!), max_queue[id]!,
    final_queue[id]!]);
  return `${table(COLUMNS, rows)}\n${plural(sent, 'message')} sent, ${lost} lost, `
    + `${dropped > 0 ? `${dropped} dropped, ` : ''}${in_flight} in flight at the end`;
}

/** What a seed and the options say, or the end with one line. */
function configurationOf(command: Command, options: Options, seed: number) {
  const { latency, loss, reorder, whatIf: what_if, logMax } = options;
  const machines = machineCount(command, options);
  const configuration: Configuration & Network = {
    ...configured(command, options, machines, seed), latency, loss, reorder,
    ...(what_if && { what_if }),
  };
  try {
    const pauses = (what_if ?? []).flatMap((change) => (change.do === 'pause' ? [change] : []));
    checkFaults([...configuration.faults ?? [], ...pauses], configuration);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    command.error(`error: --what-if: ${error.message}`);
  }
  const ticks = expectedTicks(configuration);
  if (ticks > TICKS_MAX) {
    command.error(`error: --duration ${options.duration}: more than ${TICKS_MAX} ticks in a run`);
  }
  const logs_mb = Math.ceil(logBytes(configuration) / 1e6);
  if (logs_mb > logMax) {
    command.error(`error: --duration ${options.duration}: some ${logs_mb} MB of logs, and `
      + `--log-max is ${logMax}; sweep.ts writes none`);
  }
  return configuration;
}

async function main(): Promise<void> {
  outliveReaders();
  const command = faultOptions(knobOptions(modelOptions(script(import.meta.url))
    .option('--machines <n>', 'how many; the exercise has three', atLeast(2), KNOBS.machines)
    .option('--seed <n>', 'decides all that chance decides (default: drawn, and printed)', whole)
    .option('--runs <n>', 'that many runs, with seeds in a row', atLeast(1), KNOBS.runs)
    .option('--name <name>', 'folder under logs/ (default: virtual-<seed>)', folderName)
    .option('--latency <ms>', 'model ms that a message takes: constant:5, uniform:1,9 or '
      + 'exponential:5, which is a mean', latencyText, KNOBS.latency)
    .option('--loss <p>', 'chance that a message is lost', probability, KNOBS.loss)
    .option('--reorder', 'messages may overtake each other on a channel', KNOBS.reorder)))
    .option('--what-if <text>', '"roll of 0 at tick 17 is 0.05", "lose 23 from 0 to 2", "pause 1 '
      + 'at 10 for 5" or "rate of 2 from 20 is 6"; several times', several(readBy(parseOverride)))
    .option('--log-max <mb>', 'most MB of logs in one run', positive, KNOBS.log_max_mb)
    .parse();
  const options = command.opts<Options>();
  const firstSeed = options.seed ?? randomInt(1_000_000);
  const seeds = Array.from({ length: options.runs }, (_, nth) => firstSeed + nth);
  if (!Number.isSafeInteger(seeds.at(-1))) command.error(`error: --runs: no seed above 2^53`);
  for (const [place, seed] of seeds.entries()) {
    const configuration = configurationOf(command, options, seed);
    const { rates_hz, duration_s } = configuration;
    const named = options.runs > 1 && options.name ? `${options.name}-${place + 1}` : options.name;
    const folder = newFolder(command, named, `virtual-${seed}`);
    console.log(`seed ${seed}: ${plural(rates_hz.length, 'machine')} at ${rateWords(rates_hz)} `
      + `ticks a second for ${duration_s} s`);
    try {
      console.log(summary(rates_hz, record(configuration, folder)));
    } catch (error) {
      // Half a log is of no use to anybody.
      rmSync(folder, { recursive: true, force: true });
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      command.error(`error: ${folder}: ${message}`);
    }
    console.log(`logs: ${folder}; npx tsx check.ts ${folder}\n`);
  }
}

if (isMain(import.meta.url)) await main();
