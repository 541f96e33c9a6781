import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeRun } from '../lab/cli/folder.ts';
import { scene } from '../lab/frames/causes.ts';
import { load } from '../lab/frames/load.ts';
import type { ForeignRecord, OwnRecord } from '../lab/model/record.ts';
import { logPath } from '../lab/model/run.ts';
import { judge, judgeAside } from '../lab/real/verdict.ts';
import { writeReport } from '../lab/report/page.ts';
import { folders } from './folders.ts';
import { thoroughly } from './runs.ts';

const { root, virtual } = folders('report');
const [quiet, overloaded] = [virtual('quiet', [3, 3, 2]), virtual('overloaded', [1, 4, 6])];
const read = (path: string) => readFileSync(path, 'utf8');

const pages = suite('report');
const thoroughPages = thoroughly(pages);
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
  assert.match(banner!, /^<h2>The rule could not have made these logs/);
  assert.not.match(html, /<b>"/);
  assert.not.match(html, /Checked/);
  assert.is(html.match(/<figure /g)!.length, 8);
});
thoroughPages('tells rule and pace apart: yellow if the time is off, red if the rule', async () => {
  const folder = virtual('late', [3, 3, 2]);
  const path = logPath(folder, 1);
  const rows = read(path).split('\n').map((row) => {
    const [time_us, ...rest] = row.split(',');
    return rest[2] === 'internal' ? [Number(time_us) - 1, ...rest].join() : row;
  });
  writeFileSync(path, rows.join('\n'));
  const html = read(await writeReport(folder));
  const [, banner] = /<div class="late" role="alert">(.*?)<\/div>/s.exec(html)!;
  assert.match(banner!, /^<h2>The rule could have made these logs, but not in their time: /);
  assert.match(banner!, /\d+ violations\)<\/h2>/);
  assert.match(banner!, /<li>Out of time: machine-1\.csv:\d+: /);
  assert.not.match(html, /class="wrong"|✓ Checked/);
});
thoroughPages('sets two runs side by side with the same axes, in a file of its own', async () => {
  const own = read(await writeReport(quiet));
  const path = await writeReport(quiet, overloaded);
  assert.is(path, join(root, 'quiet-beside-overloaded.html'));
  assert.is(read(join(quiet, 'report.html')), own);
  const html = read(path);
  assert.match(html, /<h1>quiet and overloaded, side by side<\/h1>/);
  const figures = [...html.matchAll(/<figure class="clocks">(.*?)<\/figure>/gs)].map(([, f]) => f!);
  assert.is(figures.length, 2);
  const numbers = figures.map((figure) =>
    [...figure.matchAll(/>(\d+)<\/text>/g)].map(([, n]) => n));
  assert.equal(numbers[0], numbers[1]);
  assert.equal(figures.map((figure) => /class="whose">([^<]*)</.exec(figure)![1]),
    ['quiet', 'overloaded']);
  const windows = [...html.matchAll(/data-window="([\d.]+)"/g)].map(([, s]) => s);
  assert.is(windows.length, 2);
  assert.is(windows[0], windows[1]);
});
thoroughPages('puts three runs in three columns, figures under their run’s name, numbers aligned',
  async () => {
    const html = read(await writeReport(quiet, overloaded, virtual('third', [2, 4, 1])));
    const rows =
      [...html.matchAll(/<section class="row" style="--columns:(\d)">(.*?)<\/section>/gs)];
    for (const [, columns, row] of rows) {
      assert.is(columns, '3');
      assert.equal([...row!.matchAll(/class="whose">([^<]*)</g)].map(([, name]) => name),
        ['quiet', 'overloaded', 'third']);
    }
    assert.is(rows.length, 6);
    const [, summary] = /<figure class="summary full">(.*?)<\/figure>/s.exec(html)!;
    const names = ['quiet', 'overloaded', 'third'];
    for (const [id, rates] of [[0, ['3.0', '1.0', '2.0']], [2, ['2.0', '6.0', '1.0']]] as const) {
      // The three under each other, so that a column holds one quantity of all runs.
      const [, body] = new RegExp(`machine ${id}</th></tr>(.*?)</tbody>`, 's').exec(summary!)!;
      const lines = [...body!.matchAll(/<th scope="row">([^<]*)<\/th><td>([^<]*)</g)];
      assert.equal(lines.map(([, name]) => name), names);
      assert.equal(lines.map(([, , rate]) => rate), rates);
    }
  });
thoroughPages('leads from each number that has a place to that place', async () => {
  const html = read(await writeReport(overloaded));
  const { time_s, machine, clock } = scene(load(overloaded));
  const places = [...html.matchAll(/data-machine="(\d)" data-time="([\d.]+)">([^<]*)</g)];
  assert.ok(places.length >= 12);
  for (const [, id, s] of places) {
    assert.ok(time_s.some((at_s, at) => at_s === Number(s) && machine[at] === Number(id)), s);
  }
  const [, id, s, words] = places.find(([, , , text]) => /longest jump/.test(text!))!;
  const at = time_s.findIndex((at_s, nth) => at_s === Number(s) && machine[nth] === Number(id));
  const before = machine.lastIndexOf(Number(id), at - 1);
  const jump = clock[at]! - clock[before]!;
  assert.match(words!, new RegExp(`longest jump, ${jump}, at machine ${id}`));
});
thoroughPages('of an imported run says its rule, its verdict and where it stands', async () => {
  const folder = virtual('theirs', [1, 2]);
  const { seed: _, phases: __, ...rest } = load(folder).run;
  writeRun(folder, { ...rest, kind: 'foreign', seed: null, phases: null, internal: null,
    ended: 'imported', foreign: { rule: { words: 'A receive bears <the same> clock' },
      messages: { reconstructed: 1 } } } as ForeignRecord);
  for (const id of [0, 1]) {
    // Others log no start and no stop, and each row has a line of theirs.
    const rows = read(logPath(folder, id)).split('\n').filter((row) => !/start|stop/.test(row));
    writeFileSync(logPath(folder, id), rows.join('\n'));
    writeFileSync(join(folder, `source-${id}.csv`), rows.slice(0, -1).map((_, n) =>
      (n === 0 ? 'file,line,lines,peer,message\n' : `vm${id}.log,${n},1,,\n`)).join(''));
  }
  const html = read(await writeReport(folder));
  assert.match(html, /The rule that they show: A receive bears &lt;the same&gt; clock\./);
  assert.match(html, /✓ Checked: no rule that these rows decide is broken\./);
  assert.not.match(html, /class="wrong"|\(theory:/);
  // That no clock proves a message to be taken does not say that it was not.
  assert.not.match(html.slice(0, html.indexOf('<script')), /never taken/);
  assert.match(html, /Its clocks end \d+ apart: the \d+(st|nd|rd|th) percentile of 10,000 runs/);
  assert.match(html, /stroke-dasharray="1 4"/); // Arrows that no row names are dotted.
});
pages('takes names and words that mean something in HTML', async () => {
  const folder = virtual('a <script> & "b"', [1, 2]);
  writeRun(folder, { ...load(folder).run as OwnRecord, ended: 'stopped by </script><i>' });
  const html = read(await writeReport(folder));
  assert.match(html, /a &lt;script&gt; &amp; &quot;b&quot;: 2 machines/);
  assert.not.match(html, /<\/script><i>|<script> &/);
  assert.is(html.match(/<script/g)!.length, 2);
});
pages('checks a run in a thread as it does beside, and says what it cannot read', async () => {
  const folder = virtual('thread', [3, 3, 2]);
  assert.equal(await judgeAside(folder), judge(folder));
  writeFileSync(logPath(folder, 0), 'no log');
  const [here, aside] = await Promise.all([async () => judge(folder), () => judgeAside(folder)]
    .map((each) => each().then(() => '', ({ message }: Error) => message)));
  assert.ok(here);
  assert.is(aside, here);
});

pages.run();
