/** The whole way from a folder of other people's logs to runs: files, patterns, machines, rule. */
import { patternsOf, wordsOf } from './express.ts';
import { readTexts, type Skipped, type Text } from './files.ts';
import { meaningsOf } from './meanings.ts';
import { type Link, linksOf } from './messages.ts';
import {
  compile,
  type Left,
  leftLines,
  parseWords,
  PATIENCE_MS,
  type Read,
  readRows,
  withoutTexts,
} from './patterns.ts';
import { groupsOf, unitsOf, withoutTwins } from './places.ts';
import { type Rate, rateOf } from './rates.ts';
import type { Foreign, ForeignRun, InferredRule } from './record.ts';
import { bothOf, clockLogged, type Logged, queueLogged, type Run, runOf, settled } from './rows.ts';
import { inferRule } from './rule.ts';
import { clockOfRun, logOf } from './write.ts';

/** What a person may state; what is not stated is guessed. */
export interface ReadOptions {
  patterns?: string[];
  run?: RegExp;
  machine?: RegExp;
  rate?: RegExp;
  words?: string;
  clock?: 'before' | 'after';
  queue?: 'before' | 'after';
  /** How long stated patterns may take. */
  patience_ms?: number;
}

/** One of their runs, ready to be written. */
export interface ForeignFolder {
  name: string;
  record: ForeignRun;
  logs: { log: string; source: string }[];
}

export interface Imported {
  source: string;
  patterns: string[];
  words: string;
  command: string;
  lines: number;
  lines_read: number;
  rows: number;
  left: Left[];
  skipped: Skipped[];
  rule: InferredRule;
  folders: ForeignFolder[];
  /** Runs of one machine: nothing can be said of them. */
  alone: { name: string; file: string }[];
}

/** Nothing can be imported; the message is one line. */
export class NothingToImport extends Error {}

const quoted = (text: string) =>
  /^[\w./:=,;-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** @throws NothingToImport or PatternError, each with one line */
export function readForeign(
  source: string,
  options: ReadOptions,
  versions: ForeignRun['versions'],
): Imported {
  const { texts, skipped } = readTexts(source);
  if (texts.length === 0) {
    const [first] = skipped;
    const more = skipped.length > 1 ? `, and ${skipped.length - 1} more` : '';
    const why = first ? ` (${first.file || source}: ${first.why}${more})` : '';
    throw new NothingToImport(`${source}: no file that may be a log${why}`);
  }
  const { patterns: all, words } = patternsFor(source, texts, options);
  const first = readRows(
    texts,
    all.map(compile),
    parseWords(words),
    options.patterns?.length ? (options.patience_ms ?? PATIENCE_MS) : null,
  );
  const { units, dropped } = unitsOf(texts, first.rows);
  skipped.push(...dropped);
  const others = new Set(dropped.map(({ file }) => texts.findIndex((text) => text.file === file)));
  const { patterns, read } = withoutTexts(texts, all, first, others);
  const { left, lines } = leftLines(texts, read);
  if (read.rows.length === 0) throw new NothingToImport(nothingRead(source, texts, lines, left));
  const { groups, dropped: twins } = withoutTwins(texts, groupsOf(texts, units, options));
  skipped.push(...twins);
  const alone = groups
    .filter(({ units: own }) => own.length < 2)
    .map(({ name, units: own }) => ({ name, file: texts[own[0]!.text]!.file }));
  const runs = groups.filter(({ units: own }) => own.length >= 2).map(runOf);
  if (runs.length === 0) {
    throw new NothingToImport(
      `${source}: ${
        alone.length === 1
          ? `one machine only (${alone[0]!.file}, ` + `${read.rows.length} rows)`
          : `${alone.length} files of one machine each, and no two of one run`
      }` + ': a run needs two; --run and --machine say which files belong together',
    );
  }
  const lines_read = read.taken.reduce(
    (sum, one, n) =>
      sum +
      one.reduce(
        (count, is, at) => count + (is && texts[n]!.records[at]!.trim() !== '' ? 1 : 0),
        0,
      ),
    0,
  );
  const command = commandOf(source, patterns, words, options);
  const base = { source, patterns, words, command, lines, lines_read, left, skipped, alone };
  return {
    ...base,
    rows: read.rows.length,
    ...foldersOf(base, texts, read, runs, options, versions),
  };
}

function patternsFor(
  source: string,
  texts: readonly Text[],
  options: ReadOptions,
): { patterns: string[]; words: string } {
  if (options.patterns && options.patterns.length > 0) {
    return { patterns: options.patterns, words: options.words ?? '' };
  }
  const { meanings } = meaningsOf(texts);
  if (meanings.length === 0) {
    const read: Read = {
      rows: [],
      taken: texts.map(({ records }) => new Uint8Array(records.length)),
    };
    const { left, lines } = leftLines(texts, read);
    throw new NothingToImport(nothingRead(source, texts, lines, left));
  }
  const patterns = patternsOf(meanings, texts);
  const words = [options.words, wordsOf(meanings)].filter(Boolean).join(';');
  return { patterns, words };
}

function nothingRead(
  source: string,
  texts: readonly Text[],
  lines: number,
  left: readonly Left[],
): string {
  const [first] = left;
  const example = first && JSON.stringify(first.example.slice(0, 60));
  const most = first
    ? `; most are like ${first.file}:${first.line} ${example} (${first.count} times)`
    : '';
  return (
    `${source}: none of ${lines} lines in ${texts.length} file${texts.length === 1 ? '' : 's'} ` +
    `looks like an event with a clock${most}; --pattern can say how to read them`
  );
}

/** The command line that says what was guessed. */
function commandOf(
  source: string,
  patterns: readonly string[],
  words: string,
  options: ReadOptions,
): string {
  const parts = ['npx tsx import.ts', quoted(source)];
  for (const pattern of patterns) parts.push(`--pattern ${quoted(pattern)}`);
  if (words) parts.push(`--words ${quoted(words)}`);
  for (const name of ['run', 'machine', 'rate'] as const) {
    if (options[name]) parts.push(`--${name} ${quoted(options[name].source)}`);
  }
  return parts.join(' ');
}

// ── From rows to folders ─────────────────────────────────────────────────────────────────────

type Base = Pick<Imported, 'source' | 'patterns' | 'command' | 'lines' | 'lines_read' | 'left'>;

function foldersOf(
  base: Base,
  texts: readonly Text[],
  read: Read,
  raw: readonly Run[],
  options: ReadOptions,
  versions: ForeignRun['versions'],
): Pick<Imported, 'rule' | 'folders'> {
  const most = Math.max(...raw.map(({ machines }) => machines.length));
  const whole = raw.filter(({ machines }) => machines.length === most);
  const logged: Logged = {
    clock: options.clock ?? clockLogged(whole),
    queue: options.queue ?? queueLogged(raw),
    both: bothOf(raw),
  };
  const runs = raw.map((run) => settled(run, logged));
  const rates = runs.map((run) =>
    run.machines.map((machine) => rateOf(machine, texts, read, options.rate)),
  );
  const vector = raw.some((run) =>
    run.machines.some(({ events }) => events.some((one) => one.vector)),
  );
  const minutes = rates.flat().filter((rate) => rate.minutes).length > rates.flat().length / 2;
  const known = { clock: logged.clock, vector, minutes };
  // A run that lacks a machine lacks sends, so that its jumps seem to come from nowhere.
  const complete = runs.filter(({ machines }) => machines.length === most);
  const rule = inferRule(complete, known);
  const folders = runs.map((run, n): ForeignFolder => {
    const own = run.machines.length === most ? inferRule([run], known) : rule;
    const offset =
      own.best && own.best.explains >= 0.95 * own.jumps && own.jumps >= 5
        ? own.best.offset
        : rule.best && rule.best.explains >= 0.95 * rule.jumps
          ? rule.best.offset
          : null;
    const links = linksOf(run, offset);
    return folderOf(
      base,
      texts,
      run,
      links,
      rates[n]!,
      { ...logged, vector },
      own.rule === 'too few rows' ? rule : own,
      versions,
    );
  });
  return { rule, folders };
}

function folderOf(
  base: Base,
  texts: readonly Text[],
  run: Run,
  links: Link[][],
  rates: readonly Rate[],
  logged: Logged & { vector: boolean },
  rule: InferredRule,
  versions: ForeignRun['versions'],
): ForeignFolder {
  const rates_hz = rates.map(({ rate_hz }) => rate_hz);
  const clock = clockOfRun(run, rates_hz);
  const receives = run.machines.flatMap(({ events }, id) =>
    links[id]!.filter((_, n) => events[n]!.event === 'receive'),
  );
  const foreign: Foreign = {
    ...base,
    left: base.left.slice(0, 20),
    files: run.machines.map(({ text, events }, machine) => ({
      machine,
      file: texts[text]!.file,
      lines: texts[text]!.records.length,
      rows: events.length,
    })),
    names: run.machines.map(({ name }) => name),
    logged: {
      ...logged,
      resolution_us: clock.known ? resolution_us(run) : null,
      absolute: run.machines.every(({ absolute }) => absolute),
    },
    rates: rates.map(({ rate_hz, from, pace_hz }, machine) => ({
      machine,
      rate_hz,
      from,
      pace_hz,
    })),
    rule,
    messages: {
      receives: receives.length,
      logged: receives.filter(({ from }) => from === 'logged').length,
      reconstructed: receives.filter(({ from }) => from === 'reconstructed').length,
    },
  };
  const own = run.machines
    .flatMap(({ events }) => events)
    .filter(({ event }) => event !== 'receive');
  const record: ForeignRun = {
    seed: null,
    machines: run.machines.length,
    rates_hz,
    phases: null,
    internal: null,
    duration_s: Math.max(0.001, Math.ceil((clock.end_us - clock.start_us) / 1e6)),
    speed: 1,
    kind: 'foreign',
    start_us: clock.start_us,
    versions,
    ended: 'imported',
    foreign,
    internal_seen:
      own.length === 0 ? null : own.filter(({ event }) => event === 'internal').length / own.length,
  };
  const logs = run.machines.map((_, id) =>
    logOf(run, id, links[id]!, (n) => clock.time_us(id, n), texts),
  );
  return { name: run.name, record, logs };
}

/** The least step between two times of a run, as a power of ten. */
function resolution_us(run: Run): number {
  const times = run.machines.flatMap(({ events }) =>
    events.slice(0, 500).map(({ time_us }) => time_us),
  );
  for (let unit = 6; unit > 0; unit--)
    if (times.every((time) => time % 10 ** unit === 0)) return 10 ** unit;
  return 1;
}
