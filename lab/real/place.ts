/**
 * The place of a machine in a run, from one of two: the options of a person who starts it by hand,
 * or a launcher that speaks to it as it speaks to a machine of any language (protocol.ts).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { writeRun } from '../cli/folder.ts';
import {
  configured, knobOptions, modelOptions, outliveReaders, port, positive, script, versions, whole,
  type KnobOptions, type ModelOptions,
} from '../cli/options.ts';
import { eventWords, listed } from '../cli/terminal.ts';
import type { Configuration } from '../model/run.ts';
import { appendTo, LogError } from './log.ts';
import type { Mesh } from './mesh.ts';
import {
  byId, configurationOf, cutDone, DICE_SEED, healDone, inputLines, listensLine, parseAddress,
  type Command as LinkCommand, type Introduction, type Setup, type WireName, WIRES,
} from './protocol.ts';
import { tcp } from './tcp.ts';
import { addressText, type Address, type Listener, type Wire } from './wire.ts';

/** What a machine is told, and where its words go. */
export interface Place {
  id: number;
  configuration: Configuration;
  /** Whether a launcher looks after it. */
  isLaunched: boolean;
  life: number;
  /** 0, or from before a crash. */
  clock: number;
  /** When the run began, after a restart. */
  start_us: number | undefined;
  token: string;
  wire: Wire;
  listener: Listener;
  peers: Map<number, Address>;
  timeout_s: number;
  /** Aborts when it is to stop; its reason is a signal. */
  stop: AbortSignal;
  /** Appends a row to its log. @throws LogError */
  log(line: string): void;
  /** Says something to whoever looks after it. */
  note(text: string): void;
  /** From here on the mesh does what the launcher says of links. */
  follow(mesh: Mesh): void;
  begin(start_us: number): void;
  end(mesh: Mesh): void;
}

/** Defaults of the options. */
export interface PlaceKnobs {
  seed: number;
  speed: number;
  timeout_s: number;
  token: string;
}

interface Options extends ModelOptions, KnobOptions {
  id?: number;
  listen?: Address;
  peers?: Address[];
  seed: number;
  speed: number;
  logs?: string;
  timeout: number;
  token: string;
  wire: WireName;
  launched?: boolean;
}

function address(text: string): Address {
  const { host } = parseAddress(text);
  return { host, port: port(text.slice(text.lastIndexOf(':') + 1)) };
}

function addresses(text: string): Address[] {
  if (text === '-') throw new InvalidArgumentError('A launcher says --launched now.');
  return text.split(',').map(address);
}

/**
 * Reads the command line, listens, and learns who the peers are; ends the process with one line
 * where that cannot be.
 * @param url of the script, whose first comment is the text of --help
 */
export async function placeFromCommand(url: string, knobs: PlaceKnobs): Promise<Place> {
  outliveReaders();
  const command = knobOptions(modelOptions(script(url)
    .option('--id <n>', 'which machine this is: 0, 1, …', whole)
    .option('--listen <address>', 'own port, or host:port; 0 takes a free port', address)
    .option('--peers <list>', 'addresses of the others, in the order of their ids', addresses)))
    .option('--seed <n>', 'decides all that chance decides; give each machine the same', whole,
      knobs.seed)
    .option('--speed <n>', 'model seconds in a real one', positive, knobs.speed)
    .option('--logs <folder>', 'folder for machine-<id>.csv and run.json (default: none)')
    .option('--timeout <s>', 'how long to wait for the others', positive, knobs.timeout_s)
    .addOption(new Option('--token <word>', 'of the run; others are refused').default(knobs.token)
      .env('LAB_TOKEN'))
    .addOption(new Option('--wire <wire>', 'what carries the messages').choices(WIRES)
      .default('tcp'))
    .addOption(new Option('--launched', 'a launcher says the rest on standard input').hideHelp())
    .parse();
  const options = command.opts<Options>();
  const stopper = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) {
    // A terminal that is closed is no reason to stop for a machine that a launcher looks after.
    process.on(signal, () => {
      if (!(options.launched && signal === 'SIGHUP')) stopper.abort(signal);
    });
  }
  return options.launched ? launched(command, options, stopper) : byHand(command, options, stopper);
}

/** A wire by its name; grpc is loaded only where it is used, since that takes a while. */
const loadWire = async (name: WireName): Promise<Wire> =>
  (name === 'grpc' ? (await import('./grpc.ts')).grpc : tcp);

async function listen(
  command: Command, wire: Wire, at: Address, token: string,
): Promise<Listener> {
  try {
    return await wire.listen(at, token);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return command.error(`error: --listen ${addressText(at)}: ${code ?? message}`);
  }
}

/** The log in a folder, or none. */
function openIn(
  command: Command, folder: string | undefined, id: number, returns = false,
): (line: string) => void {
  if (folder === undefined) return () => {};
  try {
    mkdirSync(folder, { recursive: true });
    return appendTo(folder, id, returns);
  } catch (error) {
    return command.error(`error: --logs ${folder}: ${(error as Error).message}`);
  }
}

// ── By a launcher ────────────────────────────────────────────────────────────────────────────

async function launched(
  command: Command, { logs, timeout }: Options, stopper: AbortController,
): Promise<Place> {
  const nextLine = inputLines(process.stdin);
  /** The next line of the launcher; its end, or a signal, is the end of this machine too. */
  async function told<T>(): Promise<T> {
    const line = await nextLine();
    if (line === null || stopper.signal.aborted) process.exit(0);
    try {
      return JSON.parse(line) as T;
    } catch {
      return command.error(`error: standard input: not a line of JSON: ${line.slice(0, 60)}`);
    }
  }
  stopper.signal.addEventListener('abort', () => { if (!peers) process.exit(0); });
  let peers: Map<number, Address> | null = null;

  const setup = await told<Setup>();
  const { id, token, life, clock = 0, start_us } = setup;
  const note = (text: string) => void process.stderr.write(`machine ${id}: ${text}\n`);
  const wire = await loadWire(setup.wire);
  const listener = await listen(command, wire, parseAddress(setup.listen), token);
  console.log(`${DICE_SEED}\n${listensLine(id, listener.port)}`);
  peers = byId(id, (await told<Introduction>()).peers.map(parseAddress));
  const append = openIn(command, logs, id, life > 0);
  return {
    id, configuration: configurationOf(setup), isLaunched: true, life, clock, start_us, token, wire,
    listener, peers, timeout_s: timeout, stop: stopper.signal, note,
    log(line) {
      append(line);
      process.stdout.write(line);
    },
    async follow(mesh) {
      for (let line; (line = await nextLine()) !== null;) {
        const words = JSON.parse(line) as Partial<LinkCommand & { cut: number; heal: number }>;
        if (words.cut !== undefined) {
          mesh.cut(words.cut);
          console.log(cutDone(id, words.cut));
        } else if (words.heal !== undefined) {
          const peer = words.heal;
          void mesh.heal(peer).then(() => console.log(healDone(id, peer)));
        }
      }
      stopper.abort('SIGTERM'); // The launcher is gone.
    },
    begin: () => {},
    end: () => {},
  };
}

// ── By hand ──────────────────────────────────────────────────────────────────────────────────

async function byHand(
  command: Command, options: Options, stopper: AbortController,
): Promise<Place> {
  const { id, listen: at, peers: others, logs, token, timeout } = options;
  for (const [name, value] of Object.entries({ id, listen: at, peers: others })) {
    if (value === undefined) command.error(`error: --${name} is missing`);
  }
  if (id! > others!.length) {
    command.error(`error: --id ${id} needs --peers for each id below it`);
  }
  const configuration = configured(
    command, options, others!.length + 1, options.seed, options.speed);
  const wire = await loadWire(options.wire);
  const listener = await listen(command, wire, at!, token);
  const append = openIn(command, logs, id!);
  const note = (text: string) => void process.stderr.write(`machine ${id}: ${text}\n`);
  const peers = byId(id!, others!);
  console.log(listensLine(id!, listener.port));
  console.log(guidance(id!, configuration, peers));
  const record = { ...configuration, kind: 'sockets' as const, versions: versions() };
  const hasRecord = logs !== undefined && id === 0 && !existsSync(join(logs, 'run.json'));
  const write = (start_us: number, ended: string | null) => {
    try {
      if (hasRecord) writeRun(logs, { ...record, start_us, ended });
    } catch (error) {
      throw new LogError(`run.json: ${(error as Error).message}`);
    }
  };
  return {
    id: id!, configuration, isLaunched: false, life: 0, clock: 0, start_us: undefined, token, wire,
    listener, peers, timeout_s: timeout, stop: stopper.signal, note,
    log(line) {
      append(line);
      process.stdout.write(process.stdout.isTTY ? sentence(line) : line);
    },
    follow: () => {},
    begin: (start_us) => write(start_us, null),
    end(mesh) {
      const { start_us } = mesh;
      if (start_us === null) return;
      const gone = mesh.lost().map((peer) => `machine ${peer} died`).join(', ');
      write(start_us, stopper.signal.aborted ? `interrupted by ${stopper.signal.reason}`
        : gone || 'finished');
      if (logs !== undefined) {
        console.log(`# when all have stopped: npx tsx check.ts ${logs}`);
      }
    },
  };
}

/** What a person who starts a machine by hand wants to know then. */
function guidance(
  id: number, { rates_hz, seed }: Configuration, peers: Map<number, Address>,
): string {
  const waited = [...peers].map(([peer, at]) => `machine ${peer} (${addressText(at)})`);
  return `# it ticks at ${rates_hz[id]} Hz (seed ${seed}) and waits for ${listed(waited)}.`
    + ' Each wants\n# a terminal of its own: its --id, its port as --listen, the others as --peers';
}

/** A row for a person who watches one machine in a terminal. */
function sentence(line: string): string {
  const [, , tick, event, peer, message, queue, clock] = line.trim().split(',');
  return `tick ${tick!.padStart(4)}  ${eventWords(event!, peer!, message!).padEnd(24)} `
    + `clock ${clock!.padStart(4)}  queue ${queue}\n`;
}
