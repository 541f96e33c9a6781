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

/** The panel in an element: it shows a setting, and tells of each change. */
export function panelView(
  root: HTMLElement, presets: readonly Preset[], { change, preset }: Changes,
): PanelView {
  let now!: Setting;
  const set = (part: Partial<Setting>) => change({ ...now, ...part });
  const rates_hz = () => configurationOf(now).rates_hz;

  const chosen = presetSelect(presets, preset);
  const rates = element('div', 'rates');
  const rateSliders: ReturnType<typeof slider>[] = [];
  const setRate = (id: number, rate_hz: number) =>
    set({ rates_hz: rates_hz().map((old, other) => (other === id ? rate_hz : old)) });
  const count = element('output');
  const machines = (more: number) => {
    const old = rates_hz();
    const next = more > 0 ? [...old, old.at(-1)!] : old.slice(0, -1);
    if (next.length < 2 || next.length > Math.max(MACHINES_MOST, old.length)) return;
    set({ rates_hz: next, machines: next.length, what_if: [], faults: [], senders: null });
  };
  const stepper = element('div', 'stepper', element('span', 'name', 'machines'),
    button('−', 'one machine fewer', () => machines(-1)), count,
    button('+', 'one machine more', () => machines(1)));

  const internal = slider('internal', { min: 0, max: 1, step: 0.05 },
    (x) => set({ internal: round(x) }),
    'chance that a tick that does not receive is an internal event');
  const kinds = ['constant', 'uniform', 'exponential'] as const;
  const latencyOf = (kind: string, ms: number) => (kind === 'uniform'
    ? `uniform:${round(ms / 2)},${round(ms * 1.5)}` : `${kind}:${round(ms)}`);
  const mean_ms = () => {
    const { from_ms, to_ms } = parseLatency(now.latency);
    return (from_ms + to_ms) / 2;
  };
  const latency = slider('latency', { min: 0, max: LATENCY_MOST_MS, step: 50 },
    (ms) => set({ latency: latencyOf(parseLatency(now.latency).kind, ms) }),
    'how long a message is under way, on average');
  const kind = select('spread', kinds, (word) => set({ latency: latencyOf(word, mean_ms()) }));
  const loss = slider('loss', { min: 0, max: LOSS_MOST, step: 0.01 },
    (x) => set({ loss: round(x) }), 'chance that a message never arrives');
  const take = select('a tick takes', ['oldest', 'newest', 'all'],
    (word) => set({ take: word as Setting['take'] }));
  const ticks = slider('ticks', { min: 0, max: IRREGULAR.length - 1, step: 1 },
    (nth) => set({ ticks: IRREGULAR[nth]!.value }), 'how regular the ticks are');
  const seed = element('input');
  Object.assign(seed, { type: 'number', min: '0', step: '1' });
  seed.addEventListener('change', () => {
    if (/^\d{1,15}$/.test(seed.value)) set({ seed: Number(seed.value) });
  });
  const seedRow = element('label', 'choice', element('span', 'name', 'seed'), seed);
  const dice = button('⚄', 'next seed: other dice, the same rates',
    () => set({ seed: now.seed + 1, what_if: [] }));
  const duration = select('lasts', ['30 s', '60 s', '120 s', '600 s'],
    (word) => set({ duration_s: Number.parseInt(word, 10) }));

  root.append(chosen.root, stepper, rates, internal.root, latency.root, kind.root, loss.root,
    take.root, ticks.root, element('div', 'pair', seedRow, dice), duration.root);

  const showRates = (setting: Setting) => {
    const list = rates_hz();
    say(count, String(list.length));
    rates.hidden = list.length > MACHINES_MOST;
    while (rateSliders.length > list.length) rateSliders.pop()!.root.remove();
    while (rateSliders.length < Math.min(list.length, MACHINES_MOST)) {
      const id = rateSliders.length;
      const made = slider(`machine ${id}`, { min: 1, max: RATE_MOST_HZ, step: 1 },
        (rate_hz) => setRate(id, rate_hz), 'ticks a second');
      made.root.style.setProperty('--own', `var(--machine-${id % COLOURS})`);
      made.root.classList.add('rate');
      rateSliders.push(made);
      rates.append(made.root);
    }
    rateSliders.forEach((one, id) => one.set(list[id]!, `${round(list[id]!)} Hz`));
    root.classList.toggle('drawn', setting.rates_hz === null);
  };

  return {
    show(setting) {
      now = setting;
      showRates(setting);
      internal.set(setting.internal, String(setting.internal));
      latency.set(mean_ms(), mean_ms() === 0 ? 'none' : `${round(mean_ms())} ms`);
      kind.root.hidden = mean_ms() === 0;
      kind.control.value = parseLatency(setting.latency).kind;
      loss.set(setting.loss, setting.loss === 0 ? 'none' : `${round(100 * setting.loss)} %`);
      take.control.value = setting.take;
      const nth = IRREGULAR.findIndex(({ value }) => value === setting.ticks);
      ticks.set(Math.max(0, nth), nth < 0 ? setting.ticks : IRREGULAR[nth]!.label);
      if (document.activeElement !== seed) seed.value = String(setting.seed);
      const lasts = `${setting.duration_s} s`;
      if (![...duration.control.options].some(({ value }) => value === lasts)) {
        duration.control.append(Object.assign(element('option', '', lasts), { value: lasts }));
      }
      duration.control.value = lasts;
      chosen.show(setting);
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
