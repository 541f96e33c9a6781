/**
 * Starts the machines of the scale model as processes of their own, shows them while they run,
 * stops them, checks their logs and sums up.
 *
 *   npx tsx launch.ts                                 three machines, a minute, rates drawn
 *   npx tsx launch.ts --rates 1,4,6 --seed 7          rates and chance as you say
 *   npx tsx launch.ts --duration 600 --speed 20       ten model minutes in half a minute
 *   npx tsx launch.ts --runs 5 --name mine            five seeds in a row: logs/mine-1 … mine-5
 *   npx tsx launch.ts --nemesis pause,crash,restart,cut
 *   npx tsx launch.ts --replace 1='python3 my_machine.py'
 *
 * Exit code 0: every machine ended by itself and the check holds; 1: not so; 2: bad input.
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { nameByTime, newFolder } from './lab/cli/folder.ts';
import {
  atLeast, configured, faultOptions, folderName, isMain, knobOptions, machineCount, MODEL_KNOBS,
  modelOptions, outliveReaders, positive, script, whole,
  type FaultOptions, type KnobOptions, type ModelOptions,
} from './lab/cli/options.ts';
import { paint, plural, rateWords } from './lab/cli/terminal.ts';
import { type WireName, WIRES } from './lab/real/protocol.ts';
import { show } from './lab/real/screen.ts';
import { launch } from './lab/real/supervise.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  machines: 3, // The exercise has three.
  machines_max: MODEL_KNOBS.machines_max, // Processes; each takes some 50 MB and N connections.
  speed: 1, // Model seconds in a real one; 10 runs a minute in six seconds.
  runs: 1, // With seeds in a row.
  host: '127.0.0.1', // Loopback, so that no one else joins.
  port: 0, // Machine i listens on port + i; 0 takes free ones.
  wire: 'tcp' as WireName, // What carries the messages.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

interface Options extends ModelOptions, KnobOptions, FaultOptions {
  machines: number;
  seed?: number;
  speed: number;
  runs: number;
  name?: string;
  host: string;
  port: number;
  wire: WireName;
  replace?: [number | 'all', string][];
}

/** '1=python3 my_machine.py', or 'all=…'. */
function replacement(
  text: string, before: [number | 'all', string][] = [],
): [number | 'all', string][] {
  const [, who, command] = /^(\d+|all)=(.*\S.*)$/.exec(text) ?? [];
  if (command === undefined) {
    throw new InvalidArgumentError('It is not like 1=\'python3 my_machine.py\' or all=\'…\'.');
  }
  return [...before, [who === 'all' ? 'all' : Number(who), command]];
}

function parse(): [Command, Options] {
  const command = faultOptions(knobOptions(modelOptions(script(import.meta.url))))
    .option('--machines <n>', 'how many; the exercise has three',
      atLeast(2, KNOBS.machines_max), KNOBS.machines)
    .option('--seed <n>', 'decides all that chance decides (default: drawn, and printed)', whole)
    .option('--speed <n>', 'model seconds in a real one; 10 runs a minute in six s', positive,
      KNOBS.speed)
    .option('--runs <n>', 'that many runs, with seeds in a row', atLeast(1), KNOBS.runs)
    .option('--name <name>', 'folder under logs/ (default: the time and the seed)', folderName)
    .option('--host <host>', 'address to listen on; loopback, so that no one else joins',
      KNOBS.host)
    .option('--port <n>', 'machine i listens on port n + i; 0 takes free ones', whole, KNOBS.port)
    .addOption(new Option('--wire <wire>', 'what carries the messages')
      .choices(WIRES).default(KNOBS.wire))
    .option('--replace <id=command>', 'a machine of your own in the place of one of ours, or of '
      + 'all=…; several times', replacement)
    .parse();
  const options = command.opts<Options>();
  const { port, machines } = options;
  if (port > 0 && port + machines > 65536) {
    command.error(`error: --port ${port}: no room for ${machines} ports above it`);
  }
  return [command, options];
}

/** The commands that stand in for machines, by id. */
function replacements(command: Command, { replace = [] }: Options, machines: number) {
  const commands = new Map<number, string>();
  for (const [who, words] of replace) {
    if (who !== 'all' && who >= machines) {
      command.error(`error: --replace ${who}: the machines are 0 to ${machines - 1}`);
    }
    const ids = who === 'all' ? Array.from({ length: machines }, (_, id) => id) : [who];
    for (const id of ids) commands.set(id, words);
  }
  return commands;
}

/** Sums the logs up, checks them, writes the report; true if the check holds. */
async function sumUp(folder: string): Promise<boolean> {
  const [{ judge }, { load }, { summary }, { latenessLine, summaryTable }, { report }] =
    await Promise.all([import('./lab/real/verdict.ts'), import('./lab/frames/load.ts'),
      import('./lab/frames/summary.ts'), import('./lab/frames/tables.ts'),
      import('./lab/report/page.ts')]);
  const measured = load(folder);
  console.log(`${summaryTable(summary(measured))}\n${latenessLine(measured)}`);
  const { consistent, counts } = judge(folder);
  const violations = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.log(consistent ? paint('green', 'check: the rule could have made these logs')
    : paint('red', `check: ${plural(violations, 'violation')}; see npx tsx check.ts ${folder}`));
  console.log(`logs: ${folder}\nreport: ${await report([measured])}\n`);
  return consistent;
}

async function main(): Promise<void> {
  outliveReaders();
  const [command, options] = parse();
  const machines = machineCount(command, options);
  const replace = replacements(command, options, machines);
  const first_seed = options.seed ?? randomInt(1_000_000);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal));
  process.on('SIGHUP', () => {}); // A terminal that is closed ends no run.

  let good = true;
  for (let nth = 1; nth <= options.runs && !stop.signal.aborted; nth++) {
    const seed = first_seed + nth - 1;
    const configuration = configured(command, options, machines, seed, options.speed);
    const { rates_hz, duration_s, speed } = configuration;
    const name = options.runs > 1 && options.name ? `${options.name}-${nth}` : options.name;
    const folder = newFolder(command, name, nameByTime(seed));
    console.log(`seed ${seed}: ${rates_hz.length} machines at ${rateWords(rates_hz)} ticks a `
      + `second for ${duration_s} s${speed === 1 ? '' : `, ${speed} times as fast`}`);
    const screen = await show(configuration);
    const { ended, hasBegun } = await launch(
      { ...options, configuration, folder, replace, stop: stop.signal, watch: screen });
    screen.end();
    if (ended !== 'finished') console.log(paint('red', ended));
    if (!hasBegun) {
      rmSync(folder, { recursive: true, force: true }); // Nothing to sum up, and nothing to keep.
      console.log(`it had not begun: no logs in ${folder}`);
    }
    const consistent = hasBegun && await sumUp(folder);
    good &&= consistent && ended === 'finished';
  }
  process.exit(good ? 0 : 1);
}

if (isMain(import.meta.url)) await main();
