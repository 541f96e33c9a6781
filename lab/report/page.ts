/**
 * The page that a run is understood from: one file with its pictures, its numbers and the
 * prediction beside them, that needs no network.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { htmlEscape } from 'escape-goat';
import { writeWhole } from '../cli/folder.ts';
import { listed } from '../cli/terminal.ts';
import { load, type Run } from '../frames/load.ts';
import { type Chapter, chaptersOf } from './chapters.ts';
import { type Figure, figures, summaryFigure } from './figures.ts';
import { about, networkOf } from './findings.ts';
import { theme } from './stage.ts';

const variables = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `--${name}:${value}`).join(';');

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The browser's script, in one piece. */
async function script(): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({ entryPoints: [file('client.ts')], bundle: true,
    write: false, format: 'iife', minify: true, target: 'es2020', logLevel: 'silent' });
  return outputFiles[0]!.text.trim();
}

const styles = () => `:root{color-scheme:light dark;${variables(theme.light)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(theme.dark)}}}
${readFileSync(file('style.css'), 'utf8')}`;

const figureOf = ({ id, title, note, body, wide }: Figure): string =>
  `<figure class="${id}${wide ? ' full' : ''}"><figcaption><h2>${htmlEscape(title)}</h2>`
  + `<p class="note">${htmlEscape(note)}</p></figcaption><div>${body}</div></figure>`;

function describe({ name, run, end_s }: Run): string {
  const speed = run.speed === 1 ? '' : `, ${run.speed} times as fast`;
  const begun = new Date((run.start_us ?? 0) / 1000).toISOString().slice(0, 16).replace('T', ' ');
  const when = run.kind === 'virtual' ? `in virtual time${networkOf(run)}`
    : `over sockets${speed}, recorded ${begun} UTC`;
  const ended = run.ended === 'finished' || run.ended === null ? ''
    : ` Ended: ${run.ended}.`;
  return `${name}: ${run.machines} machines at ${listed(run.rates_hz.map(String))} ticks a second, `
    + `seed ${run.seed}, internal ${run.internal}; ${about(end_s)} s ${when}.${ended}`;
}

function banner({ check, run }: Chapter): string {
  if (!check) return '';
  const some = check.lines.slice(0, 8).map((line) => `<li>${htmlEscape(line)}</li>`).join('');
  const more = check.lines.length > 8
    ? `<li>and more: npx tsx check.ts ${htmlEscape(run.folder)}</li>` : '';
  return `<div class="wrong" role="alert"><h2>${htmlEscape(check.title)}</h2>`
    + `What can be drawn is drawn.<ul>${some}${more}</ul></div>`;
}

function page(chapters: Chapter[], all: Figure[][], code: string): string {
  const several = chapters.length > 1;
  const names = listed(chapters.map(({ run }) => run.name));
  const headings = several
    ? chapters.map(({ run }) => `<h2 class="chapter">${htmlEscape(run.name)}</h2>`).join('') : '';
  const body = all[0]!.map((_, place) => all.map((own) => figureOf(own[place]!)).join('')).join('')
    + figureOf(summaryFigure(chapters));
  const leads = chapters.map(({ run }) => `<p class="lead">${htmlEscape(describe(run))}</p>`);
  const right = chapters.every(({ check }) => check === null)
    ? '<p class="right">✓ Checked: the rule could have made these logs.</p>' : '';
  const folders = chapters.map(({ run }) => run.folder).join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>${htmlEscape(names)} – Logical Clock Lab</title>
<style>${styles()}</style></head><body><main>
${chapters.map(banner).join('')}<header><h1>${htmlEscape(several ? `${names}, side by side`
    : chapters[0]!.found.headline)}</h1>${leads.join('')}${right}</header>
<div class="grid ${several ? 'several' : 'one'}">${headings}${body}</div>
<footer>Made by <code>npx tsx analyze.ts ${htmlEscape(folders)}</code>, which can make it again.
</footer>
</main><script>${code}</script></body></html>
`;
}

/**
 * Writes `report.html` into the first run's folder, over an older one: it can be made again.
 * @param runs more than one are set side by side, with the same axes
 * @param trouble lines that could not be read, which the page tells of
 * @returns its path
 */
export async function report(runs: Run[], trouble: string[] = []): Promise<string> {
  const { chapters, axes } = await chaptersOf(runs, trouble);
  const all = await Promise.all(chapters.map((one) => figures(one, axes)));
  const path = join(runs[0]!.folder, 'report.html');
  writeWhole(path, page(chapters, all, await script()));
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
