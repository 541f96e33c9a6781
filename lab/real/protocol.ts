/**
 * How the launcher talks to a machine of any language: lines of JSON on its standard input, and its
 * standard output, which begins with the port and goes on with the rows. `machines/README.md` says
 * the same to whoever writes a machine.
 */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { type Configuration, type Knobs, knobsOf, otherThanExercise } from '../model/run.ts';
import type { Address } from './wire.ts';

export const WIRES = ['tcp', 'grpc'] as const;
export type WireName = (typeof WIRES)[number];

/** Line 1: what a machine is told of itself and of the run. */
export interface Setup {
  id: number;
  /** How many there are. */
  machines: number;
  /** Own ticks a model second, and where in its period the first one is. */
  rate: number;
  phase: number;
  /** Of all machines, in the order of their ids: what clocks they can have. */
  rates: number[];
  internal: number;
  /** Model seconds; and how many of them are in a real one. */
  duration: number;
  speed: number;
  seed: number;
  token: string;
  wire: WireName;
  /** All of them, as in run.json. */
  knobs: Knobs;
  /** `host:port`; port 0 is a free one. */
  listen: string;
  /** How often it has come back from a crash. */
  life: number;
  /** After a restart: the clock of its last row, and when the run began, epoch µs. */
  clock?: number;
  start_us?: number;
}

/** Line 2: where the others listen, `host:port`, in the order of their ids. */
export interface Introduction {
  peers: string[];
}

/** Later lines: what happens to a link. Each is answered by `cutDone` or `healDone` when it is. */
export type Command = { cut: number } | { heal: number };

/** Said before the port by a machine whose rolls are the seed's; else they are its own. */
export const DICE_SEED = '# dice seed';
export const listensLine = (id: number, port: number) => `# machine ${id} listens on port ${port}`;
export const cutDone = (id: number, peer: number) => `# machine ${id} cut ${peer}`;
export const healDone = (id: number, peer: number) => `# machine ${id} healed ${peer}`;

// ── The launcher's side ──────────────────────────────────────────────────────────────────────

/** The set-up of a machine in a run. */
export function setupOf(
  configuration: Configuration, id: number,
  more: Pick<Setup, 'token' | 'wire' | 'listen' | 'life' | 'clock' | 'start_us'>,
): Setup {
  const { machines, rates_hz, phases, internal, duration_s, speed, seed } = configuration;
  return {
    id, machines, rate: rates_hz[id]!, phase: phases[id]!, rates: rates_hz, internal,
    duration: duration_s, speed, seed, knobs: knobsOf(configuration), ...more,
  };
}

/** The same in variables, LAB_ID and so on, for machines that would rather not parse JSON. */
export function setupVariables(setup: Setup): Record<string, string> {
  return Object.fromEntries(Object.entries(setup).map(([name, value]) =>
    [`LAB_${name.toUpperCase()}`, typeof value === 'object' ? JSON.stringify(value)
      : String(value)]));
}

// ── The machine's side ───────────────────────────────────────────────────────────────────────

/** The lines of standard input, one by one; null at its end. */
export function inputLines(input: Readable): () => Promise<string | null> {
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  return async () => (await lines.next()).value ?? null;
}

/** The configuration that a set-up describes, as far as its machine needs to know it. */
export function configurationOf(setup: Setup): Configuration {
  const { machines, id, rate, rates, phase, internal, duration, speed, seed, knobs } = setup;
  const phases = Array.from({ length: machines }, (_, other) => (other === id ? phase : 0));
  return { seed, machines, rates_hz: rates ?? phases.map(() => rate), phases, internal,
    duration_s: duration, speed, ...otherThanExercise(knobs ?? {}) };
}

export const parseAddress = (text: string): Address => {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, Math.max(colon, 0)) || '127.0.0.1',
    port: Number(text.slice(colon + 1)) };
};

/** The addresses of the others by their ids, from a list in the order of the ids. */
export const byId = (id: number, others: Address[]): Map<number, Address> =>
  new Map(others.map((address, place) => [place < id ? place : place + 1, address]));
