/** The logs of runs: columns by machine, and all events as a frame with what follows from them. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import pl, { type DataFrame } from 'nodejs-polars';
import { readRun, suggestion } from '../cli/folder.ts';
import { RunError, type RunRecord } from '../model/record.ts';
import { logPath, schedule } from '../model/run.ts';
import { frameOf } from './columns.ts';
import { type Bad, EVENTS, type Log, SEND, valueAt } from './log.ts';
import { readLogs } from './read.ts';

/** A run as its folder tells it. */
export interface Run {
  /** The folder's name. */
  name: string;
  folder: string;
  /** The configuration and how the run ended: run.json. */
  run: RunRecord;
  /** Epoch µs at model second 0. */
  start_us: number;
  /** Model seconds that were observed: the duration, or less if every machine ended before it. */
  end_s: number;
  /** The rows of each machine, in program order. */
  logs: Log[];
  /**
   * One row an event, machine by machine in program order: `time_us` (system time), `machine`,
   * `tick`, `event`, `peer`, `message`, `queue`, `clock`; and of these: `time_s` (model seconds
   * since the start), `late_ms` (real time since the tick was due), `jump` (clock − clock before).
   * What a row has not is null: `start` and `stop` have no tick and no jump. Of several messages
   * that one tick took, `message` is the largest, and a column `messages` has all, with spaces.
   * The frame is made when it is first asked for.
   */
  readonly events: DataFrame;
}

/** What is wrong with a folder or a file, in one line that names it. */
export class LogError extends Error {}

/**
 * Reads a run's folder. A torn last line is cut; a machine without a log has no events.
 * @param bad if given, is told of each file with lines that cannot be read, which are left out
 * @throws LogError that names the folder, or the file and its first line that cannot be read
 */
export function load(folder: string, bad?: (message: string) => void): Run {
  const run = readConfiguration(folder);
  const paths = run.rates_hz.map((_, id) => logPath(folder, id));
  if (!paths.some((path) => existsSync(path))) {
    throw new LogError(`${folder}: there are no logs in it`);
  }
  const contents = readLogs(paths.map((path, id) =>
    ({ path, id, foreign: run.kind === 'foreign' })));
  for (const [id, content] of contents.entries()) complain(paths[id]!, content.bad, bad);
  return runOf(basename(resolve(folder)), folder, run, contents.map(({ log }) => log));
}

/** A run of logs that are read. */
export function runOf(name: string, folder: string, run: RunRecord, logs: Log[]): Run {
  let [first_us, last_us] = [Infinity, -Infinity];
  for (const { rows, time_us } of logs) {
    for (let r = 0; r < rows; r++) {
      if (time_us[r]! < first_us) first_us = time_us[r]!;
      if (time_us[r]! > last_us) last_us = time_us[r]!;
    }
  }
  const start_us = run.start_us ?? (first_us < Infinity ? first_us : 0);
  const elapsed_s = ((Math.max(start_us, last_us) - start_us) * run.speed) / 1e6;
  let events: DataFrame | undefined;
  return {
    name, folder, run, start_us, logs, end_s: Math.min(run.duration_s, elapsed_s),
    get events() {
      return (events ??= eventsOf(logs, run, start_us));
    },
  };
}

function readConfiguration(folder: string): RunRecord {
  if (!existsSync(folder)) {
    throw new LogError(`${folder}: there is no such folder${suggestion(folder)}`);
  }
  try {
    return readRun(folder);
  } catch (error) {
    if (error instanceof RunError) throw new LogError(error.message);
    throw error;
  }
}

function complain(path: string, bad: Bad | null, tell?: (message: string) => void): void {
  if (!bad) return;
  const message = `${path}:${bad.line}: not ${bad.line === 1 ? 'the header' : 'a row'} of this `
    + `log: ${JSON.stringify(bad.text)}${bad.count > 1 ? ` (and ${bad.count - 1} more)` : ''}`;
  if (!tell) throw new LogError(message);
  tell(message);
}

// ── What follows from a row ──────────────────────────────────────────────────────────────────

/** Model seconds at a time of the system. */
export const secondsOf = ({ run, start_us }: Pick<Run, 'run' | 'start_us'>) => {
  const scale = run.speed / 1e6;
  return (time_us: number): number => (time_us - start_us) * scale;
};

/** When tick k of a machine was due, real µs after the start; NaN where nobody knows. */
export function dueOf(run: RunRecord, id: number): (k: number) => number {
  if (run.kind === 'foreign') return () => NaN;
  if (run.ticks !== undefined && run.ticks !== 'regular') {
    const due_s = schedule(run, id);
    return (k) => (due_s(k) * 1e6) / run.speed;
  }
  const [phase, period_us] = [run.phases[id]!, 1e6 / (run.rates_hz[id]! * run.speed)];
  return (k) => (k + phase) * period_us;
}

/** Clock − clock before of a row that has a tick and a row before it; NaN of the others. */
export const jumpAt = ({ tick, clock }: Log, r: number): number =>
  (r > 0 && tick[r]! >= 0 ? clock[r]! - clock[r - 1]! : NaN);

function eventsOf(logs: Log[], run: RunRecord, start_us: number): DataFrame {
  const rows = logs.reduce((sum, log) => sum + log.rows, 0);
  const several = logs.some(({ values }) => values !== null);
  const numbers = ['time_us', 'machine', 'tick', 'message', 'queue', 'clock', 'time_s', 'late_ms',
    'jump'] as const;
  const columns = Object.fromEntries(numbers.map((name) => [name, new Float64Array(rows)])) as
    Record<(typeof numbers)[number], Float64Array>;
  const words = { event: new Array<string>(rows), peer: new Array<string | null>(rows),
    messages: several ? new Array<string | null>(rows) : [] };
  const seconds = secondsOf({ run, start_us });
  let at = 0;
  for (const log of logs) {
    const due_us = dueOf(run, log.machine);
    for (let r = 0; r < log.rows; r++, at++) {
      const [first, next] = [log.firstPeer[r]!, log.firstPeer[r + 1]!];
      columns.time_us[at] = log.time_us[r]!;
      columns.machine[at] = log.machine;
      columns.tick[at] = log.tick[r]!;
      columns.message[at] = log.message[r]!;
      columns.queue[at] = log.queue[r]!;
      columns.clock[at] = log.clock[r]!;
      columns.time_s[at] = seconds(log.time_us[r]!);
      columns.late_ms[at] = log.tick[r]! < 0 ? NaN
        : (log.time_us[r]! - start_us - due_us(log.tick[r]!)) / 1000;
      columns.jump[at] = jumpAt(log, r);
      words.event[at] = EVENTS[log.event[r]!]!;
      words.peer[at] = next > first ? log.peer.subarray(first, next).join(' ') : null;
      if (!several) continue;
      words.messages[at] = log.message[r]! < 0 ? null
        : log.event[r] === SEND ? String(log.message[r])
        : Array.from({ length: next - first }, (_, n) => valueAt(log, r, first + n)).join(' ');
    }
  }
  return framed(columns, words, several);
}

/** Columns as a frame: NONE and NaN are null, whole numbers are whole. */
function framed(
  columns: Record<string, Float64Array>,
  words: { event: string[]; peer: (string | null)[]; messages: (string | null)[] },
  several: boolean,
): DataFrame {
  const numbers = (name: string) => columns[name]!;
  const orNull = (name: string, nothing: pl.Expr) =>
    pl.when(nothing).then(pl.lit(null)).otherwise(pl.col(name)).alias(name);
  const negative = ['tick', 'message', 'queue'].map((name) => orNull(name, pl.col(name).lt(0)));
  const unknown = ['late_ms', 'jump'].map((name) => orNull(name, pl.col(name).isNan()));
  return frameOf({
    time_us: [numbers('time_us'), pl.Int64], machine: [numbers('machine'), pl.Int32],
    tick: [numbers('tick'), pl.Int64], event: [words.event, pl.Utf8],
    peer: [words.peer, pl.Utf8], message: [numbers('message'), pl.Int64],
    ...(several && { messages: [words.messages, pl.Utf8] as const }),
    queue: [numbers('queue'), pl.Int32], clock: [numbers('clock'), pl.Int64],
    time_s: [numbers('time_s'), pl.Float64], late_ms: [numbers('late_ms'), pl.Float64],
    jump: [numbers('jump'), pl.Float64],
  }).withColumns(...negative, ...unknown).withColumn(pl.col('jump').cast(pl.Int64));
}

// ── Several runs ─────────────────────────────────────────────────────────────────────────────

/** The folders that globs as `logs/sweep-*` name. @throws LogError if one names none */
export async function foldersOf(patterns: string[]): Promise<string[]> {
  const found = await Promise.all(patterns.map(async (pattern) => {
    if (existsSync(pattern)) return [pattern];
    const { glob } = await import('zx'); // It takes a while, and most folders are named in full.
    return (await glob(pattern, { onlyDirectories: true })).sort();
  }));
  const nothing = found.findIndex((folders) => folders.length === 0);
  if (nothing >= 0) {
    const pattern = patterns[nothing]!;
    throw new LogError(`${pattern}: there is no such folder${suggestion(pattern)}`);
  }
  return found.flat();
}

/** Reads several runs: folders, or globs as `logs/sweep-*`. @throws LogError as load does */
export const loadAll = async (...patterns: string[]): Promise<Run[]> =>
  (await foldersOf(patterns)).map((folder) => load(folder));

/**
 * The events of several runs in one frame, with the configuration joined in: the columns of
 * `Run.events` and `run` (its name), `seed`, `machines`, `internal`, `speed`, `kind`, and of the
 * machine `rate_hz` and `phase`.
 */
export const joined = (runs: Run[]): DataFrame => pl.concat(runs.map(({ name, run, events }) => {
  const { seed, machines, internal, speed, kind } = run;
  const values = { run: name, seed, machines, internal, speed, kind };
  return events.join(machinesOf(run), { on: 'machine', how: 'left' })
    .withColumns(...Object.entries(values).map(([column, value]) => pl.lit(value).alias(column)));
}), { how: 'vertical' });

/** One row a machine: `machine`, `rate_hz`, `phase`. */
const machinesOf = ({ rates_hz, phases }: RunRecord): DataFrame => pl.DataFrame({
  machine: pl.Series('machine', rates_hz.map((_, id) => id), pl.Int32),
  rate_hz: pl.Series('rate_hz', rates_hz, pl.Float64),
  phase: pl.Series('phase', phases ?? rates_hz.map(() => null), pl.Float64),
});
