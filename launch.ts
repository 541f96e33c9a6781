/**
 * Starts the machines of the scale model as processes of their own, shows them while they run,
 * stops them, checks their logs and sums up.
 *
 *   npx tsx launch.ts                                 three machines, a minute, rates drawn
 *   npx tsx launch.ts --rates 1,4,6 --seed 7          rates and chance as you say
 *   npx tsx launch.ts --duration 600 --speed 20       ten model minutes in half a minute
 *   npx tsx launch.ts --runs 5 --name mine            five seeds in a row: logs/mine-1 … mine-5
 *   npx tsx launch.ts --nemesis pause,crash,restart,cut
 *   npx tsx launch.ts --live                          a page that shows and disturbs them
 *   npx tsx launch.ts --exercise --speed 10           the exercise's fifteen runs, side by side
 *   npx tsx launch.ts --replace 1='python3 my_machine.py'
 *   npx tsx launch.ts --replace all='python3 my_machine.py' --grade
 *
 * Exit code 0: every machine ended by itself and the check holds; 1: not so; 2: bad input.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { openPage } from './lab/cli/browser.ts';
import { nameByTime, newFolder } from './lab/cli/folder.ts';
import {
  atLeast, configured, faultOptions, folderName, isMain, knobOptions, machineCount, MODEL_KNOBS,
  modelOptions, outliveReaders, positive, script, whole,
  type FaultOptions, type KnobOptions, type ModelOptions,
} from './lab/cli/options.ts';
import { paint, plural, rateWords, wrapped } from './lab/cli/terminal.ts';
import type { Run } from './lab/frames/load.ts';
import type { Configuration } from './lab/model/run.ts';
import { type WireName, WIRES } from './lab/real/protocol.ts';
import { show } from './lab/real/screen.ts';
import { launch, type Watch } from './lab/real/supervise.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  machines: 3, // The exercise has three.
  machines_max: MODEL_KNOBS.machines_max, // Processes; each takes some 50 MB and N connections.
  speed: 1, // Model seconds in a real one; 10 runs a minute in six seconds.
  runs: 1, // With seeds in a row.
  host: '127.0.0.1', // Loopback, so that no one else joins.
  port: 0, // Machine i listens on port + i; 0 takes free ones.
  wire: 'tcp' as WireName, // What carries the messages.
  grade_seed: 1, // So that a class gets the same trials.
  grade_speed: 3, // Model seconds in a real one: ten seconds a trial.
};
const EXERCISE_RUNS = 5; // The exercise: "run the scale model at least 5 times",
const EXERCISE_PARTS: Record<string, { what: string } & Partial<ModelOptions>> = {
  usual: { what: 'rates from 1 to 6, seven internal events in ten ticks' },
  // then "with a smaller variation in the clock cycles and a smaller probability of … internal".
  narrow: { what: 'rates from 3 to 4', minRate: 3, maxRate: 4 },
  busy: { what: 'three internal events in ten ticks', internal: 0.3 },
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

interface Options extends ModelOptions, KnobOptions, FaultOptions {
  machines: number;
  seed?: number;
  speed: number;
  runs: number;
  name?: string;
  live?: boolean;
  open: boolean;
  host: string;
  port: number;
  wire: WireName;
  replace?: [number | 'all', string][];
  exercise?: boolean;
  grade?: boolean;
  json?: boolean;
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
    .option('--live', 'a page in the browser that shows the machines as they tick, with buttons '
      + 'that pause, kill, restart and cut')
    .option('--no-open', 'with --live: open no browser')
    .option('--host <host>', 'address to listen on; loopback, so that no one else joins',
      KNOBS.host)
    .option('--port <n>', 'machine i listens on port n + i; 0 takes free ones', whole, KNOBS.port)
    .addOption(new Option('--wire <wire>', 'what carries the messages')
      .choices(WIRES).default(KNOBS.wire))
    .option('--replace <id=command>', 'a machine of your own in the place of one of ours, or of '
      + 'all=…; several times', replacement)
    .option('--exercise', 'the five runs of the exercise, then narrower rates, then fewer internal '
      + 'events')
    .option('--grade', 'five short trials of the machines of --replace, and a table of verdicts')
    .option('--json', 'the verdicts of --grade as JSON')
    .parse();
  const options = command.opts<Options>();
  const { port, machines, grade, replace } = options;
  if (grade && !replace) command.error('error: --grade needs --replace all=\'…\'');
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

/** One run of a plan: its configuration, and the folder that it wants. */
interface Planned {
  configuration: Configuration;
  name: string | undefined;
  usual: string;
}

/** The runs that the options ask for, in parts that belong together, each under its heading. */
function planned(command: Command, options: Options): Map<string, Planned[]> {
  const first_seed = options.seed ?? randomInt(1_000_000);
  const machines = machineCount(command, options);
  const { exercise, runs, name, speed } = options;
  const seeds = Array.from({ length: exercise ? EXERCISE_RUNS : runs }, (_, n) => first_seed + n);
  const draw = (seed: number, more: Partial<ModelOptions> = {}) =>
    configured(command, { ...options, ...more }, machines, seed, speed);
  if (!exercise) {
    return new Map([['', seeds.map((seed, n) => ({ configuration: draw(seed),
      name: runs > 1 && name ? `${name}-${n + 1}` : name, usual: nameByTime(seed) }))]]);
  }
  if (options.rates) command.error('error: --exercise draws the rates; leave --rates out');
  return new Map(Object.entries(EXERCISE_PARTS).map(([part, { what, ...more }]) =>
    [what, seeds.map((seed, n) => ({ configuration: draw(seed, more),
      name: name && `${name}-${part}-${n + 1}`, usual: `exercise-${first_seed}-${part}-${n + 1}`,
    }))]));
}

/** Sums a run up, checks it, writes its report. @returns the run, if the check holds */
async function sumUp(folder: string): Promise<{ run: Run; consistent: boolean }> {
  const [{ judge }, { load }, { summary }, { faults }, tables, { report }] =
    await Promise.all([import('./lab/real/verdict.ts'), import('./lab/frames/load.ts'),
      import('./lab/frames/summary.ts'), import('./lab/frames/faults.ts'),
      import('./lab/frames/tables.ts'), import('./lab/report/page.ts')]);
  const run = load(folder);
  console.log(`${tables.summaryTable(summary(run))}\n${wrapped(tables.latenessLine(run))}`);
  const costs = faults(run);
  if (costs.height > 0) console.log(tables.faultTable(costs));
  const verdict = judge(folder);
  const { consistent, counts } = verdict;
  const violations = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.log(consistent ? paint('green', 'check: the rule could have made these logs')
    : paint('red', `check: ${plural(violations, 'violation')}; see npx tsx check.ts ${folder}`));
  console.log(`logs: ${folder}\nreport: ${
    await report([run], [], new Map([[folder, verdict]]))}\n`);
  return { run, consistent };
}

/** The live page of a run, opened in a browser unless nobody wants one. */
async function openLive(
  configuration: Configuration, folder: string, { host, open }: Options, screen: Watch,
) {
  const { liveWatch } = await import('./lab/report/live.watch.ts');
  const live = await liveWatch(configuration, folder, host, screen);
  console.log(`live: ${live.address}`);
  if (open) await openPage(live.address);
  return live;
}

/** Runs one configuration from its folder to its sum. @returns the run, null if there is none */
async function runOne(
  command: Command, options: Options, { configuration, name, usual }: Planned, stop: AbortSignal,
): Promise<{ run: Run | null; good: boolean }> {
  const { seed, rates_hz, duration_s, speed } = configuration;
  const folder = newFolder(command, name, usual);
  console.log(`seed ${seed}: ${rates_hz.length} machines at ${rateWords(rates_hz)} ticks a `
    + `second for ${duration_s} s${speed === 1 ? '' : `, ${speed} times as fast`}`);
  const replace = replacements(command, options, rates_hz.length);
  const screen = await show(configuration);
  const live = options.live ? await openLive(configuration, folder, options, screen) : null;
  const { ended, hasBegun } = await launch({ ...options, configuration, folder, replace, stop,
    watch: live?.watch ?? screen });
  screen.end();
  if (ended !== 'finished') console.log(paint('red', ended));
  if (!hasBegun) {
    rmSync(folder, { recursive: true, force: true }); // Nothing to sum up, and nothing to keep.
    console.log(`it had not begun: no logs in ${folder}`);
    await live?.end(null);
    return { run: null, good: false };
  }
  try {
    const { run, consistent } = await sumUp(folder);
    await live?.end(readFileSync(join(folder, 'report.html'), 'utf8'));
    return { run, good: consistent && ended === 'finished' };
  } catch (error) {
    // The disk is full, or somebody took the folder away.
    console.error(`error: ${folder} cannot be summed up: ${(error as Error).message}`);
    await live?.end(null);
    return { run: null, good: false };
  }
}

/** One table and one page over the runs of each part. */
async function layOut(parts: Map<string, Run[]>): Promise<void> {
  if (![...parts.values()].some((runs) => runs.length > 1)) return;
  const [{ seriesLine, seriesTable }, { report }] =
    await Promise.all([import('./lab/report/series.ts'), import('./lab/report/page.ts')]);
  for (const [what, runs] of parts) {
    if (runs.length < 2) continue;
    console.log(`${what && `${what}:\n`}${seriesTable(await Promise.all(runs.map(seriesLine)))}`);
    console.log(`side by side: ${await report(runs)}\n`);
  }
}

/** Puts machines in the place of all to the test; true if each trial is passed. */
async function gradeAll(command: Command, options: Options, stop: AbortSignal): Promise<boolean> {
  const { grade, trials } = await import('./lab/real/grade.ts');
  const { table } = await import('./lab/cli/table.ts');
  const grades = [];
  for (const trial of trials(options.seed ?? KNOBS.grade_seed, KNOBS.grade_speed)) {
    if (stop.aborted) break;
    if (!options.json) console.error(`${trial.name} …`);
    const replace = replacements(command, options, trial.configuration.machines);
    grades.push(await grade(trial, replace, stop, options.wire));
  }
  const good = !stop.aborted && grades.every(({ passed }) => passed);
  if (options.json) {
    console.log(JSON.stringify({ passed: good, trials: grades }, null, 2));
    return good;
  }
  console.log(table([{ heading: 'trial', align: 'left' }, { heading: 'verdict', align: 'left' },
    { heading: 'ended', align: 'left', spare: 1 }],
  grades.map(({ trial, passed, ended, counts }) => [trial,
    passed ? paint('green', 'holds') : paint('red', Object.entries(counts)
      .map(([rule, count]) => `${rule} ${count}`).join(', ') || 'no run'), ended])));
  for (const { trial, passed, first, notes } of grades) {
    if (!passed) console.log(`${trial}: ${[first, ...notes].filter(Boolean).join('\n  ')}`);
  }
  return good;
}

async function main(): Promise<void> {
  outliveReaders();
  const [command, options] = parse();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal));
  process.on('SIGHUP', () => {}); // A terminal that is closed ends no run.
  if (options.grade) process.exit(await gradeAll(command, options, stop.signal) ? 0 : 1);

  let allGood = true;
  const parts = new Map<string, Run[]>();
  for (const [what, plan] of planned(command, options)) {
    const runs: Run[] = [];
    for (const one of plan) {
      if (stop.signal.aborted) break;
      const { run, good } = await runOne(command, options, one, stop.signal);
      if (run) runs.push(run);
      allGood &&= good;
    }
    parts.set(what, runs);
  }
  await layOut(parts);
  process.exit(allGood && !stop.signal.aborted ? 0 : 1);
}

if (isMain(import.meta.url)) await main();
