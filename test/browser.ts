/** Headless Chromium for tests; CHROMIUM names its program if it is not /usr/bin/chromium. */
import { type Browser, chromium } from 'playwright-core';

/** For need(): whether there is a browser. */
export const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts a browser that asks nobody outside for anything. */
export const openBrowser = (): Promise<Browser> => chromium.launch({
  executablePath: BROWSER,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
