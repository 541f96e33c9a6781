/** The live page: the playground's views of machines that run now, and buttons to disturb them. */
import type { Fault } from '../model/faults.ts';
import type { Configuration } from '../model/run.ts';
import { PLAIN } from './play.setting.ts';
import { curvesView } from './play.curves.ts';
import {
  addRow, emptyFilm, type Film, loseBetween, nextTick, previousTick,
} from './play.film.ts';
import { type Key, keyList, listen } from './play.keys.ts';
import { byId, COLOURS, element, followLook, say } from './play.look.ts';
import { freshView, futureView, zoom } from './play.screen.ts';
import { eventSentence, headline, predictionOf, theoryWords } from './play.words.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const BEHIND_S = 0.15; // Real seconds that the page is behind, so that rows are there when shown.
const LINKS_SHOWN = 10; // More links than this are chosen from a list.
const NOTES_SHOWN = 6;
// ─────────────────────────────────────────────────────────────────────────────────────────────

type Told =
  | string
  | { now_us: number }
  | { begun: { name: string; configuration: Configuration; start_us: number } }
  | { faults: Fault[] }
  | { note: string }
  | { ended: string };

const holder = followLook(() => wake());
let film: Film | null = null;
let configuration: Configuration | null = null;
let predictions: ReturnType<typeof predictionOf> = null;
let start_us = 0;
/** How far this computer's clock is from the one that the rows are told by. */
let offset_us = 0;
let faults: Fault[] = [];
/** Model seconds that are looked at; null: now. */
let looked_s: number | null = null;
let isOver = false;
let chosen = 0;
let view = freshView({ rates_hz: [1], duration_s: 1 } as Film, innerWidth);

const now_s = (): number => (configuration === null ? 0
  : Math.max(0, (((Date.now() * 1000 + offset_us - start_us) / 1e6) - BEHIND_S)
    * configuration.speed));
const time_s = () => Math.min(looked_s ?? now_s(), film?.duration_s ?? 0);

// ── What is told ─────────────────────────────────────────────────────────────────────────────

const numbers = (text: string) => (text === '' ? [] : text.split(' ').map(Number));

/** A row of a log, if it is one of a machine of this run; anything else is left alone. */
function hear(line: string): void {
  const cells = line.trim().split(',');
  const [time_us, machine, tick, event, peers, values, queue, clock] = cells as string[];
  const id = Number(machine);
  if (!film || cells.length !== 8 || !film.lanes[id]) return;
  addRow(film, {
    time_s: ((Number(time_us) - start_us) / 1e6) * configuration!.speed, machine: id,
    tick: tick === '' ? -1 : Number(tick), event: event!, peers: numbers(peers!),
    values: numbers(values!), queue: Number(queue), clock: Number(clock),
  });
}

function take(told: Told): void {
  if (typeof told === 'string') hear(told);
  else if ('now_us' in told) offset_us = told.now_us - Date.now() * 1000;
  else if ('begun' in told) begin(told.begun);
  else if ('faults' in told) {
    ({ faults } = told);
    showFaults();
  } else if ('note' in told) {
    byId('notes').prepend(element('p', '', told.note));
    while (byId('notes').childElementCount > NOTES_SHOWN) byId('notes').lastElementChild!.remove();
  } else end(told.ended);
}

function begin(begun: { name: string; configuration: Configuration; start_us: number }): void {
  ({ configuration, start_us } = begun);
  const { rates_hz, duration_s, machines, seed } = configuration;
  const inOrder = (configuration.take ?? 'oldest') === 'oldest';
  film = emptyFilm({ name: begun.name, rates_hz, duration_s, inOrder });
  view = freshView(film, byId('main').clientWidth);
  document.body.classList.toggle('many', machines > 8);
  document.body.style.setProperty('--machines', String(machines));
  predictions = predictionOf({ ...PLAIN, ...configuration }, rates_hz);
  say(byId('headline'), predictions ? headline(predictions) : `${machines} machines, live`);
  const worst = predictions?.reduce((a, b) => (b.load > a.load ? b : a));
  say(byId('theory'), worst ? `Machine ${worst.machine}, ${theoryWords(worst)}` : '');
  byId('theory').style.color = worst ? `var(--label-${worst.machine % COLOURS})` : '';
  say(byId('source'), `live: ${begun.name}, seed ${seed}`);
  say(byId('of'), `of ${duration_s} s`);
  byId<HTMLInputElement>('seek').max = String(duration_s);
  makeButtons();
  wake();
}

/** The run is over: the report is the next page, under this address. */
function end(report: string): void {
  isOver = true;
  events.close();
  for (const button of document.querySelectorAll<HTMLButtonElement>('#faults button')) {
    button.disabled = true;
  }
  if (report) location.replace('report');
  else tellTrouble('The run is over.');
}

// ── Faults ───────────────────────────────────────────────────────────────────────────────────

async function fault(text: string): Promise<void> {
  tellTrouble('');
  try {
    const answer = await fetch('fault', { method: 'POST', body: text });
    if (!answer.ok) tellTrouble((await answer.text()).trim());
  } catch {
    tellTrouble('The launcher does not answer.');
  }
}

function tellTrouble(line: string): void {
  byId('trouble').hidden = line === '';
  say(byId('trouble'), line);
}

/** What is done to a machine or a link now. */
const open = (what: Fault['do'], holds: (one: Fault) => boolean): Fault | undefined =>
  faults.find((one) => one.do === what && one.from_us && !one.to_us && holds(one)
    && (one.for_s === null || one.at_s + one.for_s > now_s()));
const isPaused = (id: number) => open('pause', ({ machine }) => machine === id) !== undefined;
const isDown = (id: number) => open('crash', ({ machine }) => machine === id) !== undefined;
const isCut = (one: number, other: number) =>
  open('cut', ({ link }) => link![0] === one && link![1] === other) !== undefined;

const pause = (id: number) => void fault(`${isPaused(id) ? 'continue' : 'pause'} ${id}`);
const kill = (id: number) => void fault(`${isDown(id) ? 'restart' : 'kill'} ${id}`);
const cut = (one: number, other: number) =>
  void fault(`${isCut(one, other) ? 'heal' : 'cut'} ${one}-${other}`);

interface Buttons {
  root: HTMLElement;
  pause: HTMLButtonElement;
  kill: HTMLButtonElement;
}
let buttons: Buttons[] = [];
let links: { one: number; other: number; button: HTMLButtonElement }[] = [];

function button(text: string, press: () => void): HTMLButtonElement {
  const made = element('button', '', text);
  made.type = 'button';
  made.addEventListener('click', press);
  return made;
}

function makeButtons(): void {
  const { machines } = configuration!;
  buttons = Array.from({ length: machines }, (_, id) => {
    const [pauses, kills] = [button('pause', () => pause(id)), button('kill', () => kill(id))];
    const name = element('b', '', machines > 8 ? String(id) : `machine ${id}`);
    const root = element('div', 'victim', name, pauses, kills);
    root.style.setProperty('--own-label', `var(--label-${id % COLOURS})`);
    root.dataset.machine = String(id);
    return { root, pause: pauses, kill: kills };
  });
  const pairs = buttons.flatMap((_, one) => buttons.slice(one + 1).map((__, nth) =>
    [one, one + 1 + nth] as const));
  links = pairs.slice(0, LINKS_SHOWN).map(([one, other]) =>
    ({ one, other, button: button('', () => cut(one, other)) }));
  const list = element('div', 'links', ...links.map((link) => link.button));
  const more = pairs.length > LINKS_SHOWN ? [linkChoice(pairs)] : [];
  byId('faults').replaceChildren(element('h2', '', 'Disturb them'),
    element('div', 'victims', ...buttons.map(({ root }) => root)), element('h2', '', 'Links'),
    ...(more.length > 0 ? more : [list]));
  if (more.length > 0) links = [];
  showFaults();
}

/** A list of links, where there are too many for a button each. */
function linkChoice(pairs: readonly (readonly [number, number])[]): HTMLElement {
  const select = element('select', '', ...pairs.map(([one, other]) =>
    Object.assign(element('option', '', `${one}–${other}`), { value: `${one}-${other}` })));
  const chosenLink = () => select.value.split('-').map(Number) as [number, number];
  return element('div', 'links', select, button('cut or heal', () => cut(...chosenLink())));
}

function showFaults(): void {
  buttons.forEach(({ root, pause: pauses, kill: kills }, id) => {
    say(pauses, isPaused(id) ? 'continue' : 'pause');
    say(kills, isDown(id) ? 'restart' : 'kill');
    pauses.disabled = isOver || isDown(id);
    kills.disabled = isOver || isPaused(id);
    root.classList.toggle('chosen', id === chosen);
  });
  for (const { one, other, button: made } of links) {
    say(made, `${isCut(one, other) ? 'heal' : 'cut'} ${one}–${other}`);
    made.disabled = isOver || isDown(one) || isDown(other);
  }
  wake();
}

// ── Drawing ──────────────────────────────────────────────────────────────────────────────────

const future = futureView(byId('rows-plain'), byId<HTMLCanvasElement>('diagram-plain'), {
  hover(event) {
    view.hovered = event;
  },
  click(event) {
    view.selected = event;
  },
  moved() {},
});
const curves = (['lag', 'queue'] as const).map((quantity) =>
  curvesView(byId<HTMLCanvasElement>(`curve-${quantity}`), quantity));

let asked = false;
function wake(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
    if (film && !isOver) wake();
  });
}

/** What was sent over a cut link or to a dead machine is lost, long before a row says so. */
function loseByFaults(): void {
  for (const { do: what, machine, link, from_us, to_us } of faults) {
    if (!film || !from_us || what === 'pause') continue;
    const [since_s, until_s] = [seconds(from_us[1]), to_us ? seconds(to_us[0]) : Infinity];
    if (what === 'crash') loseBetween(film, null, machine!, since_s, until_s);
    else {
      loseBetween(film, link![0], link![1], since_s, until_s);
      loseBetween(film, link![1], link![0], since_s, until_s);
    }
  }
}

/** Model seconds of a reading of the launcher's clock. */
const seconds = (us: number) => ((us - start_us) / 1e6) * configuration!.speed;

/** A fault as it went: from when and until when it was done, not when it was to be. */
const asDone = (one: Fault): Fault => {
  const at_s = one.from_us ? seconds(one.from_us[0]) : one.at_s;
  return { ...one, at_s, for_s: one.to_us ? seconds(one.to_us[1]) - at_s : null };
};

function draw(): void {
  if (!film) return;
  const t = time_s();
  const { look } = holder;
  const done = faults.filter(({ from_us }) => from_us).map(asDone);
  future.draw(film, t, view, look, { speed: configuration!.speed, playing: looked_s === null },
    { faults: done, parts_s: null });
  for (const curve of curves) curve.draw({ film, beside: null, predictions }, t, look);
  const event = view.hovered >= 0 ? view.hovered : view.selected;
  say(byId('said'), event >= 0 ? `${eventSentence(film, event)} · clock ${film.clock[event]} · `
    + `${film.queue[event]} waiting` : 'Point at an event to see its past and its future.');
  say(byId('time'), t.toFixed(2));
  byId<HTMLInputElement>('seek').value = String(t);
  document.body.classList.toggle('following', looked_s === null);
}

// ── Hands ────────────────────────────────────────────────────────────────────────────────────

function look(at_s: number | null): void {
  looked_s = at_s === null ? null : Math.max(0, Math.min(at_s, now_s()));
  view.from_s = null;
  wake();
}
function choose(id: number): void {
  if (!buttons[id]) return;
  chosen = id;
  showFaults();
}
/** Cuts or heals the link between the chosen machine and the next. */
function cutNext(): void {
  const other = (chosen + 1) % buttons.length;
  cut(Math.min(chosen, other), Math.max(chosen, other));
}

const keys: Key[] = [
  { keys: [' '], words: 'look at this moment, or at now',
    press: () => look(looked_s === null ? now_s() : null) },
  { keys: ['ArrowRight'], words: 'one tick forward',
    press: () => film && look(nextTick(film, time_s())) },
  { keys: ['ArrowLeft'], words: 'one tick back',
    press: () => film && look(previousTick(film, time_s())) },
  { keys: ['End'], words: 'to now', press: () => look(null) },
  { keys: ['j'], words: 'choose the next machine', press: () => choose(chosen + 1) },
  { keys: ['k'], words: 'choose the machine before', press: () => choose(chosen - 1) },
  { keys: ['p'], words: 'pause or continue the chosen machine', press: () => pause(chosen) },
  { keys: ['x'], words: 'kill or restart the chosen machine', press: () => kill(chosen) },
  { keys: ['c'], words: 'cut or heal its link to the next', press: cutNext },
  { keys: ['+', '='], words: 'zoom in', press: () => film && zoom(view, film, time_s(), 1.5, 0) },
  { keys: ['-'], words: 'zoom out', press: () => film && zoom(view, film, time_s(), 1 / 1.5, 0) },
  { keys: ['w'], words: 'for the wall: hide the buttons',
    press: () => document.body.classList.toggle('wall') },
  { keys: ['?'], words: 'these keys', press: () => byId<HTMLDialogElement>('help').showModal() },
];
byId('key-list').append(keyList(keys));
listen(keys);
byId('now').addEventListener('click', () => look(null));
byId('help-button').addEventListener('click', () => byId<HTMLDialogElement>('help').showModal());
byId<HTMLInputElement>('seek').addEventListener('input', ({ target }) =>
  look(Number((target as HTMLInputElement).value)));

const events = new EventSource('events');
events.addEventListener('message', ({ data }: MessageEvent<string>) => {
  for (const told of JSON.parse(data) as Told[]) take(told);
  loseByFaults();
  wake();
});
events.addEventListener('error', () => {
  if (!isOver && events.readyState === EventSource.CLOSED) tellTrouble('The launcher is gone.');
});
