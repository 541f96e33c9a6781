/**
 * The report in a real Chromium, driven by playwright-core: npm run test:system.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BROWSER, openBrowser } from '../browser.ts';
import { need } from '../need.ts';
import { writeReport } from '../../lab/report/page.ts';
import { configure, logPath } from '../../lab/model/run.ts';
import { PERFECT, record } from '../../simulate.ts';

const found = need(BROWSER);
const root = mkdtempSync(join(tmpdir(), 'browser-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

function virtual(name: string, rates_hz: number[], duration_s = 60): string {
  const folder = join(root, name);
  mkdirSync(folder);
  record({ ...PERFECT, ...configure({ seed: 7, machines: rates_hz.length, rates_hz,
    internal: 0.7, duration_s, speed: 1 }) }, folder);
  return folder;
}
const overloaded = virtual('overloaded', [1, 4, 6]);
const url = pathToFileURL(await writeReport(overloaded)).href;

const browser = found ? await openBrowser() : null!;

/** Opens a page, lets `act` use it, and closes it. Nothing may go wrong or leave the page. */
async function open(
  act: (page: Page) => Promise<void>, options: Parameters<Browser['newContext']>[0] = {},
  address = url,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  // tsx names functions through a helper, which those that run on the page would miss.
  await context.addInitScript('globalThis.__name = (named) => named');
  const page = await context.newPage();
  const [trouble, requests]: string[][] = [[], []];
  page.on('console', (message) => trouble!.push(message.text()));
  page.on('pageerror', (error) => trouble!.push(error.message));
  await context.route('**/*', (route) => {
    requests!.push(route.request().url());
    return route.request().url() === address ? route.continue() : route.abort();
  });
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector<SVGElement>('.live svg')!.dataset.from);
  await act(page);
  await context.close();
  assert.equal(trouble, []);
  assert.equal(requests, [address]);
}

// ── What must be highlighted, from the logs alone ────────────────────────────────────────────

interface Event { machine: number; time_s: number; event: string; peer: string; message: string;
  queue: string; clock: string }

/** The ticks of a run, in the order of time, read with no code of the lab's. */
function ticksOf(folder: string, machines: number): Event[] {
  return Array.from({ length: machines }, (_, id) => id).flatMap((id) =>
    readFileSync(logPath(folder, id), 'utf8').trim().split('\n').slice(1)
      .map((line) => line.split(',')).filter(([, , tick]) => tick !== '')
      .map(([time_us, , , event, peer, message, queue, clock]) => ({ machine: id,
        time_s: Number(time_us) / 1e6, event: event!, peer: peer!, message: message!,
        queue: queue!, clock: clock! }))).sort((a, b) => a.time_s - b.time_s);
}
const events = ticksOf(overloaded, 3);

/** Steps of happened-before, forwards: the next event of the machine, the receives of a send. */
const after: number[][] = events.map(() => []);
for (const [at, { machine, event, peer, message }] of events.entries()) {
  const next = events.findIndex((other, place) => place > at && other.machine === machine);
  if (next >= 0) after[at]!.push(next);
  if (event !== 'send') continue;
  for (const [place, other] of events.entries()) {
    if (other.event === 'receive' && other.peer === String(machine) && other.message === message
      && peer.split(' ').includes(String(other.machine))) after[at]!.push(place);
  }
}
const before: number[][] = events.map(() => []);
for (const [at, nexts] of after.entries()) for (const next of nexts) before[next]!.push(at);

/** Everything that can be reached from an event. */
function reach(from: number, steps: number[][]): Set<number> {
  const found = new Set<number>();
  const left = [...steps[from]!];
  for (let at; (at = left.pop()) !== undefined;) {
    if (found.has(at)) continue;
    found.add(at);
    left.push(...steps[at]!);
  }
  return found;
}

/** What the diagram has drawn: the places of dots by relation, and the window. */
const drawn = (page: Page) => page.evaluate(() => {
  const svg = document.querySelector<SVGSVGElement>('.live svg')!;
  const dots = (group: string) => [...svg.querySelectorAll(`.${group} > path[class]`)]
    .flatMap((path) => [...path.getAttribute('d')!.matchAll(/M(-?[\d.]+) (-?[\d.]+)h/g)]
      .map(([, x, y]) => `${x} ${y}`)).sort();
  const [past, future, concurrent, self, all] =
    ['past', 'future', 'concurrent', 'self', 'all'].map(dots);
  const grid = [...svg.querySelectorAll('g text:not(.value)')];
  return { past: past!, future: future!, concurrent: concurrent!, self: self!, all: all!,
    from_s: Number(svg.dataset.from), to_s: Number(svg.dataset.to), texts: grid.length,
    said: document.querySelector('output')!.textContent! };
});

/** Where the axis of time and the lines of the machines are, from the picture's own labels. */
const scales = (page: Page) => page.evaluate(() => {
  const texts = [...document.querySelectorAll<SVGTextElement>('.live svg text:not(.value)')];
  const times = texts.filter((text) => /^\d+(\.\d+)?$/.test(text.textContent!)
    && text.getAttribute('text-anchor') === 'middle')
    .map((text) => [Number(text.textContent), Number(text.getAttribute('x'))]);
  const lines = texts.filter((text) => text.getAttribute('font-weight') === '600')
    .map((text) => Number(text.getAttribute('y')) - 4);
  return { times, lines };
});

async function placesOf(page: Page) {
  const { times, lines } = await scales(page);
  const [[s1, x1], [s2, x2]] = [times[0]!, times.at(-1)!] as [[number, number], [number, number]];
  return ({ machine, time_s }: Event): [number, number] =>
    [x1 + ((time_s - s1) / (s2 - s1)) * (x2 - x1), lines[machine]!];
}

/** That what is drawn for an event is what happened-before says, dot by dot, within a pixel. */
async function assertHighlighted(page: Page, selected: number): Promise<void> {
  const shown = await drawn(page);
  const place = await placesOf(page);
  const [past, future] = [reach(selected, before), reach(selected, after)];
  const inView = [...events.keys()].filter((at) =>
    events[at]!.time_s >= shown.from_s && events[at]!.time_s <= shown.to_s);
  const expected = {
    past: inView.filter((at) => past.has(at)), future: inView.filter((at) => future.has(at)),
    concurrent: inView.filter((at) => !past.has(at) && !future.has(at) && at !== selected),
    self: inView.filter((at) => at === selected),
  };
  assert.is(shown.all.length, 0);
  for (const [relation, places] of Object.entries(expected)) {
    const dots = shown[relation as keyof typeof expected].map((dot) => dot.split(' ').map(Number));
    assert.is(dots.length, places.length, `${relation} of ${selected}`);
    for (const at of places) {
      const [x, y] = place(events[at]!);
      const hit = dots.findIndex(([dotX, dotY]) =>
        Math.abs(dotX! - x) < 1 && Math.abs(dotY! - y) < 1);
      assert.ok(hit >= 0, `${relation} of ${selected}: event ${at} is not there`);
      dots.splice(hit, 1);
    }
  }
  const { clock, queue } = events[selected]!;
  assert.match(shown.said, new RegExp(`clock ${clock} · queue ${queue} · vector clock \\[`));
  const vector = [0, 1, 2].map((id) => [...past, selected]
    .filter((at) => events[at]!.machine === id).length);
  assert.match(shown.said, `[${vector.join(' ')}]`);
  assert.match(shown.said, `${past.size} events in its past, ${future.size} in its future, ${
    events.length - 1 - past.size - future.size} concurrent`);
}

const settled = (page: Page) =>
  page.evaluate(() =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

async function hover(page: Page, at: number): Promise<void> {
  const box = (await page.locator('.live svg').boundingBox())!;
  const [x, y] = (await placesOf(page))(events[at]!);
  await page.mouse.move(box.x + x, box.y + y);
  await settled(page);
}

// ── The page ─────────────────────────────────────────────────────────────────────────────────

const pageSuite = suite('report.html');
const page = found ? pageSuite : pageSuite.skip;
page('shows every picture, none of them blank', () => open(async (tab) => {
  for (const id of ['clocks', 'lag', 'queues', 'jumps', 'events', 'space-time']) {
    const picture = tab.locator(`figure.${id} svg:visible`);
    assert.is(await picture.count(), 1, id);
    const box = (await picture.boundingBox())!;
    assert.ok(box.width > 400 && box.height > 150, id);
    assert.ok(await colours(tab, `figure.${id} svg:visible`) > 3, `${id} is blank`);
  }
}));
/** How many clearly different colours an element has on the screen. */
async function colours(tab: Page, selector: string): Promise<number> {
  const png = (await tab.locator(selector).screenshot()).toString('base64');
  return tab.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')!;
    canvas.drawImage(image, 0, 0);
    const { data: pixels } = canvas.getImageData(0, 0, image.width, image.height);
    const seen = new Map<string, number>();
    for (let at = 0; at < pixels.length; at += 4) {
      const key = [0, 1, 2].map((c) => pixels[at + c]! >> 5).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return [...seen.values()].filter((count) => count > 12).length;
  }, png);
}
page('fits a telephone: one column, its own pictures, nothing wider than the screen', () =>
  open(async (tab) => {
    assert.is(await tab.evaluate(() => document.documentElement.scrollWidth), 390);
    for (const id of ['clocks', 'lag', 'queues', 'jumps', 'events', 'space-time']) {
      const box = (await tab.locator(`figure.${id} svg:visible`).boundingBox())!;
      assert.ok(box.width <= 390 && box.width > 280 && box.height > 150, `${id} ${box.width}`);
    }
    // Text of 12 px is not shrunk.
    assert.ok((await tab.locator('figure.lag .narrow text').first().boundingBox())!.height >= 11);
  }, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }));
page('is dark where the reader’s screen is, with the same colours for machines', () =>
  open(async (tab) => {
    const [paper, ink, line] = await tab.evaluate(() => {
      const style = getComputedStyle(document.body);
      const path = document.querySelector('figure.clocks svg g[stroke^="var(--machine-0"]')!;
      return [style.backgroundColor, style.color, getComputedStyle(path).stroke];
    });
    assert.is(paper, 'rgb(23, 25, 28)');
    assert.is(ink, 'rgb(232, 230, 225)');
    assert.is(line, 'rgb(0, 114, 178)');
  }, { colorScheme: 'dark' }));
page('is printed light and without what only a screen can do', () => open(async (tab) => {
  await tab.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.is(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor),
    'rgb(255, 255, 255)');
  assert.is(await tab.locator('.controls').isVisible(), false);
  assert.ok((await tab.pdf({ format: 'A4' })).length > 20_000);
}));
pageSuite.run();

// ── The space-time diagram ───────────────────────────────────────────────────────────────────

const pointingSuite = suite('space-time: mouse and touch');
const pointing = found ? pointingSuite : pointingSuite.skip;
pointing('hover highlights exactly what happened before, after and concurrently', () =>
  open(async (tab) => {
    await tab.locator('.live svg').scrollIntoViewIfNeeded();
    const { to_s } = await drawn(tab);
    const inView = [...events.keys()].filter((at) => events[at]!.time_s < to_s);
    for (const at of [0, 7, 23, 40, 58, 71, 90].map((place) => inView[place]!)) {
      await hover(tab, at);
      await assertHighlighted(tab, at);
    }
    await tab.mouse.move(2, 2);
    await settled(tab);
    const { all, past } = await drawn(tab);
    assert.equal([all.length, past.length], [inView.length, 0]);
  }));
pointing('a click holds the event until it is clicked again', () => open(async (tab) => {
  await tab.locator('.live svg').scrollIntoViewIfNeeded();
  await hover(tab, 20);
  await tab.mouse.down();
  await tab.mouse.up();
  await hover(tab, 50);
  await assertHighlighted(tab, 20);
}));
pointing('dragging pans, the wheel with Ctrl zooms about the pointer, without it scrolls', () =>
  open(async (tab) => {
    const svg = tab.locator('.live svg');
    await svg.scrollIntoViewIfNeeded();
    const box = (await svg.boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + 30];
    const start = await drawn(tab);
    await tab.mouse.move(x, y);
    await tab.mouse.down();
    await tab.mouse.move(x - 200, y, { steps: 4 });
    await tab.mouse.up();
    await settled(tab);
    const panned = await drawn(tab);
    assert.ok(panned.from_s > 1 && panned.to_s - panned.from_s - start.to_s < 1e-6);
    await tab.keyboard.down('Control');
    await tab.mouse.wheel(0, -300);
    await tab.keyboard.up('Control');
    await settled(tab);
    const zoomed = await drawn(tab);
    assert.ok(zoomed.to_s - zoomed.from_s < (panned.to_s - panned.from_s) / 2);
    assert.ok(zoomed.from_s > panned.from_s && zoomed.to_s < panned.to_s);
    await tab.evaluate(() => { (document.activeElement as HTMLElement).blur(); scrollTo(0, 0); });
    await tab.mouse.move(x, 400);
    await tab.mouse.wheel(0, 300);
    await tab.waitForFunction(() => scrollY > 0);
    assert.equal(await drawn(tab), zoomed);
  }));
pointing('a touch selects an event, two fingers zoom', () => open(async (tab) => {
  const svg = tab.locator('.live svg');
  await svg.scrollIntoViewIfNeeded();
  const box = (await svg.boundingBox())!;
  const [x, y] = (await placesOf(tab))(events[3]!);
  await tab.touchscreen.tap(box.x + x, box.y + y);
  await settled(tab);
  await assertHighlighted(tab, 3);
  const { from_s, to_s } = await drawn(tab);
  const cdp = await tab.context().newCDPSession(tab);
  const fingers = (apart: number) => [-1, 1].map((side, id) =>
    ({ x: box.x + box.width / 2 + (side * apart) / 2, y: box.y + 40, id }));
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(60) });
  for (const apart of [80, 110, 150, 200]) {
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(apart) });
  }
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await settled(tab);
  const zoomed = await drawn(tab);
  assert.ok(zoomed.to_s - zoomed.from_s < (to_s - from_s) / 2, `${zoomed.to_s - zoomed.from_s}`);
}, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }));
pointingSuite.run();

const keyboardSuite = suite('space-time: keyboard');
const keyboard = found ? keyboardSuite : keyboardSuite.skip;
keyboard('goes from event to event, along a machine, across, and along a message', () =>
  open(async (tab) => {
    await tab.locator('.live svg').focus();
    const press = async (key: string) => {
      await tab.keyboard.press(key);
      await settled(tab);
    };
    await press('ArrowRight');
    await assertHighlighted(tab, 0);
    const own = [...events.keys()].filter((at) => events[at]!.machine === events[0]!.machine);
    for (const at of own.slice(1, 5)) {
      await press('ArrowRight');
      await assertHighlighted(tab, at);
    }
    await press('ArrowLeft');
    await assertHighlighted(tab, own[3]!);
    await press('ArrowUp');
    const above = [...events.keys()].filter((at) =>
      events[at]!.machine === events[0]!.machine - 1);
    const near = above.sort((a, b) => Math.abs(events[a]!.time_s - events[own[3]!]!.time_s)
      - Math.abs(events[b]!.time_s - events[own[3]!]!.time_s))[0]!;
    await assertHighlighted(tab, near);
    // On to a receive, then back to its send and forth again.
    let at = near;
    while (events[at]!.event !== 'receive') {
      at = after[at]!.find((next) => events[next]!.machine === events[at]!.machine)!;
      await press('ArrowRight');
    }
    await assertHighlighted(tab, at);
    const send = before[at]!.find((from) => events[from]!.machine !== events[at]!.machine)!;
    await press('Enter');
    await assertHighlighted(tab, send);
    await press('Enter');
    assert.is(Number(await tab.locator('output').getAttribute('data-event')),
      after[send]!.find((next) => events[next]!.machine !== events[send]!.machine));
    await press('Escape');
    assert.is((await drawn(tab)).past.length, 0);
  }));
keyboard('zooms and pans, follows the event out of the window, and says what part it shows', () =>
  open(async (tab) => {
    await tab.locator('.live svg').focus();
    const press = async (key: string) => {
      await tab.keyboard.press(key);
      await settled(tab);
      return drawn(tab);
    };
    const start = await drawn(tab);
    assert.match((await tab.locator('.extent').textContent())!,
      /^A part: 0–10 s of 60 s, 110 of 660 events\.$/);
    assert.ok((await press('+')).to_s < start.to_s);
    assert.ok((await press('PageDown')).from_s > 0);
    const whole = await press('0');
    assert.equal([whole.from_s, whole.to_s], [0, 60]);
    assert.is(await tab.locator('.extent').textContent(), 'The whole run: 60 s and 660 events.');
    for (let n = 0; n < 5; n++) await press('+');
    const end = await press('End');
    assert.ok(end.to_s > 59, `${end.to_s}`);
    await assertHighlighted(tab, events.length - 1);
    await press('Home');
    await assertHighlighted(tab,
      events.findIndex(({ machine }) => machine === events.at(-1)!.machine));
  }));
keyboard('reaches the buttons and the slider, too', () => open(async (tab) => {
  await tab.getByRole('button', { name: 'whole run' }).press('Enter');
  await settled(tab);
  assert.is((await drawn(tab)).to_s, 60);
  await tab.getByRole('button', { name: 'zoom in' }).press('Enter');
  await settled(tab);
  await tab.getByRole('slider').fill('5');
  await settled(tab);
  assert.ok(Math.abs((await drawn(tab)).from_s - 5) < 0.01);
}));
keyboardSuite.run();

// ── Other runs ───────────────────────────────────────────────────────────────────────────────

const othersSuite = suite('other runs');
const others = found ? othersSuite : othersSuite.skip;
others('two runs side by side work each for itself', async () => {
  const quiet = virtual('quiet', [3, 3, 2]);
  const both = pathToFileURL(await writeReport(quiet, overloaded)).href;
  await open(async (tab) => {
    const [left, right] = await Promise.all([0, 1].map((n) =>
      tab.locator('figure.clocks').nth(n).boundingBox()));
    assert.is(left!.y, right!.y);
    assert.is(left!.width, right!.width);
    await tab.locator('.live svg').nth(1).focus();
    await tab.keyboard.press('ArrowRight');
    await settled(tab);
    assert.equal(await tab.locator('output').evaluateAll((all) =>
      all.map((output) => (output as HTMLElement).dataset.event)), ['-1', '0']);
  }, {}, both);
});
others('10 minutes open within seconds, and a part of a longer run is said to be one', async () => {
  const long = virtual('long', [5, 60, 5], 600);
  const address = pathToFileURL(await writeReport(long)).href;
  await open(async (tab) => {
    await tab.locator('.live svg').focus();
    await tab.keyboard.press('0');
    await settled(tab);
    assert.match((await tab.locator('.extent').textContent())!,
      /^A part: 0–600 s of 600 s, 20000 of 42000 events\. This page holds the first 20000 events/);
  }, {}, address);
});
others('a run that nobody began is shown, with the check’s verdict in red', async () => {
  const empty = virtual('empty', [1, 1], 0.01);
  const path = logPath(empty, 1);
  rmSync(path);
  const address = pathToFileURL(await writeReport(empty)).href;
  await open(async (tab) => {
    const banner = tab.getByRole('alert');
    assert.is(await banner.evaluate((element) => getComputedStyle(element).backgroundColor),
      'rgb(179, 38, 30)');
    await tab.locator('.live svg').focus();
    for (const key of ['ArrowRight', 'Enter', 'ArrowDown', 'End', '+', '0', 'Escape']) {
      await tab.keyboard.press(key);
    }
    await settled(tab);
  }, {}, address);
});
others('close the browser', () => browser.close());
othersSuite.run();
