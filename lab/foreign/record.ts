/**
 * What a run's folder of kind `foreign` says beside DESIGN.md's schema.
 *
 * **run.json** is a ForeignRecord (lab/model/record.ts) whose field `foreign` is a Foreign, below.
 * `start_us` is the time of the first row; `rates_hz` holds null where neither a text nor the pace
 * tells; `speed` is 1; `internal` is null; `ended` is `imported`.
 *
 * **machine-<id>.csv** has the lab's columns and one row an event, in the order of their log; there
 * are no start and stop rows. `tick` counts the rows from 0. `peer` and `message` are empty where
 * neither a row names nor a clock value proves them; a receive's `message` is the clock of the
 * *send's row*, so that (peer, message) names that row, whatever was on the wire. `queue` is empty
 * where their row has none, else counted after the event. `clock` is the value after the event, if
 * that could be inferred (`logged.clock`); of vector clocks it is the sum. `time_us` is as fine as
 * `logged.resolution_us`; where their log has no times, it is made from the row's number and the
 * rate.
 *
 * **source-<id>.csv** has a row for each of machine-<id>.csv: `file,line,lines,peer,message`: their
 * file (relative to `source`) and line from 1, so many lines of it, and of peer and message whether
 * each is `logged`, `reconstructed` or empty.
 */
import type { ForeignRecord } from '../model/record.ts';

/** A rule that was tried on the jumps: after one, clock − offset is a clock that another sent. */
export interface Trial {
  /** Receiver's clock − the send's logged clock: 1 as Lamport has it, 0 the same clock. */
  offset: number;
  /** Jumps that it explains, of `Rule.jumps`. */
  explains: number;
}

/** The rule that the rows show. */
export interface InferredRule {
  /** In the words of the field's table: what the jumps show. */
  rule: 'clean' | 'receive = send clock' | 'other' | 'too few rows';
  /** The same for a person, with the evidence. */
  words: string;
  /** What else it can be; what speaks against it. Empty if nothing does. */
  doubts: string[];
  /** Receives at which the clock went up by more than one. */
  jumps: number;
  best: Trial | null;
  next: Trial | null;
  /** The send's row bears the clock before or after its increment, relative to the message. */
  send: 'new' | 'old' | null;
  /** As `max + 1`, `max`, `own + 1`, `max + 2`; null if the rows cannot tell. */
  receive: string | null;
  /** How much a receive whose message was not ahead adds, and how often: [[1, 40], [0, 3]]. */
  floor: [step: number, receives: number][];
  /** Receives whose row has the message's value, and the values of clock − max(before, message). */
  stated: [step: number, receives: number][];
  /** Of internal and send rows: how much they add, and how often. */
  own: [step: number, rows: number][];
}

export interface Foreign {
  /** The path that was named. */
  source: string;
  files: { machine: number; file: string; lines: number; rows: number }[];
  /** What they call the machines, by our ids. */
  names: string[];
  /** Regular expressions with named groups, tried in order. */
  patterns: string[];
  /** The command line that says the same. */
  command: string;
  /** Lines that are not blank; those that are events' rows; the others, by their shape. */
  lines: number;
  lines_read: number;
  left: { shape: string; count: number; file: string; line: number; example: string }[];
  logged: {
    /** Whether their rows bear the clock after the event or before; here it is after, always. */
    clock: 'after' | 'before';
    /** Whether the queue is counted after the take or before; null if no row has one. */
    queue: 'after' | 'before' | null;
    both: 'one row' | 'two rows of one clock' | 'two rows of two clocks' | null;
    vector: boolean;
    /** The least step between two times; null: they have no times. */
    resolution_us: number | null;
    /** Whether times are of the wall clock, comparable between machines. */
    absolute: boolean;
  };
  rates: {
    machine: number;
    rate_hz: number | null;
    from: 'text' | 'name' | 'pace' | 'option' | null;
    pace_hz: number | null;
  }[];
  rule: InferredRule;
  /** Receives; those whose send is known from the rows; those whose send the clocks prove. */
  messages: { receives: number; logged: number; reconstructed: number };
}

export type ForeignRun = ForeignRecord & { foreign: Foreign };
