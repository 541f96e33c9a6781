import { readFileSync } from 'node:fs';
import pl, { type DataFrame } from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { coloured, colourOf, machine_colours } from '../lab/cli/terminal.ts';
import { scene } from '../lab/frames/causes.ts';
import { load } from '../lab/frames/load.ts';
import type { Diagram } from '../lab/model/causality.ts';
import {
  clocksPicture, eventsPicture, jumpsPicture, lagPicture, queuesPicture,
} from '../lab/report/runs.ts';
import { COLOURS, dashOf } from '../lab/report/signs.ts';
import { spaceTimePicture } from '../lab/report/spacetime.ts';
import { theme } from '../lab/report/stage.ts';
import { rule, tell } from '../lab/report/words.ts';
import { folders } from './folders.ts';
import { thoroughly } from './runs.ts';

const { virtual } = folders('pictures');

const ids = Array.from({ length: 3 }, (_, id) => id);
/** Three machines whose numbers go up by 1, 2 and 3 a second for some time. */
const states = (seconds: number, step = 1): DataFrame =>
  pl.readRecords(Array.from({ length: Math.floor(seconds / step) + 1 }, (_, k) => k * step)
    .flatMap((time_s) => ids.map((machine) => {
      const clock = Math.floor(time_s * (machine + 1));
      return { time_s, machine, clock, queue: clock % 3, lag: Math.floor(3 * time_s) - clock };
    })));
const counts = pl.readRecords([
  { machine: 0, jump: 1, ticks: 9, share: 0.9 }, { machine: 0, jump: 7, ticks: 1, share: 0.1 },
  { machine: 2, jump: 1, ticks: 4, share: 1 }]);
const slices = pl.readRecords([
  { machine: 0, from_s: 0, to_s: 5, event: 'receive', ticks: 3, share: 1 },
  { machine: 1, from_s: 0, to_s: 5, event: 'send', ticks: 1, share: 0.25 },
  { machine: 1, from_s: 0, to_s: 5, event: 'internal', ticks: 3, share: 0.75 },
  { machine: 1, from_s: 5, to_s: 10, event: 'internal', ticks: 2, share: 1 }]);
/** 0 sends to 1, which has an event before and one after; 2 stands apart. */
const diagram: Diagram = {
  name: 'test', machines: 3, end_s: 5, ends_s: [5, 5, 3], events: 5,
  machine: [1, 0, 1, 1, 2], time_s: [0.5, 1, 2, 3, 2.5], event: ['i', 's', 'r', 'i', 'i'],
  peer: ['', '1', '0', '', ''], message: [null, 1, 1, null, null], queue: [0, 0, 0, 0, 0],
  clock: [1, 1, 2, 3, 1], cause: [-1, -1, 1, -1, -1],
};
const drawn = async (): Promise<Record<string, string>> => ({
  clocks: await clocksPicture(states(10)), lag: await lagPicture(states(10)),
  queues: await queuesPicture(states(10)), jumps: await jumpsPicture(counts),
  events: await eventsPicture(slices),
  'space-time': spaceTimePicture(diagram, { from_s: 0, to_s: 5 }),
});

const colours = suite('colours');
colours('are the same for a machine everywhere, and begin again after the sixth', () => {
  assert.equal([0, 1, 2].map(colourOf), ['#0072B2', '#D55E00', '#009E73']);
  assert.is(colourOf(7), colourOf(1));
  assert.is(coloured(1, 'x'), '\x1b[38;2;213;94;0mx\x1b[39m');
  for (const values of Object.values(theme) as Record<string, string>[]) {
    const lines = machine_colours.map((_, id) => values[`machine-${id}`]);
    assert.equal(lines, [...machine_colours]);
  }
});
colours('let text be read: a contrast of at least 4.5, on light and on dark', () => {
  const light = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place]!, 0);
  for (const [name, values] of Object.entries(theme)) {
    for (const [variable, colour] of Object.entries(values)) {
      if (!/ink|muted|label/.test(variable)) continue;
      const [one, other] = [light(colour), light(values.paper)].sort((a, b) => b - a);
      assert.ok((one! + 0.05) / (other! + 0.05) >= 4.5, `${name} ${variable}`);
    }
  }
});
colours('cost a launcher nothing: they bring no library, and the stage only as it draws', () => {
  const imported = (path: string) =>
    [...readFileSync(new URL(path, import.meta.url), 'utf8')
      .matchAll(/^import (?!type )[^;]* from '([^']+)'/gm)].map(([, name]) => name);
  assert.equal(imported('../lab/cli/terminal.ts'), ['node:util']);
  assert.equal(imported('../lab/report/stage.ts'),
    ['escape-goat', '../cli/terminal.ts']);
});
colours.run();

const pictures = suite('pictures');
const thoroughPictures = thoroughly(pictures);
pictures('are one SVG each, with a size, that no page has to help', async () => {
  for (const [name, svg] of Object.entries(await drawn())) {
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, name);
    assert.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/, name);
    assert.is(svg.match(/<svg/g)!.length, 1, name);
    assert.not.match(svg, /NaN|undefined|null|Infinity|<style|href=/, name);
    // Each colour that a page may set has a value for where there is no page.
    assert.not.match(svg, /var\(--[\w-]+\)/, name);
  }
});
pictures('say what the axes are, with units', async () => {
  const { clocks, lag, queues, jumps, events, 'space-time': spaceTime } = await drawn();
  for (const svg of [clocks, lag, queues, events, spaceTime]) assert.match(svg!, /time, s/);
  assert.match(clocks!, /↑ clock/);
  assert.match(lag!, /↑ behind the highest clock/);
  assert.match(queues!, /↑ messages that wait/);
  assert.match(jumps!, /↑ % of its ticks \(square-root scale\)/);
  assert.match(events!, /↑ % of its ticks/);
});
pictures('name each machine in its own colour', async () => {
  for (const [name, svg] of Object.entries(await drawn())) {
    for (const id of name === 'jumps' ? [0, 2] : name === 'events' ? [0, 1] : ids) {
      assert.match(svg, new RegExp(`>machine ${id}<`), name);
      assert.match(svg, new RegExp(`var\\(--label-${id},#`), name);
      assert.match(svg, new RegExp(`var\\(--machine-${id},${colourOf(id)}\\)`), name);
    }
  }
});
pictures('have a field also for a machine that did nothing, if told of it', async () => {
  assert.match(await jumpsPicture(counts, { machines: 3 }), />machine 1</);
  assert.match(await eventsPicture(slices, { machines: 3 }), />machine 2</);
});
pictures('share an axis when they are given its end', async () => {
  const top = (svg: string) => Math.max(...[...svg.matchAll(/>([\d,]+)<\/text>/g)]
    .map(([, text]) => Number(text!.replaceAll(',', ''))));
  assert.is(top(await clocksPicture(states(10), { max: 1000, end_s: 100 })), 1000);
  assert.ok(top(await clocksPicture(states(10))) <= 40);
});
/** The path of machine 1's line. */
const line = (svg: string) => {
  const group = svg.split('<g ').find((text) => /stroke="var\(--machine-1/.test(text))!;
  return [...group.matchAll(/[ML]?(-?[\d.]+),(-?[\d.]+)/g)]
    .map(([, x, y]) => [Number(x), Number(y)]);
};
thoroughPictures('draw no more of a long run than can be seen, and keep its peaks', async () => {
  // 4,001 times, at one of which machine 1 is 9,999 behind, and at all others 1.
  const peak = pl.when(pl.col('time_s').eq(777).and(pl.col('machine').eq(1)))
    .then(pl.lit(9999)).otherwise(pl.col('clock').cast(pl.Int64));
  const points = line(await lagPicture(states(2000, 0.5).withColumn(peak.alias('lag'))));
  assert.ok(points.length < 5 * 560, `${points.length} points`);
  const [highest, next] = [...new Set(points.map(([, y]) => y!))].sort((a, b) => a - b);
  assert.ok(next! - highest! > 20, 'the peak stands out');
});
thoroughPictures('name every line of 10, 40 and 50 machines, none upon another', async () => {
  for (const machines of [10, 40, 50]) {
    const many = pl.readRecords(Array.from({ length: machines }, (_, machine) => machine)
      .flatMap((machine) => [0, 1, 2].map((time_s) =>
        ({ time_s, machine, clock: time_s * (machine >> 2), queue: 0, lag: time_s }))));
    const all = await Promise.all([clocksPicture, ...(machines > 12 ? [lagPicture] : [])]
      .map((draw) => draw(many)));
    for (const svg of all) {
      const names = [...svg.matchAll(/translate\([\d.]+,([\d.-]+)\)"[^>]*>machine (\d+)</g)];
      assert.is(new Set(names.map(([, , id]) => id)).size, machines);
      const ys = names.map(([, y]) => Number(y)).sort((a, b) => a - b);
      assert.ok(ys.every((y, at) => at === 0 || y - ys[at - 1]! >= 10.9), `${machines}`);
      const height = Number(/height="(\d+)"/.exec(svg)![1]);
      assert.ok(ys[0]! >= 8 && ys.at(-1)! <= height, `${ys[0]} to ${ys.at(-1)} of ${height}`);
    }
  }
});
pictures('tell machines apart by a colour, and beyond the colours by dashes', async () => {
  assert.is(COLOURS, machine_colours.length);
  const signs = Array.from({ length: 54 }, (_, id) => `${colourOf(id)} ${dashOf(id)}`);
  assert.is(new Set(signs).size, 54);
  assert.equal([0, 5, 6].map((id) => dashOf(id) === ''), [true, true, false]);
});
pictures('of time show what was done to machines, each on its own field', async () => {
  const faults = [{ do: 'pause', machines: [1], from_s: 2, to_s: 4 },
    { do: 'cut', machines: [0, 2], from_s: 6, to_s: 7 }];
  const [clocks, lag, events] = await Promise.all([clocksPicture(states(10), { faults }),
    lagPicture(states(10), { faults }), eventsPicture(slices, { faults, machines: 3 })]);
  for (const [svg, words] of [[clocks, ['pause 1', 'cut 0–2']],
    [lag, ['pause 1', 'cut 0–2', 'cut 0–2']],
    [events, ['pause 1', 'cut 0–2', 'cut 0–2']]] as const) {
    const found = [...svg!.matchAll(/>((?:pause|cut) [^<]*)</g)].map(([, text]) => text);
    assert.equal(found.sort(), [...words].sort());
    assert.is(svg!.match(/<rect [^>]*width="/g)!.length >= words.length, true);
  }
});
pictures('write kinds of events and faults where there is room, and nowhere else', async () => {
  const machines = Array.from({ length: 6 }, (_, machine) => machine);
  const crowded = pl.readRecords(machines.flatMap((machine) => [['receive', 0.72], ['send', 0.14],
    ['internal', 0.14]].map(([event, share]) =>
    ({ machine, from_s: 0, to_s: 10, event, ticks: 100 * Number(share), share }))));
  const faults = [1, 1.2, 5].map((from_s) =>
    ({ do: 'pause', machines: [0], from_s, to_s: from_s + 1 }));
  const svg = await eventsPicture(crowded, { faults, machines: 6 });
  const places = [...svg.matchAll(/translate\(([\d.]+),([\d.]+)\)"[^>]*>(\w+)[^<]*</g)]
    .map(([, x, y, word]) => ({ x: Number(x), y: Number(y), word }));
  const kinds = places.filter(({ word }) => /receive|send|internal/.test(word!));
  assert.is(kinds.length, 18);
  const ys = [...new Set(kinds.map(({ y }) => y))].sort((one, other) => one - other);
  assert.is(ys.length, 3); // Of each field, from its own top.
  assert.ok(ys.every((y, at) => at === 0 || y - ys[at - 1]! > 11), ys.join());
  const pauses = places.filter(({ word }) => word === 'pause');
  assert.is(pauses.length, 2);
  assert.ok(pauses.every(({ x }) => x > 40 + 70), 'beside the name of the machine');
});
pictures('have room for the numbers of their axis', async () => {
  const left = async (max: number) =>
    Number(/"y-axis tick label".*?<text transform="translate\(([\d.]+)/s.exec(
      await clocksPicture(states(10), { max }))?.[1] ?? NaN);
  const [few, many] = [await left(900), await left(4000)];
  assert.ok(many - few >= 8, `${few} ${many}`);
});
pictures('take a title, broken into lines, and escape it', async () => {
  const svg = await lagPicture(states(5),
    { width: 350, title: 'a <b> & a title that is much too long for one line of this picture' });
  assert.match(svg, /a &lt;b&gt; &amp; a title/);
  assert.ok(svg.match(/font-size="15"/g)!.length >= 2);
  assert.ok(Number(/height="(\d+)"/.exec(svg)![1])
    > Number(/height="(\d+)"/.exec(await lagPicture(states(5), { width: 350 }))![1]) + 30);
});
pictures.run();

const spaceTime = suite('spaceTimePicture');
spaceTime('draws what is in the window, each kind of event in its own way', () => {
  const dots = (svg: string, kind: string) => [...svg.matchAll(
    new RegExp(`<path d="([^"]*)" stroke-linecap="round" class="${kind}"`, 'g'))]
    .flatMap(([, d]) => d!.match(/M/g)).length;
  const whole = spaceTimePicture(diagram, { from_s: 0, to_s: 5 });
  assert.equal(['internal', 'send', 'receive'].map((kind) => dots(whole, kind)), [3, 1, 1]);
  const part = spaceTimePicture(diagram, { from_s: 1.5, to_s: 2.7 });
  assert.equal(['internal', 'send', 'receive'].map((kind) => dots(part, kind)), [1, 0, 1]);
  assert.match(part, /<g class="arrows"><path/); // The message enters the window from outside.
});
spaceTime('has room for every name, of 3 machines and of 50', () => {
  for (const machines of [3, 50]) {
    const many = { ...diagram, machines, ends_s: new Array<number>(machines).fill(5) };
    const svg = spaceTimePicture(many, { from_s: 0, to_s: 5 });
    const names = svg.matchAll(/<text x="(\d+)"[^>]*font-weight="600"[^>]*>([^<]*)</g);
    for (const [, x, name] of names) {
      assert.ok(Number(x) > name!.length * 7.2, `${name} ends at ${x}`);
    }
  }
});
spaceTime('sets past, future and concurrent events apart', () => {
  const svg = spaceTimePicture(diagram, { from_s: 0, to_s: 5, selected: 2 });
  const count = (name: string) => {
    const [, group] = new RegExp(`<g class="${name}"[^>]*>(.*?)(?=<g class="(?:past|future|self)"`
      + '|<circle|$)', 's').exec(svg)!;
    return [...group!.matchAll(/stroke-linecap="round" class="\w+"/g)].length;
  };
  assert.equal(['past', 'future', 'concurrent', 'self'].map(count), [2, 1, 1, 1]);
  assert.match(svg, /class="past cone"/);
});
spaceTime('draws clocks at events where there is room, and no text upon another', () => {
  const run = load(virtual('overloaded', [1, 4, 6]));
  const svg = spaceTimePicture(scene(run), { from_s: 0, to_s: 10, values: true });
  const values = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*class="value">(\d+)</g)]
    .map(([, x, y, text]) => ({ x: Number(x), y: Number(y), half: text!.length * 3.3 }));
  assert.ok(values.length > 60, `${values.length}`);
  for (const [at, one] of values.entries()) {
    for (const other of values.slice(at + 1)) {
      assert.ok(one.y !== other.y || Math.abs(one.x - other.x) > one.half + other.half);
    }
  }
});
spaceTime('draws a message that nobody took dashed to the edge, at its receiver’s line', () => {
  const lost: Parameters<typeof spaceTimePicture>[0] = { ...diagram, lost: [[1, 2]] };
  const [, d] = /<path d="([^"]*)" class="lost"[^>]*stroke-dasharray/.exec(
    spaceTimePicture(lost, { from_s: 0, to_s: 5 }))!;
  const ends = [...d!.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  assert.is(ends.length, 2);
  assert.ok(ends[1]![0]! > 1060 && ends[1]![1]! > ends[0]![1]!, d);
  assert.match(tell(lost, 1), /machine 1 \(taken 1\.000 s later\)/);
});
spaceTime('shows in virtual time when a message arrived, apart from when it was taken', () => {
  const run = load(virtual('slow-wire', [2, 3, 4], 20, { latency: 'exponential:300' }));
  const { cause, time_s, arrived_s, lost, event, peer } = scene(run);
  const received = [...cause.keys()].filter((at) => cause[at]! >= 0);
  assert.ok(received.length > 30);
  for (const at of received) {
    assert.ok(arrived_s![at]! >= time_s[cause[at]!]! && arrived_s![at]! <= time_s[at]! + 1e-4);
  }
  const late = received.filter((at) => arrived_s![at]! > time_s[cause[at]!]! + 0.001);
  assert.ok(late.length > received.length / 2);
  const sent = event.flatMap((kind, at) => (kind === 's' ? peer[at]!.split(' ') : []));
  assert.is(sent.length, received.length + lost.length);
  assert.match(spaceTimePicture(scene(run), { from_s: 0, to_s: 20 }), /class="waits"/);
});
spaceTime('says at an event which rule it obeys, or that it breaks it', () => {
  assert.is(rule(diagram, 2, 1), 'max(1, 1) + 1 = 2: the rule is obeyed.');
  assert.is(rule({ ...diagram, clock: [1, 1, 1, 3, 1] }, 2, 1),
    'max(1, 1) + 1 = 2: the rule is broken, its clock is 1.');
  assert.is(rule(diagram, 3, 2), '2 + 1 = 3: the rule is obeyed.');
});
spaceTime.run();
