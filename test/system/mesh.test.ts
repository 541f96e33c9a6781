/** Real machine processes on real sockets, and what strangers can do to them. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $, type ProcessPromise } from 'zx';
import { checkRun, readRun } from '../../check.ts';
import { WIRES } from '../../lab/real/protocol.ts';
import { encodeLine } from '../../lab/real/wire.ts';

const quiet = $({ nothrow: true, quiet: true });
const folder = () => mkdtempSync(join(tmpdir(), 'lab-'));

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function start(id: number, ports: number[], options: string[]): ProcessPromise {
  const peers = ports.filter((_, other) => other !== id).join(',');
  const words = ['--id', id, '--listen', ports[id]!, '--peers', peers, ...options];
  return quiet`exec ${process.execPath} --import tsx machine.ts ${words}`.run();
}

/** Resolves when a machine has printed what is looked for. */
async function printed(machine: ProcessPromise, what: RegExp): Promise<void> {
  const ended = machine.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`)));
  for (let text = ''; !what.test(text);) {
    const [data] = (await Promise.race([once(machine.stdout, 'data'), ended])) as [Buffer];
    text += String(data);
  }
}

async function stranger(port: number, text: string | Uint8Array): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((done) => {
  if (socket.resume().closed) done();
  socket.on('close', () => done());
});

/** A peer of id 2 that is no machine.ts: it knows the protocol, and does what the test wants. */
async function foreigner(port: number): Promise<Socket> {
  const socket = await stranger(port, encodeLine({ hello: 2, token: 'lab' }));
  await once(socket, 'data');
  return socket;
}

const machines = suite('machine.ts');
for (const wire of WIRES) {
  machines(`begin together over ${wire} in any order, and keep the rule`, async () => {
    const ports = await freePorts(3);
    const logs = folder();
    const options = ['--logs', logs, '--duration', '20', '--speed', '10', '--rates', '5,2,1',
      '--wire', wire];
    const second = start(1, ports, options);
    await printed(second, /listens/);
    const third = start(2, ports, options);
    await printed(third, /listens/);
    const ends = await Promise.all([start(0, ports, options), second, third]);
    assert.equal(ends.map(({ exitCode, stderr }) => [exitCode, stderr]),
      [[0, ''], [0, ''], [0, '']]);
    const { run, logs: rows } = readRun(logs);
    assert.equal(checkRun(run, rows).violations, []);
    assert.equal(run.rates_hz, [5, 2, 1]);
  });
}

machines('are not harmed by garbage, half lines, 10 MB, wrong tokens or silence', async () => {
  const ports = await freePorts(3);
  const logs = folder();
  const options = ['--logs', logs, '--duration', '30', '--speed', '10', '--rates', '3,2,4'];
  const first = start(0, ports, options);
  await printed(first, /listens/);
  const hello = encodeLine({ hello: 2, token: 'lab' });
  const bad = {
    'from .* closed: not a line': Buffer.from([0, 255, 1, 254, 10, 13, 10]),
    'a line of more than|maximum buffer': Buffer.alloc(10_000_000, 'x'),
    'wrong token': encodeLine({ hello: 2, token: 'guess' }),
    'unknown id 7': encodeLine({ hello: 7, token: 'lab' }),
    'unknown id 0': encodeLine({ hello: 0, token: 'lab' }),
    'its first line is no hello': encodeLine({ clock: 5 }),
    'not a line of the protocol: "nonsense"': `${hello}nonsense\n`,
    'not a line of the protocol: "{\\\\"clock\\\\":-4}"': `${hello}{"clock":-4}\n`,
    'out of turn': `${hello}${hello}`,
  };
  for (const text of Object.values(bad)) await closed(await stranger(ports[0]!, text));
  const silent = await stranger(ports[0]!, '');
  const half = await stranger(ports[0]!, hello.slice(0, 9));
  const others = [start(1, ports, options), start(2, ports, options)];
  await printed(first, /start/);
  const late = await stranger(ports[0]!, encodeLine({ hello: 1, token: 'lab' }));
  await closed(late);
  const ends = await Promise.all([first, ...others]);
  silent.destroy();
  half.destroy();
  assert.equal(ends.map(({ exitCode }) => exitCode), [0, 0, 0]);
  const lines = ends[0]!.stderr.trim().split('\n');
  for (const why of [...Object.keys(bad), 'a second connection from id 1']) {
    assert.is(lines.filter((line) => new RegExp(why).test(line)).length, 1, why);
  }
  const { run, logs: rows } = readRun(logs);
  assert.equal(checkRun(run, rows).violations, []);
});

machines('run on beside a peer of another make that reads nothing and then vanishes', async () => {
  const ports = await freePorts(3);
  const options = ['--duration', '30', '--speed', '10', '--rates', '6,6,6', '--internal', '0'];
  const pair = [start(0, ports, options), start(1, ports, options)];
  await Promise.all(pair.map((machine) => printed(machine, /listens/)));
  const sockets = [await foreigner(ports[0]!), await foreigner(ports[1]!)];
  sockets[0]!.write(encodeLine({ ready: true }));
  for (const socket of sockets) socket.pause();
  await Promise.all(pair.map((machine) => printed(machine, /,send,[01 ]*2/)));
  setTimeout(() => sockets.forEach((socket) => socket.destroy()), 1500);
  const ends = await Promise.all(pair);
  assert.equal(ends.map(({ exitCode }) => exitCode), [0, 0]);
  for (const { stderr } of ends) assert.match(stderr, /machine 2 is lost/);
});

for (const wire of WIRES) {
  machines(`say over ${wire} who is missing when the mesh is not complete in time`, async () => {
    const ports = await freePorts(3);
    const [first, third] = await Promise.all([
      start(0, ports, ['--timeout', '1', '--wire', wire]),
      start(2, ports, ['--timeout', '1', '--wire', wire]),
    ]);
    assert.equal([first.exitCode, third.exitCode], [1, 1]);
    assert.match(first.stderr, /not connected after 1 s; waited for machine 1 \(it has not/);
    assert.match(third.stderr, new RegExp(`machine 1 \\(127.0.0.1:${ports[1]}, ECONNREFUSED\\)`));
  });
}

machines('refuse a port that is taken and a log that exists, and overwrite nothing', async () => {
  const ports = await freePorts(2);
  const logs = folder();
  const options = ['--logs', logs, '--duration', '1', '--speed', '10'];
  await Promise.all([start(0, ports, options), start(1, ports, options)]);
  const before = readFileSync(join(logs, 'machine-0.csv'), 'utf8');
  const again = await start(0, ports, options);
  assert.is(again.exitCode, 2);
  assert.match(again.stderr, /^error: --logs .*EEXIST.*\n$/);
  assert.is(readFileSync(join(logs, 'machine-0.csv'), 'utf8'), before);
  const taken = createServer().listen(ports[0], '127.0.0.1');
  await once(taken, 'listening');
  const { exitCode, stderr } = await start(0, ports, []);
  taken.close();
  assert.is(exitCode, 2);
  assert.match(stderr, /^error: --listen 127.0.0.1:\d+: EADDRINUSE\n$/);
});

for (const wire of WIRES) {
  machines(`write their stop over ${wire} on SIGTERM, also between slow ticks`, async () => {
    const ports = await freePorts(2);
    const logs = folder();
    const options = ['--logs', logs, '--rates', '0.01,0.01', '--wire', wire];
    const pair = [start(0, ports, options), start(1, ports, options)];
    await Promise.all(pair.map((machine) => printed(machine, /start/)));
    for (const { child } of pair) child!.kill('SIGTERM');
    const ends = await Promise.all(pair);
    assert.equal(ends.map(({ exitCode }) => exitCode), [143, 143]);
    for (const id of [0, 1]) {
      assert.match(readFileSync(join(logs, `machine-${id}.csv`), 'utf8'), /,stop,,,0,\d+\n$/);
    }
  });
}

machines('end with one line when more messages wait than an inbox holds', async () => {
  const ports = await freePorts(3);
  const options = ['--rates', '0.01,0.01,0.01']; // No tick takes one.
  const [first, second] = [start(0, ports, options), start(1, ports, options)];
  await Promise.all([first, second].map((machine) => printed(machine, /listens/)));
  const [socket] = [await foreigner(ports[0]!), await foreigner(ports[1]!)];
  socket.write(encodeLine({ ready: true }));
  await printed(first, /,start,/);
  socket.write(encodeLine({ clock: 1 }).repeat(2 ** 20 + 1));
  const { exitCode, stderr } = await first;
  assert.is(exitCode, 1, stderr);
  assert.match(stderr, /more than 1048576 messages wait: it takes fewer than come in\n$/);
  second.child!.kill('SIGTERM');
  await second;
});

machines.run();
