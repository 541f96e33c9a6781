/** What a page says of one run: its frames, its findings, and what the check says of its logs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import { plural } from '../cli/terminal.ts';
import type { Report } from '../check/verdict.ts';
import { checkForeign, type ForeignReport } from '../check/foreign.ts';
import { type Scene, scene } from '../frames/causes.ts';
import { jumpCounts, mix, timeline } from '../frames/events.ts';
import { type Cost, costsOf, spansOf } from '../frames/faults.ts';
import type { Run } from '../frames/load.ts';
import { waits } from '../frames/messages.ts';
import { withTheory } from '../frames/summary.ts';
import { judge, judgeAside } from '../real/verdict.ts';
import { about, type Findings, findings } from './findings.ts';

/** A page that holds more events than this opens slowly, and no line has room for them. */
const EVENTS_MOST = 20_000;
/** Of a run with more events × machines its pictures look LOOKS times, evenly: it is enough. */
const STATES_MOST = 150_000;
const LOOKS = 4000;
/** At first the space-time diagram shows as many events as can be told apart. */
const EVENTS_AT_FIRST = 110;
/** Of several runs, which share the stretch, the busiest shows so many times as many. */
const WINDOWS_MOST = 3;
/** A slice of the picture of events holds at least so many ticks of the slowest machine. */
const SLICE_TICKS = 4;
const SLICES_MOST = 40;
/** More rows than this are checked in a thread beside. */
const ROWS_AT_ONCE = 1_000_000;

/** What the check has against a run; `late` if the rule could have made it and the pace is off. */
export interface Objection {
  tone: 'wrong' | 'late';
  title: string;
  lines: string[];
}

/** What a page says of one run. */
export interface Chapter {
  run: Run;
  /** From withTheory. */
  frame: DataFrame;
  /** From timeline, mix (in slices of `slice_s`) and jumpCounts. */
  states: DataFrame;
  slices: DataFrame;
  slice_s: number;
  counts: DataFrame;
  ticks: Scene;
  /** What the faults cost: one for each machine that was hit. */
  costs: Cost[];
  found: Findings;
  /** A sentence if `states` leaves something out, else empty. */
  sampled: string;
  /** What the check finds wrong, or null. */
  check: Objection | null;
  /** Of an imported run, where it stands among runs of its rates; else empty. */
  standing: string;
}

/** What the check says of runs, by their folders. */
export type Verdicts = ReadonlyMap<string, Report | Promise<Report>>;

/** Where the axes end, so that several runs share them. */
export interface Axes {
  end_s: number;
  clock: number;
  lag: number;
  queue: number;
  jump: number;
  /** How much of the run the space-time diagram shows at first. */
  window_s: number;
}

/**
 * The chapters of a page, and the axes that they share.
 * @param trouble lines that could not be read, each of which begins with its run's folder
 * @param verdicts those that are there or will be; the other runs are judged here
 */
export async function chaptersOf(
  runs: Run[], trouble: string[], verdicts: Verdicts = new Map(),
): Promise<{ chapters: Chapter[]; axes: Axes }> {
  const end_s = Math.max(...runs.map((run) => run.end_s))
    || Math.max(...runs.map(({ run }) => run.duration_s));
  const chapters = await Promise.all(runs.map((run) =>
    chapter(run, end_s, trouble.filter((line) => line.startsWith(run.folder)), verdicts)));
  return { chapters, axes: axesOf(chapters, end_s) };
}

async function chapter(
  run: Run, end_s: number, trouble: string[], verdicts: Verdicts,
): Promise<Chapter> {
  const check = checked(run, trouble, verdicts);
  const frame = await withTheory(run);
  const every_s = rowsOf(run) * run.run.machines > STATES_MOST
    ? run.end_s / LOOKS : undefined;
  const slice_s = sliceOf(run, end_s);
  return {
    run, frame, slice_s, slices: mix(run, slice_s), counts: jumpCounts(run),
    found: findings(frame, waits(run), spansOf(run)),
    states: timeline(run, every_s), ticks: scene(run, EVENTS_MOST),
    costs: costsOf(run), check: await check,
    standing: run.run.kind === 'foreign' ? await standingOf(run) : '',
    sampled: every_s === undefined ? ''
      : ` Drawn from a look every ${about(every_s)} s, which misses what is shorter.`,
  };
}

/** Other runs are made to compare with, and what makes them is loaded only then. */
async function standingOf(run: Run): Promise<string> {
  const { standingWords } = await import('./percentile.ts');
  return await standingWords(run) ?? '';
}

/** Begins to judge large runs, beside whatever else is done with them. */
export function judgingLarge(runs: Run[]): Verdicts {
  const large = runs.filter((run) => run.run.kind !== 'foreign' && rowsOf(run) > ROWS_AT_ONCE);
  return new Map(large.map(({ folder }) => {
    const verdict = judgeAside(folder);
    verdict.catch(() => {}); // Whoever asks for it hears of it.
    return [folder, verdict];
  }));
}

const rowsOf = ({ logs }: Run) => logs.reduce((sum, { rows }) => sum + rows, 0);

/** Slices in which also the slowest machine has some ticks. */
const sliceOf = ({ run }: Run, end_s: number) =>
  Math.max(end_s / SLICES_MOST, Math.min(end_s / 6,
    SLICE_TICKS / Math.min(...run.rates_hz.map((rate_hz) => rate_hz ?? 1))));

function axesOf(chapters: Chapter[], end_s: number): Axes {
  const most = (value: (chapter: Chapter) => number) => Math.max(...chapters.map(value));
  const top = (frame: DataFrame, name: string) => Number(frame.getColumn(name).max() ?? 0) || 1;
  const column = (name: string) => most(({ states }) => top(states, name));
  const windows_s = chapters.map(({ ticks, run }) => Math.min(end_s,
    (EVENTS_AT_FIRST * Math.max(0.01, run.end_s)) / Math.max(1, ticks.events)));
  return {
    end_s, clock: column('clock'), lag: column('lag'), queue: column('queue'),
    jump: most(({ frame }) => top(frame, 'max_jump')),
    window_s: Math.min(Math.max(...windows_s), WINDOWS_MOST * Math.min(...windows_s)),
  };
}

/** What the check finds wrong, or null. */
async function checked(
  run: Run, trouble: string[], verdicts: Verdicts,
): Promise<Chapter['check']> {
  try {
    if (run.run.kind === 'foreign') return checkedForeign(run, trouble);
    const { rule, consistent, sentence, violations, counts } =
      await (verdicts.get(run.folder) ?? judgingLarge([run]).get(run.folder) ?? judge(run.folder));
    if (consistent) {
      return trouble.length === 0 ? null
        : { tone: 'wrong', title: 'Not every line could be read', lines: trouble };
    }
    const inOrder = [...violations].sort((one, other) =>
      Number(one.rule === 'pace') - Number(other.rule === 'pace'));
    const lines = inOrder.map(({ file, line, text, rule: name }) =>
      `${name === 'pace' ? 'Out of time: ' : ''}${[file, ...(line === null ? [] : [line])]
        .join(':')}: ${text}`);
    const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
    return { tone: rule === 'violated' ? 'wrong' : 'late', lines,
      title: `${capital(sentence)} (${plural(all, 'violation')})` };
  } catch (error) {
    return { tone: 'wrong', title: 'The logs cannot be checked',
      lines: [...trouble, (error as Error).message] };
  }
}

const capital = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;

/** The same of an imported run: which of the rules that its rows decide they break, and where. */
function checkedForeign(run: Run, trouble: string[]): Chapter['check'] {
  const wrong = foreignVerdict(run).findings.filter(({ verdict }) => verdict === 'violated');
  if (wrong.length === 0 && trouble.length === 0) return null;
  const lines = wrong.flatMap(({ text, broken, rows, places, mend }) => [
    `${text} (${broken} of ${rows} rows) ${mend}`,
    ...places.slice(0, 1).map(({ file, line, text: what }) => `${file}:${line}: ${what}`)]);
  return { tone: 'wrong', lines: [...trouble, ...lines],
    title: wrong.length === 0 ? 'Not every line could be read'
      : `These logs break ${plural(wrong.length, 'rule')}` };
}

function foreignVerdict({ folder, run: { machines } }: Run): ForeignReport {
  const text = (name: string) => (existsSync(join(folder, name))
    ? readFileSync(join(folder, name), 'utf8') : '');
  return checkForeign(JSON.parse(text('run.json')), Array.from({ length: machines }, (_, id) =>
    ({ log: text(`machine-${id}.csv`), source: text(`source-${id}.csv`) })));
}
