/** The logs of runs as frames: events with what follows from the configuration beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import pl, { type DataFrame } from 'nodejs-polars';
import { readRun, suggestion } from '../cli/folder.ts';
import { RunError, type RunRecord } from '../model/record.ts';
import { HEADER, logPath } from '../model/run.ts';

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
  /**
   * One row an event, machine by machine in program order: `time_us` (system time), `machine`,
   * `tick`, `event`, `peer`, `message`, `queue`, `clock`; and of these: `time_s` (model seconds
   * since the start), `late_ms` (real time since the tick was due), `jump` (clock − clock before).
   * What a row has not is null: `start` and `stop` have no tick and no jump.
   */
  events: DataFrame;
}

/** What is wrong with a folder or a file, in one line that names it. */
export class LogError extends Error {}

/** `more` is what a line has after its last field; with it, a line of nine fields is seen. */
const schema = {
  time_us: pl.Int64, machine: pl.Int32, tick: pl.Int64, event: pl.Utf8, peer: pl.Utf8,
  message: pl.Int64, queue: pl.Int32, clock: pl.Int64, more: pl.Utf8,
};

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
  const logs = paths.map((path, id) => readLog(path, id, bad));
  const times = logs.flatMap((log) => (log.height === 0 ? []
    : [log.getColumn('time_us').min(), log.getColumn('time_us').max()])).map(Number);
  const start_us = run.start_us ?? (times.length > 0 ? Math.min(...times) : 0);
  const elapsed_s = ((Math.max(start_us, ...times) - start_us) * run.speed) / 1e6;
  const events = withDerived(logs, run, start_us);
  return {
    name: basename(resolve(folder)), folder, run, start_us, events,
    end_s: Math.min(run.duration_s, elapsed_s),
  };
}

/**
 * The logs as one frame, with what follows from them. Tick k is due at start + (k + phase)/rate, in
 * model seconds. Phase and period are columns on the way, so that one expression serves all logs.
 */
function withDerived(logs: DataFrame[], run: RunRecord, start_us: number): DataFrame {
  const { due_us, jump } = derived();
  const since_us = pl.col('time_us').sub(start_us);
  return pl.concat(logs.map((log, id) => log.withColumns(
    pl.repeat(run.phases?.[id] ?? NaN, log.height, 'phase'),
    pl.repeat(1e6 / ((run.rates_hz[id] ?? NaN) * run.speed), log.height, 'period_us'),
  )), { how: 'vertical', rechunk: false }).withColumns(
    since_us.mul(run.speed / 1e6).alias('time_s'),
    since_us.sub(due_us).div(1000).alias('late_ms'), jump,
  ).drop('phase', 'period_us');
}

const derived = once(() => {
  const [machine, tick, clock] = [pl.col('machine'), pl.col('tick'), pl.col('clock')];
  // The row before may be another machine's where a log has lost its start.
  const hasBefore = tick.isNotNull().and(machine.eq(machine.shift(1)));
  const jump = pl.when(hasBefore).then(clock.sub(clock.shift(1))).otherwise(pl.lit(null));
  return {
    jump: jump.alias('jump'), due_us: tick.add(pl.col('phase')).mul(pl.col('period_us')),
  };
});

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

function readLog(path: string, id: number, bad?: (message: string) => void): DataFrame {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  if (whole.length === 0) return pl.readCSV(Buffer.from(HEADER), { schema }).drop('more');
  const log = parse(whole, id);
  if (log) return log;
  const { good, message } = sift(path, whole, id);
  if (!bad) throw new LogError(message);
  bad(message);
  return parse(good, id)!;
}

/** Null if some line is none of machine `id`'s log. */
function parse(bytes: Buffer, id: number): DataFrame | null {
  if (!bytes.subarray(0, HEADER.length).equals(Buffer.from(HEADER))) return null;
  try {
    const log = pl.readCSV(bytes, { schema, rechunk: false });
    const machine = log.getColumn('machine');
    const others = log.height > 0 && (machine.min() !== id || machine.max() !== id);
    return others || log.filter(isWrong()).height > 0 ? null : log.drop('more');
  } catch {
    return null; // A stray quotation mark.
  }
}

/** Tells the good lines from the others, line by line: only a file that polars refuses needs it. */
function sift(path: string, bytes: Buffer, id: number): { good: Buffer; message: string } {
  const row = new RegExp(`^\\d+,${id},(,(start|stop),,|\\d+,(internal,,|send,\\d+( \\d+)*,\\d+`
    + '|receive,\\d+,\\d+)),\\d+,\\d+$');
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  const isGood = (line: string, at: number) => (at === 0 ? `${line}\n` === HEADER : row.test(line));
  const first = lines.findIndex((line, at) => !isGood(line, at));
  const many = lines.filter((line, at) => !isGood(line, at)).length;
  return {
    good: Buffer.from(`${HEADER}${lines.slice(1).filter((line) => row.test(line))
      .map((line) => `${line}\n`).join('')}`),
    message: `${path}:${first + 1}: not ${first === 0 ? 'the header' : 'a row'} of this log: `
      + JSON.stringify(lines[first]!.slice(0, 80)) + (many > 1 ? ` (and ${many - 1} more)` : ''),
  };
}

/** Which rows no log can have: polars reads what is not a number as null. */
const isWrong = once(() => {
  const event = pl.col('event');
  const [noTick, carries] = [event.isIn(['start', 'stop']), event.isIn(['send', 'receive'])];
  const known = noTick.or(carries).or(event.eq(pl.lit('internal'))).fillNull(false);
  const missing = (...names: string[]) =>
    names.map((name) => pl.col(name).isNull()).reduce((some, more) => some.or(more));
  return missing('time_us', 'machine', 'queue', 'clock').or(known.not())
    .or(noTick.not().and(missing('tick'))).or(carries.and(missing('message', 'peer')))
    .or(pl.col('more').isNotNull());
});

/** polars takes half a millisecond to make an expression: those that many logs need are kept. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The folders that globs as `logs/sweep-*` name. @throws LogError if one names none */
export async function foldersOf(patterns: string[]): Promise<string[]> {
  const { glob } = await import('zx');
  const found = await Promise.all(patterns.map(async (pattern) => (existsSync(pattern) ? [pattern]
    : (await glob(pattern, { onlyDirectories: true })).sort())));
  const nothing = found.findIndex((folders) => folders.length === 0);
  if (nothing >= 0) throw new LogError(`${patterns[nothing]}: there is no such folder`);
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
export const machinesOf = ({ rates_hz, phases }: RunRecord): DataFrame => pl.DataFrame({
  machine: pl.Series('machine', rates_hz.map((_, id) => id), pl.Int32),
  rate_hz: pl.Series('rate_hz', rates_hz, pl.Float64),
  phase: pl.Series('phase', phases ?? rates_hz.map(() => null), pl.Float64),
});
