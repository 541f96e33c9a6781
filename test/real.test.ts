/** What real machines are made of, in this process: time, wires, the mesh, logs, the live view. */
import fc from 'fast-check';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkFaults, endOf, type Fault, KINDS, machinesOf, nemesis,
} from '../lab/model/faults.ts';
import { CLOCK_MAX } from '../lab/model/rule.ts';
import { configure, HEADER } from '../lab/model/run.ts';
import { grpc } from '../lab/real/grpc.ts';
import { mendLog } from '../lab/real/log.ts';
import { clockMax, connect, NotConnected, type Mesh, type MeshOptions } from '../lab/real/mesh.ts';
import { roomFor } from '../lab/real/nemesis.ts';
import { byId, configurationOf, setupOf, setupVariables } from '../lab/real/protocol.ts';
import { frame } from '../lab/real/screen.ts';
import { lineDecoder, tcp } from '../lab/real/tcp.ts';
import { now_us, until } from '../lab/real/time.ts';
import {
  encodeLine, LINE_MAX, parseLine, WireError, type Line, type Wire,
} from '../lab/real/wire.ts';
import { runs, thoroughly } from './runs.ts';

// ── The wire ────────────────────────────────────────────────────────────────────────────────

/** What a decoder makes of chunks of bytes: the lines, and the error that ended them. */
function decode(chunks: Uint8Array[]): Promise<{ lines: Line[]; error: Error | null }> {
  return new Promise((resolve) => {
    const lines: Line[] = [];
    const decoder = lineDecoder();
    decoder.on('data', (line: Line) => lines.push(line));
    decoder.on('error', (error) => resolve({ lines, error }));
    decoder.on('end', () => resolve({ lines, error: null }));
    for (const chunk of chunks) decoder.write(chunk);
    decoder.end();
  });
}

const talk: Line[] = [
  { hello: 2, token: 'ключ' }, { hello: 1, token: 'a', life: 3 }, { ready: true },
  { start_us: 1_700_000_000_000_000 }, { clock: 0 }, { clock: CLOCK_MAX }, { stop: true },
];
const wire = suite('lineDecoder');
wire('finds the same lines wherever the bytes are cut, also within a character', async () => {
  const bytes = Buffer.from(talk.map(encodeLine).join(''));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { lines, error } = await decode([bytes.subarray(0, cut), bytes.subarray(cut)]);
    assert.equal(lines, talk);
    assert.is(error, null);
  }
  const { lines } = await decode([...bytes].map((byte) => Uint8Array.of(byte)));
  assert.equal(lines, talk);
});
wire('makes of random byte strings a clean error or nothing, and no message', async () => {
  const some = fc.uint8Array({ minLength: 1, maxLength: 64 });
  await fc.assert(fc.asyncProperty(some, async (bytes) => {
    const { lines, error } = await decode([bytes, Uint8Array.of(10)]);
    assert.ok(error instanceof WireError, String(error));
    assert.is(lines.length, 0);
  }), { numRuns: runs(100, 2000) });
});
wire('gives up on a line of over 1 KiB, also when its end never comes', async () => {
  const long = Buffer.alloc(LINE_MAX + 1, 'x');
  assert.match((await decode([long])).error!.message, /maximum|more than/);
  assert.match((await decode([long, Buffer.from('\n')])).error!.message, /maximum|more than/);
  const { error } = await decode([Buffer.concat([long, Buffer.from('\n')])]);
  assert.match(error!.message, /more than/);
});
wire.run();

const parse = suite('parseLine');
parse('takes back what encodeLine wrote', () => {
  for (const line of talk) assert.equal(parseLine(encodeLine(line)), line);
});
parse('refuses a clock that is not a safe non-negative integer', () => {
  const bad =
    ['-1', '1.5', '"3"', 'null', 'true', '[1]', '9007199254740993', '1e400', 'NaN', '0x10'];
  for (const value of bad) {
    assert.throws(() => parseLine(`{"clock":${value}}`), /not a line/, value);
  }
});
parse('refuses what is JSON and no line of the protocol', () => {
  for (const text of ['', '1', 'null', '[]', '"clock"', '{}', '{"ready":false}', '{"hello":0}',
    '{"hello":-1,"token":"a"}', '{"hello":0,"token":7}']) {
    assert.throws(() => parseLine(text), /not a line/, text);
  }
});
parse.run();

// ── Time ────────────────────────────────────────────────────────────────────────────────────

const time = suite('until');
time('comes back at the deadline or later, with a time that is not before it', async () => {
  const { signal } = new AbortController();
  for (const wait_us of [-1000, 0, 300, 4000]) {
    const at_us = now_us() + wait_us;
    const time_us = await until(at_us, signal);
    assert.ok(time_us >= at_us && time_us <= now_us(), `${time_us} for ${at_us}`);
  }
});
time('comes back at once when it is stopped', async () => {
  const stop = new AbortController();
  const waiting = until(now_us() + 3600e6, stop.signal);
  stop.abort();
  assert.ok(await waiting <= now_us());
});
time.run();

// ── The mesh ────────────────────────────────────────────────────────────────────────────────

interface Ours { mesh: Promise<Mesh>; heard: [number, number][]; notes: string[]; port: number }

/** Machines of a mesh in this process, some of whose places may be left to a test. */
async function meshes(
  wire: Wire, places: number, ids: number[], more: Partial<MeshOptions> = {},
): Promise<Ours[]> {
  const at = { host: '127.0.0.1', port: 0 };
  const listeners = await Promise.all(Array.from({ length: places }, () => wire.listen(at, 'lab')));
  const addresses = listeners.map(({ port }) => ({ ...at, port }));
  listeners.filter((_, id) => !ids.includes(id)).forEach((listener) => listener.close());
  return ids.map((id) => {
    const [heard, notes]: [[number, number][], string[]] = [[], []];
    const mesh = connect({
      wire, listener: listeners[id]!, id, peers: byId(id, addresses.filter((_, n) => n !== id)),
      token: 'lab', timeout_s: 20, clockMax: () => CLOCK_MAX, stop: new AbortController().signal,
      receive: (from, clock) => void heard.push([from, clock]),
      note: (text) => void notes.push(text), ...more,
    });
    return { mesh, heard, notes, port: addresses[id]!.port };
  });
}

async function stranger(port: number, text: string): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Resolves when it holds; what never holds must fail a test, not stop it. */
async function waitFor(what: string, holds: () => boolean): Promise<void> {
  for (const limit_ms = Date.now() + 10_000; !holds(); await sleep(5)) {
    if (Date.now() > limit_ms) throw new Error(`ten seconds without ${what}`);
  }
}

const WIRES: Record<string, Wire> = { tcp, grpc };
const mesh = suite('connect()');
const thorough = thoroughly(mesh);
for (const [name, wire] of Object.entries(WIRES)) {
  mesh(`names one start for all, brings each message once and in order (${name})`, async () => {
    const all = await meshes(wire, 3, [2, 0, 1]);
    const [two, zero, one] = await Promise.all(all.map(({ mesh: connected }) => connected));
    assert.equal([two!.start_us, one!.start_us], [zero!.start_us, zero!.start_us]);
    const most = runs(1000, 3000);
    for (let clock = 1; clock <= most; clock++) {
      zero!.send(1, clock);
      if (clock % 100 === 0) two!.send(1, clock);
    }
    // A busy computer needs more than the two seconds that a goodbye waits.
    await waitFor('every message', () => all[2]!.heard.length === 1.01 * most);
    await Promise.all([zero, one, two].map((connected) => connected!.close()));
    const heard = (from: number) => all[2]!.heard.filter(([whom]) => whom === from)
      .map(([, clock]) => clock);
    assert.equal(heard(0), Array.from({ length: most }, (_, n) => n + 1));
    assert.equal(heard(2), Array.from({ length: most / 100 }, (_, n) => 100 * (n + 1)));
    assert.equal(all.flatMap(({ notes }) => notes), []);
  });
  mesh(`loses what is sent while a link is cut, and only that (${name})`, async () => {
    const all = await meshes(wire, 3, [0, 1, 2]);
    const [zero, one, two] = await Promise.all(all.map(({ mesh: connected }) => connected));
    zero!.send(2, 1);
    await waitFor('the first message', () => all[2]!.heard.length === 1);
    zero!.cut(2);
    two!.cut(0);
    zero!.send(2, 2);
    two!.send(0, 3);
    one!.send(2, 4);
    await waitFor('a message of another link', () => all[2]!.heard.length === 2);
    await Promise.all([zero!.heal(2), two!.heal(0)]);
    zero!.send(2, 5);
    two!.send(0, 6);
    await waitFor('messages after the cut',
      () => all[2]!.heard.length === 3 && all[0]!.heard.length === 1);
    assert.equal(all[2]!.heard, [[0, 1], [1, 4], [0, 5]]);
    assert.equal(all[0]!.heard, [[2, 6]]);
    await Promise.all([zero, one, two].map((connected) => connected!.close()));
  });
  mesh(`takes back a machine of a higher life, whatever its id (${name})`, async () => {
    const all = await meshes(wire, 3, [0, 1, 2]);
    const first = await Promise.all(all.map(({ mesh: connected }) => connected));
    const listener = await wire.listen({ host: '127.0.0.1', port: 0 }, 'lab');
    const heard: [number, number][] = [];
    const back = await connect({
      wire, listener, id: 1, token: 'lab', life: 1, start_us: first[0]!.start_us!, timeout_s: 20,
      peers: new Map([0, 2].map((id) => [id, { host: '127.0.0.1', port: all[id]!.port }])),
      clockMax: () => CLOCK_MAX, stop: new AbortController().signal, note: () => {},
      receive: (from, clock) => void heard.push([from, clock]),
    });
    assert.is(back.start_us, first[0]!.start_us);
    first[0]!.send(1, 7);
    first[2]!.send(1, 8);
    back.send(0, 9);
    await waitFor('messages to and from it',
      () => heard.length === 2 && all[0]!.heard.length === 1);
    assert.equal(heard.sort(), [[0, 7], [2, 8]]);
    assert.equal(all[1]!.heard, [], 'and its first life hears no more');
    await Promise.all([back, ...first].map((connected) => connected.close()));
  });
}

/** Two machines of ours and a third that knows the protocol and does what a test wants. */
async function liar(
  more: Partial<MeshOptions> = {},
): Promise<{ ours: Ours; socket: Socket; end(): Promise<void> }> {
  const all = await meshes(tcp, 3, [0, 1], more);
  const hello = encodeLine({ hello: 2, token: 'lab' });
  const sockets = await Promise.all(all.map(({ port }) => stranger(port, hello)));
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  const end = async () => {
    sockets.forEach((socket) => socket.destroy());
    await Promise.all(all.map(async ({ mesh: connected }) => (await connected).close()));
  };
  return { ours: all[0]!, socket: sockets[0]!, end };
}
const ready = encodeLine({ ready: true });

mesh('closes the connection of a peer whose clock cannot be, and no other', async () => {
  const { ours, socket, end } = await liar(
    { clockMax: clockMax({ rates_hz: [6, 6, 6], speed: 1 }) });
  socket.write(ready);
  const connected = await ours.mesh;
  socket.write([3, 2 ** 52, 4].map((clock) => encodeLine({ clock })).join(''));
  await once(socket.resume(), 'close');
  assert.equal(ours.heard, [[2, 3]], 'nothing of it is heard after the lie');
  assert.match(ours.notes.join(), /^connection with machine 2 closed: clock 4503599627370496 is/);
  assert.equal(connected.lost(), [2]);
  await end();
});
mesh('refuses a start that is further away than it would wait for it', async () => {
  await Promise.all([0, now_us() + 60e6].map(async (start_us) => {
    const listener = await tcp.listen({ host: '127.0.0.1', port: 0 }, 'lab');
    const server = await tcp.listen({ host: '127.0.0.1', port: 0 }, 'lab');
    server.answer((link) => ({
      hear: () => {
        link.send({ hello: 0, token: 'lab' });
        link.send({ start_us });
      },
      refuse: () => {}, failed: () => {}, closed: () => {},
    }));
    const notes: string[] = [];
    const peers = new Map([[0, { host: '127.0.0.1', port: server.port }]]);
    const failed = await connect({ wire: tcp, listener, id: 1, peers, token: 'lab', timeout_s: 1,
      clockMax: () => 9, receive: () => {}, note: (text) => void notes.push(text),
      stop: new AbortController().signal }).catch((error: unknown) => error);
    assert.instance(failed, NotConnected);
    assert.match(notes.join(), `start_us ${start_us} is over 1 s from now`);
    server.close();
  }));
});
mesh('has room for a peer among any number of callers that say nothing', async () => {
  const [ours] = await meshes(tcp, 2, [0]);
  const silent = await Promise.all(Array.from({ length: 200 }, () => stranger(ours!.port, '')));
  const peer = await stranger(ours!.port, encodeLine({ hello: 1, token: 'lab' }) + ready);
  const connected = await ours!.mesh;
  assert.ok(ours!.notes.length >= 100);
  assert.match(ours!.notes[0]!, /too many connections that say nothing/);
  assert.ok(silent.filter((socket) => !socket.destroyed).length <= 100);
  [peer, ...silent].forEach((socket) => socket.destroy());
  await connected.close();
});
thorough('gives up on a peer that leaves a megabyte unread, and says so once', async () => {
  const { ours, socket, end } = await liar();
  socket.write(ready);
  socket.pause();
  const connected = await ours.mesh;
  for (let n = 0; n < 100 && ours.notes.length === 0; n++) {
    for (let clock = 0; clock < 10_000; clock++) connected.send(2, clock);
    await sleep(1);
  }
  await waitFor('its loss', () => ours.notes.length >= 2);
  assert.equal(ours.notes,
    ['connection with machine 2 closed: it reads nothing', 'machine 2 is lost']);
  await end();
});
mesh('takes nobody for lost who hangs up after its own goodbye', async () => {
  const { ours, socket, end } = await liar();
  socket.write(ready);
  const connected = await ours.mesh;
  const closing = connected.close();
  socket.destroy();
  await closing;
  assert.equal([connected.lost(), ours.notes], [[], []]);
  await end();
});
mesh('is not connected, and has no start, when it is stopped before', async () => {
  const stop = new AbortController();
  const [ours] = await meshes(tcp, 2, [1], { stop: stop.signal });
  stop.abort('SIGTERM');
  const connected = await ours!.mesh;
  assert.is(connected.start_us, null);
  await connected.close();
});
mesh.run();

// ── Set-up, logs, screen ────────────────────────────────────────────────────────────────────

const CONFIGURATION = configure({
  seed: 7, machines: 3, rates_hz: [1, 4, 6], internal: 0.7, duration_s: 60, speed: 2, take: 'all',
});
const setup = suite('setupOf');
setup('tells a machine all that the configuration says of it, as JSON and as variables', () => {
  const more = { token: 't', wire: 'tcp' as const, listen: '127.0.0.1:0', life: 0 };
  const told = setupOf(CONFIGURATION, 1, more);
  const { phases, rates_range: _, ...rest } = CONFIGURATION;
  assert.equal({ ...configurationOf(told), phases: [] }, { ...rest, phases: [] });
  assert.is(configurationOf(told).phases[1], phases[1]);
  const variables = setupVariables(told);
  assert.equal([variables.LAB_ID, variables.LAB_RATE, variables.LAB_TOKEN], ['1', '4', 't']);
  assert.is(JSON.parse(variables.LAB_KNOBS!).take, 'all');
});
setup.run();

const mend = suite('mendLog');
mend('cuts off a torn line wherever it was torn, and knows the clock before it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  const rows = [HEADER, '5,0,,start,,,0,0\n', '9,0,0,send,1,12,0,12\n'];
  const whole = rows.join('');
  for (const [text, kept, clock] of [
    ...Array.from({ length: rows[2]!.length }, (_, n) =>
      [whole.slice(0, whole.length - 1 - n), rows[0]! + rows[1]!, 0] as const),
    [whole, whole, 12] as const, [HEADER, HEADER, 0] as const, ['time', '', 0] as const,
  ]) {
    writeFileSync(join(folder, 'machine-0.csv'), text);
    assert.is(mendLog(folder, 0), clock);
    assert.is(readFileSync(join(folder, 'machine-0.csv'), 'utf8'), kept);
  }
});
mend.run();

const room = suite('roomFor');
room('leaves each planned fault its time, whatever button is pressed when, or says that it cannot',
  () => {
    const machines = 4;
    const duration_s = 120;
    fc.assert(fc.property(fc.nat(), fc.constantFrom(...KINDS), fc.double({ min: 1, max: 119,
      noNaN: true }), fc.nat(machines - 2), fc.constantFrom('pause', 'crash', 'cut'),
    fc.constantFrom(0.5, 1, 20), (seed, kind, at_s, id, what, speed) => {
      const planned = nemesis([kind, 'cut', 'crash'], { seed, machines, duration_s });
      const fault = { do: what, at_s, for_s: null,
        ...(what === 'cut' ? { link: [id, id + 1] } : { machine: id }) } as Fault;
      const ids = machinesOf(fault);
      const own = planned.filter((one) => machinesOf(one).some((other) => ids.includes(other)));
      if (own.some((one) => one.at_s <= at_s && endOf(one, duration_s) >= at_s)) return;
      const next = own.map((one) => one.at_s).filter((other_s) => other_s > at_s)
        .sort((a, b) => a - b);
      try {
        fault.for_s = roomFor(fault, planned, 1000 / speed);
      } catch (error) {
        assert.match((error as Error).message, /^".*" is too near\.$/);
        assert.ok(next[0]! - at_s < 3.1 * speed, `${next[0]} − ${at_s}`);
        return;
      }
      checkFaults([...planned, fault], { machines, duration_s });
      assert.is(fault.for_s === null, next.length === 0);
      if (what === 'crash' && fault.for_s) assert.ok(next[0]! - at_s - fault.for_s >= 3 * speed);
    }), { numRuns: 300 });
  });
room.run();

const screen = suite('frame');
screen('fits 60, 80 and 120 columns, and shows what happens where there is room', () => {
  const machines = Array.from({ length: 50 }, (_, id) => ({ id, ticks: 12_345, clock: 54_321,
    queue: 40 * id, last: 'receive 54321 from 49', hasStopped: false, exit: null }));
  const configuration = { ...CONFIGURATION, machines: 50, rates_hz: machines.map(() => 6) };
  for (const width of [60, 80, 120]) {
    const text = frame(configuration, machines, 30, width, 24);
    const lines = stripVTControlCharacters(text).split('\n');
    for (const line of lines) assert.ok(line.length <= width, `${line.length}: ${line}`);
    assert.ok(lines.length < 24);
    assert.is(/receive 54321 from 49/.test(lines.join('\n')), width >= 80);
  }
});
screen.run();
