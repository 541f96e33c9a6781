/** One run in real processes, from the first process to the last: started, disturbed, ended. */
import { randomBytes } from 'node:crypto';
import { writeRun } from '../cli/folder.ts';
import { versions } from '../cli/options.ts';
import type { Fault } from '../model/faults.ts';
import type { Dice, OwnRecord } from '../model/record.ts';
import type { Configuration } from '../model/run.ts';
import { machineCommand } from './bundle.ts';
import { mendLog } from './log.ts';
import { Nemesis } from './nemesis.ts';
import { MachineProcess, NoProcess, type Watched } from './process.ts';
import { setupOf, type WireName } from './protocol.ts';
import { addressText } from './wire.ts';

/** What a run tells of itself while it lives. */
export interface Watch {
  note(text: string): void;
  /** So many machines have a port, and wait for the others. */
  up(count: number): void;
  /** Is called when every machine ticks, with the machines as they change. */
  begun(
    machines: readonly Readonly<Watched>[], start_us: number,
    disturb: (text: string) => Promise<void>,
  ): void;
  /** Each row, as a machine prints it, and the faults whenever one begins or ends. */
  row?(line: string): void;
  faults?(faults: readonly Fault[]): void;
}

export interface LaunchOptions {
  configuration: Configuration;
  /** Of the run; it exists, and is empty. */
  folder: string;
  host: string;
  /** Machine i listens on port + i; 0: on a free one. */
  port: number;
  wire: WireName;
  /** Commands of machines in the place of ours, by id. */
  replace?: ReadonlyMap<number, string>;
  /** Stops every machine in order. */
  stop: AbortSignal;
  watch: Watch;
}

const GRACE_MS = 5000; // A machine that does not stop within this is killed.
const PORT_MS = 60_000; // One that does not listen after this has not understood.
const WATCHDOG_MS = 1000;

/**
 * Runs one configuration to its end in real processes. However it goes, no process is left when
 * this resolves.
 * @returns how the run ended: 'finished', or what came between; and whether it had begun
 */
export async function launch(
  options: LaunchOptions,
): Promise<{ ended: string; hasBegun: boolean }> {
  const run = new Run(options, await machineCommand());
  return run.live();
}

class Run {
  #options: LaunchOptions;
  #ours: string[];
  #token = randomBytes(16).toString('hex');
  #machines: MachineProcess[] = [];
  #ports: number[] = [];
  #lives: number[] = [];
  #nemesis: Nemesis;
  #start_us: number | null = null;
  #begun = 0;
  #ended: string | null = null;
  #failure: string | null = null;
  #isStopping = false;
  #canRecord = true;
  #over!: () => void;
  /** Machines that are back from a crash, or ended before they were. */
  #back = new Map<number, () => void>();

  constructor(options: LaunchOptions, ours: string[]) {
    this.#options = options;
    this.#ours = ours;
    const { configuration: { faults = [], duration_s, speed, machines }, watch } = options;
    this.#nemesis = new Nemesis(faults.map((fault): Fault => ({ from_us: null, to_us: null,
      ...fault })), {
      duration_s, machines, isDrawn: options.configuration.nemesis !== undefined,
      at_us: (model_s) => this.#start_us! + (model_s * 1e6) / speed,
      machine: (id) => this.#machines[id]!,
      restart: (id) => this.#restart(id),
      record: () => this.#record(),
      note: watch.note,
    });
  }

  async live(): Promise<{ ended: string; hasBegun: boolean }> {
    const { configuration, stop, watch } = this.#options;
    const stopAll = () => this.#stop();
    const over = new Promise<void>((resolve) => { this.#over = resolve; });
    stop.addEventListener('abort', stopAll);
    this.#record();
    for (let id = 0; id < configuration.machines && !this.#isStopping; id++) {
      if (!stop.aborted) this.#trySpawn(id);
    }
    if (stop.aborted) stopAll();
    const slow = setTimeout(() => {
      const silent = this.#machines.findIndex((_, id) => this.#ports[id] === undefined);
      this.#fail(`machine ${silent} did not say within ${PORT_MS / 1000} s where it listens`);
    }, PORT_MS);
    let up = 0;
    await Promise.all(this.#machines.map(async ({ port }, id) => {
      const found = await port;
      if (found === null) return;
      this.#ports[id] = found;
      watch.up(++up);
    }));
    clearTimeout(slow);
    if (up === configuration.machines) for (const id of this.#ports.keys()) this.#introduce(id);
    // From here a machine that hangs would hold the launcher for ever.
    const life_ms = (configuration.duration_s / configuration.speed) * 1000;
    const watchdog = setInterval(() => {
      if (this.#start_us !== null
        && Date.now() > this.#start_us / 1000 + life_ms + 2 * GRACE_MS) stopAll();
    }, WATCHDOG_MS);
    if (this.#machines.length > 0) await over;
    clearInterval(watchdog);
    stop.removeEventListener('abort', stopAll);
    this.#nemesis.end();
    await this.#nemesis.settled();
    this.#ended = this.#ending();
    this.#record();
    return { ended: this.#ended, hasBegun: this.#start_us !== null };
  }

  /** False, and the run fails, if there is no process for it. */
  #trySpawn(id: number, again: { clock: number; start_us: number } | null = null): boolean {
    try {
      this.#spawn(id, again);
      return true;
    } catch (error) {
      if (!(error instanceof NoProcess)) throw error;
      this.#fail(error.message);
      return false;
    }
  }

  #spawn(id: number, again: { clock: number; start_us: number } | null = null): void {
    const { configuration, folder, host, port, wire, replace, watch } = this.#options;
    const life = again ? ++this.#lives[id]! : (this.#lives[id] = 0);
    const at = again ? this.#ports[id]! : port && port + id;
    const machine = new MachineProcess({
      setup: setupOf(configuration, id, { token: this.#token, wire, life, ...again,
        listen: addressText({ host, port: at }) }),
      folder, command: replace?.get(id) ?? this.#ours, note: watch.note,
      row: (event, line) => this.#hear(id, event, line),
    }, this.#machines[id]?.watched);
    this.#machines[id] = machine;
    void machine.ended.then(() => this.#left(id));
  }

  /** Tells a machine where the others listen; they find each other from there. */
  #introduce(id: number): void {
    const { host } = this.#options;
    const others = this.#ports.filter((_, other) => other !== id);
    this.#machines[id]!.tell({ peers: others.map((port) => addressText({ host, port })) });
  }

  #hear(id: number, event: string, line: string): void {
    this.#options.watch.row?.(line);
    if (event === 'restart') this.#back.get(id)?.();
    if (event !== 'start') return;
    this.#start_us ??= Number(line.split(',', 1));
    if (++this.#begun < this.#options.configuration.machines) return;
    this.#record();
    this.#nemesis.start();
    this.#options.watch.begun(this.#machines.map(({ watched }) => watched), this.#start_us,
      (text) => this.#nemesis.disturb(text));
  }

  async #restart(id: number): Promise<void> {
    const { folder } = this.#options;
    const back = new Promise<void>((resolve) => { this.#back.set(id, resolve); });
    if (!this.#trySpawn(id, { clock: mendLog(folder, id), start_us: this.#start_us! })) return;
    if (await this.#machines[id]!.port !== null) this.#introduce(id);
    await back;
  }

  /** A process has ended: by itself, by a fault, or too early. */
  #left(id: number): void {
    const { stop, watch } = this.#options;
    const { hasStopped, exit } = this.#machines[id]!.watched;
    const isFault = this.#nemesis.faults.some(({ do: what, machine, from_us, to_us }) =>
      what === 'crash' && machine === id && !to_us && (from_us || this.#start_us !== null));
    if (this.#begun < this.#options.configuration.machines && !stop.aborted) {
      this.#fail(`machine ${id} could not start`);
    } else if (!hasStopped && !isFault && this.#start_us !== null) {
      watch.note(`machine ${id} died (${exit!.signal ?? exit!.code})`);
    }
    this.#back.get(id)?.();
    const isOver = this.#machines.every(({ watched }) => watched.exit);
    if (isOver && this.#nemesis.returning.size === 0) this.#over();
  }

  #fail(why: string): void {
    this.#failure ??= why;
    this.#stop();
  }

  /** Stops every machine, in order if it will. */
  #stop(): void {
    this.#isStopping = true;
    this.#nemesis.end();
    for (const machine of this.#machines) machine.signal('SIGTERM');
    setTimeout(() => this.#machines.forEach((machine) => machine.signal('SIGKILL')), GRACE_MS)
      .unref();
    if (this.#machines.every(({ watched }) => watched.exit)) this.#over();
  }

  #ending(): string {
    const { stop } = this.#options;
    if (stop.aborted) return `interrupted by ${stop.reason}`;
    if (this.#failure) return this.#failure;
    const died = this.#machines.map(({ watched }) => watched)
      .filter(({ id, hasStopped, exit }) =>
        !(hasStopped && exit!.code === 0) && !this.#isDeadByFault(id))
      .map(({ id, exit }) => `machine ${id} died (${exit!.signal ?? exit!.code})`);
    return died.join(', ') || 'finished';
  }

  /** Whether the last fault of a machine is a crash from which it was not to return. */
  #isDeadByFault(id: number): boolean {
    const last = this.#nemesis.faults.filter(({ machine, link, from_us }) => from_us
      && (machine === id || link?.includes(id))).sort((a, b) => a.at_s - b.at_s).at(-1);
    return last?.do === 'crash' && !last.to_us;
  }

  /** Writes run.json; where that is not possible the one before stays, and a person is told. */
  #record(): void {
    const { configuration, folder, wire, replace, watch } = this.#options;
    watch.faults?.(this.#nemesis.faults);
    const { faults: _, ...rest } = configuration;
    const dice = configuration.rates_hz.map((_, id): Dice =>
      (replace?.has(id) && !this.#machines[id]?.rollsSeed ? 'own' : 'seed'));
    const record: OwnRecord = {
      ...rest,
      ...(this.#nemesis.faults.length > 0 && { faults: this.#nemesis.faults }),
      kind: 'sockets', wire, dice: dice.every((word) => word === dice[0]) ? dice[0]! : dice,
      start_us: this.#start_us, versions: versions(), ended: this.#ended,
    };
    try {
      writeRun(folder, record);
    } catch (error) {
      if (this.#canRecord) watch.note(`${folder}/run.json stays as it was: ${
        (error as Error).message}`);
      this.#canRecord = false;
    }
  }
}
