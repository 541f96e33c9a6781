/** The page of the playground: one file with its script, its worker and its styles. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Preset } from './play.panel.ts';
import { theme } from './stage.ts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A script of this room and what it imports, as one text for a browser. */
export async function bundle(name: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [here(name)], bundle: true, write: false, format: 'iife', minify: true,
    target: 'es2022', charset: 'utf8', logLevel: 'silent', platform: 'browser',
  });
  return outputFiles![0]!.text;
}

/** Text that stands in a script element and cannot end it. */
export const inScript = (text: string): string =>
  text.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--');
const inJSON = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');

const variables = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `--${name}:${value}`).join(';');

/** Colours in light and dark, and the styles of playground and live page. */
export const styles = (): string => `:root{color-scheme:light dark;${variables(theme.light)}}
@media (prefers-color-scheme:dark){:root{${variables(theme.dark)}}}
${readFileSync(here('play.css'), 'utf8')}`;

/** What a page may load: nothing but what it holds; a worker from its own text. */
export const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' "
  + "blob:; worker-src blob:; img-src data:; connect-src 'none'; form-action 'none'";

/** The rows, the diagram and the curves, which playground and live page share. */
export const MAIN = `
<div id="forks" hidden></div>
<h2 class="future-name name-plain of-plain">as it was</h2>
<h2 class="future-name name-fork of-fork">what if</h2>
<section id="rows-plain" class="rows of-plain" aria-label="machines"></section>
<section id="rows-fork" class="rows of-fork" aria-label="machines, what if"></section>
<div class="plot diagram diagram-plain of-plain"><canvas id="diagram-plain" role="img"
aria-label="space-time diagram: a line a machine, a mark an event, an arrow a message"></canvas>
</div>
<div class="plot diagram diagram-fork of-fork"><canvas id="diagram-fork" role="img"
aria-label="space-time diagram, what if"></canvas></div>
<p id="said" class="said" aria-live="polite"></p>
<div class="curves">
<figure><figcaption><b>lag</b><span>behind the highest clock</span><span id="theory"></span>
</figcaption><div class="plot"><canvas id="curve-lag" role="img" aria-label="lag over time">
</canvas></div></figure>
<figure><figcaption><b>queue</b><span>messages that wait</span></figcaption>
<div class="plot"><canvas id="curve-queue" role="img" aria-label="queue over time"></canvas></div>
</figure>
</div>`;

const LEGEND = 'A small dot is an internal event, a full dot a send, a ring a receive. A chip is a '
  + 'message that waits: its sender, then its value. Dotted lines are what theory says.';

/** The signs on the buttons, drawn, since not every system has them as letters. */
const icon = (path: string) =>
  `<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="${path}"/></svg>`;
const ICONS = {
  restart: icon('M5 5h2.4v14H5zM20 5v14L9 12z'), back: icon('M16 5v14L5 12zM17.6 5H20v14h-2.4z'),
  forward: icon('M8 5v14l11-7zM4 5h2.4v14H4z'),
  play: icon('M7 4v16l13-8z').replace('<svg', '<svg class="when-paused"')
    + icon('M6 5h4v14H6zM14 5h4v14h-4z').replace('<svg', '<svg class="when-playing"'),
};

/** The whole page. */
export async function playPage(
  presets: readonly Preset[], versions: { lab: string; node: string },
): Promise<string> {
  const [code, worker] = await Promise.all([bundle('play.client.ts'), bundle('play.worker.ts')]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<link rel="icon" href="data:,"><title>Playground – Logical Clock Lab</title>
<style>${styles()}</style></head><body>
<header><div class="title"><p class="brand">Logical Clock Lab <span id="source"></span></p>
<h1 id="headline"></h1></div>
<div class="tools"><button type="button" id="twin" hidden>run its virtual twin</button>
<button type="button" id="thousand">a thousand such runs</button>
<button type="button" id="copy">copy link</button>
<button type="button" id="help-button" aria-label="keys and signs">?</button></div></header>
<p id="trouble" role="alert" hidden></p>
<div class="body"><aside aria-label="settings"><div id="panel"></div>
<section id="files" aria-label="the same run elsewhere"></section>
<p class="open">Step through a recorded run: drop its folder here, or open
<label>its files<input id="choose" type="file" multiple accept=".csv,.json"></label> or
<label>a folder<input id="choose-folder" type="file" webkitdirectory></label>.</p></aside>
<main id="main">${MAIN}
<section id="ensemble" hidden aria-label="a thousand such runs"><p id="ensemble-words"
aria-live="polite"></p><div class="plot"><canvas id="distribution" role="img"
aria-label="distribution of drift"></canvas></div></section></main></div>
<footer><div class="transport">
<button type="button" id="restart" aria-label="restart"
title="restart (r)">${ICONS.restart}</button>
<button type="button" id="back" aria-label="one tick back"
title="one tick back (←)">${ICONS.back}</button>
<button type="button" id="play" aria-label="play"
title="play or pause (space)">${ICONS.play}</button>
<button type="button" id="forward" aria-label="one tick forward" title="one tick forward (→)">
${ICONS.forward}</button></div>
<span class="clock-text"><span id="time">0.00</span> s <span id="of" class="of-text"></span></span>
<input id="seek" class="seek" type="range" min="0" max="60" step="any" value="0"
aria-label="time, seconds">
<label class="speed"><input id="speed" type="range" min="-1" max="2" step="0.05" value="0"
aria-label="speed"><output id="speed-text">1×</output></label></footer>
<div id="card" class="card" role="dialog" aria-label="an event" hidden></div>
<dialog id="help" aria-label="keys and signs"><h2>Keys and signs</h2><p class="legend">${LEGEND}</p>
<div id="key-list"></div></dialog>
<script type="application/json" id="carried">${inJSON({ presets, versions, worker })}</script>
<script>${inScript(code)}</script></body></html>
`;
}
