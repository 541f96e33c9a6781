/**
 * Starts the machines of the scale model as processes of their own, shows them while they run,
 * stops them, checks their logs and sums up.
 *
 *   npx tsx launch.ts                                 three machines, a minute, rates drawn
 *   npx tsx launch.ts --rates 2,4,1 --seed 7          rates and chance as you say
 *   npx tsx launch.ts --duration 600 --speed 20       ten model minutes in half a minute
 *   npx tsx launch.ts --runs 5 --name mine            five seeds in a row: logs/mine-1 … mine-5
 *
 * Exit code 0: every machine ended by itself and the check holds; 1: not so; 2: bad input.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { $, chalk, type ProcessPromise } from 'zx/core'; // zx whole takes twice as long to load.
import {
  atLeast, configured, isMain, logPath, modelOptions, positive, script, versions, whole, writeRun,
  type Configuration, type ModelOptions,
} from './machine.ts';
import { colourOf } from './lab/cli/terminal.ts';

const REPAINT_MS = 200; // Five times a second is smooth, and costs under a percent of a core.
const PLAIN_LINE_MS = 10_000; // Where there is no terminal, six lines a minute tell enough.
const GRACE_MS = 5000; // A machine that does not stop within this is killed.

/** A machine as the launcher sees it: its process, and what its last row said. */
interface Watched {
  id: number;
  process: ProcessPromise;
  /** Resolves to its port, or to null when it ended before it had one. */
  port: Promise<number | null>;
  /** How it ended: null while it runs. */
  exit: { code: number | null; signal: string | null } | null;
  ticks: number;
  clock: number;
  queue: number;
  last: string;
  stopped: boolean;
}

/** What `launch` tells while it runs. */
export interface Watch {
  note(text: string): void;
  /** Is called when every machine ticks, with the machines as they change. */
  begun(machines: readonly Readonly<Watched>[], start_us: number): void;
}

/**
 * Runs one configuration to its end in real processes, its logs in `folder`, which must exist.
 * However it goes, no process is left when this resolves.
 * @param over stops every machine in order when it aborts
 * @returns how the run ended: 'finished', or what came between
 */
export async function launch(
  configuration: Configuration, folder: string, { host, port }: { host: string; port: number },
  over: AbortSignal, watch: Watch,
): Promise<string> {
  const record = { ...configuration, kind: 'sockets' as const, versions: versions() };
  let start_us: number | null = null;
  let failure: string | null = null;
  writeRun(folder, { ...record, start_us, ended: null });

  const token = randomBytes(16).toString('hex');
  const machines = configuration.rates_hz.map((_, id) =>
    startMachine(id, configuration, folder, `${host}:${port && port + id}`, token, watch.note));
  const ended = Promise.all(machines.map(async (machine) => {
    const { exitCode, signal } = await machine.process;
    machine.exit = { code: exitCode, signal };
    if (start_us === null && !over.aborted) {
      failure ??= `machine ${machine.id} could not start`;
      stop();
    } else if (!machine.stopped) watch.note(`machine ${machine.id} died (${signal ?? exitCode})`);
  }));

  let begun = 0;
  for (const machine of machines) {
    createInterface({ input: machine.process.stdout }).on('line', (line) => {
      if (!heard(machine, line) || ++begun < machines.length) return;
      start_us = Number(line.split(',', 1));
      writeRun(folder, { ...record, start_us, ended: null });
      watch.begun(machines, start_us);
    });
  }
  function stop(): void {
    for (const { process: { child } } of machines) child?.kill('SIGTERM');
    setTimeout(() => machines.forEach(({ process: { child } }) => child?.kill('SIGKILL')), GRACE_MS)
      .unref();
  }
  over.addEventListener('abort', stop);
  if (over.aborted) stop();

  const ports = await Promise.all(machines.map((machine) => machine.port));
  if (!ports.includes(null)) introduce(machines, host, ports as number[]);
  const life_ms = (configuration.duration_s / configuration.speed) * 1000;
  // From here a machine that hangs would hold the launcher for ever.
  const watchdog = setInterval(() => {
    if (start_us !== null && Date.now() > start_us / 1000 + life_ms + 2 * GRACE_MS) stop();
  }, 1000);
  await ended;
  clearInterval(watchdog);
  over.removeEventListener('abort', stop);

  const died = machines.filter(({ stopped, exit }) => !stopped || exit!.code !== 0)
    .map(({ id, exit }) => `machine ${id} died (${exit!.signal ?? exit!.code})`);
  const ending = over.aborted ? `interrupted by ${over.reason}`
    : failure ?? (died.join(', ') || 'finished');
  writeRun(folder, { ...record, start_us, ended: ending });
  return ending;
}

function startMachine(
  id: number, { seed, rates_hz, internal, duration_s, speed }: Configuration, folder: string,
  listen: string, token: string, note: (text: string) => void,
): Watched {
  const options = {
    id, listen, peers: '-', rates: rates_hz.join(','), seed, internal, duration: duration_s, speed,
    logs: folder,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // Without npx in between, the child is the machine itself and starts in half a second.
  const child = $({ nothrow: true, quiet: true, env: { ...process.env, LAB_TOKEN: token } })`
    exec ${process.execPath} --import ${import.meta.resolve('tsx')} ${MACHINE} ${words}`;
  createInterface({ input: child.stderr }).on('line', note);
  child.stdin.on('error', () => {}); // It died; its exit code says so.
  const port = new Promise<number | null>((resolve) => {
    child.stdout.on('data', (data) => {
      const found = /^# machine \d+ listens on port (\d+)/m.exec(String(data));
      if (found) resolve(Number(found[1]));
    });
    child.finally(() => resolve(null));
  });
  return {
    id, process: child, port, exit: null, ticks: 0, clock: 0, queue: 0, last: '', stopped: false,
  };
}

const MACHINE = fileURLToPath(new URL('machine.ts', import.meta.url));

/** Tells each machine where the others listen; they find each other from there. */
function introduce(machines: Watched[], host: string, ports: number[]): void {
  for (const { id, process: { stdin } } of machines) {
    const others = ports.filter((_, other) => other !== id).map((port) => `${host}:${port}`);
    stdin.write(`${others.join(',')}\n`); // Left open: the machine stops when the launcher is gone.
  }
}

/** Takes in a line that a machine printed; true if it is the row that says it has started. */
function heard(machine: Watched, line: string): boolean {
  if (line.startsWith('#')) return false;
  const [, , tick, event, peer, message, queue, clock] = line.split(',');
  machine.queue = Number(queue);
  machine.clock = Number(clock);
  machine.last = event === 'send' ? `send ${message} to ${peer}`
    : event === 'receive' ? `receive ${message} from ${peer}` : event!;
  if (tick !== '') machine.ticks++;
  if (event === 'stop') machine.stopped = true;
  return event === 'start';
}

// ── What a person sees ──────────────────────────────────────────────────────────────────────

/** The machines in place on a terminal, plain lines elsewhere. Returns the watch and its end. */
async function show(
  { seed, rates_hz, duration_s, speed }: Configuration,
): Promise<Watch & { end(): void }> {
  let timer: NodeJS.Timeout | undefined;
  const live = process.stdout.isTTY && (await import('log-update')).default;
  const model_s = (start_us: number) =>
    Math.min(duration_s, Math.max(0, ((Date.now() - start_us / 1000) / 1000) * speed));

  function paint(machines: readonly Watched[], start_us: number): string {
    const at_s = model_s(start_us);
    const highest = Math.max(...machines.map(({ clock }) => clock));
    const room = Math.max(3, (process.stdout.rows ?? 24) - 5);
    const lines = machines.slice(0, room).map(({ id, ticks, clock, queue, last, exit }) => {
      const cells = [String(id).padStart(7), String(rates_hz[id]).padStart(9),
        String(ticks).padStart(7), String(clock).padStart(7), String(highest - clock).padStart(6)];
      const bar = '▇'.repeat(Math.min(queue, 20)) + (queue > 20 ? '…' : '');
      const doing = exit && !last.startsWith('stop') ? chalk.red('died') : last;
      const numbers = chalk.hex(colourOf(id))(cells.join(' '));
      return `${numbers}  ${`${bar} ${queue}`.padEnd(26)} ${doing}`;
    });
    const done = Math.round((30 * at_s) / duration_s);
    return [
      `${'━'.repeat(done)}${chalk.dim('━'.repeat(30 - done))} ${at_s.toFixed(0)} of ${duration_s} s`
        + chalk.dim(`   seed ${seed}${speed === 1 ? '' : `, speed ${speed}`}`),
      chalk.dim('machine rate (Hz)   ticks   clock    lag  queue                      last event'),
      ...lines,
      ...(machines.length > room ? [chalk.dim(`        and ${machines.length - room} more`)] : []),
    ].join('\n');
  }

  function plain(machines: readonly Watched[], start_us: number): string {
    const of = (pick: (machine: Watched) => number) => machines.slice(0, 12).map(pick).join(' ');
    return `${model_s(start_us).toFixed(0).padStart(5)} s  clocks ${of(({ clock }) => clock)}`
      + `  queues ${of(({ queue }) => queue)}${machines.length > 12 ? '  …' : ''}`;
  }

  return {
    note: (text) => (live ? live.persist(chalk.yellow(text)) : console.error(text)),
    begun(machines, start_us) {
      if (!live) console.log('every machine is connected to every other; they tick');
      const draw = () => (live ? live(paint(machines, start_us))
        : console.log(plain(machines, start_us)));
      timer = setInterval(draw, live ? REPAINT_MS : PLAIN_LINE_MS);
    },
    end() {
      clearInterval(timer);
      if (live) live.clear();
    },
  };
}

/** Sums the logs up, checks them, writes the report; true if the check holds. */
async function sumUp(folder: string): Promise<boolean> {
  const [{ checkRun, readRun }, { load }, { summary }, { latenessLine, summaryTable }, { report }] =
    await Promise.all([import('./check.ts'), import('./lab/frames/load.ts'),
      import('./lab/frames/summary.ts'), import('./lab/frames/tables.ts'),
      import('./lab/report/page.ts')]);
  const measured = load(folder);
  console.log(`${summaryTable(summary(measured))}\n${latenessLine(measured)}`);
  const { run, logs } = readRun(folder);
  const { consistent, counts } = checkRun(run, logs);
  const violations = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.log(consistent ? chalk.green('check: the rule could have made these logs')
    : chalk.red(`check: ${violations} violations; see npx tsx check.ts ${folder}`));
  console.log(`logs: ${folder}\nreport: ${await report([measured])}\n`);
  return consistent;
}

// ── Main ────────────────────────────────────────────────────────────────────────────────────

/** Makes a run's folder, or ends with one line: a run never writes over another. */
export function newFolder(command: Command, name: string | undefined, seed: number): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  for (let nth = 1; ; nth++) {
    const folder = join('logs', name ?? `${time}-seed-${seed}${nth > 1 ? `-${nth}` : ''}`);
    try {
      mkdirSync('logs', { recursive: true });
      mkdirSync(folder);
      return folder;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && name === undefined) continue; // Two launches in one second.
      command.error(`error: --name ${name}: ${code === 'EEXIST' ? `${folder} exists` : message}`);
    }
  }
}

async function main(): Promise<void> {
  const command = modelOptions(script(import.meta.url))
    .option('--machines <n>', 'how many; the exercise has three', atLeast(2), 3)
    .option('--seed <n>', 'decides all that chance decides (default: drawn, and printed)', whole)
    .option('--speed <n>', 'model seconds in a real one; 10 runs a minute in six s', positive, 1)
    .option('--runs <n>', 'that many runs, with seeds in a row', atLeast(1), 1)
    .option('--name <name>', 'folder under logs/ (default: the time and the seed)')
    .option('--host <host>', 'address to listen on; loopback, so that no one else joins',
      '127.0.0.1')
    .option('--port <n>', 'machine i listens on port n + i; 0 takes free ones', whole, 0)
    .parse();
  const o = command.opts<ModelOptions & { machines: number; seed?: number; speed: number;
    runs: number; name?: string; host: string; port: number }>();
  if (o.rates && o.rates.length < 2) command.error('error: --rates needs two machines or more');
  if (o.name !== undefined && !/^[\w.-]*\w[\w.-]*$/.test(o.name)) {
    command.error(`error: --name ${o.name}: it is the name of one folder under logs/`);
  }
  if (o.port > 0 && o.port + o.machines > 65536) {
    command.error(`error: --port ${o.port}: no room for ${o.machines} ports above it`);
  }
  const chosen = command.getOptionValueSource('machines') === 'cli';
  const machines = o.rates && !chosen ? o.rates.length : o.machines;
  const first_seed = o.seed ?? randomInt(1_000_000);
  const over = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => over.abort(signal));
  }

  let good = true;
  for (let nth = 1; nth <= o.runs && !over.signal.aborted; nth++) {
    const configuration = configured(command, o, machines, first_seed + nth - 1, o.speed);
    const { seed, rates_hz, duration_s } = configuration;
    const name = o.runs > 1 && o.name ? `${o.name}-${nth}` : o.name;
    const folder = newFolder(command, name, seed);
    const rates = rates_hz.slice(0, 12).join(', ') + (rates_hz.length > 12 ? ', …' : '');
    console.log(`seed ${seed}: ${rates_hz.length} machines at ${rates} ticks a second for `
      + `${duration_s} s${o.speed === 1 ? '' : `, ${o.speed} times as fast`}`);
    const screen = await show(configuration);
    const ending = await launch(configuration, folder, o, over.signal, screen);
    screen.end();
    if (ending !== 'finished') console.log(chalk.red(ending));
    // Whoever stops it before the first tick has nothing to sum up.
    const begun = existsSync(logPath(folder, 0));
    const consistent = begun && await sumUp(folder);
    if (!begun) console.log(`no logs in ${folder}: it had not begun`);
    good &&= consistent && ending === 'finished';
  }
  process.exit(good ? 0 : 1);
}

if (isMain(import.meta.url)) await main();
