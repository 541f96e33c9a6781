/** The playground: what the page of play.ts runs. */
import type { Fault, Override } from '../model/faults.ts';
import { type CardView, cardView } from './play.card.ts';
import { curvesView } from './play.curves.ts';
import { dropTarget } from './play.drop.ts';
import { type Film, momentsAt } from './play.film.ts';
import { filesSection } from './play.files.ts';
import { type Key, keyList, listen } from './play.keys.ts';
import { byId, element, followLook, say } from './play.look.ts';
import { panelView, type Preset } from './play.panel.ts';
import { type Recorded, twinOf } from './play.recorded.ts';
import { driftOf, filmOf } from './play.run.ts';
import { freshView, futureView, zoom } from './play.screen.ts';
import { selection } from './play.select.ts';
import { partAt } from './play.series.ts';
import {
  addressOf, configurationOf, faultsOf, PLAIN, readAddress, type Setting,
} from './play.setting.ts';
import { thousand } from './play.thousand.ts';
import { playhead } from './play.time.ts';
import { overrideWords, withOverride } from './play.whatif.ts';
import { eventSentence, headline, outcome, predictionOf, theoryWords } from './play.words.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const MANY = 20; // More machines than this are drawn thirty times a second.
const REST_MS = 500; // Frames further apart than this have a rest between them.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What the page carries beside its code. */
interface Carried {
  presets: Preset[];
  versions: { lab: string; node: string };
  worker: string;
}

const carried = JSON.parse(byId('carried').textContent!) as Carried;
const holder = followLook(() => wake());

// ── What there is ────────────────────────────────────────────────────────────────────────────

let setting: Setting = PLAIN;
let recorded: Recorded | null = null;
/** The run as the seed has it, and the one in which something went otherwise. */
let plain!: Film;
let fork: Film | null = null;
let parts_s: number | null = null;
let view = freshView({ rates_hz: [1], duration_s: 1 } as Film, innerWidth);
/** In which of the two an event is hovered or selected. */
let meant: 'plain' | 'fork' = 'plain';
const front = (): Film => fork ?? plain;
const meantFilm = () => (meant === 'fork' && fork ? fork : plain);

/** Runs a setting and shows it. */
function take(next: Setting, keep: { t?: number; view?: boolean } = {}): void {
  const { setting: bounded, trouble } = readAddress(addressOf(next));
  setting = bounded;
  recorded = null;
  const forked = fork !== null;
  plain = filmOf({ ...setting, what_if: [] });
  fork = setting.what_if.length > 0 ? filmOf(setting) : null;
  parts_s = fork && partAt(plain, fork);
  // Two diagrams side by side have half the room each.
  if (forked !== (fork !== null)) view.span_s *= fork ? 0.5 : 2;
  head.t = Math.min(keep.t ?? 0, setting.duration_s);
  showFilms(Boolean(keep.view));
  tellTrouble(trouble);
  panel.show(setting);
  remember();
}

/** Shows a recorded run in the place of a setting's. */
function takeRecorded(next: Recorded): void {
  [recorded, plain, fork, parts_s] = [next, next.film, null, null];
  head.t = 0;
  showFilms(false);
  tellTrouble(next.trouble.slice(0, 3));
  byId('trouble').append(next.trouble.length > 3 ? ` and ${next.trouble.length - 3} more` : '');
}

function showFilms(keepView: boolean): void {
  if (!keepView) view = freshView(plain, byId('main').clientWidth / (fork ? 2 : 1));
  [view.hovered, view.selected] = [-1, -1];
  card.close();
  many.stop();
  document.body.classList.toggle('forked', fork !== null);
  document.body.classList.toggle('many', plain.machines > 8);
  document.body.classList.toggle('recorded', recorded !== null);
  document.body.style.setProperty('--machines', String(plain.machines));
  const seek = byId<HTMLInputElement>('seek');
  seek.max = String(plain.duration_s);
  showForks();
  showWords();
  wake();
}

function showWords(): void {
  const rates_hz = recorded ? plain.rates_hz : configurationOf(setting).rates_hz;
  const known = recorded?.record?.kind === 'foreign' || (recorded && !recorded.record) ? null
    : predictionOf(recorded ? twinOf(recorded.record)! : setting, rates_hz);
  predictions = known;
  say(byId('headline'), known ? headline(known) : outcome(plain));
  const worst = known?.reduce((a, b) => (b.load > a.load ? b : a));
  say(byId('theory'), worst ? `Machine ${worst.machine}, ${theoryWords(worst)}` : '');
  byId('theory').style.color = worst ? `var(--label-${worst.machine % 6})` : '';
  const record = recorded?.record;
  say(byId('source'), recorded ? `Recorded: ${plain.name}${record?.kind === 'sockets'
    ? ', over sockets' : record ? `, ${record.kind}` : ''}` : '');
  byId('twin').hidden = !recorded || twinOf(record ?? null) === null;
  files.show(recorded ? null : setting);
}
let predictions: ReturnType<typeof predictionOf> = null;

function tellTrouble(lines: readonly string[]): void {
  const place = byId('trouble');
  place.hidden = lines.length === 0;
  place.replaceChildren(...lines.map((line) => element('span', '', line)));
}

/** The address says what is shown: a link to it is a lesson. */
function remember(): void {
  if (recorded) return;
  const address = `#${addressOf(setting, { t: head.playing ? 0 : head.t, speed: head.speed })}`;
  if (address !== location.hash) history.replaceState(null, '', address);
}

// ── What if ──────────────────────────────────────────────────────────────────────────────────

function forkAt(override: Override): void {
  // Whoever changes an event of the run as it was begins a new fork from there.
  const base = meant === 'fork' ? setting.what_if : [];
  take({ ...setting, what_if: withOverride(base, override) }, { t: head.t, view: true });
}

function showForks(): void {
  const place = byId('forks');
  place.hidden = !fork;
  if (!fork) return;
  const drop = (override: Override) => take(
    { ...setting, what_if: setting.what_if.filter((one) => one !== override) },
    { t: head.t, view: true });
  const chips = setting.what_if.map((override) => {
    const remove = element('button', '', '✕');
    remove.type = 'button';
    remove.setAttribute('aria-label', `not: ${overrideWords(override)}`);
    remove.addEventListener('click', () => drop(override));
    return element('span', 'override', overrideWords(override), remove);
  });
  const when = parts_s !== null && Number.isFinite(parts_s)
    ? `the two part at ${parts_s.toFixed(2)} s; drift at the end ${finalDrift(fork)} instead of `
      + `${finalDrift(plain)}` : 'and nothing changes';
  place.replaceChildren(element('b', '', 'What if'), ...chips, element('span', 'when', when));
}

const card: CardView = cardView(byId('card'), forkAt);
const why = () => (twinOf(recorded?.record ?? null) ? 'This run is recorded. Run its twin in '
  + 'virtual time (above) to change something.' : 'This run is recorded: nothing can be changed.');

function openCard(event: number, at: readonly [number, number]): void {
  head.pause();
  card.open(meantFilm(), event, at, recorded ? null : setting, why());
}

// ── The two futures ──────────────────────────────────────────────────────────────────────────

const viewOf = (whose: 'plain' | 'fork') => futureView(
  byId(`rows-${whose}`), byId<HTMLCanvasElement>(`diagram-${whose}`), {
    hover(event) {
      if (event === view.hovered && (event < 0 || meant === whose)) return;
      if (event >= 0 && meant !== whose) {
        meant = whose;
        view.selected = -1;
      }
      view.hovered = event;
      wake();
    },
    click(event, x, y) {
      meant = whose;
      view.selected = event;
      const { left, top } = byId(`diagram-${whose}`).getBoundingClientRect();
      if (event >= 0) openCard(event, [left + x, top + y]);
      else card.close();
      wake();
    },
    moved: () => wake(),
  });
const views = { plain: viewOf('plain'), fork: viewOf('fork') };
const curves = (['lag', 'queue'] as const).map((quantity) =>
  curvesView(byId<HTMLCanvasElement>(`curve-${quantity}`), quantity));

const recordedFaults = ({ record }: Recorded): Fault[] =>
  (record && record.kind !== 'foreign' ? record.faults ?? [] : []);

function draw(): void {
  const { look } = holder;
  const { t, speed, playing } = head;
  const pace = { speed, playing };
  for (const whose of ['plain', 'fork'] as const) {
    const film = whose === 'fork' ? fork : plain;
    if (!film) continue;
    const own = meant === whose ? view : { ...view, hovered: -1, selected: -1 };
    const besides = {
      faults: recorded ? recordedFaults(recorded)
        : faultsOf(whose === 'fork' ? setting : { ...setting, what_if: [] }),
      parts_s: whose === 'fork' ? parts_s : null,
    };
    // A dragged or zoomed window is one for both.
    views[whose].draw(film, t, meant === whose ? view : own, look, pace, besides);
  }
  for (const curve of curves) {
    curve.draw({ film: front(), beside: fork ? plain : null, predictions }, t, look);
  }
  const event = view.hovered >= 0 ? view.hovered : view.selected;
  say(byId('said'), event >= 0 ? `${eventSentence(meantFilm(), event)} · clock `
    + `${meantFilm().clock[event]} · ${meantFilm().queue[event]} waiting`
    : 'Point at an event to see its past and its future; click it to change it.');
  say(byId('time'), t.toFixed(2));
  say(byId('of'), `of ${plain.duration_s} s`);
  byId<HTMLInputElement>('seek').value = String(t);
  document.body.classList.toggle('playing', playing);
  byId('play').setAttribute('aria-label', playing ? 'pause' : 'play');
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

const head = playhead({
  films: () => (fork ? [plain, fork] : [plain]),
  moved() {
    view.from_s = null;
    card.close();
    remember();
    wake();
  },
  paced() {
    byId<HTMLInputElement>('speed').value = String(Math.log10(head.speed));
    say(byId('speed-text'), `${Number(head.speed.toPrecision(2))}×`);
    remember();
  },
  turned() {
    if (head.playing) {
      view.from_s = null;
      card.close();
    } else remember();
    wake();
  },
});

let asked = false;
let before_ms = 0;
let drawn_ms = 0;

/** Draws once in the next frame, and in each as long as time passes. */
function wake(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(frame);
}

function frame(now_ms: number): void {
  asked = false;
  // The first frame after a rest has no time before it.
  head.pass(now_ms - before_ms < REST_MS ? (now_ms - before_ms) / 1000 : 0);
  before_ms = now_ms;
  if (head.playing) wake();
  // Of many machines every second frame is drawn: thirty a second, and half the work.
  if (head.playing && plain.machines > MANY && now_ms - drawn_ms < 25) return;
  drawn_ms = now_ms;
  draw();
}

// ── A thousand such runs ─────────────────────────────────────────────────────────────────────

const finalDrift = (film: Film) =>
  driftOf(momentsAt(film, film.duration_s, 0).map(({ clock }) => clock));
const many = thousand(carried.worker, () => holder.look);

function askThousand(): void {
  const base = recorded ? twinOf(recorded.record) : { ...setting, what_if: [] };
  if (!base) return;
  const own = { name: fork ? 'as it was' : 'this run', drift: finalDrift(plain) };
  many.begin(base, fork ? [own, { name: 'what if', drift: finalDrift(fork) }] : [own]);
}

// ── Hands ────────────────────────────────────────────────────────────────────────────────────

const select = selection({
  film: meantFilm, now: () => head.t, selected: () => view.selected,
  to(event) {
    [view.hovered, view.selected] = [-1, event];
    const s = meantFilm().time_s[event];
    if (s !== undefined && s < head.t - view.span_s * 0.9) {
      view.from_s = Math.max(0, s - view.span_s / 2);
    }
    wake();
  },
});

async function copyLink(): Promise<void> {
  remember();
  await navigator.clipboard?.writeText(location.href).catch(() => {});
  const button = byId('copy');
  say(button, 'copied');
  setTimeout(() => say(button, 'copy link'), 1200);
}

const zoomBy = (factor: number) => {
  zoom(view, plain, head.t, factor, head.t);
  wake();
};
const keys: Key[] = [
  { keys: [' '], words: 'play or pause', press: () => (head.playing ? head.pause() : head.play()) },
  { keys: ['ArrowRight'], words: 'one tick forward', press: head.forward },
  { keys: ['ArrowLeft'], words: 'one tick back', press: head.back },
  { keys: ['ArrowUp'], words: 'faster', press: head.faster },
  { keys: ['ArrowDown'], words: 'slower', press: head.slower },
  { keys: ['PageDown'], words: 'five seconds forward', press: () => head.seek(head.t + 5) },
  { keys: ['PageUp'], words: 'five seconds back', press: () => head.seek(head.t - 5) },
  { keys: ['Home', 'r'], words: 'restart', press: () => head.seek(0) },
  { keys: ['End'], words: 'to the end', press: () => head.seek(plain.duration_s) },
  { keys: ['l'], words: 'select the next event', press: () => select.along(1) },
  { keys: ['h'], words: 'select the event before', press: () => select.along(-1) },
  { keys: ['j'], words: 'select one machine down', press: () => select.across(1) },
  { keys: ['k'], words: 'select one machine up', press: () => select.across(-1) },
  { keys: ['m'], words: 'along the message', press: select.message },
  { keys: ['Enter'], words: 'what if: change the selected event',
    press: () => view.selected >= 0 && openCard(view.selected, views[meant].place(view.selected)) },
  { keys: ['u'], words: 'take back the last change', press: () => fork
    && take({ ...setting, what_if: setting.what_if.slice(0, -1) }, { t: head.t, view: true }) },
  { keys: ['+', '='], words: 'zoom in', press: () => zoomBy(1.5) },
  { keys: ['-'], words: 'zoom out', press: () => zoomBy(1 / 1.5) },
  { keys: ['n'], words: 'next seed: other dice',
    press: () => take({ ...setting, seed: setting.seed + 1, what_if: [] }, { view: true }) },
  { keys: ['e'], words: 'a thousand such runs', press: askThousand },
  { keys: ['c'], words: 'copy a link to this', press: () => void copyLink() },
  { keys: ['w'], words: 'for the wall: hide the settings',
    press: () => document.body.classList.toggle('wall') },
  { keys: ['Escape'], words: 'close, let go', press: letGo },
  { keys: ['?'], words: 'these keys', press: () => byId<HTMLDialogElement>('help').showModal() },
];

function letGo(): void {
  if (card.isOpen) card.close();
  else if (view.selected >= 0) view.selected = -1;
  else many.stop();
  wake();
}

const panel = panelView(byId('panel'), carried.presets, {
  change: (next) => take(next, { t: head.t, view: next.machines === setting.machines }),
  preset(address) {
    take(readAddress(address).setting);
    head.play();
  },
});
const files = filesSection(byId('files'), carried.versions);

function begin(): void {
  const press = (id: string, action: () => void) => byId(id).addEventListener('click', action);
  press('restart', () => head.seek(0));
  press('back', head.back);
  press('play', () => (head.playing ? head.pause() : head.play()));
  press('forward', head.forward);
  press('copy', () => void copyLink());
  press('thousand', askThousand);
  press('help-button', () => byId<HTMLDialogElement>('help').showModal());
  press('twin', () => {
    const twin = twinOf(recorded?.record ?? null);
    if (twin) take(twin);
  });
  byId<HTMLInputElement>('seek').addEventListener('input', ({ target }) => {
    head.playing = false;
    head.seek(Number((target as HTMLInputElement).value));
  });
  byId<HTMLInputElement>('speed').addEventListener('input', ({ target }) =>
    head.setSpeed(Number((10 ** Number((target as HTMLInputElement).value)).toPrecision(2))));
  byId('key-list').append(keyList(keys));
  listen(keys);
  dropTarget(takeRecorded, (line) => tellTrouble([line]));
  const resized = new ResizeObserver(wake);
  for (const plot of document.querySelectorAll('.plot')) resized.observe(plot);
  addEventListener('hashchange', fromAddress);
  fromAddress();
}

function fromAddress(): void {
  const address = location.hash || `#${carried.presets[0]!.address}`;
  const { setting: next, place, trouble } = readAddress(address);
  head.speed = place.speed ?? 1;
  take(next, { t: place.t ?? 0 });
  head.setSpeed(head.speed);
  tellTrouble(trouble);
  if (place.t === undefined && trouble.length === 0 && !holder.look.still) head.play();
}

begin();
