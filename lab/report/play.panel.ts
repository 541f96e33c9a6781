/** The settings beside the run: presets, a slider for each rate, and the knobs of the model. */
import { parseLatency } from '../model/network.ts';
import { COLOURS, element, say } from './play.look.ts';
import { addressOf, configurationOf, type Setting } from './play.setting.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const MACHINES_MOST = 8; // With a slider each; more are for an address.
const RATE_MOST_HZ = 10; // Of a slider, unless the rate is above it already.
const LATENCY_MOST_MS = 2000;
const LOSS_MOST = 0.5;
// ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Preset {
  name: string;
  group: string;
  /** The part of an address after the #. */
  address: string;
}

export interface PanelView {
  show(setting: Setting): void;
}

/** What a change does: it gets the new setting; presets are taken as an address. */
export interface Changes {
  change(setting: Setting): void;
  preset(address: string): void;
}

type Ticks = { label: string; value: string };
/** How irregular ticks are, from left to right. */
const IRREGULAR: Ticks[] = [
  { label: 'regular', value: 'regular' },
  ...[0.1, 0.2, 0.3, 0.4].map((jitter) =>
    ({ label: `± ${Math.round(100 * jitter)} %`, value: `jitter:${jitter}` })),
  { label: 'at random', value: 'poisson' },
];

const round = (x: number) => Number(x.toPrecision(6));

/** A slider with its name and what it stands for now. */
function slider(
  name: string, range: { min: number; max: number; step: number },
  input: (value: number) => void, hint = '',
) {
  const control = element('input');
  Object.assign(control, { type: 'range', ...Object.fromEntries(
    Object.entries(range).map(([key, value]) => [key, String(value)])) });
  const [title, value] = [element('span', 'name', name), element('output')];
  const root = element('label', 'slider', title, value, control);
  if (hint) root.title = hint;
  control.addEventListener('input', () => input(Number(control.value)));
  return {
    root, control, title,
    set(x: number, text: string) {
      if (x > Number(control.max)) control.max = String(x);
      if (Number(control.value) !== x) control.value = String(x);
      say(value, text);
    },
  };
}

function select(name: string, words: readonly string[], input: (word: string) => void) {
  const control = element('select', '', ...words.map((word) => {
    const option = element('option', '', word);
    option.value = word;
    return option;
  }));
  control.addEventListener('change', () => input(control.value));
  return { root: element('label', 'choice', element('span', 'name', name), control), control };
}

function button(text: string, label: string, press: () => void): HTMLButtonElement {
  const made = element('button', '', text);
  made.type = 'button';
  made.setAttribute('aria-label', label);
  made.title = label;
  made.addEventListener('click', press);
  return made;
}

/** What a part of the panel needs: the setting as it is, and a way to change some of it. */
interface Hand {
  now(): Setting;
  set(part: Partial<Setting>): void;
}
interface Part {
  roots: HTMLElement[];
  show(setting: Setting): void;
}

/** The panel in an element: it shows a setting, and tells of each change. */
export function panelView(
  root: HTMLElement, presets: readonly Preset[], { change, preset }: Changes,
): PanelView {
  let now!: Setting;
  const hand: Hand = { now: () => now, set: (part) => change({ ...now, ...part }) };
  const chosen = presetSelect(presets, preset);
  const parts: Part[] = [{ roots: [chosen.root], show: chosen.show }, ratePart(hand),
    networkPart(hand), tickPart(hand), runPart(hand)];
  root.append(...parts.flatMap(({ roots }) => roots));
  return {
    show(setting) {
      now = setting;
      for (const part of parts) part.show(setting);
    },
  };
}

/** How many machines, and a slider for the rate of each. */
function ratePart({ now, set }: Hand): Part {
  const rates_hz = () => configurationOf(now()).rates_hz;
  const root = element('div', 'rates');
  const sliders: ReturnType<typeof slider>[] = [];
  const count = element('output');
  const machines = (more: number) => {
    const old = rates_hz();
    const next = more > 0 ? [...old, old.at(-1)!] : old.slice(0, -1);
    if (next.length < 2 || next.length > Math.max(MACHINES_MOST, old.length)) return;
    set({ rates_hz: next, machines: next.length, what_if: [], faults: [], senders: null });
  };
  const add = (id: number) => {
    const made = slider(`machine ${id}`, { min: 1, max: RATE_MOST_HZ, step: 1 }, (rate_hz) =>
      set({ rates_hz: rates_hz().map((old, other) => (other === id ? rate_hz : old)) }),
    'ticks a second');
    made.root.style.setProperty('--own', `var(--machine-${id % COLOURS})`);
    made.root.classList.add('rate');
    sliders.push(made);
    root.append(made.root);
  };
  return {
    roots: [element('div', 'stepper', element('span', 'name', 'machines'),
      button('−', 'one machine fewer', () => machines(-1)), count,
      button('+', 'one machine more', () => machines(1))), root],
    show() {
      const list = rates_hz();
      say(count, String(list.length));
      root.hidden = list.length > MACHINES_MOST;
      while (sliders.length > list.length) sliders.pop()!.root.remove();
      while (sliders.length < Math.min(list.length, MACHINES_MOST)) add(sliders.length);
      sliders.forEach((one, id) => one.set(list[id]!, `${round(list[id]!)} Hz`));
    },
  };
}

/** How often machines send, and what lies between them. */
function networkPart({ now, set }: Hand): Part {
  const internal = slider('internal', { min: 0, max: 1, step: 0.05 },
    (x) => set({ internal: round(x) }),
    'chance that a tick that does not receive is an internal event');
  const latencyOf = (kind: string, ms: number) => (kind === 'uniform'
    ? `uniform:${round(ms / 2)},${round(ms * 1.5)}` : `${kind}:${round(ms)}`);
  const mean_ms = () => {
    const { from_ms, to_ms } = parseLatency(now().latency);
    return (from_ms + to_ms) / 2;
  };
  const latency = slider('latency', { min: 0, max: LATENCY_MOST_MS, step: 50 },
    (ms) => set({ latency: latencyOf(parseLatency(now().latency).kind, ms) }),
    'how long a message is under way, on average');
  const kind = select('spread', ['constant', 'uniform', 'exponential'],
    (word) => set({ latency: latencyOf(word, mean_ms()) }));
  const loss = slider('loss', { min: 0, max: LOSS_MOST, step: 0.01 },
    (x) => set({ loss: round(x) }), 'chance that a message never arrives');
  return {
    roots: [internal.root, latency.root, kind.root, loss.root],
    show(setting) {
      internal.set(setting.internal, String(setting.internal));
      latency.set(mean_ms(), mean_ms() === 0 ? 'none' : `${round(mean_ms())} ms`);
      kind.root.hidden = mean_ms() === 0;
      kind.control.value = parseLatency(setting.latency).kind;
      loss.set(setting.loss, setting.loss === 0 ? 'none' : `${round(100 * setting.loss)} %`);
    },
  };
}

/** What a tick takes, and how regular ticks are. */
function tickPart({ set }: Hand): Part {
  const take = select('a tick takes', ['oldest', 'newest', 'all'],
    (word) => set({ take: word as Setting['take'] }));
  const ticks = slider('ticks', { min: 0, max: IRREGULAR.length - 1, step: 1 },
    (nth) => set({ ticks: IRREGULAR[nth]!.value }), 'how regular the ticks are');
  return {
    roots: [take.root, ticks.root],
    show(setting) {
      take.control.value = setting.take;
      const nth = IRREGULAR.findIndex(({ value }) => value === setting.ticks);
      ticks.set(Math.max(0, nth), nth < 0 ? setting.ticks : IRREGULAR[nth]!.label);
    },
  };
}

/** The seed, and how long the run lasts. */
function runPart({ now, set }: Hand): Part {
  const seed = element('input');
  Object.assign(seed, { type: 'number', min: '0', step: '1' });
  seed.addEventListener('change', () => {
    if (/^\d{1,15}$/.test(seed.value)) set({ seed: Number(seed.value) });
  });
  const dice = button('⚄', 'next seed: other dice',
    () => set({ seed: now().seed + 1, what_if: [] }));
  const duration = select('lasts', ['30 s', '60 s', '120 s', '600 s'],
    (word) => set({ duration_s: Number.parseFloat(word) }));
  return {
    roots: [element('div', 'pair',
      element('label', 'choice', element('span', 'name', 'seed'), seed), dice), duration.root],
    show(setting) {
      if (document.activeElement !== seed) seed.value = String(setting.seed);
      const lasts = `${setting.duration_s} s`;
      if (![...duration.control.options].some(({ value }) => value === lasts)) {
        duration.control.append(Object.assign(element('option', '', lasts), { value: lasts }));
      }
      duration.control.value = lasts;
    },
  };
}

function presetSelect(presets: readonly Preset[], choose: (address: string) => void) {
  const control = element('select');
  control.setAttribute('aria-label', 'preset');
  const own = Object.assign(element('option', '', 'your own'), { value: '' });
  control.append(own);
  for (const group of new Set(presets.map((preset) => preset.group))) {
    const options = element('optgroup');
    options.label = group;
    options.append(...presets.filter((one) => one.group === group).map(({ name, address }) =>
      Object.assign(element('option', '', name), { value: address })));
    control.append(options);
  }
  control.addEventListener('change', () => {
    if (control.value) choose(control.value);
  });
  const root = element('label', 'preset', element('span', 'name', 'preset'), control);
  return {
    root,
    show(setting: Setting) {
      const address = addressOf(setting);
      control.value = presets.some((one) => one.address === address) ? address : '';
    },
  };
}
