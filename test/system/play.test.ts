/**
 * The playground in a real Chromium: npm run test:system. CHROMIUM names its program if it is not
 * /usr/bin/chromium.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEADER } from '../../lab/model/run.ts';
import { BROWSER, openBrowser } from '../browser.ts';
import { need } from '../need.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'play-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** Runs one of the lab's scripts as a person does. */
function run(script: string, ...words: string[]) {
  return spawnSync(process.execPath,
    ['--import', import.meta.resolve('tsx'), join(project, script), ...words],
    { cwd: root, encoding: 'utf8' });
}
const file = join(root, 'play.html');
const written = run('play.ts', '--no-open', '--out', file);
const url = pathToFileURL(file).href;

const play = suite('the playground');
const inBrowser = need(BROWSER) ? play : play.skip;
let browser: Browser;
play.before(async () => {
  if (inBrowser !== play) return;
  browser = await openBrowser();
});
play.after(() => browser?.close());

/** Opens the page at an address, lets `act` use it. Nothing may go wrong or leave the page. */
async function open(
  hash: string, act: (page: Page) => Promise<void>,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  // tsx names functions through a helper, which those that run on the page would miss.
  await context.addInitScript('globalThis.__name = (named) => named');
  const page = await context.newPage();
  const [trouble, requests]: string[][] = [[], []];
  page.on('console', (message) => trouble!.push(message.text()));
  page.on('pageerror', (error) => trouble!.push(error.message));
  page.on('request', (request) => requests!.push(request.url().split('#')[0]!));
  await page.goto(url + hash);
  await page.waitForFunction(() => document.querySelectorAll('#rows-plain .row').length > 0);
  await act(page);
  await context.close();
  assert.equal(trouble, []);
  assert.equal(requests!.filter((one) => !one.startsWith('blob:')), [url]);
}

const time = async (page: Page) => Number(await page.textContent('#time'));
/** All that the rows say: clocks, lags, queues, what was done last. */
const state = (page: Page, whose = 'plain') => page.evaluate((id) =>
  [...document.querySelectorAll(`#rows-${id} .row`)].map((row) =>
    [...row.querySelectorAll('.value, .lag, .what, .chip:not([hidden]), .count')]
      .map((one) => one.textContent).join(' ')), whose);
const clocks = (page: Page, whose = 'plain') =>
  page.locator(`#rows-${whose} .value`).allTextContents();
/** Waits until the page has drawn what was asked for. */
const drawn = (page: Page) => page.evaluate(() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
}));

const withoutVersions = (text: string) => ({ ...JSON.parse(text) as object, versions: 0 });

play('is one file, and refuses a place where none can be', () => {
  assert.is(written.status, 0, written.stderr);
  assert.match(written.stdout, /play\.html: \d+ kB, one file; open file:/);
  const refused = run('play.ts', '--no-open', '--out', join(root, 'nowhere', 'play.html'));
  assert.is(refused.status, 2);
  assert.match(refused.stderr, /^error: --out .*\n$/);
});

inBrowser('plays by itself, pauses and goes on', () => open('', async (page) => {
  await page.waitForFunction(() => Number(document.getElementById('time')!.textContent) > 0.3);
  await page.keyboard.press(' ');
  await drawn(page);
  const [stopped_s, before] = [await time(page), await state(page)];
  await page.waitForTimeout(200);
  assert.is(await time(page), stopped_s);
  assert.equal(await state(page), before);
  await page.click('#play');
  await page.waitForFunction((t) =>
    Number(document.getElementById('time')!.textContent) > t + 0.3, stopped_s);
}));

inBrowser('steps forward tick by tick, and back to the same states', () =>
  open('#rates=1,4,6&seed=1&t=20', async (page) => {
    const states = [await state(page)];
    const times = [await time(page)];
    for (let nth = 0; nth < 12; nth++) {
      await page.keyboard.press('ArrowRight');
      await drawn(page);
      states.push(await state(page));
      times.push(await time(page));
    }
    assert.ok(times.at(-1)! > 20.5 && times.every((t, nth) => nth === 0 || t > times[nth - 1]!));
    for (let nth = 11; nth > 0; nth--) {
      await (nth % 2 ? page.keyboard.press('ArrowLeft') : page.click('#back'));
      await drawn(page);
      assert.equal(await state(page), states[nth]);
      assert.is(await time(page), times[nth]);
    }
  }));

inBrowser('seeks, restarts, and goes to the end', () =>
  open('#rates=2,3&seed=1&t=9', async (page) => {
  await page.locator('#seek').fill('33');
  await drawn(page);
  assert.is(await time(page), 33);
  await page.keyboard.press('r');
  await drawn(page);
  assert.equal(await clocks(page), ['0', '0']);
  await page.keyboard.press('End');
  await drawn(page);
  assert.is(await time(page), 60);
}));

inBrowser('what its address says is shown again', async () => {
  let [address, before] = ['', [] as string[]];
  await open('#rates=1,4,6&seed=3&t=20', async (page) => {
    await page.keyboard.press('ArrowUp');
    await page.locator('#panel .slider:has-text("internal") input').fill('0.4');
    await page.keyboard.press('ArrowRight');
    await drawn(page);
    before = await state(page);
    address = new URL(page.url()).hash;
  });
  assert.match(address, 'internal=0.4');
  assert.match(address, 'speed=2');
  await open(address, async (page) => assert.equal(await state(page), before));
});

inBrowser('gives the files that its own command writes, byte for byte', () =>
  open('#rates=1,4,6&seed=5&duration=30&latency=uniform:100,900&loss=0.1&take=newest'
    + '&ticks=jitter:0.3&what-if=pause+1+at+10+for+5&t=1', async (page) => {
    const command = (await page.textContent('#command'))!;
    assert.match(command, /^npx tsx simulate\.ts --rates 1,4,6 /);
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) =>
      quoted ?? plain!).slice(3);
    const { status, stderr } = run('simulate.ts', ...words, '--name', 'same');
    assert.is(status, 0, stderr);
    const folder = join(root, 'logs', 'same');
    await page.click('#files summary');
    for (const name of readdirSync(folder)) {
      const waiting = page.waitForEvent('download');
      await page.click(`#files button:has-text("${name}")`);
      const text = readFileSync(await (await waiting).path(), 'utf8');
      const theirs = readFileSync(join(folder, name), 'utf8');
      if (name !== 'run.json') assert.is(text, theirs, name);
      else assert.equal(withoutVersions(text), withoutVersions(theirs));
    }
  }));

/** Moves the mouse along a machine's line until an event is meant. */
async function findEvent(page: Page, id: string, words: RegExp): Promise<[number, number]> {
  const box = (await page.locator(`#${id}`).boundingBox())!;
  for (let x = box.x + box.width * 0.85; x > box.x + 40; x -= 3) {
    const y = box.y + 26 + ((box.height - 56) / 3) * 1.5;
    await page.mouse.move(x, y);
    await drawn(page);
    if (words.test((await page.textContent('#said'))!)) return [x, y];
  }
  throw new Error(`no event is ${words}`);
}

inBrowser('a click on an event forks the run, and both futures are shown', () =>
  open('#rates=1,4,6&seed=1&t=20', async (page) => {
    const before = await clocks(page);
    await page.mouse.click(...await findEvent(page, 'diagram-plain', /^Machine 1, .*internal/));
    assert.match((await page.textContent('#card'))!, 'What if …');
    await page.click('#card button:has-text("it had sent to both")');
    await drawn(page);
    assert.ok(await page.locator('body.forked').count());
    assert.match(new URL(page.url()).hash, /what-if=roll\+of\+1\+at\+tick\+\d+\+is\+0\.\d+/);
    assert.equal(await clocks(page), before);
    assert.not.equal(await state(page, 'fork'), await state(page));
    assert.match((await page.textContent('#forks'))!,
      /the two part at \d+\.\d\d s; drift at the end/);
    // And once more, from the fork: this machine pauses.
    await page.mouse.click(...await findEvent(page, 'diagram-fork', /^Machine 1/));
    await page.click('#card .number:has-text("paused") button');
    await drawn(page);
    assert.is(await page.locator('.override').count(), 2);
    await page.keyboard.press('u');
    await page.click('.override button');
    await drawn(page);
    assert.is(await page.locator('body.forked').count(), 0);
    assert.ok(await page.locator('#rows-fork').isHidden());
    assert.equal(await clocks(page), before);
  }));

inBrowser('forks by keys alone, for each kind of change', () =>
  open('#rates=2,3,4&seed=1&t=20', async (page) => {
    for (const keys of ['h', 'k']) await page.keyboard.press(keys);
    await page.keyboard.press('Enter');
    await page.locator('#card input').last().fill('1');
    await page.keyboard.press('Enter');
    await drawn(page);
    assert.match(new URL(page.url()).hash, /what-if=rate\+of\+\d\+from\+[\d.]+\+is\+1/);
    await page.keyboard.press('u');
    for (let nth = 0; nth < 30; nth++) {
      await page.keyboard.press('h');
      await drawn(page);
      if ((await page.textContent('#said'))!.includes(': send')) break;
    }
    await page.keyboard.press('Enter');
    await page.locator('#card button:has-text("lost")').first().press('Enter');
    await drawn(page);
    assert.match(new URL(page.url()).hash, /what-if=lose\+\d+\+from/);
  }));

inBrowser('a thousand such minutes show this run’s place among them', () =>
  open('#rates=1,4,6&seed=1&t=20', async (page) => {
    await page.keyboard.press('e');
    await page.waitForFunction(() =>
      document.getElementById('ensemble-words')!.textContent!.startsWith('1,000 such runs'));
    const words = (await page.textContent('#ensemble-words'))!;
    const [, drift, rank] = /this run (\d+), more than (\d+) %/.exec(words)!.map(Number);
    await page.keyboard.press('End');
    await drawn(page);
    const final = (await clocks(page)).map(Number);
    assert.is(Math.max(...final) - Math.min(...final), drift);
    assert.ok(rank! >= 0 && rank! <= 100);
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#ensemble').isHidden());
  }));

inBrowser('steps through a recorded run that is opened or dropped', () =>
  open('#rates=1,4,6&seed=1&t=20', async (page) => {
    const folder = join(project, 'logs', 'second-team-2-4-1');
    const paths = readdirSync(folder).filter((name) => /\.(csv|json)$/.test(name))
      .map((name) => join(folder, name));
    await page.setInputFiles('#choose', paths);
    await page.waitForFunction(() => document.body.classList.contains('recorded'));
    assert.match((await page.textContent('#source'))!, 'over sockets');
    await page.keyboard.press('End');
    await drawn(page);
    const last = paths.filter((path) => path.endsWith('.csv')).map((path) =>
      readFileSync(path, 'utf8').trim().split('\n').at(-1)!.split(',').at(-1));
    assert.equal(await clocks(page), last);
    await page.click('#twin');
    await drawn(page);
    assert.match(new URL(page.url()).hash, 'rates=2,4,1');
    const texts = paths.map((path) => [path.split('/').at(-1)!, readFileSync(path, 'utf8')]);
    await page.evaluate((all) => {
      const dataTransfer = new DataTransfer();
      for (const [name, text] of all) dataTransfer.items.add(new File([text!], name!));
      dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    }, texts);
    await page.waitForFunction(() => document.body.classList.contains('recorded'));
  }));

inBrowser('takes a folder that is dragged onto it from the desktop', () =>
  open('#rates=1,4,6&seed=1&t=20', async (page) => {
    // The browser itself makes the DataTransfer with its directory, as it does for a hand.
    const chromium = await page.context().newCDPSession(page);
    const data = { items: [], dragOperationsMask: 1,
      files: [join(project, 'logs', 'second-team-3-3-2')] };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await chromium.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data });
      if (type === 'dragOver') await page.waitForSelector('body.dropping');
    }
    await page.waitForFunction(() => document.body.classList.contains('recorded'));
    assert.is(await page.locator('body.dropping').count(), 0);
    assert.match((await page.textContent('#source'))!, 'second-team-3-3-2');
    assert.equal((await clocks(page)).length, 3);
  }));

inBrowser('nothing of a log or an address becomes HTML, and what is wrong is one line', () =>
  open('#rates=1,4,6&seed=%3Cimg+src=x+onerror=alert(1)%3E&t=2', async (page) => {
    assert.match((await page.textContent('#trouble'))!, 'seed');
    const folder = join(root, '<img src=x onerror=alert(1)>');
    mkdirSync(folder);
    writeFileSync(join(folder, 'machine-0.csv'), `${HEADER}1,0,0,<img src=x onerror=alert(1)>,,,0,1
5,0,1,internal,,,0,2
`);
    writeFileSync(join(folder, 'run.json'), '<img src=x onerror=alert(1)>');
    await page.setInputFiles('#choose', join(folder, 'machine-0.csv'));
    await page.waitForFunction(() => document.body.classList.contains('recorded'));
    assert.match((await page.textContent('#trouble'))!, 'machine-0.csv:2');
    await page.setInputFiles('#choose', [join(folder, 'machine-0.csv'), join(folder, 'run.json')]);
    await page.waitForFunction(() =>
      document.getElementById('trouble')!.textContent === 'run.json is not JSON');
    assert.is(await page.locator('img').count(), 0);
  }));

inBrowser('fits a phone, is dark for who likes it, and moves nothing for who asks so', async () => {
  await open('#rates=1,4,6&seed=1&t=20', async (page) => {
    assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    for (const id of ['play', 'back', 'forward']) {
      const box = (await page.locator(`#${id}`).boundingBox())!;
      assert.ok(box.width >= 40 && box.height >= 40, id);
    }
    await page.tap('#forward');
    await drawn(page);
    assert.ok(await time(page) > 20);
  }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await open('', async (page) => {
    assert.match(await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      /rgb\((1?\d|2\d), /);
    await page.waitForTimeout(200);
    assert.is(await time(page), 0);
  }, { colorScheme: 'dark', reducedMotion: 'reduce' });
});

inBrowser('draws three machines and fifty while they play', async () => {
  for (const [machines, hash] of [[3, '#rates=1,4,6&seed=1'], [50, '#machines=50&seed=1']]) {
    await open(hash as string, async (page) => {
      const frames = await page.evaluate(() => new Promise<number>((done) => {
        let count = 0;
        const begun_ms = performance.now();
        const frame = () => {
          count++;
          if (performance.now() - begun_ms < 2000) requestAnimationFrame(frame);
          else done(count / 2);
        };
        requestAnimationFrame(frame);
      }));
      console.log(`# ${machines} machines: ${frames.toFixed(0)} frames a second`);
      assert.ok(frames > 2);
      assert.ok(await time(page) > 0.5);
    });
  }
});

play.run();
