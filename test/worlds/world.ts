/** The worlds that the generator plays, and what comes of them. */
import type { Fault, Kind, Override } from '../../lab/model/faults.ts';
import type { Step } from '../../lab/model/rule.ts';
import { HEADER, row, type Configuration, type Knobs } from '../../lab/model/run.ts';

export interface World extends Partial<Knobs> {
  kind?: 'sockets' | 'virtual';
  seed?: number;
  machines?: number;
  rates_hz?: number[];
  rates_range?: [number, number];
  internal?: number;
  duration_s?: number;
  speed?: number;
  latency?: string;
  loss?: number;
  reorder?: boolean;
  faults?: Fault[];
  nemesis?: Kind[];
  what_if?: Override[];
  /** Of the lab that made it; 0.1.0 reads the clock twice a tick. */
  lab?: string;
  dice?: ('seed' | 'own')[];
  wire?: 'tcp' | 'grpc';
  /** By hand, in real time: machines that stand still, die, or are all interrupted; model s. */
  stalls?: { machine: number; from_s: number; to_s: number }[];
  deaths?: { machine: number; at_s: number }[];
  interrupted_s?: number;
  /** Chance that a machine is stopped, for up to so long, between its row and its write. */
  stuck?: number;
  stuck_s?: number;
  bugs?: Bugs;
}

/** What a machine does instead of what it should. */
export interface Bugs {
  /** Does a tick otherwise. */
  step?: (right: Step, before: number, message: number) => Step;
  /** What leaves a machine instead of its clock. */
  wire?: (clock: number) => number;
  /** The receiver that gets nothing of a send to several. */
  leftOut?: number;
  newestFirst?: boolean;
  burst?: boolean;
  /** After a restart: the clock goes back, a message is taken again, a tick is made again. */
  clockBack?: number;
  takenTwice?: boolean;
  tickTwice?: boolean;
  /** What a crash or a cut loses is received all the same; or a cut loses in one direction. */
  nothingLost?: boolean;
  oneWay?: boolean;
  /** Goes on while it is paused. */
  restless?: boolean;
}

export interface Cells {
  time_us: number;
  machine: number;
  tick: number | '';
  event: Parameters<typeof row>[3];
  peers: number[];
  messages: number[];
  queue: number;
  clock: number;
}

export interface Played {
  /** run.json, as its text says it. */
  record: Record<string, unknown>;
  rows: Cells[][];
}

/** A copy to tell lies on; structuredClone() takes longer than the oracle that judges them. */
export const copyOf = ({ record, rows }: Played): Played => ({ record: structuredClone(record),
  rows: rows.map((each) => each.map((cells) =>
    ({ ...cells, peers: [...cells.peers], messages: [...cells.messages] }))) });

export const START_US = 1_790_000_000_000_000;

export const textOf = (rows: readonly Cells[]): string => HEADER + rows.map((cells) =>
  row(cells.time_us, cells.machine, cells.tick, cells.event, cells.peers.join(' '),
    cells.messages.join(' '), cells.queue, cells.clock)).join('');

/** What run.json says of a world that was played. */
export function recordOf(configuration: Configuration, world: World, more: object) {
  const { lab = '0.2.0', dice, wire } = world;
  return JSON.parse(JSON.stringify({ ...configuration, versions: { lab, node: 'v20' },
    ...(dice ? { dice } : {}), ...(wire ? { wire } : {}), ...more })) as Record<string, unknown>;
}
