/** A recorded run that was dropped on the page: its folder or its CSV files, read there. */
import { EVENTS, NONE, parseLog, type Log } from '../check/read.ts';
import { type OwnRecord, RunError, type RunRecord, validateRun } from '../model/record.ts';
import { addRow, emptyFilm, type Film } from './play.film.ts';
import { PLAIN, type Setting } from './play.setting.ts';

/** A file with its name alone or its path. */
export interface Dropped {
  name: string;
  bytes: Uint8Array;
}

export interface Recorded {
  film: Film;
  /** Null without a run.json. */
  record: RunRecord | null;
  /** Lines of what could not be read. */
  trouble: string[];
}

const baseOf = (name: string) => name.split(/[\\/]/).at(-1)!;

/**
 * The film of dropped files: machine-<id>.csv, and run.json if it is there.
 * @throws RunError with one line if there is no log, or run.json is none
 */
export function recordedOf(files: readonly Dropped[]): Recorded {
  const record = recordIn(files);
  const named = files.filter(({ name }) => /^machine-\d+\.csv$/.test(baseOf(name)));
  if (named.length === 0) throw new RunError('there is no machine-<id>.csv among these files');
  const logs = named.map(({ name, bytes }) => parseLog(bytes, baseOf(name)));
  const machines = record?.machines ?? Math.max(...logs.map(({ id }) => id)) + 1;
  const first = named[0]!.name.split(/[\\/]/).at(-2) ?? 'dropped logs';
  const start_us = record?.start_us ?? Math.min(...logs.flatMap(({ rows, time_us }) =>
    (rows > 0 ? [time_us[0]!] : [])));
  const speed = record?.speed ?? 1;
  const time_s = (time_us: number) => ((time_us - start_us) / 1e6) * speed;
  const known = logs.filter(({ id, rows }) => id < machines && rows > 0);
  const end_s = Math.max(0, ...known.map(({ rows, time_us }) => time_s(time_us[rows - 1]!)));
  const rates_hz = Array.from({ length: machines }, (_, id) => record?.rates_hz[id]
    ?? paceOf(known.find((log) => log.id === id), end_s));
  const film = emptyFilm({ name: first, rates_hz, duration_s: record?.duration_s ?? end_s,
    inOrder: !record || isInOrder(record) });
  film.duration_s = Math.max(film.duration_s, end_s) || 1;
  merge(film, known, time_s);
  const trouble = logs.flatMap(({ malformed }) => malformed.kept.map(({ file, line, text }) =>
    `${file}${line === null ? '' : `:${line}`}: ${text}`));
  return { film, record, trouble };
}

/** Whether a run's messages keep their order from the send to the take. */
const isInOrder = (record: RunRecord): boolean => record.kind !== 'foreign'
  && (record.take ?? 'oldest') === 'oldest' && record.reorder !== true;

function recordIn(files: readonly Dropped[]): RunRecord | null {
  const file = files.find(({ name }) => baseOf(name) === 'run.json');
  if (!file) return null;
  try {
    return validateRun(JSON.parse(new TextDecoder().decode(file.bytes)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RunError('run.json is not JSON');
    if (error instanceof RunError) throw new RunError(`run.json: ${error.message}`);
    throw error;
  }
}

/** Ticks a second as a log shows them, where no run.json says it. */
function paceOf(log: Log | undefined, end_s: number): number {
  if (!log) return 0;
  let ticks = 0;
  for (let row = 0; row < log.rows; row++) if (log.tick[row] !== NONE) ticks++;
  return Math.round((100 * ticks) / (end_s || 1)) / 100;
}

/** All rows into the film, in the order of time; those of one time as their machines' ids. */
function merge(film: Film, logs: readonly Log[], time_s: (us: number) => number): void {
  const next = logs.map(() => 0);
  for (;;) {
    let best = -1;
    logs.forEach((log, nth) => {
      if (next[nth]! >= log.rows) return;
      const [own, least] = [log.time_us[next[nth]!]!, best < 0 ? Infinity
        : logs[best]!.time_us[next[best]!]!];
      if (own < least) best = nth;
    });
    if (best < 0) return;
    const log = logs[best]!;
    const row = next[best]!++;
    const peers = Array.from(log.peer.subarray(log.first[row]!, log.first[row + 1]!));
    const values = Array.from(log.value.subarray(log.first[row]!, log.first[row + 1]!));
    const event = EVENTS[log.event[row]!]!;
    addRow(film, {
      time_s: time_s(log.time_us[row]!), machine: log.id, tick: log.tick[row]!,
      event, peers, values: event === 'send' ? values.slice(0, 1) : values,
      queue: log.queue[row]!, clock: log.clock[row]!,
    });
  }
}

/** The setting of a run's twin in virtual time; null if nobody knows its seed. */
export function twinOf(record: RunRecord | null): Setting | null {
  if (!record || record.kind === 'foreign') return null;
  const own: OwnRecord = record;
  const { seed, machines, rates_hz, rates_range, internal, duration_s, faults = [], what_if = [],
    latency = PLAIN.latency, loss = PLAIN.loss, reorder = PLAIN.reorder } = own;
  const knobs = Object.fromEntries((['take', 'queue_max', 'drop', 'news', 'ticks', 'senders', 'both'
  ] as const).map((name) => [name, own[name] ?? PLAIN[name]]));
  const drawn = rates_range?.[0] === 1 && rates_range[1] === 6;
  return {
    ...PLAIN, ...knobs, seed, machines, rates_hz: drawn ? null : rates_hz, internal, duration_s,
    faults: faults.map(({ from_us: _from, to_us: _to, ...fault }) => fault), what_if,
    latency, loss, reorder,
  };
}
