/** Opens pages for a person. */
import { spawn } from 'node:child_process';

/** Opens a file or an address with what the system opens pages with; false: there is nothing. */
export async function openPage(page: string): Promise<boolean> {
  const { platform } = process;
  const [command, ...words] = platform === 'darwin' ? ['open'] : platform === 'win32'
    ? ['cmd', '/c', 'start', ''] : ['xdg-open'];
  return new Promise((done) => {
    const child = spawn(command!, [...words, page], { stdio: 'ignore', detached: true });
    child.on('error', () => done(false));
    child.on('spawn', () => {
      child.unref();
      done(true);
    });
  });
}
