/** The same run as files and as a command: what simulate.ts would write, byte for byte. */
import { element } from './play.look.ts';
import { filesOf } from './play.run.ts';
import { commandOf, configurationOf, type Setting } from './play.setting.ts';

export interface FilesView {
  /** Null: there is nothing to give, since the run is a recorded one. */
  show(setting: Setting | null): void;
}

export function filesSection(
  root: HTMLElement, versions: { lab: string; node: string },
): FilesView {
  const save = (name: string, text: string) => {
    const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = element('a');
    [link.href, link.download] = [address, name];
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };
  return {
    show(setting) {
      root.hidden = setting === null;
      if (!setting) return;
      const { machines } = configurationOf(setting);
      const names = ['run.json', ...Array.from({ length: machines }, (_, id) =>
        `machine-${id}.csv`)];
      const buttons = names.map((name) => {
        const button = element('button', 'file', name);
        button.type = 'button';
        button.addEventListener('click', () => save(name, filesOf(setting, versions).get(name)!));
        return button;
      });
      const command = element('code', '', commandOf(setting));
      command.id = 'command';
      root.replaceChildren(
        element('details', '', element('summary', '', 'the same run as files'),
          element('div', 'buttons', ...buttons)), command);
    },
  };
}
