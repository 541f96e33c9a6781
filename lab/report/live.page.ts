/** The page that live.ts serves: the playground's views of a run that is under way. */
import { bundle, inScript, MAIN, styles } from './play.page.ts';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
  + "img-src data:; connect-src 'self'; form-action 'none'";

export async function livePage(): Promise<string> {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<link rel="icon" href="data:,"><title>Live – Logical Clock Lab</title>
<style>${styles()}</style></head><body class="live">
<header><div class="title"><p class="brand">Logical Clock Lab <span id="source"></span></p>
<h1 id="headline">Waiting for the machines …</h1></div>
<div class="tools"><button type="button" id="help-button" aria-label="keys and signs">?</button>
</div></header>
<p id="trouble" role="alert" hidden></p>
<div class="body"><aside aria-label="faults"><div id="faults"></div>
<div id="notes" aria-live="polite"></div></aside>
<main id="main">${MAIN}</main></div>
<footer><button type="button" id="now" aria-label="follow the machines">now</button>
<span class="clock-text"><span id="time">0.00</span> s <span id="of" class="of-text"></span></span>
<input id="seek" class="seek" type="range" min="0" max="60" step="any" value="0"
aria-label="time, seconds"></footer>
<dialog id="help" aria-label="keys"><h2>Keys</h2><div id="key-list"></div></dialog>
<script>${inScript(await bundle('live.client.ts'))}</script></body></html>
`;
}
