/** What machines say to each other, and what carries it: the one interface of every wire. */
import { CLOCK_MAX } from '../model/rule.ts';

// ── Words ────────────────────────────────────────────────────────────────────────────────────

/** Who speaks: the run's token, its id, and how often it has come back from a crash (0: never). */
export interface Hello {
  hello: number;
  token: string;
  life?: number;
}

/** A line on the wire. `clock` is a message of the model; the others set its stage. */
export type Line =
  | Hello
  | { ready: true }
  | { start_us: number }
  | { clock: number }
  | { stop: true };

/** What a peer did that costs it its connection, and nobody anything else. */
export class WireError extends Error {}

/** No line is longer, in characters. */
export const LINE_MAX = 1024;

/** Reads one line of the tcp wire. @throws WireError if it is not a line of the protocol */
export function parseLine(text: string): Line {
  if (text.length > LINE_MAX) throw new WireError(`a line of more than ${LINE_MAX} characters`);
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // No JSON, and JSON that says nothing, are refused alike below.
  }
  const line = asLine(value);
  if (line) return line;
  throw new WireError(`not a line of the protocol: ${JSON.stringify(text.slice(0, 60))}`);
}

/** A value from outside as a line, or null if it is none. */
export function asLine(value: unknown): Line | null {
  const { hello, token, life, ready, start_us, clock, stop } =
    (value ?? {}) as Record<string, unknown>;
  const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (isCount(clock) && clock <= CLOCK_MAX) return { clock };
  if (isCount(hello) && typeof token === 'string' && (life === undefined || isCount(life))) {
    return { hello, token, ...(life && { life }) };
  }
  if (isCount(start_us)) return { start_us };
  if (ready === true) return { ready };
  if (stop === true) return { stop };
  return null;
}

export const encodeLine = (line: Line) => `${JSON.stringify(line)}\n`;

// ── What carries them ────────────────────────────────────────────────────────────────────────

export interface Address {
  host: string;
  port: number;
}

export const addressText = ({ host, port }: Address) => `${host}:${port}`;

/** One connection with a peer, in order and without loss while it stands. */
export interface Link {
  /** The address at the other end, for a person. */
  readonly where: string;
  /** True if the other end reads nothing, so that too much waits to be sent. */
  readonly isStuffed: boolean;
  send(line: Line): void;
  /** Hangs up when all that was sent has left. */
  end(): void;
  /** Hangs up at once; what has not left is lost. */
  destroy(): void;
}

/** What a link tells its owner. */
export interface Ear {
  hear(line: Line): void;
  /** The other end did what costs it the connection; the owner hangs up. */
  refuse(why: string): void;
  /** It could not be reached, or broke; `closed` follows. */
  failed(why: string): void;
  /** Comes once, and last. */
  closed(): void;
}

/** Where a machine is called. Callers wait until `answer` is there, and are answered then. */
export interface Listener {
  readonly port: number;
  answer(open: (link: Link) => Ear): void;
  close(): void;
}

/** A wire: tcp or grpc. */
export interface Wire {
  /** @throws NodeJS.ErrnoException if the address cannot be had */
  listen(address: Address, token: string): Promise<Listener>;
  /** Calls a peer and says hello; a peer that cannot be reached is a link that fails. */
  call(address: Address, hello: Hello, open: (link: Link) => Ear): void;
}
