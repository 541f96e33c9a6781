/**
 * Reads a run's logs with no code of those who wrote them, and says whether Lamport's rule could
 * have made them, and in their time. Or lays two runs of one seed side by side, tick by tick.
 *
 *   npx tsx check.ts logs/mine                           the verdict, and what is wrong where
 *   npx tsx check.ts logs/mine --json                    the same, for programs
 *   npx tsx check.ts logs/mine --against logs/virtual-7  which ticks agree, and why others do not
 *   npx tsx check.ts logs/theirs                         an imported run: each rule that its rows
 *                                                        decide, where it breaks, how to mend it
 *   npx tsx check.ts logs/theirs --rule send-old         the same against a stated variant
 *   npx tsx check.ts logs/theirs --page                  and as a page for a student, verdict.md
 *
 * Exit code 0: consistent, or compared; 1: the rule or the pace is violated; 2: there is nothing
 * that can be read.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Option } from 'commander';
import { compare, type Comparison } from './lab/check/compare.ts';
import { KEPT } from './lab/check/findings.ts';
import { frequency } from './lab/check/mix.ts';
import { checkForeign, type ForeignReport, VARIANTS, type Variant } from './lab/check/foreign.ts';
import { parseLog, type Recording } from './lab/check/read.ts';
import { parseRun, Unreadable } from './lab/check/record.ts';
import { checkRun, type Report } from './lab/check/verdict.ts';
import { suggestion } from './lab/cli/folder.ts';
import { isMain, outliveReaders, script } from './lab/cli/options.ts';
import { type Column, table } from './lab/cli/table.ts';
import { paint, plural, printable, terminalWidth, wrapped } from './lab/cli/terminal.ts';

export { compare, type Comparison, type Difference } from './lab/check/compare.ts';
export { type Rule, type Violation } from './lab/check/findings.ts';
export { parseLog, type Log, type Recording } from './lab/check/read.ts';
export { parseRun, Unreadable, type Run } from './lab/check/record.ts';
export { checkRun, type CheckOptions, type MachineSummary, type Report }
  from './lab/check/verdict.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  differences_shown: 5, // of --against; the first ones cause the others
  run_max_bytes: 64 * 2 ** 20, // of run.json; a hundred thousand machines take a tenth of it
  log_max_bytes: 2 ** 31 - 1, // of a log; more does not fit into one buffer
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Reads a file whole. @throws Unreadable if that cannot be, or it is larger than it may be */
function read(path: string, most_bytes: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > most_bytes) {
      throw new Unreadable(`${path}: ${size} bytes are more than the ${most_bytes} that are read`);
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no such file${suggestion(dirname(path))}`
      : code === 'EISDIR' ? 'it is a folder' : message;
    throw new Unreadable(`${path}: ${why}`);
  }
}

/** The value of a folder's run.json. @throws Unreadable in one line */
function readRecord(folder: string): unknown {
  const path = join(folder, 'run.json');
  const text = new TextDecoder().decode(read(path, KNOBS.run_max_bytes));
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, ' ');
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const line = text.slice(0, position).split('\n').length;
    throw new Unreadable(`${path}:${line}: ${message.slice(0, 200)}`);
  }
}

/** Reads a run's folder. @throws Unreadable if it is not one, in one line that names the file */
export function readRun(folder: string): Recording {
  const run = parseRun(readRecord(folder), join(folder, 'run.json'));
  const files = new Set(readdirSync(folder).filter((file) => /^machine-\d+\.csv$/.test(file)));
  if (files.size === 0) throw new Unreadable(`${folder}: there is no machine-<id>.csv`);
  const expected = Array.from({ length: run.machines }, (_, id) => `machine-${id}.csv`);
  const known = new Set(expected);
  const stray = [...files].find((file) => !known.has(file));
  if (stray) throw new Unreadable(`${join(folder, stray)}: run.json has ${run.machines} machines`);
  const logs = expected.map((file) => {
    const bytes = files.has(file)
      ? read(join(folder, file), KNOBS.log_max_bytes) : new Uint8Array();
    try {
      return parseLog(bytes, file);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      throw new Unreadable(join(folder, error.message));
    }
  });
  return { folder, run, logs };
}

/** Holds an imported run against a rule. @throws Unreadable */
export function checkForeignRun(folder: string, variant: Variant = 'lamport'): ForeignReport {
  const value = readRecord(folder) as { machines: number };
  const text = (file: string) =>
    new TextDecoder().decode(read(join(folder, file), KNOBS.log_max_bytes));
  const count = Number.isSafeInteger(value.machines) ? Math.min(value.machines, 1000) : 0;
  return checkForeign(value, Array.from({ length: count }, (_, id) =>
    ({ log: text(`machine-${id}.csv`), source: text(`source-${id}.csv`) })), variant);
}

const isForeign = (folder: string): boolean =>
  (readRecord(folder) as { kind?: unknown } | null)?.kind === 'foreign';

function foreignText(folder: string, report: ForeignReport): string {
  const { consistent, variant, machines, findings } = report;
  const say = [consistent
    ? paint('green', `consistent: no rule is broken in ${folder} (${variant})`)
    : paint('red', `violated: ${folder} breaks the rule (${variant})`),
  table(FOREIGN, machines.map((m) => [m.machine, printable(m.name),
    m.rate_hz?.toPrecision(3) ?? '–', m.pace_hz?.toPrecision(3) ?? '–', m.rows, m.receives,
    m.sends, m.internal, m.clock]))];
  for (const { rule, verdict, rows, broken, text, why, mend, places } of findings) {
    if (verdict !== 'violated') continue;
    say.push('', paint('red', `✗ ${rule}: ${broken} of ${rows} rows break it`),
      wrapped(`  ${text}`, 2),
      ...places.map(({ file, line, text: what }) => `    ${printable(file)}:${line}  ${what}`),
      wrapped(`  Why it matters: ${why}`, 2), wrapped(`  To mend it: ${mend}`, 2));
  }
  say.push('');
  for (const { rule, verdict, rows, text } of findings) {
    if (verdict === 'holds') say.push(paint('green', `✓ ${rule} (${plural(rows, 'row')})`));
    else if (verdict !== 'violated') {
      say.push(paint('yellow', wrapped(`? ${rule}: cannot be decided. ${text}`, 2)));
    }
  }
  return say.join('\n');
}

/** The same as a page, in Markdown: what is of their files stands in code, and is no markup. */
function foreignPage(folder: string, { consistent, findings }: ForeignReport): string {
  const code = (text: string) => `\`${printable(text).replaceAll('`', '\'')}\``;
  const wrong = findings.filter(({ verdict }) => verdict === 'violated');
  const those = (verdict: string) => findings.filter((finding) => finding.verdict === verdict);
  return [`# ${basename(folder)}`, consistent ? 'No rule that these rows decide is broken.'
    : `${plural(wrong.length, 'rule')} of ${findings.length} broken.`,
  ...wrong.flatMap(({ rule, rows, broken, text, why, mend, places }) => [`## Wrong: ${rule}`,
    `${text} ${broken} of ${rows} rows.`,
    places.map(({ file, line, text: what }) => `- ${code(`${file}:${line}`)} ${what}`).join('\n'),
    `**Why it matters.** ${why}`, `**To mend it.** ${mend}`]),
  '## Right',
  those('holds').map(({ rule, rows, text }) => `- ${rule}: ${text} (${rows} rows)`).join('\n'),
  '## Not to be decided from these rows',
  those('cannot be decided').map(({ rule, text }) => `- ${rule}: ${text}`).join('\n')].join('\n\n')
    .concat('\n');
}

const percent = (share: number, digits = 1) =>
  (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(digits)} %`);

const MACHINE: Column = { heading: 'machine' };
const EVENTS: Column[] = [{ heading: 'receives' }, { heading: 'sends' },
  { heading: 'internal', spare: 2 }];
const COLUMNS: Column[] = [MACHINE, { heading: 'rate Hz' }, { heading: 'ticks' },
  { heading: 'skipped', spare: 1 }, { heading: 'pace', spare: 3 }, ...EVENTS, { heading: 'clock' },
  { heading: 'queue' }];
const FOREIGN: Column[] = [MACHINE, { heading: 'theirs', align: 'left' }, { heading: 'rate Hz' },
  { heading: 'pace Hz', spare: 3 }, { heading: 'rows', spare: 1 }, ...EVENTS,
  { heading: 'clock' }];
const COMPARED: Column[] = [MACHINE, { heading: 'ticks' }, { heading: 'agree' },
  { heading: 'share' }];

/** The verdict in one line: first its word, then whose logs. */
function headline(folder: string, { rule, pace }: Report): string {
  if (rule === 'violated') {
    return paint('red', `violated: the rule cannot have made ${folder}${
      pace === 'violated' ? ', and ticks did not come when they were due' : ''}`);
  }
  return pace === 'holds' ? paint('green', `consistent: the rule could have made ${folder}`)
    : paint('red', `out of time: the rule could have made ${folder}, but not when its ticks came`);
}

function chanceText({ statistics, machines }: Report): string {
  const { rolls, internal, internal_p, sends, to_all, to_all_p } = statistics;
  const seeds = machines.reduce((sum, { seed_rolls }) => sum + seed_rolls, 0);
  const all = machines.reduce((sum, machine) => sum + machine.rolls, 0);
  const share = (what: string, count: number, n: number, p: number) =>
    (n === 0 ? [] : [`${what} ${count} of ${n} = ${percent(count / n)}, ${frequency(p)}`]);
  return [`${seeds} of ${all} rolls are the seed's`,
    ...share('internal', internal, rolls, internal_p),
    ...(machines.length === 2 ? [] : share('to all', to_all, sends, to_all_p))]
    .map((line) => wrapped(line, 12, terminalWidth() - 10)).join(`\n${' '.repeat(10)}`);
}

function reportText(folder: string, report: Report): string {
  const { consistent, violations, counts, machines, messages, notes } = report;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { sent, received, queued, in_flight, lost } = messages;
  return [
    headline(folder, report),
    table(COLUMNS, machines.map((m) => [m.machine, Number(m.rate_hz.toPrecision(6)), m.ticks,
      m.skipped, percent(m.pace), m.receives, m.sends, m.internal, m.final_clock, m.final_queue])),
    wrapped(`messages  ${sent} sent = ${received} received + ${queued} queued + ${in_flight} in `
      + `flight + ${lost} lost`, 10),
    `chance    ${chanceText(report)}`,
    ...notes.map((note) => paint('yellow', `note      ${note}`)),
    ...(consistent ? [] : ['', `${plural(total, 'violation')}: ${
      Object.entries(counts).map(([rule, count]) => `${rule} ${count}`).join(', ')}`]),
    ...violations.slice(0, KEPT).map(({ file, line, rule, text }) =>
      `${`${file}${line === null ? '' : `:${line}`}`.padEnd(18)} ${rule.padEnd(13)} ${text}`),
    ...(total > KEPT ? [`and ${total - KEPT} more`] : []),
  ].join('\n');
}

function comparisonText(one: Recording, other: Recording, result: Comparison): string {
  const { machines, ticks, agree, share, only_one, only_other, differences } = result;
  const only = (count: number, { folder }: Recording) =>
    (count > 0 ? [`${plural(count, 'tick')} of ${folder} alone, not compared`] : []);
  return [
    `${agree} of ${ticks} ticks agree (${percent(share, 2)}) in event, peer, message and `
      + `clock, up to the end of the shorter run`,
    table(COMPARED, machines.map((m) => [m.machine, m.ticks, m.agree, percent(m.share)])),
    ...only(only_one, one), ...only(only_other, other),
    ...differences.slice(0, KNOBS.differences_shown).flatMap(
      ({ machine, tick, due_s, one: a, other: b, why }) => [
        `machine ${machine} tick ${tick}, due at ${due_s.toFixed(3)} s: ${a} in ${one.folder}, `
          + `${b} in ${other.folder}`, `  ${why}`]),
  ].join('\n');
}

async function main(): Promise<void> {
  outliveReaders(); // The verdict is the exit code.
  const command = script(import.meta.url)
    .usage('[options] <folder>')
    .argument('<folder>', 'a run: logs/<name>')
    .option('--json', 'print everything as JSON')
    .option('--against <folder>', 'compare with this run, tick by tick, instead of checking')
    .addOption(new Option('--rule <variant>', 'of an imported run: which rule it is held against')
      .choices(Object.keys(VARIANTS)))
    .option('--page', 'of an imported run: also write verdict.md into its folder, for a student')
    .parse();
  const { json, against, rule, page } = command.opts<{
    json?: boolean; against?: string; rule?: Variant; page?: boolean }>();
  const print = (value: object, text: () => string) =>
    console.log(json ? JSON.stringify(value, null, 2) : text());
  try {
    const folder = command.args[0]!;
    if (isForeign(folder)) {
      if (against !== undefined) {
        throw new Unreadable('--against: an imported run has no seed, and so no twin');
      }
      const report = checkForeignRun(folder, rule);
      if (page) writeFileSync(join(folder, 'verdict.md'), foreignPage(folder, report));
      print(report, () => foreignText(folder, report));
      process.exitCode = report.consistent ? 0 : 1;
      return;
    }
    if (rule || page) {
      throw new Unreadable(`--${rule ? 'rule' : 'page'}: ${folder} is no imported run`);
    }
    const one = readRun(folder);
    if (against !== undefined) {
      const other = readRun(against);
      const result = compare(one, other);
      print(result, () => comparisonText(one, other, result));
    } else {
      const report = checkRun(one.run, one.logs);
      print(report, () => reportText(one.folder, report));
      process.exitCode = report.consistent ? 0 : 1;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    command.error(`error: ${error.message}`);
  }
}

if (isMain(import.meta.url)) await main();
