/**
 * Logs as other people write them, of runs whose rule is known: a small simulation, and forty ways
 * to write its events down. All of it is made here; no line is anybody's.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runs } from './runs.ts';

export type Variant = 'clean' | 'old' | 'max' | 'double' | 'ignored' | 'forgets';
/** What the rows of a variant show, in the words of the field's table. */
export const RULES: Record<Variant, string> = { clean: 'clean', old: 'receive = send clock',
  max: 'receive = send clock', double: 'other', ignored: 'other', forgets: 'other' };
/** Those in which the styles are written in turn. */
export const VARIANTS: Variant[] = ['clean', 'old', 'max', 'double', 'ignored'];

/** What happened, before anybody writes it down. */
export interface Happened {
  id: number;
  n: number;
  /** Seconds since the epoch. */
  time: number;
  event: 'internal' | 'send' | 'receive';
  clock: number;
  before: number;
  peers: number[];
  both: boolean;
  message: number;
  queue: number;
  roll: number;
  rate: number;
  vector: number[];
}

/** A generator of numbers in [0, 1), for tests alone. */
function chance(seed: number): () => number {
  let state = seed * 2654435761 + 12345;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** A run of three machines by a variant of the rule. */
export function happen(
  variant: Variant, seed = 1, rates = [1, 3, 5], duration_s = runs(20, 60),
): Happened[][] {
  const next = chance(seed);
  const start = 1_741_200_000 + seed * 500;
  const machines = rates.map(() => ({ clock: 0, vector: rates.map(() => 0),
    queue: [] as { from: number; value: number; vector: number[] }[], log: [] as Happened[] }));
  const ticks = rates.flatMap((rate, id) => Array.from({ length: rate * duration_s }, (_, k) =>
    ({ id, at: (k + 0.13 + 0.27 * id) / rate }))).sort((a, b) => a.at - b.at);
  for (const { id, at } of ticks) {
    const own = machines[id]!;
    const before = own.clock;
    const roll = 1 + Math.floor(next() * 10);
    // With all of its names at once: what is spread and then added to is a hundred times as slow.
    const base: Happened = { id, n: own.log.length, time: start + at, event: 'internal', clock: 0,
      before, peers: [], both: false, message: 0, queue: 0, roll, rate: rates[id]!, vector: [] };
    const others = rates.map((_, other) => other).filter((other) => other !== id);
    own.vector[id]!++;
    const message = own.queue.shift();
    if (message) {
      const { value } = message;
      own.clock = variant === 'max' ? Math.max(before, value) : variant === 'ignored' ? before + 1
        : variant === 'forgets' ? value + 1
        : Math.max(before, value) + (variant === 'double' ? 2 : 1);
      own.vector = own.vector.map((part, n) =>
        (n === id ? part : Math.max(part, message.vector[n]!)));
      own.log.push({ ...base, event: 'receive', clock: own.clock, peers: [message.from],
        both: false, message: value, queue: own.queue.length, vector: [...own.vector] });
      continue;
    }
    own.clock++;
    const peers = roll === 1 ? [others[0]!] : roll === 2 ? [others[1]!] : roll === 3 ? others : [];
    const value = variant === 'old' ? before : own.clock;
    for (const peer of peers) {
      machines[peer]!.queue.push({ from: id, value, vector: [...own.vector] });
    }
    own.log.push({ ...base, event: peers.length > 0 ? 'send' : 'internal', clock: own.clock, peers,
      both: peers.length > 1, message: value, queue: 0, vector: [...own.vector] });
  }
  return machines.map(({ log }) => log);
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');
const iso = (time: number) => new Date(time * 1000).toISOString();
const day = (time: number) => iso(time).slice(0, 10);
const hms = (time: number) => iso(time).slice(11, 19);
const fraction = (time: number, digits: number) => (time % 1).toFixed(digits).slice(2);
/** h:m:s with so many digits behind it. */
const fine = (time: number, digits: number) => `${hms(time)}.${fraction(time, digits)}`;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const WEEKDAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');
const month = (time: number) => MONTHS[new Date(time * 1000).getUTCMonth()];
const ctime = (time: number) => {
  const date = new Date(time * 1000);
  return `${WEEKDAYS[date.getUTCDay()]} ${month(time)} `
    + `${String(date.getUTCDate()).padStart(2)} ${hms(time)} ${date.getUTCFullYear()}`;
};
const twelveHours = (time: number) => {
  const hours = new Date(time * 1000).getUTCHours();
  return `${pad((hours % 12) || 12)}:${hms(time).slice(3)} ${hours < 12 ? 'AM' : 'PM'}`;
};
const letter = (id: number) => 'ABC'[id]!;

/** A way to write a run down. */
export interface Style {
  name: string;
  /** The file of a machine, in a run's folder. */
  file: (id: number, rate: number, log: Happened[]) => string;
  head?: (id: number, rate: number) => string[];
  /** The lines of an event; several lines that are one record hold a newline. */
  line: (event: Happened) => string | string[];
  tail?: (id: number) => string[];
  /** What else is written: the whole file from its lines. */
  whole?: (lines: string[]) => string;
  /** Rows that are events, where a send to both is two rows: they become one event. */
  vector?: boolean;
}

const plain = (id: number) => `machine_${id}.log`;
const say = <T>(event: Happened, internal: T, send: T, receive: T): T =>
  (event.event === 'internal' ? internal : event.event === 'send' ? send : receive);
const upper = ({ event }: Happened) => event.toUpperCase();
const each = (event: Happened, write: (peer: number) => string): string[] => event.peers.map(write);
/** The queue of a receive; at other events what stands where there is none. */
const queueOr = (event: Happened, none: string) =>
  (event.event === 'receive' ? String(event.queue) : none);
/** Milliseconds of a counter that began with the run, or about so. */
const counter_ms = (event: Happened) => Math.round((event.time % 500) * 1000);
const ids = (event: Happened) => event.peers.map((peer) => peer + 1);

export const STYLES: Style[] = [
  { name: 'a sentence with a time stamp', file: plain,
    head: (_, rate) => [`INFO - Clock rate: ${rate} ticks per second`],
    line: (e) => `${day(e.time)} ${hms(e.time)},${fraction(e.time, 3)} - INFO - ${say(e,
      'Internal event',
      `Sent message to ${e.both ? 'both machines' : `machine ${e.peers[0]}`}`,
      `Received a message from machine ${e.peers[0]}. Queue length is ${e.queue}`,
    )}. Logical clock is now ${e.clock}.` },
  { name: 'clock in front of words', file: (id) => `vm${id}.txt`,
    head: (_, rate) => [`speed ${rate}`],
    line: (e) => `[${e.clock}] ${fine(e.time, 6)} ${say(e, 'internal event',
      `sent to ${e.both ? 'everyone' : e.peers[0]}`,
      `got message, ${e.queue} messages left in queue`)}` },
  { name: 'key=value', file: (id) => `proc-${id + 1}.log`,
    head: (id, rate) => [`id=${id + 1} tick_rate=${rate}`],
    line: (e) => `event=${say(e, 'INTERNAL', e.both ? 'SEND_ALL' : 'SEND', 'RECV')} `
      + `sys_time=${e.time.toFixed(4)} lclock=${e.clock}`
      + say(e, '', ` to=${ids(e).join(',')}`, ` from=${ids(e)[0]} qlen=${e.queue}`) },
  { name: 'key: value, pipes', file: (id) => `machine${id}.log`,
    line: (e) => [`Machine: ${e.id}`, `Type: ${say(e, 'Internal', 'Send', 'Receive')}`,
      `Global Time: ${iso(e.time)}`, `Logical Clock: ${e.clock}`,
      ...say(e, [], [`Target: ${e.both ? 'all' : e.peers[0]}`],
        [`Sender: ${e.peers[0]}`, `Queue Length: ${e.queue}`])].join(' | ') },
  { name: 'pipes, no names', file: (id) => `log_${id}.txt`,
    line: (e) => [e.time.toFixed(3), upper(e), e.clock, queueOr(e, 'N/A')].join(' | ') },
  { name: 'tabs, epoch ms', file: (id) => `out${id}.tsv`,
    line: (e) => [Math.round(e.time * 1000), e.event, e.clock, e.queue].join('\t') },
  { name: 'spaces, short codes', file: (id) => `m${id}.log`, head: (_, rate) => [`RATE ${rate}`],
    line: (e) => [fine(e.time, 3), say(e, 'I', e.both ? 'SB' : `S${e.peers[0]}`, `R ${e.queue}`),
      e.clock].join(' ') },
  { name: 'slashes', file: (id) => `process_${id}.log`,
    line: (e) => [hms(e.time), say(e, 'Internal',
      e.both ? 'Broadcast' : `SendTo:process_${e.peers[0]}`,
      `RecvFrom:process_${e.peers[0]}/Q:${e.queue}`), e.clock].join('/') },
  { name: 'CSV with a header', file: (id) => `machine_${id}.csv`,
    head: () => ['event_type,system_time,logical_clock,queue_length'],
    line: (e) => [e.event, e.time.toFixed(5), e.clock, queueOr(e, '')].join(',') },
  { name: 'CSV with quotes and peers in words', file: (id) => `vm_${id}.csv`,
    head: () => ['Timestamp,Logical Clock,Event,Details'],
    line: (e) => `"${day(e.time)} ${fine(e.time, 6)}",${e.clock},${upper(e)},"${say(e,
      'nothing, really', `to ${e.both ? 'all' : `machine ${e.peers[0]}`}`,
      `from machine ${e.peers[0]}, queue ${e.queue}`)}"` },
  { name: 'CSV without a header', file: (id) => `${letter(id)}.csv`,
    line: (e) => [hms(e.time), e.both ? 'send both' : e.event, e.queue, e.clock].join(',') },
  { name: 'CSV with an index and codes', file: (id) => `clock_${id}.csv`,
    head: () => [',code,lc,time,queue'],
    line: (e) => [e.n, say(e, e.roll, e.roll, -1), e.clock, e.time.toFixed(2), e.queue].join(',') },
  { name: 'TSV with codes', file: (id) => `Log_${9000 + id}.txt`,
    head: () => ['OP\tLOGICAL\tSYSTEM_TIME\tQ_SIZE\tPORT'],
    line: (e) => [say(e, e.roll, e.roll, 0), e.clock, (e.time % 1000).toFixed(6), e.queue,
      9000 + e.id].join('\t') },
  { name: 'one-hot columns', file: (id, rate) => `machine${id}_speed${rate}.csv`,
    head: () => ['internal,sent,received,time,logical_clock_time,queue_len'],
    line: (e) => [say(e, '1,0,0', '0,1,0', '0,0,1'), Math.floor(e.time), e.clock,
      e.queue].join(',') },
  { name: 'one-hot columns of true and false', file: (id) => `vm${id}.csv`,
    head: () => ['is_send;is_receive;is_internal;clock;queue;global_time'],
    line: (e) => [say(e, 'False;False;True', 'True;False;False', 'False;True;False'), e.clock,
      e.queue, iso(e.time)].join(';') },
  { name: 'brackets', file: (id) => `node${id}.log`,
    line: (e) => `[${e.event}] [${hms(e.time)}] [${e.clock}]`
      + say(e, '', ` -> ${e.peers.join(',')}`, ` <- ${e.peers[0]} (${e.queue})`) },
  { name: 'brackets with the machine', file: (id) => `${id}.log`,
    line: (e) => `[VM ${e.id}][${day(e.time)} ${hms(e.time)}] `
      + `${say(e, 'IDLE', 'SENT', 'RECEIVED')} LC=${e.clock}`
      + say(e, '', ` DEST=${e.both ? 'BOTH' : e.peers[0]}`,
        ` SRC=${e.peers[0]} MSG=${e.message} QUEUE=${e.queue}`) },
  { name: 'vector clocks in brackets', file: (id) => `p${id}.log`, vector: true,
    line: (e) => `${fine(e.time, 3)} ${say(e, 'INTERNAL', 'SEND', 'RECV')} `
      + `vector: [${e.vector.join(', ')}]${say(e, '', '', ` queue: ${e.queue}`)}` },
  { name: 'vector clocks, bare', file: (id) => `p${id}.log`, vector: true,
    line: (e) => [e.vector.join(','), e.event, Math.round(e.time * 1e9), e.queue].join(' | ') },
  { name: 'records of two lines', file: (id) => `log${id}.txt`,
    line: (e) => `${say(e, 'Internal event', `Message sent to ${e.both ? 'both' : e.peers[0]}`,
      `Message received, queue length ${e.queue}`)} at ${hms(e.time)}\n`
      + `Logical clock value: ${e.clock}` },
  { name: 'records of four lines', file: (id) => `log${id}.txt`,
    line: (e) => `EVENT: ${e.event}\nSystem time: ${ctime(e.time)}\n`
      + `Logical clock: ${e.clock}\nQueue length: ${e.queue}\n` },
  { name: 'records between dashes', file: (id) => `log${id}.txt`,
    line: (e) => `-----\nLogical clock: ${e.clock}\nTime: ${e.time.toFixed(6)}\n`
      + say(e, 'Internal event', 'Sent message', 'Received message') },
  { name: 'JSON lines', file: (id) => `machine-${id}.jsonl`,
    head: (id, rate) => [JSON.stringify({ type: 'init', machine: id, rate })],
    line: (e) => JSON.stringify({ type: e.event, machine: e.id, ts: e.time, logical_clock: e.clock,
      ...say(e, {}, { recipients: e.peers }, { queue_length: e.queue, sender: e.peers[0] }) }) },
  { name: 'a JSON array', file: (id) => `client${id}.json`,
    whole: (lines) => JSON.stringify(lines.map((line) => JSON.parse(line)), null, 2),
    line: ({ time, event, clock, queue }) =>
      JSON.stringify({ time: iso(time), event: event.toUpperCase(), clock, queue }) },
  { name: 'Python dictionaries', file: (id) => `m${id}.log`,
    line: (e) => `{'event': '${say(e, 'internal', 'send', 'recv')}', `
      + `'time': ${e.time.toFixed(6)}, 'logical_clock': ${e.clock}, 'queue': ${e.queue}}` },
  { name: 'processing beside arrival', file: (id) => `vm_${id}.log`,
    line: (e) => say(e, [`INTERNAL clock=${e.clock}`],
      [`SEND clock=${e.clock} to=${e.peers.join('&')}`],
      [`Message arrived from ${e.peers[0]} and queued, message clock ${e.message}`,
        `PROCESSED message clock=${e.clock} queue=${e.queue}`])
      .map((words) => `${hms(e.time)} ${words}`) },
  { name: 'errors, connections and stack traces between', file: (id) => `machine_${id}.log`,
    head: (id, rate) => [`Starting machine ${id} at ${rate} Hz`, 'Listening on port 5000',
      'Connected to peer 1 on port 5001'],
    line: (e) => [...(e.n % 7 === 3 ? ['Failed to receive message!',
      'Traceback (most recent call last):', '  File "vm.py", line 12, in receive'] : []),
    [hms(e.time), say(e, 'internal', 'sent', 'recieved'), `logical: ${e.clock}`,
      `queue: ${e.queue}`].join(' | ')],
    tail: () => ['Shutting down', 'Connection closed'] },
  { name: 'sends to both as two rows of one clock', file: (id) => `machine_${id}.log`,
    line: (e) => say(e, ['INTERNAL'], each(e, (peer) => `SEND to ${peer}`),
      [`RECEIVE from ${e.peers[0]} queue ${e.queue}`])
      .map((words) => `${hms(e.time)} - ${words} - LC ${e.clock}`) },
  { name: 'ctime and the value', file: (id) => `run1_vm${id}.txt`,
    line: (e) => `${say(e, `Internal event (die ${e.roll})`,
      `Sending message "${e.message}" to ${each(e, (peer) => `machine ${peer}`).join(' and ')}`,
      `Received message "${e.message}"`)} at system time ${ctime(e.time)}, `
      + `logical clock time ${e.clock}${say(e, '', '', `, queue length ${e.queue}`)}` },
  { name: 'a month and a day', file: (id) => `m${id}.log`,
    line: (e) => `${month(e.time)} ${new Date(e.time * 1000).getUTCDate()} ${hms(e.time)} `
      + `vm${e.id}: ${say(e, 'internal', `send -> vm${e.peers.join(' vm')}`,
        `receive <- vm${e.peers[0]} [${e.queue}]`)} clock ${e.clock}` },
  { name: 'nanoseconds since the start', file: (id) => `log${id}.txt`,
    line: (e) => [say(e, 'INTERNAL', `SEND TO ${e.both ? 'BOTH' : e.peers[0]}`,
      `RECEIVE QUEUE ${e.queue}`), Math.round((e.time % 1e4) * 1e9), e.clock].join('\t') },
  { name: 'milliseconds since the start, no words', file: (id) => `${letter(id)}2.out`,
    head: (id, rate) => [`INIT,${letter(id)},${rate}`],
    line: (e) => [say(e, 'INT', `${e.both ? 'MULTI' : 'SINGLE'}_SEND`,
      `RECV,${letter(e.peers[0]!)},${e.queue}`), counter_ms(e), e.clock].join(',') },
  { name: 'old and new clock', file: (id) => `machine_${id + 1}_log.txt`,
    head: (_, rate) => [`Clock rate=${rate}`],
    line: (e) => [`[${upper(e)}] SystemTime=${e.time.toFixed(4)}`, `OldClock=${e.before}`,
      `NewClock=${e.clock}`, ...say(e, [], [`To=${ids(e).join('+')}`],
        [`From=${ids(e)[0]}`, `SenderClock=${e.message}`, `QueueAfter=${e.queue}`])].join(', ') },
  { name: 'the Python logger', file: (id) => `default_run_${id}.log`,
    head: (_, rate) => [`INFO:root:Clock speed ${rate}`],
    line: (e) => `INFO:root:${say(e, 'Internal event', 'Sent message', 'Received message')} `
      + `at logical time ${e.clock}, system time ${fine(e.time, 6)}`
      + say(e, '', '', `, queue ${e.queue}`) },
  { name: 'the die as the event', file: (id) => `vm${id}.log`,
    head: () => ['time,roll,logical clock,queue length'],
    line: (e) => [hms(e.time), say<number | string>(e, e.roll, e.roll, 'recv'), e.clock,
      e.queue].join(',') },
  { name: 'twelve hours', file: (id) => `machine ${id}.txt`,
    line: (e) => `${twelveHours(e.time)} - ${say(e, 'Internal', 'Send', 'Receive')} - `
      + `Clock: ${e.clock}${say(e, '', '', ` - Queue: ${e.queue}`)}` },
  { name: 'day first', file: (id) => `log-${id}.log`,
    line: (e) => [`${day(e.time).split('-').reverse().join('/')} ${hms(e.time)}`,
      say(e, 'local event', 'message sent', 'message received'), `LC: ${e.clock}`,
      `${e.queue} in queue`].join('; ') },
  { name: 'verbs only: pop and push', file: (id) => `worker_${id}.log`,
    line: (e) => `${e.time.toFixed(3)} ${say(e, 'sleep', 'push', 'pop')} ${e.clock} ${e.queue}` },
  { name: 'floats as clocks', file: (id) => `A${id}.log`,
    line: (e) => [upper(e), e.time.toFixed(5), e.queue,
      e.clock > 20 ? e.clock.toFixed(1) : e.clock].join(' | ') },
  { name: 'colours of a terminal', file: (id) => `m${id}.log`,
    line: (e) => `\u001b[3${e.id + 1}m[${hms(e.time)}] ${e.event} clock ${e.clock} `
      + `queue ${e.queue}\u001b[0m` },
  { name: 'Windows ends of lines', file: (id) => `m${id}.log`,
    whole: (lines) => `${lines.join('\r\n')}\r\n`,
    line: (e) => `${hms(e.time)} ${say(e, 'Internal', 'Sent', 'Received')} ${e.clock}` },
  { name: 'no times at all', file: (id) => `machine_${id}.log`,
    line: (e) => `${e.event} ${e.clock}${say(e, '', '', ` queue=${e.queue}`)}` },
  { name: 'columns differ by event', file: plain,
    line: (e) => say(e, `internal\t${e.clock}`, `send\t${e.peers.join('+')}\t${e.clock}`,
      `${e.queue}\treceive\t${e.clock}`) },
  { name: 'times with their zone', file: plain,
    line: (e) => `${iso(e.time).slice(0, -1)}+00:00 `
      + `${say(e, 'internal event', 'sent message', 'received message')}, clock ${e.clock}` },
  { name: 'hours between dashes', file: plain,
    line: (e) => [`${day(e.time)}_${hms(e.time).replaceAll(':', '-')}`, upper(e), e.clock,
      e.queue].join(' | ') },
  { name: 'columns without names, values missing', file: (id) => `vm${id}.csv`,
    line: (e) => [e.event === 'send' ? letter(e.peers[0]!) : 'N/A', e.time.toFixed(2),
      queueOr(e, 'N/A'), e.event, e.clock].join(',') },
  { name: 'one-hot columns without names', file: plain,
    line: (e) => [e.time.toFixed(3), e.event === 'send' ? e.peers[0] : 'None',
      say(e, 'True,False,False', 'False,True,False', 'False,False,True'), e.clock,
      queueOr(e, 'None')].join(',') },
  { name: 'a die without names', file: plain,
    line: (e) => [e.time.toFixed(3), e.clock, queueOr(e, '-'),
      say<number | string>(e, e.roll, e.roll, 'received'),
      e.event === 'send' ? e.peers[0] : '-'].join(',') },
  { name: 'three codes, of which the queue tells one', file: plain,
    head: () => ['kind;system time;clock;queue length'],
    line: (e) => [say(e, 2, 1, 0), e.time.toFixed(3), e.clock, queueOr(e, '-')].join(';') },
  { name: 'letters of events and of machines', file: (id) => `${letter(id)}.json`,
    line: (e) => JSON.stringify({ clock: e.clock, 'Machine ID': letter(e.id),
      system_time: e.time, Type: say(e, 'I', 'S', 'R') }) },
  { name: 'records whose second line is set in', file: plain,
    head: (id, rate) => [`# machine ${id}, rate ${rate}`],
    line: (e) => `Action: ${say(e, 'internal', `send to ${e.peers.join('&')}`,
      `receive, pending: ${e.queue}`)}\n  clock: ${e.clock}, time: ${ctime(e.time)}` },
  { name: 'records that begin with their time', file: plain,
    head: (_, rate) => [`Running at ${rate} Hz`],
    line: (e) => `${fine(e.time, 6)} ${say(e, 'self', 'send', 'receive')}\n`
      + `updated clock: ${e.clock}\nmsg_queue_len: ${e.queue}` },
  { name: 'processing is what is internal', file: plain,
    line: (e) => JSON.stringify({ Event: say(e, 'Processing', 'Sending', 'Receiving'),
      num_messages: e.queue, clock: e.clock, time: e.time }) },
  { name: 'messages that are left', file: plain,
    line: (e) => `${hms(e.time)}: ${say(e, 'Internal event',
      `Sent a message to machine ${e.peers.join(' and ')}`,
      `Received a message from machine ${e.peers[0]}, ${e.queue} messages left`)}. `
      + `Logical clock ${e.clock}` },
];

/** Writes a run in a style into a folder; returns how many events and files it has. */
export function writeStyle(folder: string, style: Style, logs: Happened[][]): number {
  let events = 0;
  for (const [id, log] of logs.entries()) {
    const { rate } = log[0]!;
    const path = join(folder, style.file(id, rate, log));
    mkdirSync(dirname(path), { recursive: true });
    const lines = [...style.head?.(id, rate) ?? [], ...log.flatMap((event) => style.line(event)),
      ...style.tail?.(id) ?? []];
    writeFileSync(path, style.whole ? style.whole(lines) : `${lines.join('\n')}\n`);
    events += log.length;
  }
  return events;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, which goes with the process. */
export function fresh(): string {
  const folder = mkdtempSync(join(tmpdir(), 'foreign-'));
  folders.push(folder);
  return folder;
}

/** A new folder with a run in a style, or in the one of that name. */
export function styled(style: Style | string, logs: Happened[][]): string {
  const folder = fresh();
  const named = STYLES.find(({ name }) => name === style);
  writeStyle(folder, typeof style === 'string' ? named! : style, logs);
  return folder;
}
