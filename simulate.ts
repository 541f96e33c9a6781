/**
 * The same machines in virtual time: no process, no socket, no waiting. The one rule of machine.ts
 * decides each tick, and the logs are those of a real run, so that every reader of logs works.
 *
 *   npx tsx simulate.ts                                   three machines, a minute, rates drawn
 *   npx tsx simulate.ts --rates 2,4,1 --seed 7            the same logs on every computer
 *   npx tsx simulate.ts --runs 5 --name mine              five seeds in a row: mine-1 … mine-5
 *   npx tsx simulate.ts --latency uniform:1,9 --loss 0.1  messages take 1 to 9 ms, a tenth is lost
 *   npx tsx check.ts logs/mine-1                          what holds for sockets holds here
 *
 * What happens at one instant happens in this order: messages arrive, in the order in which they
 * were sent; then machines tick, in the order of their ids. Without latency a message waits at its
 * receiver as soon as it is sent, for whoever ticks next. The run ends at its duration: a tick that
 * is due then does not happen any more, a message that arrives then still counts as waiting.
 */
import { randomInt } from 'node:crypto';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { latencyText } from './lab/virtual/options.ts';
import { PERFECT, type Network } from './lab/virtual/network.ts';
import { record } from './lab/virtual/record.ts';
import { expectedTicks, TICKS_MAX, type Statistics } from './lab/virtual/statistics.ts';
import {
  atLeast, configured, isMain, modelOptions, probability, script, whole, type ModelOptions,
} from './machine.ts';

export { simulate } from './lab/virtual/engine.ts';
export { PERFECT, type Network } from './lab/virtual/network.ts';
export { record } from './lab/virtual/record.ts';
export { MEASURES, type Measure, type Statistics } from './lab/virtual/statistics.ts';

/** A table with more machines than this says nothing to a person. */
const MACHINES_SHOWN = 12;

/** The statistics as a person reads them. */
function table(rates_hz: number[], statistics: Statistics): string {
  const { ticks, final_clock, mean_lag, max_lag, mean_jump, max_jump, receive_share, mean_queue,
    max_queue, final_queue, sent, lost, in_flight } = statistics;
  const head = ['\nmachine', 'rate\nHz', '\nticks', 'receives\n%', 'clock\nfinal', 'lag\nmean',
    '\nmax', 'jump\nmean', '\nmax', 'queue\nmean', '\nmax', '\nfinal'];
  const lines = new Table({ head, style: { head: [], border: [], compact: true },
    colAligns: head.map(() => 'right' as const) });
  const digits = (x: number) => (Number.isNaN(x) ? '–' : x.toFixed(1));
  for (const [id, rate_hz] of rates_hz.slice(0, MACHINES_SHOWN).entries()) {
    lines.push([id, Number(rate_hz.toFixed(2)), ticks[id], digits(100 * receive_share[id]!),
      final_clock[id], digits(mean_lag[id]!), max_lag[id], digits(mean_jump[id]!), max_jump[id],
      digits(mean_queue[id]!), max_queue[id], final_queue[id]]);
  }
  const more = rates_hz.length - MACHINES_SHOWN;
  return `${lines}\n${more > 0 ? `and ${more} machines more\n` : ''}`
    + `${sent} messages sent, ${lost} lost, ${in_flight} in flight at the end`;
}

async function main(): Promise<void> {
  const command: Command = modelOptions(script(import.meta.url))
    .option('--machines <n>', 'how many; the exercise has three', atLeast(2), 3)
    .option('--seed <n>', 'decides all that chance decides (default: drawn, and printed)', whole)
    .option('--runs <n>', 'that many runs, with seeds in a row', atLeast(1), 1)
    .option('--name <name>', 'folder under logs/ (default: virtual-<seed>)')
    .option('--latency <ms>', 'model ms that a message takes: constant:5, uniform:1,9 or '
      + 'exponential:5, which is a mean', latencyText, PERFECT.latency)
    .option('--loss <p>', 'chance that a message is lost', probability, PERFECT.loss)
    .option('--reorder', 'messages may overtake each other on a channel', PERFECT.reorder)
    .parse();
  const o = command.opts<ModelOptions & Network & { machines: number; seed?: number; runs: number;
    name?: string }>();
  if (o.rates && o.rates.length < 2) command.error('error: --rates needs two machines or more');
  if (o.name !== undefined && !/^[\w.-]*\w[\w.-]*$/.test(o.name)) {
    command.error(`error: --name ${o.name}: it is the name of one folder under logs/`);
  }
  const chosen = command.getOptionValueSource('machines') === 'cli';
  const machines = o.rates && !chosen ? o.rates.length : o.machines;
  const { latency, loss, reorder } = o;
  const { nameByTime, newFolder } = await import('./lab/cli/folder.ts');
  const firstSeed = o.seed ?? randomInt(1_000_000);
  for (let nth = 1; nth <= o.runs; nth++) {
    const seed = firstSeed + nth - 1;
    const configuration = {
      ...configured(command, o, machines, seed, 1), latency, loss, reorder,
    };
    const { rates_hz, duration_s } = configuration;
    if (expectedTicks(configuration) > TICKS_MAX) {
      command.error(`error: --duration ${duration_s}: more than ${TICKS_MAX} ticks in one run`);
    }
    const name = o.runs > 1 && o.name ? `${o.name}-${nth}` : o.name ?? `virtual-${seed}`;
    const folder = newFolder(command, name, nameByTime(seed));
    const rates = rates_hz.slice(0, MACHINES_SHOWN).join(', ');
    console.log(`seed ${seed}: ${machines} machines at ${rates}`
      + `${machines > MACHINES_SHOWN ? ', …' : ''} ticks a second for ${duration_s} s`);
    console.log(table(rates_hz, record(configuration, folder)));
    console.log(`logs: ${folder}; npx tsx check.ts ${folder}\n`);
  }
}

if (isMain(import.meta.url)) await main();
