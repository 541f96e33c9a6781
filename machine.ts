/**
 * One machine of the scale model: a process that ticks at a rate of its own, keeps a Lamport
 * clock, talks to its peers over TCP and logs each event.
 *
 * `npx tsx launch.ts` starts three of them. To be the launcher yourself, give one to each of
 * three terminals, in any order; they begin together when each is connected to every other:
 *
 *   npx tsx machine.ts --id 0 --listen 7000 --peers 7001,7002 --logs logs/by-hand
 *   npx tsx machine.ts --id 1 --listen 7001 --peers 7000,7002 --logs logs/by-hand
 *   npx tsx machine.ts --id 2 --listen 7002 --peers 7000,7001 --logs logs/by-hand
 *   npx tsx check.ts logs/by-hand
 */
import { once } from 'node:events';
import {
  existsSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, writeFileSync, writeSync,
} from 'node:fs';
import {
  createConnection, createServer, type AddressInfo, type Server, type Socket,
} from 'node:net';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import split from 'split2';

// ── The words ────────────────────────────────────────────────────────────────────────────────

/** What decides a run, but for the seed's own part: rates and phases are already drawn. */
export interface Configuration {
  seed: number;
  machines: number;
  /** Ticks a model second, one for each machine. */
  rates_hz: number[];
  /** Where in its period a machine has its first tick, in [0, 1): machines are not in step. */
  phases: number[];
  /** Chance that a tick that does not receive is an internal event. */
  internal: number;
  /** Model seconds. */
  duration_s: number;
  /** Model seconds in one real second. */
  speed: number;
}

export type TickEvent = 'internal' | 'send' | 'receive';

/** What a tick did. */
export interface Step {
  event: TickEvent;
  /** The clock after it; of a send also the message. */
  clock: number;
  /** Of a send: a peer's id, or EVERYONE. */
  to: number;
}

/** The least that the rule must know of a machine. */
export interface Machine {
  readonly id: number;
  readonly machines: number;
  readonly internal: number;
  clock: number;
}

/** In the place of a message's value: none waits. */
export const NO_MESSAGE = -1;
/** In the place of a receiver: nobody, and each of the peers. */
export const NOBODY = -1;
export const EVERYONE = -2;
/** No count of events comes near this; a message above it is a lie that would break arithmetic. */
export const CLOCK_MAX = 2 ** 52;

// ── The rule ─────────────────────────────────────────────────────────────────────────────────

/**
 * One tick, as Lamport's rules IR1 and IR2 (1978) and the exercise have it. Pure: the same
 * arguments always give the same step, and nothing is changed.
 * @param machine before the tick
 * @param message value of the oldest message that waits, or NO_MESSAGE
 * @param roll the die: uniform in [0, 1)
 */
export function step(machine: Machine, message: number, roll: number): Step {
  let event: TickEvent = 'internal';
  let clock = machine.clock + 1;
  let to = NOBODY;
  if (message !== NO_MESSAGE) {
    event = 'receive';
    clock = Math.max(machine.clock, message) + 1;
  } else {
    const sends = 1 - machine.internal;
    if (roll < sends) {
      // Two thirds of the sends go to one peer, each as likely as the next; one third to all.
      event = 'send';
      to = 3 * roll < 2 * sends ? peer(machine, (1.5 * roll) / sends) : EVERYONE;
    }
  }
  return { event, clock, to };
}

/** The peer at a share in [0, 1) of the line of peers, which is in the order of their ids. */
function peer({ id, machines }: Machine, share: number): number {
  const place = Math.min(Math.floor(share * (machines - 1)), machines - 2);
  return place < id ? place : place + 1;
}

/** The ids that a send reaches, in order. */
export function receivers({ id, machines }: Machine, to: number): number[] {
  if (to !== EVERYONE) return to === NOBODY ? [] : [to];
  return Array.from({ length: machines }, (_, other) => other).filter((other) => other !== id);
}

// ── The seam: what a driver, in real or in virtual time, takes from here beside the rule ─────

/** A source of chance: its n-th number is a function of the stream and n alone. */
export interface Stream {
  readonly first: number;
  readonly second: number;
}

/** What a stream's numbers are for: streams of two purposes have nothing to do with each other. */
export const PURPOSE = { rolls: 0, configuration: 1, latency: 2, loss: 3 } as const;

/** C. Wellons' `lowbias32`: each bit of a word moves each bit of the result half the time. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return word ^ (word >>> 16);
}

/** A machine's stream for a purpose. Seeds and ids in a row give streams that are unrelated. */
export function stream(seed: number, machine: number, purpose: number): Stream {
  let [first, second] = [0x243f6a88, 0x85a308d3];
  for (const part of [seed, seed / 2 ** 32, machine, purpose]) {
    first = mix((first ^ part) + 0x9e3779b9);
    second = mix((second ^ part) + 0x9e3779b9);
  }
  return { first, second };
}

/** The n-th number of a stream: uniform in [0, 1) in steps of 2^-32, n below 2^32. */
export function uniform({ first, second }: Stream, n: number): number {
  return (mix(mix(n ^ first) + second) >>> 0) / 2 ** 32;
}

/** When tick k = 0, 1, … is due: model seconds from the start, so that no error adds up. */
export function due_s(k: number, phase: number, rate_hz: number): number {
  return (k + phase) / rate_hz;
}

/**
 * Draws what the seed decides before a run. Rates are integers drawn evenly from
 * `min_rate_hz` … `max_rate_hz`, unless `rates_hz` gives them.
 */
export function configure(wish: {
  seed: number;
  machines: number;
  rates_hz?: number[] | undefined;
  min_rate_hz: number;
  max_rate_hz: number;
  internal: number;
  duration_s: number;
  speed: number;
}): Configuration {
  const { seed, machines, min_rate_hz, max_rate_hz, internal, duration_s, speed } = wish;
  const draws = Array.from({ length: machines },
    (_, id) => stream(seed, id, PURPOSE.configuration));
  const span = max_rate_hz - min_rate_hz + 1;
  const rates_hz = wish.rates_hz
    ?? draws.map((draw) => min_rate_hz + Math.floor(uniform(draw, 0) * span));
  const phases = draws.map((draw) => uniform(draw, 1));
  return { seed, machines, rates_hz, phases, internal, duration_s, speed };
}

/** The first line of every log. */
export const HEADER = 'time_us,machine,tick,event,peer,message,queue,clock\n';

/** One line of a log, in the order of HEADER; `tick`, `peer` and `message` may be empty. */
export function row(
  time_us: number, machine: number, tick: number | '', event: TickEvent | 'start' | 'stop',
  peers: number | string, message: number | '', queue: number, clock: number,
): string {
  return `${time_us},${machine},${tick},${event},${peers},${message},${queue},${clock}\n`;
}

/** The path of a machine's log in a run's folder. */
export const logPath = (folder: string, id: number) => join(folder, `machine-${id}.csv`);

/** What run.json says beside the configuration. */
export interface RunRecord extends Configuration {
  kind: 'sockets' | 'virtual';
  /** Epoch µs (virtual: 0); null until the machines have begun. */
  start_us: number | null;
  versions: { lab: string; node: string };
  /** How it ended, in words; null while it runs and for ever if the writer was killed. */
  ended: string | null;
  [more: string]: unknown;
}

/** Writes `run.json` whole or not at all. */
export function writeRun(folder: string, run: RunRecord): void {
  const path = join(folder, 'run.json');
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(run, null, 2)}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

export const versions = () => ({
  lab: JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')).version as string,
  node: process.version,
});

// ── Sockets: the wire ────────────────────────────────────────────────────────────────────────

/** A line on the wire. `clock` is a message of the model; the others set its stage. */
export type Wire =
  | { hello: number; token: string }
  | { ready: true }
  | { start_us: number }
  | { clock: number }
  | { stop: true };

/** What a peer did that costs it its connection, and nobody anything else. */
export class WireError extends Error {}

/** No line is longer, in characters. */
export const LINE_MAX = 1024;
const UNSENT_MAX_BYTES = 2 ** 20;
const HELLO_WITHIN_MS = 5000;

/** Reads one line. @throws WireError if it is not a line of the protocol. */
export function parseLine(line: string): Wire {
  if (line.length > LINE_MAX) throw new WireError(`a line of more than ${LINE_MAX} characters`);
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    // No JSON, and JSON that says nothing, are refused alike below.
  }
  const { hello, token, ready, start_us, clock, stop } = value ?? ({} as Record<string, unknown>);
  const count = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (count(clock) && clock <= CLOCK_MAX) return { clock };
  if (count(hello) && typeof token === 'string') return { hello, token };
  if (count(start_us)) return { start_us };
  if (ready === true) return { ready };
  if (stop === true) return { stop };
  throw new WireError(`not a line of the protocol: ${JSON.stringify(line.slice(0, 60))}`);
}

export const encodeLine = (wire: Wire) => `${JSON.stringify(wire)}\n`;

/** Bytes in, lines of the protocol out, however they were split and joined on their way. */
export const lineDecoder = () => split('\n', parseLine, { maxLength: LINE_MAX });

// ── Sockets: the mesh ────────────────────────────────────────────────────────────────────────

export interface Address {
  host: string;
  port: number;
}

/** System time in µs since the epoch; steady, for it does not see the wall clock being set. */
export const now_us = () => Math.floor((performance.timeOrigin + performance.now()) * 1000);

/**
 * The connections of one machine: it calls the peers with a lower id and is called by the others.
 * When a machine is connected to all, it tells machine 0; when all are, machine 0 names the start.
 */
export class Mesh {
  readonly id: number;
  readonly peers: Map<number, Address>;
  /** Resolves to the time of the start, epoch µs, the same for every machine. */
  readonly started: Promise<number>;
  #token: string;
  #server: Server;
  #receive: (from: number, clock: number) => void;
  #note: (text: string) => void;
  #start!: (start_us: number) => void;
  #phase: 'gathering' | 'running' | 'closing' = 'gathering';
  #sockets = new Map<number, Socket>();
  #ready = new Set<number>();
  #stopped = new Set<number>();
  #trouble = new Map<number, string>();

  /**
   * @param receive is called with each message, in the order in which they come
   * @param note is called with a line for whoever looks after the machine
   */
  constructor(
    id: number, peers: Map<number, Address>, token: string, server: Server,
    receive: (from: number, clock: number) => void, note: (text: string) => void,
  ) {
    [this.id, this.peers, this.#token, this.#server] = [id, peers, token, server];
    [this.#receive, this.#note] = [receive, note];
    this.started = new Promise((resolve) => { this.#start = resolve; });
    server.on('connection', (socket) => this.#attach(socket, null));
    for (const peer of peers.keys()) if (peer < id) this.#call(peer, 50);
  }

  /** Who is still waited for, and why; for the message of a time-out. */
  missing(): string {
    const lines = [...this.peers].filter(([peer]) => !this.#sockets.has(peer)).map(([peer, at]) =>
      `machine ${peer} (${peer > this.id ? 'it has not called'
        : `${at.host}:${at.port}, ${this.#trouble.get(peer) ?? 'no answer'}`})`);
    return lines.join(', ') || 'machines that are not connected to each other';
  }

  /** Sends the clock to a peer; to one that is gone it is lost, as on any network. */
  send(to: number, clock: number): void {
    const socket = this.#sockets.get(to);
    if (!socket?.writable) return;
    socket.write(encodeLine({ clock }));
    if (socket.writableLength <= UNSENT_MAX_BYTES) return;
    this.#note(`connection with machine ${to} closed: it reads nothing`);
    socket.destroy();
  }

  /** Says goodbye; resolves when every peer has hung up, or after two seconds. */
  async close(): Promise<void> {
    this.#phase = 'closing';
    this.#server.close();
    const sockets = [...this.#sockets.values()];
    const ends = sockets.map((socket) => new Promise((done) => socket.on('close', done)));
    for (const socket of sockets) socket.end(encodeLine({ stop: true }));
    await Promise.race([Promise.all(ends), new Promise((done) => setTimeout(done, 2000))]);
    for (const socket of sockets) socket.destroy();
  }

  #call(peer: number, again_ms: number): void {
    const socket = createConnection(this.peers.get(peer)!);
    socket.on('connect', () => socket.write(encodeLine({ hello: this.id, token: this.#token })));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => this.#trouble.set(peer, code ?? ''));
    socket.on('close', () => {
      if (this.#phase !== 'gathering') return;
      setTimeout(() => this.#call(peer, Math.min(again_ms * 2, 1000)), again_ms);
    });
    this.#attach(socket, peer);
  }

  /** Follows one connection to its end; `called` is the id that must answer, null for a caller. */
  #attach(socket: Socket, called: number | null): void {
    let from: number | null = null;
    const refuse = (why: string) => {
      const who = from ?? called;
      const whom = who === null
        ? `from ${socket.remoteAddress}:${socket.remotePort}` : `with machine ${who}`;
      if (called !== null) this.#trouble.set(called, why);
      if (!socket.destroyed) this.#note(`connection ${whom} closed: ${why}`);
      socket.destroy();
    };
    const silence = setTimeout(() => refuse('no hello'), HELLO_WITHIN_MS);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows, and is all that matters.
    const lines = socket.pipe(lineDecoder());
    lines.on('error', ({ message }) => refuse(message));
    lines.on('data', (wire: Wire) => {
      try {
        if (from !== null) return this.#hear(from, wire);
        const id = this.#greet(wire, called);
        if (called === null) socket.write(encodeLine({ hello: this.id, token: this.#token }));
        clearTimeout(silence);
        this.#sockets.set((from = id), socket);
        this.#complete();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        refuse(error.message);
      }
    });
    socket.on('close', () => {
      clearTimeout(silence);
      if (from === null) return;
      this.#sockets.delete(from);
      this.#ready.delete(from);
      if (this.#phase === 'closing' || this.#stopped.has(from)) return;
      this.#note(`machine ${from} is lost`);
    });
  }

  #greet(wire: Wire, called: number | null): number {
    if (!('hello' in wire)) throw new WireError('its first line is no hello');
    const { hello, token } = wire;
    if (token !== this.#token) throw new WireError('wrong token');
    const known = called === null ? this.peers.has(hello) && hello > this.id : hello === called;
    if (!known) throw new WireError(`unknown id ${hello}`);
    if (this.#sockets.has(hello)) throw new WireError(`a second connection from id ${hello}`);
    if (this.#phase !== 'gathering') throw new WireError(`id ${hello} comes too late`);
    return hello;
  }

  #hear(from: number, wire: Wire): void {
    if ('clock' in wire) this.#receive(from, wire.clock);
    else if ('stop' in wire) this.#stopped.add(from);
    else if ('ready' in wire && this.id === 0) {
      this.#ready.add(from);
      this.#complete();
    } else if ('start_us' in wire && from === 0) this.#run(wire.start_us);
    else throw new WireError(`out of turn: ${JSON.stringify(wire)}`);
  }

  #complete(): void {
    if (this.#phase !== 'gathering' || this.#sockets.size < this.peers.size) return;
    if (this.id !== 0) return void this.#sockets.get(0)!.write(encodeLine({ ready: true }));
    if (this.#ready.size < this.peers.size) return;
    // Time for the word to reach everybody, also 150 machines on two cores.
    const start_us = now_us() + 100_000 + 2000 * this.peers.size;
    for (const socket of this.#sockets.values()) socket.write(encodeLine({ start_us }));
    this.#run(start_us);
  }

  #run(start_us: number): void {
    this.#phase = 'running';
    this.#start(start_us);
  }
}

// ── Real time ────────────────────────────────────────────────────────────────────────────────

const idle = new Int32Array(new SharedArrayBuffer(4));

/**
 * Resolves at `at_us`, or when `over`, after what the network has brought by then was heard.
 * Timers are good to a millisecond or two, so the last of the time is slept out in full.
 */
export async function until(at_us: number, over: AbortSignal): Promise<void> {
  for (let left_ms; !over.aborted && (left_ms = (at_us - now_us()) / 1000) > 0;) {
    if (left_ms <= 2) Atomics.wait(idle, 0, 0, left_ms);
    else await sleep(Math.min(left_ms - 1.5, 2 ** 30), null, { signal: over }).catch(() => {});
  }
  await immediate(); // The event loop reads sockets before it comes back from this.
}

/**
 * Ticks in real time until the duration is over, or `over`.
 * @param inbox messages that wait, oldest first; the network appends to it
 * @param send carries the clock to a peer; it is called after the event is logged
 */
export async function run(
  id: number, configuration: Configuration, start_us: number, over: AbortSignal,
  inbox: { from: number; clock: number }[],
  send: (to: number, clock: number) => void, log: (line: string) => void,
): Promise<void> {
  const { seed, machines, internal, duration_s, speed } = configuration;
  const machine: Machine = { id, machines, internal, clock: 0 };
  const rate_hz = configuration.rates_hz[id]!;
  const phase = configuration.phases[id]!;
  const rolls = stream(seed, id, PURPOSE.rolls);
  const period_us = 1e6 / (rate_hz * speed);
  const end_us = start_us + (duration_s * 1e6) / speed;
  const at_us = (k: number) => start_us + (due_s(k, phase, rate_hz) * 1e6) / speed;

  await until(start_us, over);
  log(row(start_us, id, '', 'start', '', '', 0, 0));
  for (let k = 0; ; k++) {
    await until(Math.min(at_us(k), end_us), over);
    // A process that was stalled skips what it missed: to catch up would be a burst.
    k += Math.floor(Math.max(0, now_us() - at_us(k)) / period_us);
    if (over.aborted || at_us(k) >= end_us) break;

    const message = inbox.shift();
    const { event, clock, to } = step(machine, message?.clock ?? NO_MESSAGE, uniform(rolls, k));
    machine.clock = clock;
    const peers = receivers(machine, to);
    log(row(now_us(), id, k, event, message?.from ?? peers.join(' '),
      message?.clock ?? (event === 'send' ? clock : ''), inbox.length, clock));
    for (const peer of peers) send(peer, clock);
  }
  log(row(now_us(), id, '', 'stop', '', '', inbox.length, machine.clock));
}

// ── Main ─────────────────────────────────────────────────────────────────────────────────────

const numberThat = (what: string, holds: (x: number) => boolean) => (text: string): number => {
  const x = text.trim() === '' ? NaN : Number(text);
  if (!holds(x)) throw new InvalidArgumentError(`It is not ${what}.`);
  return x;
};
export const positive = numberThat('a number above 0', (x) => x > 0 && x < Infinity);
export const probability = numberThat('a number from 0 to 1', (x) => x >= 0 && x <= 1);
export const whole = numberThat('a whole number', (x) => x >= 0 && Number.isSafeInteger(x));
export const atLeast = (least: number) =>
  numberThat(`a whole number of ${least} or more`, (x) => x >= least && Number.isSafeInteger(x));
const port = numberThat('a port', (x) => Number.isInteger(x) && x >= 0 && x < 65536);
export const rateList = (text: string): number[] => text.split(',').map(positive);

function address(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(colon, 0)) || '127.0.0.1';
  return { host, port: port(text.slice(colon + 1)) };
}
const addressList = (text: string): Address[] => text.split(',').map(address);

/** A script's command line: --help prints the comment that opens it, bad input exits with 2. */
export function script(url: string): Command {
  const source = readFileSync(new URL(url), 'utf8');
  const comment = source.slice(source.indexOf('/**') + 3, source.indexOf('*/'));
  return new Command(basename(fileURLToPath(url)))
    .usage('[options]')
    .description(comment.replace(/^ \* ?/gm, '').trim())
    .showSuggestionAfterError(false)
    .configureOutput({ getOutHelpWidth: () => 100 })
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** True in the process that was started with this file, false where it is imported. */
export const isMain = (url: string) =>
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);

/** The knobs of the model, the same for every script that runs it. */
export const modelOptions = (command: Command): Command => command
  .option('--rates <list>', 'ticks a second of each machine, as 2,4,1 (default: drawn)', rateList)
  .option('--min-rate <hz>', 'lowest rate that is drawn; the exercise says 1', atLeast(1), 1)
  .option('--max-rate <hz>', 'highest rate that is drawn; the exercise says 6', atLeast(1), 6)
  .option('--internal <p>', 'chance of an internal event; seven sides of ten', probability, 0.7)
  .option('--duration <s>', 'model seconds; the exercise asks for a minute', positive, 60);

/** What modelOptions reads. */
export interface ModelOptions {
  rates?: number[];
  minRate: number;
  maxRate: number;
  internal: number;
  duration: number;
}

/** Draws the configuration that the options and a seed describe, or ends with what is wrong. */
export function configured(
  command: Command, options: ModelOptions, machines: number, seed: number, speed: number,
): Configuration {
  const { rates: rates_hz, minRate: min_rate_hz, maxRate: max_rate_hz, internal } = options;
  if (min_rate_hz > max_rate_hz) {
    command.error(`error: --min-rate ${min_rate_hz} is above --max-rate ${max_rate_hz}`);
  }
  if (rates_hz && rates_hz.length !== machines) {
    command.error(`error: --rates names ${rates_hz.length} machines and there are ${machines}`);
  }
  const { duration: duration_s } = options;
  return configure(
    { seed, machines, rates_hz, min_rate_hz, max_rate_hz, internal, duration_s, speed });
}

/** A row for a person who watches one machine in a terminal. */
function describe(line: string): string {
  const [, , tick, event, peer, message, queue, clock] = line.trim().split(',');
  const what = event === 'send' ? `send to ${peer}`
    : event === 'receive' ? `receive ${message} from ${peer}` : event!;
  return `tick ${tick!.padStart(4)}  ${what.padEnd(24)} clock ${clock!.padStart(4)}`
    + `  queue ${queue}\n`;
}

async function main(): Promise<void> {
  const command = modelOptions(script(import.meta.url))
    .requiredOption('--id <n>', 'which machine this is: 0, 1, …', whole)
    .requiredOption('--listen <address>', 'own port, or host:port; 0 takes a free port', address)
    .requiredOption('--peers <list>', 'addresses of the others, in the order of their ids; "-" '
      + 'reads the list from standard input, whose end then stops the machine',
      (text) => (text === '-' ? text : addressList(text)))
    .option('--seed <n>', 'decides all that chance decides; give each machine the same', whole, 1)
    .option('--speed <n>', 'model seconds in a real one', positive, 1)
    .option('--logs <folder>', 'folder for machine-<id>.csv and run.json (default: none)')
    .option('--timeout <s>', 'how long to wait for the others', positive, 60)
    .addOption(new Option('--token <word>', 'of the run; others are refused').default('lab')
      .env('LAB_TOKEN'))
    .parse();
  const o = command.opts<ModelOptions & { id: number; listen: Address; peers: '-' | Address[];
    seed: number; speed: number; logs?: string; timeout: number; token: string }>();
  const note = (text: string) => process.stderr.write(`machine ${o.id}: ${text}\n`);
  const over = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => over.abort(signal));
  }
  process.stdout.on('error', () => {}); // Whoever listened is gone; the log goes on.

  // Who calls before this machine knows its peers is kept waiting, and answered then.
  const early: Socket[] = [];
  const hold = (socket: Socket) => void early.push(socket);
  const server = createServer({ pauseOnConnect: true }).on('connection', hold);
  server.listen(o.listen.port, o.listen.host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) =>
    command.error(`error: --listen ${o.listen.host}:${o.listen.port}: ${error.code}`));
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`# machine ${o.id} listens on port ${port}\n`);

  const list = o.peers === '-' ? await peersFromInput(over) : o.peers;
  const ids = list.map((_, place) => (place < o.id ? place : place + 1));
  if (o.id > list.length) command.error(`error: --id ${o.id} needs --peers for each id below it`);
  const configuration = configured(command, o, list.length + 1, o.seed, o.speed);

  let log = (_line: string): void => {};
  if (o.logs !== undefined) {
    try {
      mkdirSync(o.logs, { recursive: true });
      const file = openSync(logPath(o.logs, o.id), 'ax'); // Never over another log.
      log = (line) => void writeSync(file, line); // At once: a kill loses nothing.
    } catch (error) {
      command.error(`error: --logs ${o.logs}: ${(error as Error).message}`);
    }
  }
  log(HEADER);

  const inbox: { from: number; clock: number }[] = [];
  const peers = new Map(ids.map((id, place) => [id, list[place]!]));
  const mesh = new Mesh(o.id, peers, o.token, server,
    (from, clock) => void inbox.push({ from, clock }), note);
  server.off('connection', hold);
  for (const socket of early) server.emit('connection', socket);
  const late = setTimeout(() => {
    note(`not connected after ${o.timeout} s; waited for ${mesh.missing()}`);
    process.exit(1);
  }, o.timeout * 1000);
  const start_us = await Promise.race([mesh.started, once(over.signal, 'abort')]);
  clearTimeout(late);
  if (typeof start_us === 'number') {
    if (o.id === 0 && o.logs !== undefined && !existsSync(join(o.logs, 'run.json'))) {
      writeRun(o.logs,
        { ...configuration, kind: 'sockets', start_us, versions: versions(), ended: null });
    }
    await run(o.id, configuration, start_us, over.signal, inbox,
      (to, clock) => mesh.send(to, clock),
      (line) => {
        log(line);
        process.stdout.write(process.stdout.isTTY ? describe(line) : line);
      });
  }
  await mesh.close();
  const signal = over.signal.reason as 'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined;
  process.exit(signal === undefined ? 0 : 128 + constants.signals[signal]);
}

/** The list of peers, when a launcher writes it; the machine stops when the launcher is gone. */
async function peersFromInput(over: AbortController): Promise<Address[]> {
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => over.abort('SIGTERM'));
  const [line] = await Promise.race([once(lines, 'line'), once(over.signal, 'abort')]);
  if (typeof line !== 'string') process.exit(128 + constants.signals.SIGTERM);
  return addressList(line);
}

if (isMain(import.meta.url)) await main();
