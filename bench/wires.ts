/**
 * What each wire costs: messages a second between two processes, how long one message takes, and
 * what three machines at the exercise's rates use of the processor.
 *
 *   npm run bench -- --wires                   half a minute
 *   node --import tsx bench/wires.ts           the same
 *
 * The messages are the lab's own, on its own two wires, from one process to another on loopback.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { isMain, script } from '../lab/cli/options.ts';
import { table } from '../lab/cli/table.ts';
import { WIRES, type WireName } from '../lab/real/protocol.ts';
import type { Link, Wire } from '../lab/real/wire.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  messages: 40_000, // One way, as fast as they go.
  burst: 500, // The other end says when it has had so many more,
  unheard: 4, // and no more bursts than these are under way.
  pings: 3000, // There and back, one at a time.
  warm: 500, // Pings before those that count.
  rates: '1,4,6',
  speed: 20, // Model seconds in a real one: at one, the machines' start would be all that is seen.
  short_s: 20, // What a model minute costs is told by the difference of two runs,
  long_s: 200, // so that their start does not count.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

const HOST = '127.0.0.1';
const TOKEN = 'bench';

/** What was measured of one wire. */
export interface WireCost {
  wire: WireName;
  messages_hz: number;
  /** Half of the way there and back: the median, and the slowest of a hundred. */
  median_us: number;
  slow_us: number;
  /** Of three machines: for their start, and for a model minute of their running. */
  start_cpu_s: number;
  minute_cpu_ms: number;
}

const wireOf = async (name: WireName): Promise<Wire> =>
  name === 'tcp'
    ? (await import('../lab/real/tcp.ts')).tcp
    : (await import('../lab/real/grpc.ts')).grpc;

// ── Two processes ────────────────────────────────────────────────────────────────────────────

/** The other process: sends every ping back, and of the other messages the last of each burst. */
async function echo(name: WireName): Promise<void> {
  const listener = await (await wireOf(name)).listen({ host: HOST, port: 0 }, TOKEN);
  const pings = KNOBS.warm + KNOBS.pings;
  listener.answer((link) => ({
    hear(line) {
      if ('hello' in line) link.send({ hello: 0, token: TOKEN });
      if (!('clock' in line)) return;
      if (line.clock <= pings || (line.clock - pings) % KNOBS.burst === 0) link.send(line);
    },
    refuse: () => link.destroy(),
    failed: () => {},
    closed: () => process.exit(0),
  }));
  process.send!(listener.port);
}

async function twoProcesses(name: WireName) {
  const other = fork(fileURLToPath(import.meta.url), ['--echo', name], {
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const [port] = (await once(other, 'message')) as [number];
  let [latest, wake] = [0, (): void => {}];
  const wire = await wireOf(name);
  const link = await new Promise<Link>((resolve, reject) => {
    wire.call({ host: HOST, port }, { hello: 1, token: TOKEN }, (link) => ({
      hear(line) {
        if ('hello' in line) resolve(link);
        if (!('clock' in line)) return;
        latest = line.clock;
        wake();
      },
      refuse: (why) => reject(new Error(why)),
      failed: (why) => reject(new Error(why)),
      closed: () => {},
    }));
  });
  const answer = () => new Promise<void>((resolve) => (wake = resolve));
  const times_us: number[] = [];
  for (let clock = 1; clock <= KNOBS.warm + KNOBS.pings; clock++) {
    const before = performance.now();
    const back = answer();
    link.send({ clock });
    await back;
    if (clock > KNOBS.warm) times_us.push((1000 * (performance.now() - before)) / 2);
  }
  const before = performance.now();
  const from = KNOBS.warm + KNOBS.pings;
  for (let sent = 0; latest - from < KNOBS.messages;) {
    const back = answer();
    while (sent < KNOBS.messages && sent - (latest - from) < KNOBS.burst * KNOBS.unheard) {
      link.send({ clock: from + ++sent });
    }
    await back;
  }
  const messages_hz = (1000 * KNOBS.messages) / (performance.now() - before);
  const exited = once(other, 'exit');
  link.destroy();
  await exited;
  times_us.sort((a, b) => a - b);
  const at = (share: number) => times_us[Math.floor(share * times_us.length)]!;
  return { messages_hz, median_us: at(0.5), slow_us: at(0.99) };
}

// ── Three machines ───────────────────────────────────────────────────────────────────────────

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** CPU seconds of three machines from their start to their end; a shell counts its children's. */
async function machines_cpu_s(name: WireName, duration_s: number): Promise<number> {
  const ports = await freePorts(3);
  const node = `"${process.execPath}" --import "${import.meta.resolve('tsx')}"`;
  const machine = fileURLToPath(new URL('../machine.ts', import.meta.url));
  const lines = ports.map((port, id) =>
    `${node} "${machine}" --id ${id} --listen ${port} --peers ${
      ports.filter((_, other) => other !== id).join(',')
    } --wire ${name} --rates ${KNOBS.rates} --speed ${KNOBS.speed} `
    + `--duration ${duration_s} >/dev/null & p${id}=$!`);
  const waits = ports.map((_, id) => `wait $p${id} || exit 1`);
  const shell = spawn('sh', ['-c', [...lines, ...waits, 'times'].join('\n')],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  shell.stdout.on('data', (data) => (text += String(data)));
  const [code] = (await once(shell, 'close')) as [number];
  if (code !== 0) throw new Error(`three machines over ${name} did not end well`);
  const children = text.trim().split('\n').at(-1)!;
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0);
}

async function threeMachines(name: WireName) {
  const { short_s, long_s } = KNOBS;
  const [short, long] = await Promise.all([
    machines_cpu_s(name, short_s), machines_cpu_s(name, long_s),
  ]);
  const a_second = Math.max(0, (long - short) / (long_s - short_s));
  return { start_cpu_s: short - short_s * a_second, minute_cpu_ms: 60_000 * a_second };
}

// ── The table ────────────────────────────────────────────────────────────────────────────────

/** Measures both wires: two processes one wire after the other, machines all at once. */
export async function wireCosts(): Promise<WireCost[]> {
  const pairs = [];
  for (const wire of WIRES) pairs.push({ wire, ...(await twoProcesses(wire)) });
  const threes = await Promise.all(WIRES.map(threeMachines));
  return pairs.map((pair, n) => ({ ...pair, ...threes[n]! }));
}

/** Measures both wires and prints one table. */
export async function benchWires(): Promise<void> {
  const costs = await wireCosts();
  console.log('\nBoth wires on loopback, and three machines at rates '
    + `${KNOBS.rates.replaceAll(',', '-')}\n`);
  console.log(table([
    { heading: 'wire', align: 'left' },
    { group: 'two processes', heading: 'messages a second' },
    { group: 'one message, µs', heading: 'median' },
    { group: 'one message, µs', heading: '99 %' },
    { group: 'CPU of three machines', heading: 'to start, s' },
    { group: 'CPU of three machines', heading: 'a minute, ms' },
  ], costs.map(({ wire, messages_hz, median_us, slow_us, start_cpu_s, minute_cpu_ms }) => [
    wire, Math.round(messages_hz).toLocaleString('en'), median_us.toFixed(0), slow_us.toFixed(0),
    start_cpu_s.toFixed(1), minute_cpu_ms.toFixed(0),
  ])));
}

if (isMain(import.meta.url)) {
  const { echo: name } = script(import.meta.url)
    .addOption(new Option('--echo <wire>').choices(WIRES).hideHelp())
    .parse().opts<{ echo?: WireName }>();
  await (name ? echo(name) : benchWires());
}
