/**
 * The live page of real machines in a real Chromium: npm run test:system. CHROMIUM names its
 * program if it is not /usr/bin/chromium.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OwnRecord } from '../../lab/model/record.ts';
import { BROWSER, openBrowser } from '../browser.ts';
import { need } from '../need.ts';
import { beside } from './beside.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'live-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
const tsx = ['--import', import.meta.resolve('tsx')];

/** A launcher with a live page, and where the page is. */
async function launched(name: string, ...words: string[]): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [...tsx, join(project, 'launch.ts'), '--live', '--no-open',
    '--name', name, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const output = child.stdout!.setEncoding('utf8');
  for await (const piece of output.iterator({ destroyOnReturn: false })) {
    said += piece as string;
    const address = /^live: (\S+)$/m.exec(said)?.[1];
    if (address) {
      child.stdout!.resume();
      return [child, address];
    }
  }
  throw new Error(`no live page: ${said}`);
}
const recordOf = (name: string) =>
  JSON.parse(readFileSync(join(root, 'logs', name, 'run.json'), 'utf8')) as OwnRecord;

/** Asks to heal a link until there is something to heal: what is answered then. */
async function seedsOwn(address: string): Promise<string> {
  for (;;) {
    const answer = await fetch(new URL('fault', address), { method: 'POST', body: 'heal 0-1',
      headers: { origin: new URL(address).origin } });
    const text = await answer.text();
    if (!/nothing to heal|not begun/.test(text)) return text;
    await new Promise((done) => setTimeout(done, 200));
  }
}

const live = suite('the live page');
const inBrowser = need(BROWSER) ? live : live.skip;
const shown = beside(inBrowser);
let browser: Browser;
live.before(async () => {
  if (inBrowser !== live) return;
  browser = await openBrowser();
});
live.after(() => browser?.close());

const time = async (page: Page) => Number(await page.textContent('#time'));
/** Lets the machines tick on for so many model seconds. */
async function later(page: Page, by_s: number): Promise<void> {
  const begun_s = await time(page);
  await page.waitForFunction((until_s) =>
    Number(document.getElementById('time')!.textContent) > until_s, begun_s + by_s,
  { timeout: 60_000 });
}
const ready = (page: Page) => page.waitForSelector('.victim', { timeout: 60_000 });
const clocks = async (page: Page) =>
  (await page.locator('#rows-plain .value').allTextContents()).map(Number);

live('stands on loopback, and a run ends though nobody looks', async () => {
  const [child, address] = await launched('alone', '--duration', '2');
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{20,}\/$/);
  const answer = await fetch(address);
  assert.is(answer.status, 200);
  assert.match(await answer.text(), "default-src 'none'");
  assert.is((await once(child, 'exit'))[0], 0);
  assert.is(recordOf('alone').faults, undefined);
});

shown('shows real machines under a nemesis, pauses one by its button, and becomes the report',
  async () => {
    const [child, address] = await launched('paused', '--rates', '2,4,3', '--seed', '3',
      '--duration', '29', '--nemesis', 'cut'); // Its seed cuts 0-1 from 7.4 to 13.2 s.
    const refused = seedsOwn(address);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(error.message));
    await page.goto(address);
    await ready(page);
    await later(page, 1);
    const before = await clocks(page);
    await later(page, 2);
    assert.ok((await clocks(page)).every((clock, id) => clock > before[id]!));

    // Whoever comes now sees all from the beginning.
    const late = await browser.newPage();
    await late.goto(address);
    await ready(late);
    await late.locator('#seek').fill('2');
    await late.waitForFunction(() => Number(document.getElementById('time')!.textContent) === 2);
    assert.ok((await clocks(late)).every((clock) => clock > 0 && clock < 15));

    await page.click('.victim[data-machine="2"] button:has-text("pause")');
    await page.waitForFunction(() => document.querySelector('.row.down .what')?.textContent
      === 'paused');
    const [, , stopped] = await clocks(page);
    await later(page, 2);
    assert.is((await clocks(page))[2], stopped);
    await page.click('.victim[data-machine="2"] button:has-text("continue")');

    assert.match(await refused, /^"cut 0-1 at [\d.]+ for [\d.]+" is the seed's, and ends by its/);
    const ended = once(child, 'exit');
    for (const one of [page, late]) await one.waitForURL('**/report', { timeout: 60_000 });
    assert.match(await page.title(), 'paused');
    assert.match((await page.textContent('body'))!, 'over sockets');
    const [code] = await ended;
    const { faults, ended: how, nemesis } = recordOf('paused');
    assert.is(how, 'finished');
    assert.equal(nemesis, ['cut']);
    assert.equal(faults!.map(({ do: what, machine, link }) => [what, machine ?? link!.join()]),
      [['cut', '0,1'], ['pause', 2]]);
    assert.ok(faults!.every(({ from_us, to_us }) => from_us && to_us));
    const check = spawnSync(process.execPath, [...tsx, join(project, 'check.ts'),
      join(root, 'logs', 'paused')], { encoding: 'utf8' });
    assert.is(check.status, 0, check.stdout);
    assert.match(check.stdout, /note\s+machine 2 was paused at [\d.]+ s for [\d.]+ s/);
    assert.is(code, 0);
    assert.equal(trouble, []);
    await Promise.all([page.close(), late.close()]);
  });

shown('kills and restarts a machine and cuts a link by keys, and refuses what cannot be',
  async () => {
    const [child, address] = await launched('disturbed', '--rates', '3,4', '--seed', '3',
      '--duration', '30');
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(address);
    await ready(page);
    await later(page, 1);
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.waitForSelector('.victim[data-machine="1"] button:has-text("restart")');
    await page.waitForFunction(() => document.querySelector('.row.down .what')?.textContent
      === 'crashed');
    assert.is(await page.locator('.row.down .chip:not([hidden])').count(), 0, 'nothing waits');
    const post = (text: string) => page.evaluate(async (body) =>
      (await fetch('fault', { method: 'POST', body })).text(), text);
    assert.match(await post('pause 1'), /overlap|not over|ended/);
    assert.match(await post('pause 7'), 'names no machine');
    assert.match(await post('explode 0'), 'is not like');
    assert.match(await post('heal 0-1'), 'nothing to heal');
    await page.keyboard.press('x');
    await page.waitForSelector('.victim[data-machine="1"] button:has-text("kill")');
    await page.keyboard.press('c');
    await page.waitForSelector('.links button:has-text("heal 0–1")');
    await page.keyboard.press('c');
    await page.waitForSelector('.links button:has-text("cut 0–1")');
    const [code] = await once(child, 'exit');
    const { faults, ended } = recordOf('disturbed');
    assert.is(ended, 'finished');
    assert.equal(faults!.map(({ do: what }) => what), ['crash', 'cut']);
    assert.ok(faults!.every(({ from_us, to_us }) => from_us && to_us));
    assert.is(code, 0);
    await page.close();
  });

live.run();
