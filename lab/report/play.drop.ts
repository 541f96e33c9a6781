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
  const read = async (files: Named[]) => {
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
    // What it is must be asked for at once: it is gone when this handler has returned.
    const items = [...event.dataTransfer?.items ?? []].filter(({ kind }) => kind === 'file')
      .map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() ?? null,
        handle: (item as Partial<WithHandle>).getAsFileSystemHandle?.() ?? null }));
    void Promise.all(items.map(filesIn)).then((all) => read(all.flat()),
      (error: Error) => complain(`what was dropped cannot be read: ${error.message}`));
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

interface Handle {
  kind: 'file' | 'directory';
  name: string;
  getFile(): Promise<File>;
  values(): AsyncIterable<Handle>;
}
interface WithHandle { getAsFileSystemHandle(): Promise<Handle | null> }

interface Item {
  file: File | null;
  entry: FileSystemEntry | null;
  handle: Promise<Handle | null> | null;
}
interface Named { name: string; file: File }

/**
 * An item's file, or those of a folder. Chromium reads a folder's entries on no page that was
 * opened from a disk, but its handle everywhere; other browsers know entries alone.
 */
async function filesIn({ file, entry, handle }: Item): Promise<Named[]> {
  if (!entry?.isDirectory) return file ? [{ name: file.name, file }] : [];
  const folder = await handle?.catch(() => null);
  return folder?.kind === 'directory' ? filesOf(folder)
    : entriesOf(entry as FileSystemDirectoryEntry);
}

async function filesOf(folder: Handle): Promise<Named[]> {
  const found: Named[] = [];
  for await (const one of folder.values()) {
    if (one.kind !== 'file') continue;
    found.push({ name: `${folder.name}/${one.name}`, file: await one.getFile() });
  }
  return found;
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<Named[]> {
  const reader = folder.createReader();
  const found: Named[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject));
    if (some.length === 0) return found; // It gives a hundred at a time.
    for (const one of some.filter(({ isFile }) => isFile)) {
      const file = await new Promise<File>((resolve, reject) =>
        (one as FileSystemFileEntry).file(resolve, reject));
      found.push({ name: `${folder.name}/${one.name}`, file });
    }
  }
}
