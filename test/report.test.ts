import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../lab/frames/load.ts';
import { waits } from '../lab/frames/messages.ts';
import { withTheory } from '../lab/frames/summary.ts';
import { findings } from '../lab/report/findings.ts';
import { writeReport } from '../lab/report/page.ts';
import type { OwnRecord } from '../lab/model/record.ts';
import { configure, logPath, writeRun } from '../machine.ts';
import { PERFECT, record } from '../simulate.ts';

const root = mkdtempSync(join(tmpdir(), 'report-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
function virtual(name: string, rates_hz: number[], duration_s = 60): string {
  const folder = join(root, name);
  mkdirSync(folder);
  record({ ...PERFECT, ...configure({ seed: 7, machines: rates_hz.length, rates_hz, min_rate_hz: 1,
    max_rate_hz: 1, internal: 0.7, duration_s, speed: 1 }) }, folder);
  return folder;
}
const [quiet, overloaded] = [virtual('quiet', [3, 3, 2]), virtual('overloaded', [1, 4, 6])];
const read = (path: string) => readFileSync(path, 'utf8');

const titles = suite('findings');
const found = async (folder: string) => {
  const run = load(folder);
  return findings(await withTheory(run), waits(run));
};
titles('say with numbers who falls behind, and what theory says of it', async () => {
  const { headline, clocks, lag, queues, jumps, events, messages } = await found(overloaded);
  assert.is(headline, 'Machine 0 cannot keep up with its messages');
  assert.match(clocks, /^Machine 0’s clock gains 3\.2 a second, the highest 6\.1 \(theory: [\d.]+/);
  assert.ok(lag.startsWith('Machine 0 falls behind by 2.9 a second: it hears 1.87 messages for '
    + 'each tick (theory: '), lag);
  assert.match(queues, /^Machine 0’s queue grows by 0\.87 a second, to 52 messages at the end/);
  assert.match(jumps, /^Machine 0 jumps by 3\.2 a tick on average, 11 at most; machine 2 by 1$/);
  assert.is(events, 'Machine 0 is saturated: 100 % of its ticks are receives');
  assert.match(messages, /^Machine 0 takes a message 15 s after it was sent.*; 52 were not taken$/);
});
titles('say so when all keep up', async () => {
  const { headline, clocks, lag, queues, events } = await found(quiet);
  assert.is(headline, 'Every machine keeps up with its messages');
  assert.is(clocks,
    'All clocks keep up with the highest, which gains 3.2 a second (theory: 3.2)');
  assert.match(lag, /^Machine 2 lags most: by 1\.2 on average, 6 at worst \(theory: [\d.]+ on /);
  assert.match(queues, /never more than 3 messages wait, at machine 2$/);
  assert.match(events, /^Machine 2 spends 48 % of its ticks on receives/);
});
titles('join machines that share a fate, and have something to say of the odd runs', async () => {
  const { headline, lag } = await found(virtual('extreme', [5, 60, 5]));
  assert.is(headline, 'Machines 0 and 2 cannot keep up with their messages');
  assert.match(lag, /^Machines 0 and 2 fall behind by 34 and 35 a second: they hear 2\.38/);
  const alone = await found(virtual('short', [1, 1], 0.01));
  assert.is(alone.headline, 'No machine has ticked');
  const dead = virtual('dead', [3, 3, 2]);
  const path = logPath(dead, 1);
  writeFileSync(path, `${read(path).split('\n').slice(0, 60).join('\n')}\n`);
  assert.is((await found(dead)).headline, 'Machine 1 was last heard of at 19 s');
  const silent = load(virtual('silent', [2, 2], 3));
  const nobody = silent.events.filter(pl.col('event').isIn(['start', 'stop', 'internal']));
  assert.is(findings(await withTheory({ ...silent, events: nobody }),
    waits({ ...silent, events: nobody })).messages, 'No message was sent');
});
titles.run();

const pages = suite('report');
pages('is one file that asks the network for nothing', async () => {
  const path = await writeReport(quiet);
  assert.is(path, join(quiet, 'report.html'));
  const html = read(path);
  assert.match(html, /default-src 'none'/);
  assert.not.match(html.replaceAll('http://www.w3.org/2000/svg', ''),
    /https?:|src=|@import|url\((?!#)/);
  assert.ok(html.length < 600_000, `${html.length} characters`);
});
pages('has the six pictures, at two widths, and prediction beside measurement', async () => {
  const html = read(await writeReport(overloaded));
  for (const id of ['clocks', 'lag', 'queues', 'jumps', 'events']) {
    const [, figure] = new RegExp(`<figure class="${id}">(.*?)</figure>`, 's').exec(html)!;
    assert.is(figure!.match(/<svg /g)!.length, 2, id);
    assert.match(figure!, /<h2>[^<]*\d[^<]*<\/h2>/, id);
  }
  assert.match(html, /<figure class="space-time full">.*<svg tabindex="0"/s);
  assert.match(html, /Checked: the rule could have made these logs/);
  assert.match(html, /<th scope="row"[^>]*>machine 0<\/th><td>1\.87<\/td>/);
});
pages('says in red what the check finds, and draws what it can', async () => {
  const folder = virtual('wrong', [3, 3, 2]);
  const path = logPath(folder, 1);
  const lines = read(path).split('\n');
  lines[9] = 'garbage <b>';
  writeFileSync(path, lines.join('\n'));
  const html = read(await writeReport(folder));
  const [, banner] = /<div class="wrong" role="alert">(.*?)<\/div>/s.exec(html)!;
  assert.match(banner!, /machine-1\.csv:10/);
  assert.not.match(html, /<b>"/);
  assert.not.match(html, /Checked/);
  assert.is(html.match(/<figure /g)!.length, 8);
});
pages('sets two runs side by side with the same axes', async () => {
  const html = read(await writeReport(quiet, overloaded));
  assert.match(html, /<h1>quiet and overloaded, side by side<\/h1>/);
  const figures = [...html.matchAll(/<figure class="clocks">(.*?)<\/figure>/gs)].map(([, f]) => f!);
  assert.is(figures.length, 2);
  const numbers = figures.map((figure) =>
    [...figure.matchAll(/>(\d+)<\/text>/g)].map(([, n]) => n));
  assert.equal(numbers[0], numbers[1]);
  const windows = [...html.matchAll(/data-window="([\d.]+)"/g)].map(([, s]) => s);
  assert.is(windows.length, 2);
  assert.is(windows[0], windows[1]);
});
pages('takes names and words that mean something in HTML', async () => {
  const folder = virtual('a <script> & "b"', [1, 2]);
  writeRun(folder, { ...load(folder).run as OwnRecord, ended: 'stopped by </script><i>' });
  const html = read(await writeReport(folder));
  assert.match(html, /a &lt;script&gt; &amp; &quot;b&quot;: 2 machines/);
  assert.not.match(html, /<\/script><i>|<script> &/);
  assert.is(html.match(/<script/g)!.length, 2);
});
pages.run();
