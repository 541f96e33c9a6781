/**
 * The page that a run is understood from: one file with its pictures, its numbers and the
 * prediction beside them, that needs no network.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { htmlEscape } from 'escape-goat';
import { writeWhole } from '../cli/folder.ts';
import { listed } from '../cli/terminal.ts';
import { load, type Run } from '../frames/load.ts';
import { type Chapter, chaptersOf, type Verdicts } from './chapters.ts';
import { describe, inferredRule } from './describe.ts';
import { faultFigure, type Figure, figures, summaryFigure } from './figures.ts';
import { theme } from './stage.ts';

/** More runs than this do not stand beside each other: they go on below. */
const COLUMNS_MOST = 3;
/** The name of a file has no more names of runs than this. */
const NAMES_MOST = 4;

const variables = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `--${name}:${value}`).join(';');

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let made: Promise<string> | null = null;
/** The browser's script, in one piece; a series of runs has one for all its pages. */
const script = (): Promise<string> => (made ??= bundle());

async function bundle(): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({ entryPoints: [file('client.ts')], bundle: true,
    write: false, format: 'iife', minify: true, target: 'es2020', logLevel: 'silent' });
  return outputFiles[0]!.text.trim();
}

const styles = () => `:root{color-scheme:light dark;${variables(theme.light)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(theme.dark)}}}
${readFileSync(file('style.css'), 'utf8')}`;

const figureOf = ({ id, title, note, body, wide, run }: Figure, several: boolean): string =>
  `<figure class="${id}${wide ? ' full' : ''}"><figcaption>`
  + `${several && run !== null ? `<p class="whose">${htmlEscape(run)}</p>` : ''}`
  + `<h2>${htmlEscape(title)}</h2><p class="note">${htmlEscape(note)}</p></figcaption>`
  + `<div>${body}</div></figure>`;

function banner({ check, run }: Chapter, several: boolean): string {
  if (!check) return '';
  const some = check.lines.slice(0, 8).map((line) => `<li>${htmlEscape(line)}</li>`).join('');
  const more = check.lines.length > 8
    ? `<li>and more: npx tsx check.ts ${htmlEscape(run.folder)}</li>` : '';
  const whose = several ? `${run.name}: ` : '';
  return `<div class="${check.tone}" role="alert"><h2>${htmlEscape(whose + check.title)}</h2>`
    + `What can be drawn is drawn.<ul>${some}${more}</ul></div>`;
}

/** The figures of several runs, picture by picture, each row one picture. */
function rows(chapters: Chapter[], all: Figure[][]): string {
  const columns = Math.min(COLUMNS_MOST, chapters.length);
  return all[0]!.map((first, place) => `<section class="row${first.wide ? ' wide-row' : ''}" `
    + `style="--columns:${first.wide ? 1 : columns}">`
    + `${all.map((own) => figureOf(own[place]!, true)).join('')}</section>`).join('');
}

function page(chapters: Chapter[], all: Figure[][], code: string): string {
  const several = chapters.length > 1;
  const names = listed(chapters.map(({ run }) => run.name));
  const last = [...faultFigure(chapters), summaryFigure(chapters)]
    .map((figure) => figureOf(figure, several)).join('');
  const body = several ? rows(chapters, all) + last
    : `<div class="grid">${all[0]!.map((figure) => figureOf(figure, false)).join('')}${last}</div>`;
  const leads = chapters.map(({ run, found, standing }) => `<p class="lead">${
    htmlEscape(`${describe(run)}${inferredRule(run)} ${standing}`.trim())}${
    several ? ` <b>${htmlEscape(found.headline)}.</b>` : ''}</p>`);
  const foreign = chapters.some(({ run }) => run.run.kind === 'foreign');
  const right = chapters.every(({ check }) => check === null) ? `<p class="right">✓ Checked: ${
    foreign ? 'no rule that these rows decide is broken' : 'the rule could have made these logs'
  }.</p>` : '';
  const folders = chapters.map(({ run }) => run.folder).join(' ');
  const density = chapters.length > 2 ? ' many' : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>${htmlEscape(names)} – Logical Clock Lab</title>
<style>${styles()}</style></head><body><main class="${several ? 'several' : 'one'}${density}">
${chapters.map((chapter) => banner(chapter, several)).join('')}<header><h1>${htmlEscape(several
    ? `${names}, side by side` : chapters[0]!.found.headline)}</h1>${
  leads.join('')}${right}</header>
${body}
<footer>Made by <code>npx tsx analyze.ts ${htmlEscape(folders)}</code>, which can make it again.
</footer>
</main><script>${code}</script></body></html>
`;
}

/** Where the page of runs stands: in the run's own folder, or for several beside the first's. */
function pathOf(runs: Run[]): string {
  const [first] = runs as [Run];
  if (runs.length === 1) return join(first.folder, 'report.html');
  const names = runs.slice(0, NAMES_MOST).map(({ folder, name }) => basename(folder) || name);
  const more = runs.length - names.length;
  return join(dirname(first.folder), names.join('-beside-')
    + `${more > 0 ? `-and-${more}-more` : ''}.html`);
}

/**
 * Writes `report.html` into the run's folder, over an older one, since it can be made again; the
 * page of several runs, side by side on the same axes, gets a file of its own beside the first's
 * folder, so that no run's own report is lost.
 * @param trouble lines that could not be read, which the page tells of
 * @param verdicts what the check says of runs, where somebody has asked before
 * @returns its path
 */
export async function report(
  runs: Run[], trouble: string[] = [], verdicts?: Verdicts,
): Promise<string> {
  // The script is made by a process of its own, which can work in the meantime.
  const [code, { chapters, axes }] =
    await Promise.all([script(), chaptersOf(runs, trouble, verdicts)]);
  const all = await Promise.all(chapters.map((one, nth) => figures(one, axes, nth)));
  const path = pathOf(runs);
  writeWhole(path, page(chapters, all, code));
  return path;
}

/**
 * The same from folders, whose lines that cannot be read are told of on the page.
 * @throws LogError if a folder cannot be read
 */
export function writeReport(...folders: string[]): Promise<string> {
  const bad: string[] = [];
  return report(folders.map((folder) => load(folder, (message) => bad.push(message))), bad);
}
