import { pathToFileURL } from 'node:url';
import { launch, type Browser, type Page, type Viewport } from 'puppeteer-core';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { browserPart, browserPath } from '../../support/parts.js';

/** Tests that need a browser: where there is none they are skipped, and the closing summary says so. */
export const describeInBrowser = describe.skipIf(browserPart.missing !== undefined);

/** What a page did while a test looked at it. */
export interface Visit {
  readonly page: Page;
  /** Addresses of everything it asked for, data it carries itself left out. */
  readonly requests: readonly string[];
  /** Errors and warnings of its console, uncaught errors, and what its policy forbade. */
  readonly complaints: readonly string[];
  /** The value of an expression in the page. */
  readonly ask: <T>(expression: string) => Promise<T>;
}

/** How a test looks at a page. */
export interface VisitOptions {
  readonly viewport?: Viewport;
  readonly javaScript?: boolean;
}

/**
 * Starts a browser for the tests of a file.
 *
 * @returns opens an HTML file in it, from the disk, and waits until its charts are drawn
 */
export function useBrowser(): (file: string, options?: VisitOptions) => Promise<Visit> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (browserPath === undefined) return;
    browser = await launch({
      executablePath: browserPath,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
  });
  return async (file, { viewport = { width: 1400, height: 900 }, javaScript = true } = {}) => {
    const page = await browser!.newPage();
    onTestFinished(async () => {
      if (!page.isClosed()) await page.close();
    });
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
    });
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.setJavaScriptEnabled(javaScript);
    await page.evaluateOnNewDocument(
      `addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective))`,
    );
    await page.setViewport(viewport);
    await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
    if (javaScript) await page.waitForFunction(`document.querySelector('figure img') === null`);
    return { page, requests, complaints, ask: async <T>(code: string) => (await page.evaluate(code)) as T };
  };
}
