/** Files that are dropped on the page or chosen: a run's folder, or some of its files. */
import { RunError } from '../model/record.ts';
import { byId } from './play.look.ts';
import { type Dropped, type Recorded, recordedOf } from './play.recorded.ts';

/** So much a page can hold: a run of a million events is some 40 MB. */
const BYTES_MOST = 100e6;

/** Takes what is dropped anywhere on the page, or chosen by its button. */
export function dropTarget(
  came: (recorded: Recorded) => void, complain: (line: string) => void,
): void {
  const read = async (files: { name: string; file: File }[]) => {
    try {
      const size = files.reduce((sum, { file }) => sum + file.size, 0);
      if (size > BYTES_MOST) throw new RunError(`${Math.round(size / 1e6)} MB are too much`);
      const dropped: Dropped[] = await Promise.all(files.map(async ({ name, file }) =>
        ({ name, bytes: new Uint8Array(await file.arrayBuffer()) })));
      came(recordedOf(dropped));
    } catch (error) {
      complain((error as Error).message);
    }
  };
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) document.body.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    const items = [...event.dataTransfer?.items ?? []];
    // Entries must be asked for at once: they are gone when this handler has returned.
    const entries = items.flatMap((item) => item.webkitGetAsEntry?.() ?? []);
    const plain = [...event.dataTransfer?.files ?? []].map((file) => ({ name: file.name, file }));
    void (entries.length > 0 ? filesIn(entries) : Promise.resolve(plain)).then(read);
  });
  for (const id of ['choose', 'choose-folder']) {
    const input = byId<HTMLInputElement>(id);
    input.addEventListener('change', () => {
      void read([...input.files ?? []].map((file) =>
        ({ name: file.webkitRelativePath || file.name, file })));
      input.value = '';
    });
  }
}

/** All files of entries, and of folders among them one level down. */
async function filesIn(entries: FileSystemEntry[]): Promise<{ name: string; file: File }[]> {
  const file = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) =>
    entry.file(resolve, reject));
  const found: { name: string; file: File }[] = [];
  for (const entry of entries) {
    if (entry.isFile) {
      found.push({ name: entry.name, file: await file(entry as FileSystemFileEntry) });
      continue;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject));
      if (some.length === 0) break; // It gives a hundred at a time.
      for (const one of some.filter(({ isFile }) => isFile)) {
        found.push({ name: `${entry.name}/${one.name}`,
          file: await file(one as FileSystemFileEntry) });
      }
    }
  }
  return found;
}
