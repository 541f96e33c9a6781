/**
 * The playground: one page with the lab's own rule and engine in it, which needs no installation
 * and no network. It plays a run, steps forward and back, and asks what if.
 *
 *   npx tsx play.ts                          writes play.html and opens it
 *   npx tsx play.ts --out lesson.html        somewhere else
 *   npx tsx play.ts --no-open                writes it only: for a mail or a class's web page
 *
 * What the page is set to stands in its address, so that a link is a lesson.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openPage } from './lab/cli/browser.ts';
import { isMain, script, versions } from './lab/cli/options.ts';
import { type OwnRecord, validateRun } from './lab/model/record.ts';
import type { Preset } from './lab/report/play.panel.ts';
import { playPage } from './lab/report/play.page.ts';
import { twinOf } from './lab/report/play.recorded.ts';
import { addressOf } from './lab/report/play.setting.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const knobs = {
  out: 'play.html', // A file's name: where the page is written, over an older one.
  open: true, // Whether a browser is opened with it.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What a person may begin with; the first is what the page opens with. */
const LESSONS: Preset[] = [
  { group: 'the exercise', name: '1-4-6: overloaded', address: 'rates=1,4,6&seed=1' },
  { group: 'the exercise', name: 'three rates, drawn', address: 'machines=3&seed=1' },
  { group: 'the border', name: '3-10: on the border, 10/3', address: 'rates=3,10&seed=1' },
  { group: 'the border', name: '1-3: just below it', address: 'rates=1,3&seed=1' },
  { group: 'the border', name: '1-4: just above it', address: 'rates=1,4&seed=1' },
  { group: 'beyond the exercise', name: '1-4-6, newest message first',
    address: 'rates=1,4,6&seed=1&take=newest' },
  { group: 'beyond the exercise', name: 'messages take a second',
    address: 'rates=2,3,4&seed=1&latency=constant:1000' },
  { group: 'beyond the exercise', name: 'eight equal machines',
    address: 'rates=3,3,3,3,3,3,3,3&seed=1' },
  { group: 'beyond the exercise', name: 'fifty machines', address: 'machines=50&seed=1' },
];

/** The recorded runs of the two teams, as their twins in virtual time. */
export function recordedPresets(logs: string): Preset[] {
  return readdirSync(logs).filter((name) => /^(first|second)-team-/.test(name)).map((name) => {
    const file = resolve(logs, name, 'run.json');
    const twin = twinOf(validateRun(JSON.parse(readFileSync(file, 'utf8'))) as OwnRecord)!;
    const [, team, rates] = /^(first|second)-team-(.*)$/.exec(name)!;
    return { group: `the ${team} team`, name: rates!, address: addressOf(twin) };
  });
}

/** The page as text. */
export const page = (): Promise<string> => playPage(
  [...LESSONS, ...recordedPresets(fileURLToPath(new URL('logs', import.meta.url)))], versions());

async function main(): Promise<void> {
  const command = script(import.meta.url)
    .option('--out <file>', 'where the page is written, over an older one', knobs.out)
    .option('--no-open', 'open no browser')
    .parse();
  const { out, open } = command.opts<{ out: string; open: boolean }>();
  const text = await page();
  try {
    writeFileSync(out, text);
  } catch (error) {
    command.error(`error: --out ${out}: ${(error as Error).message}`);
  }
  const opened = open && await openPage(resolve(out));
  console.log(`${out}: ${Math.round(text.length / 1000)} kB, one file${opened ? ''
    : `; open ${pathToFileURL(resolve(out)).href}`}`);
}

if (isMain(import.meta.url)) await main();
