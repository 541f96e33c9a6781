import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Live, serveLive } from '../lab/report/live.ts';
import { thoroughly } from './runs.ts';

/** A live page with nothing behind it but a list of the faults that were asked for. */
async function served(): Promise<{ live: Live; faults: string[] }> {
  const faults: string[] = [];
  const live = await serveLive({
    host: '127.0.0.1', page: '<!doctype html><title>live</title>', now_us: () => 7,
    fault(text) {
      if (text === 'pause 9') throw new RangeError('there is no machine 9.');
      faults.push(text);
    },
  });
  return { live, faults };
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  path?: string;
}

/** One request with headers that fetch would not send; the answer as it begins. */
async function ask(address: string, { method = 'GET', headers = {}, body = '', path = '' }: Asked) {
  const asked = request(new URL(path, address), { method, headers, agent: false });
  asked.end(body);
  const [answer] = await once(asked, 'response') as [IncomingMessage];
  return { status: answer.statusCode!, headers: answer.headers, answer };
}
async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) text += piece as string;
  return text;
}

/** Follows the events until the items are as many as asked for. */
async function follow(address: string, count: number, headers: Record<string, string> = {}) {
  const { answer } = await ask(address, { path: 'events', headers });
  const items: unknown[] = [];
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += piece as string;
    const frames = text.split('\n\n');
    text = frames.pop()!;
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data !== undefined) items.push(...JSON.parse(data) as unknown[]);
    }
    if (items.length >= count) break;
  }
  answer.destroy();
  return items;
}

const server = suite('the live server');
const thorough = thoroughly(server);

server('shows its page to whoever has the token, and to nobody else', async () => {
  const { live } = await served();
  const { status, headers, answer } = await ask(live.address, {});
  assert.is(status, 200);
  assert.match(await textOf(answer), 'live');
  assert.is(headers['referrer-policy'], 'no-referrer');
  assert.is(headers['cache-control'], 'no-store');
  const { origin, pathname } = new URL(live.address);
  assert.ok(pathname.length > 20);
  for (const path of ['/', '/events', '/wrong/', `${pathname.slice(0, -2)}x/`, `${pathname}a/b`]) {
    assert.is((await ask(origin, { path })).status, 404, path);
  }
  await live.end(null);
});

server('answers under its own name only, so that no other name can be bent to it', async () => {
  const { live } = await served();
  const { port } = new URL(live.address);
  for (const host of [`evil.example:${port}`, 'evil.example', `127.0.0.1.evil.example:${port}`,
    `127.0.0.1:${Number(port) + 1}`, `10.0.0.1:${port}`]) {
    assert.is((await ask(live.address, { headers: { host } })).status, 421, host);
  }
  assert.is((await ask(live.address, { headers: { host: `localhost:${port}` } })).status, 200);
  await live.end(null);
});

server('takes no request from another page, not even with the token', async () => {
  const { live, faults } = await served();
  const { origin } = new URL(live.address);
  const fault = (headers: Record<string, string>) =>
    ask(live.address, { path: 'fault', method: 'POST', body: 'pause 0', headers });
  for (const headers of [{}, { origin: 'http://evil.example' }, { origin: 'null' },
    { origin: origin.replace('http', 'https') }, { origin, 'sec-fetch-site': 'cross-site' }]) {
    assert.is((await fault(headers as Record<string, string>)).status, 403,
      JSON.stringify(headers));
  }
  assert.is((await ask(live.address, { path: 'events',
    headers: { origin: 'http://evil.example' } })).status, 403);
  assert.equal(faults, []);
  assert.is((await fault({ origin, 'sec-fetch-site': 'same-origin' })).status, 204);
  assert.equal(faults, ['pause 0']);
  await live.end(null);
});

server('says in one line why a fault cannot be, and reads no book', async () => {
  const { live } = await served();
  const { origin } = new URL(live.address);
  const post = (body: string) =>
    ask(live.address, { path: 'fault', method: 'POST', body, headers: { origin } });
  const { status, answer } = await post('pause 9');
  assert.is(status, 409);
  assert.is(await textOf(answer), 'there is no machine 9.\n');
  assert.is((await post('x'.repeat(10_000))).status, 413);
  await live.end(null);
});

server('tells a late viewer all, in order, and one that comes back what it missed', async () => {
  const { live } = await served();
  const rows = Array.from({ length: 1200 }, (_, n) => `row ${n}`);
  for (const row of rows.slice(0, 700)) live.tell(row);
  const early = follow(live.address, 1201);
  for (const row of rows.slice(700)) live.tell(row);
  const late = await follow(live.address, 1201);
  assert.equal(late, [{ now_us: 7 }, ...rows]);
  assert.equal(await early, late);
  const again = await follow(live.address, 201, { 'last-event-id': '1000' });
  assert.equal(again, [{ now_us: 7 }, ...rows.slice(1000)]);
  await live.end(null);
});

thorough('is not held up by a viewer that reads nothing, and keeps nothing for it', async () => {
  const { live } = await served();
  const { answer: stuck } = await ask(live.address, { path: 'events' });
  stuck.pause();
  const rows = Array.from({ length: 60_000 }, (_, n) => `${n}`.padStart(60));
  for (const row of rows) live.tell(row);
  const items = await follow(live.address, rows.length + 1);
  assert.is(items.length, rows.length + 1);
  // A piece, and not the four megabytes that it has not read.
  assert.ok(live.held() < 200_000, `${live.held()}`);
  assert.is(live.viewers(), 2);
  stuck.destroy();
  await live.end(null);
});

server('ends when each viewer has the report', async () => {
  const { live } = await served();
  const told = follow(live.address, 2);
  while (live.viewers() === 0) await new Promise((done) => setTimeout(done, 5));
  const ended = live.end('<title>the report</title>');
  assert.equal((await told).at(-1), { ended: 'report' });
  const { answer } = await ask(live.address, { path: 'report' });
  assert.is(await textOf(answer), '<title>the report</title>');
  await ended;
  await ask(live.address, {}).then(() => assert.unreachable(), (error: NodeJS.ErrnoException) =>
    assert.is(error.code, 'ECONNREFUSED'));
});

server.run();
