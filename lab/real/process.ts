/** A machine's process as the launcher sees it: one of ours, or a command in its place. */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { ProcessPromise } from 'zx/core';
import { eventWords } from '../cli/terminal.ts';
import { HEADER } from '../model/run.ts';
import { appendTo, LogError } from './log.ts';
import {
  DICE_SEED, setupVariables, type Command, type Introduction, type Setup,
} from './protocol.ts';

// Every launch waits for this: zx whole takes four times as long to load, its core imported twice.
const { $ } = createRequire(import.meta.url)('zx/core') as typeof import('zx/core');

/** What is known of a machine from its rows. */
export interface Watched {
  id: number;
  ticks: number;
  clock: number;
  queue: number;
  /** What it did last, in words. */
  last: string;
  /** Its last row is a stop. */
  hasStopped: boolean;
  /** How its process ended: null while it runs. */
  exit: { code: number | null; signal: string | null } | null;
}

export interface ProcessOptions {
  setup: Setup;
  folder: string;
  /** The words that start one of ours; or what a person would have in its place, for a shell. */
  command: string[] | string;
  /** Is called with each whole row, after what is known of the machine was brought up to date. */
  row(event: string, line: string): void;
  /** Is called with what the machine says to a person. */
  note(text: string): void;
}

/** The system gives no process, or no files to talk with it. */
export class NoProcess extends Error {}

const ODD_LINES_MAX = 5; // A machine that prints its own things is told so, and not for ever.
const COLUMNS = HEADER.split(',').length;

export class MachineProcess {
  readonly watched: Watched;
  /** Whether it says that it rolls the seed's dice; ours do. */
  rollsSeed: boolean;
  /** Resolves to its port, or to null when it ended before it had one. */
  readonly port: Promise<number | null>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  #options: ProcessOptions;
  #process: ProcessPromise;
  #append: ((line: string) => void) | null = null;
  #oddLines = 0;
  #waiting = new Map<string, () => void>();

  /**
   * Starts it, and tells it its configuration.
   * @throws NoProcess; NodeJS.ErrnoException of a replaced log
   */
  constructor(options: ProcessOptions, before?: Watched) {
    const { setup, folder, command, note } = options;
    const { id, life, clock = 0 } = setup;
    this.#options = options;
    this.rollsSeed = typeof command !== 'string';
    this.watched = before ?? { id, ticks: 0, clock, queue: 0, last: '', hasStopped: false,
      exit: null };
    this.watched.exit = null;
    // A replaced machine has its rows written; ours writes them itself, so that no kill loses one.
    if (typeof command === 'string') this.#append = appendTo(folder, id, life > 0);
    this.#process = start(command, setup, folder);
    const { stdin, stdout, stderr } = this.#process.child ?? {};
    if (!stdin || !stdout || !stderr) {
      throw new NoProcess(`machine ${id} could not start: no process or open file is left for it `
        + '(ulimit -n and ulimit -u say how many there may be)');
    }
    stdin.on('error', () => {}); // It died; its exit says so.
    createInterface({ input: stderr }).on('line', note);
    let found!: (port: number | null) => void;
    this.port = new Promise((resolve) => { found = resolve; });
    const lines = createInterface({ input: stdout });
    const listens = new RegExp(`^# machine ${id} listens on port (\\d+)$`);
    lines.on('line', (line) => {
      const port = listens.exec(line)?.[1];
      if (port !== undefined) found(Number(port));
      else if (line.startsWith('#')) this.#remark(line);
      else this.#hear(line);
    });
    this.ended = this.#process.then(({ exitCode, signal }) => {
      this.watched.exit = { code: exitCode, signal };
      found(null);
    });
    this.tell(setup);
  }

  /** Says a line to it. */
  tell(words: Setup | Introduction | Command): void {
    this.#process.stdin.write(`${JSON.stringify(words)}\n`);
  }

  /** Sends a signal to it and to all that it has started. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#process.child?.pid;
    if (pid === undefined || this.watched.exit) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended in this moment.
    }
  }

  get pid(): number | undefined {
    return this.#process.child?.pid;
  }

  /** Resolves when it has said a line that begins with `#`. */
  said(line: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(line, resolve));
  }

  #remark(line: string): void {
    if (line === DICE_SEED) this.rollsSeed = true;
    this.#waiting.get(line)?.();
    this.#waiting.delete(line);
  }

  #hear(line: string): void {
    const { watched } = this;
    const { note, row } = this.#options;
    if (`${line}\n` === HEADER) return;
    const [, machine, tick, event, peer, message, queue, clock, ...more] = line.split(',');
    if (clock === undefined || more.length > 0 || Number(machine) !== watched.id) {
      if (++this.#oddLines > ODD_LINES_MAX) return;
      return note(`machine ${watched.id} prints what is no row of ${COLUMNS} columns: `
        + `${JSON.stringify(line.slice(0, 60))}`
        + (this.#oddLines === ODD_LINES_MAX ? '; more of that is not told' : ''));
    }
    try {
      this.#append?.(`${line}\n`);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      note(error.message);
      this.signal('SIGKILL');
    }
    Object.assign(watched, { queue: Number(queue), clock: Number(clock),
      last: eventWords(event!, peer!, message!), hasStopped: event === 'stop' });
    if (tick !== '') watched.ticks++;
    row(event!, line);
  }
}

/** A process group of its own: Ctrl-C reaches the launcher alone, which stops each in order. */
function start(command: string[] | string, setup: Setup, folder: string): ProcessPromise {
  // Where no shell stands above it, bash takes its piped input for a remote login and runs the
  // person's whole ~/.bashrc, for each machine anew; a level of one says that this is none.
  const env = { ...process.env, SHLVL: process.env.SHLVL?.replace(/^0?$/, '1') ?? '1',
    ...setupVariables(setup) };
  const shell = $({ nothrow: true, quiet: true, detached: true, env });
  if (typeof command !== 'string') {
    const words = ['--launched', '--id', String(setup.id), '--logs', folder];
    return shell`exec ${command} ${words}`.run();
  }
  const text = [command] as unknown as TemplateStringsArray;
  return shell(Object.assign(text, { raw: [command] })).run();
}
