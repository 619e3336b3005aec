import axe from 'axe-core';
import { writeFile } from 'node:fs/promises';
import { launch, type Browser, type Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { installedVersion } from '../../src/base/paths.js';
import { SharedResults } from '../../src/queue/deliver.js';
import { measuringDevice } from '../../src/queue/devices.js';
import { JobQueue } from '../../src/queue/queue.js';
import { Worker } from '../../src/queue/worker.js';
import type { routes } from '../../src/serve/api/routes.js';
import { serve, type Served } from '../../src/serve/start.js';
import { openStore } from '../../src/store/open.js';
import { insertRun } from '../../src/store/write.js';
import { addToken } from '../../src/store/tokens.js';
import { storeExample } from '../analysis/support/example.js';
import { runsOf, storeHistory } from '../analysis/support/history.js';
import { worker as record } from '../queue/support.js';
import { describeInBrowser } from '../report/support/browser.js';
import { useFolder } from '../support/folder.js';
import { browserPath } from '../support/parts.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { newRun } from '../support/rows.js';
import type { z } from 'zod';

type Runs = z.output<(typeof routes)['runs']['response']>;
type Details = z.output<(typeof routes)['run']['response']>;

const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844, isMobile: true, hasTouch: true };

const SUITE = `
name: watched
data: shapes10
models: [{ name: micro, path: vit-micro-shapes10 }]
devices: [local-cpu]
accuracy: { batch: 16, images: 40 }
performance: { batches: [2], tier: smoke, rounds: 2 }
`;

const folder = useFolder();

let browser: Browser | undefined;
beforeAll(async () => {
  if (browserPath !== undefined)
    browser = await launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(() => browser?.close());

/** What is closed after a test, the last opened first. */
const opened: (() => Promise<unknown>)[] = [];
async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close();
}
afterEach(closeAll);

interface Seen {
  readonly page: Page;
  /** What the console, the policy and uncaught errors said, and what was asked of other servers. */
  readonly complaints: string[];
  readonly ask: <T>(expression: string) => Promise<T>;
  /** Waits until an expression holds. */
  readonly until: (expression: string) => Promise<unknown>;
}

async function served(place: string): Promise<Served> {
  const found = await serve(place, {
    ...{ host: '127.0.0.1', port: 0, names: [], requestsPerMinute: 100_000 },
    failed: (error) => {
      console.error(error);
    },
  });
  opened.push(() => found.close());
  return found;
}

async function tab(origin: string): Promise<Seen> {
  const page = await browser!.newPage();
  opened.push(() => page.close());
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Other tests make networks and take them away, at which Chromium drops connections; the page connects again.
    const isNetwork = message.text().includes('net::ERR_NETWORK_CHANGED');
    if (['error', 'warn'].includes(message.type()) && !isNetwork) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
      complaints.push(request.url());
  });
  await page.evaluateOnNewDocument(
    `addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective))`,
  );
  await page.setViewport(desk);
  return {
    ...{ page, complaints },
    ask: async <T>(expression: string) => (await page.evaluate(expression)) as T,
    until: (expression) => page.waitForFunction(expression, { timeout: 45_000 }),
  };
}

const READY = `document.getElementById('title') !== null && document.querySelector('[aria-busy=true]') === null`;

/** Loads the page anew; a network that is made or taken away meanwhile takes the page with it. */
async function load({ page, until }: Seen, address: string): Promise<void> {
  await page.goto(address).catch(() => page.goto(address));
  await until(READY);
}

/** Goes somewhere within the page, as a link does. */
async function visit({ ask, until }: Seen, path: string): Promise<void> {
  await ask(`(() => {
    const link = document.createElement('a');
    link.href = ${JSON.stringify(`/${path}`)};
    document.body.append(link);
    link.click();
    link.remove();
  })()`);
  await until(
    `${READY} && [...document.querySelectorAll('.picture')].every((each) => each.querySelector('svg') !== null)`,
  );
}

/** What axe-core finds wrong in what is shown: in light all of its rules, in dark those that colours can break. */
async function faults({ page, ask }: Seen): Promise<unknown[]> {
  if (await ask('window.axe === undefined')) await page.evaluate(axe.source);
  const found: unknown[] = [];
  for (const [value, only] of [
    ['light', ''],
    ['dark', `, runOnly: ['color-contrast', 'link-in-text-block']`],
  ] as const) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    found.push(
      ...(await ask<
        unknown[]
      >(`axe.run(document, { resultTypes: ['violations']${only} }).then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]))`)),
    );
  }
  return found;
}

async function withRuns(): Promise<string> {
  const db = await openStore(folder('results', 'edgeflex.db'));
  try {
    await storeHistory(
      db,
      3,
      0.01,
      runsOf(6, (index) => ({ milliseconds: index < 3 ? 10 : 12 })),
    );
    await storeExample(db, { devices: ['laptop', 'board'] });
  } finally {
    await db.destroy();
  }
  return folder('results');
}

describeInBrowser('the dashboard', () => {
  it('has no page that axe finds fault with, that is wider than a phone, or that its policy forbids anything', async () => {
    const { url } = await served(await withRuns());
    const get = async <T>(path: string): Promise<T> =>
      (await (await fetch(`${url}api/v1${path}`)).json()) as T;
    const { runs } = await get<Runs>('/runs');
    const example = runs.find(({ suite }) => suite === 'drawings')!;
    const { cells } = await get<Details>(`/runs/${example.id}`);
    const timed = cells.find(({ kind, state }) => kind === 'performance' && state === 'done')!;
    const others = runs.filter(({ suite }) => suite === 'tiny').map(({ id }) => id);
    const paths = [
      ...['', 'runs', `runs/${example.id}/cells/${timed.id}`, 'nowhere'],
      ...[
        `compare?runs=${others.join(',')}`,
        'history?model=micro',
        'procure?batch=8&latency=11&emulated=true',
      ],
    ];
    const seen = await tab(url);
    const { page, complaints, ask, until } = seen;
    const check = async (what: string): Promise<void> => {
      const { width } = page.viewport() ?? desk;
      expect([what, await ask('document.documentElement.scrollWidth')]).toEqual([what, width]);
      expect([what, ...(await faults(seen))]).toEqual([what]);
    };
    await load(seen, url);
    for (const viewport of [desk, phone]) {
      // That it is a phone makes the browser load the page anew.
      await page.setViewport(viewport);
      await until(READY);
      // The large report is looked at by tests of reports, also on a phone.
      for (const path of [...paths, `runs/${viewport === desk ? example.id : others[0]!}`]) {
        await visit(seen, path);
        await check(path);
      }
    }
    expect(complaints).toEqual([]);

    // From now on everybody needs one.
    const db = await openStore(folder('results', 'edgeflex.db'));
    const { token } = await addToken(db, 'ada', 'admin');
    await db.destroy();
    await visit(seen, 'audit');
    await until(`document.querySelector('#sign-in') !== null`);
    await check('sign in');
    await page.type('#sign-in input', token);
    await page.keyboard.press('Enter');
    await until(`document.querySelector('#content tbody tr') !== null`);
    await check('audit');
    expect(complaints.filter((each) => !each.includes('401'))).toEqual([]);
  }, 180_000);

  it('is walked through by the keyboard alone, and tells where one is', async () => {
    const { url } = await served(await withRuns());
    const seen = await tab(url);
    const { page, ask, until } = seen;
    const focused = (expression: string): Promise<unknown> => ask(`document.activeElement.${expression}`);
    const tabTo = async (selector: string): Promise<void> => {
      for (let step = 0; step < 60; step++) {
        await page.keyboard.press('Tab');
        if (await focused(`matches(${JSON.stringify(selector)})`)) return;
      }
      throw new Error(`the keyboard does not reach ${selector}`);
    };
    await load(seen, url);
    await page.keyboard.press('Tab');
    expect(await focused('className')).toBe('skip');
    await tabTo('nav a[href="/runs"]');
    expect(await ask(`getComputedStyle(document.activeElement).outlineStyle`)).toBe('solid');
    await page.keyboard.press('Enter');
    await until(`document.querySelectorAll('#list tbody tr').length === 7`);
    expect(await focused('textContent')).toBe('Runs');
    expect(await ask('location.pathname')).toBe('/runs');

    await tabTo('#list tbody tr:nth-child(2) input');
    await page.keyboard.press('Space');
    await tabTo('#list tbody tr:nth-child(5) input');
    await page.keyboard.press('Space');
    await tabTo('#compare');
    await page.keyboard.press('Enter');
    await until(`document.querySelector('article .answer') !== null`);
    expect(await ask('location.pathname + location.search')).toMatch(/^\/compare\?runs=[\w-]+%2C[\w-]+$/);
    expect(await focused('id')).toBe('title');
    await page.goBack();
    await until(`document.querySelector('#list tbody tr') !== null`);
    expect(await ask('document.title')).toContain('Runs');

    await page.type('#filters input[type=search]', 'drawings');
    await page.keyboard.press('Enter');
    await until(`document.querySelectorAll('#list tbody tr').length === 1`);
    expect(await ask('location.search')).toContain('search=drawings');
  });

  it('gives its stream back while nobody sees it, tells what came meanwhile, and says when the connection is lost', async () => {
    const place = await withRuns();
    const dashboard = await served(place);
    const seen = await tab(dashboard.url);
    const { ask, until } = seen;
    await load(seen, dashboard.url);
    await until(`document.querySelector('.connection.live') !== null`);
    const turn = (hidden: boolean): Promise<unknown> =>
      ask(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }),
        document.dispatchEvent(new Event('visibilitychange'))`);
    await turn(true);
    await until(`document.querySelector('.connection.connecting') !== null`);
    const db = await openStore(folder('results', 'edgeflex.db'));
    await insertRun(db, newRun('meanwhile', { suite: 'meanwhile', started_at: new Date().toISOString() }));
    await db.destroy();
    await turn(false);
    await until(`document.querySelector('.connection.live') !== null`);
    await until(`document.querySelector('#newest').textContent.includes('meanwhile')`);
    await dashboard.close();
    await until(`document.querySelector('.lost') !== null`);
  });

  it('is loaded again where its code, its style or an answer was lost on the way', async () => {
    const { url } = await served(await withRuns());
    const seen = await tab(url);
    const { page, until } = seen;
    const lost = new Set(['/app.js', '/app.css', '/api/v1/runs']);
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      void (lost.delete(new URL(request.url()).pathname) ? request.abort('failed') : request.continue());
    });
    await page.goto(url);
    await until(`${READY} && document.querySelector('#newest tbody tr') !== null`);
    expect(lost.size).toBe(0);
  });

  it('shows every tab of many', async () => {
    const { url } = await served(await withRuns());
    // A browser has six connections to a server.
    for (let count = 0; count < 8; count++) {
      const { page } = await tab(url);
      await page.goto(url);
    }
    const { page, until } = await tab(url);
    await page.goto(`${url}runs`);
    await until(`document.querySelectorAll('#list tbody tr').length === 7`);
  });
});

describePostgres('on a server', () => {
  const url = useDatabase();
  // Before the database goes.
  afterEach(closeAll);
  it.skipIf(browserPath === undefined)('a run is submitted and watched to its report', async () => {
    const db = await openStore(url());
    const { token } = await addToken(db, 'ada', 'admin');
    await db.destroy();
    const { url: address } = await served(url());
    const seen = await tab(address);
    const { page, ask, until } = seen;
    await page.goto(`${address}queue`);
    await until(`document.querySelector('#sign-in') !== null`);
    await page.type('#sign-in input', token);
    await page.keyboard.press('Enter');
    await until(`document.querySelector('#submit textarea') !== null`);
    await page.type('#submit textarea', SUITE.replace('shapes10', 'shapes11'));
    await page.click('#submit button');
    await until(`document.querySelector('#outcome .failed') !== null`);
    expect(await ask(`document.querySelector('#outcome').textContent`)).toContain('shapes11');
    await ask(`document.querySelector('#submit textarea').value = ${JSON.stringify(SUITE)}`);
    await page.click('#submit button');
    await until(`document.querySelector('#jobs tbody tr') !== null`);
    expect(await ask(`document.querySelector('#jobs tbody').textContent`)).toMatch(/watched[^]*waiting/);
    expect(await faults(seen)).toEqual([]);

    const queue = await JobQueue.open(url());
    opened.push(() => queue.close());
    const results = new SharedResults(queue, url());
    await writeFile(folder('local-cpu.yaml'), 'name: local-cpu\nkind: local\nthreads: 1\n');
    const worker = new Worker(queue, {
      record: record('bench', { host: 'bench', version: installedVersion() }),
      devices: [await measuringDevice(folder('local-cpu.yaml'), 'bench')],
      spools: folder('spools'),
      ...{ data: undefined, pollMilliseconds: 50, once: true },
      ...{ drain: new AbortController().signal, stop: new AbortController().signal },
      deliver: (spool, job) => results.deliver(spool, job),
      emit: () => undefined,
    }).run();
    // Nobody reloads anything from here on: the stream tells it.
    await until(`document.querySelector('#jobs .state.going') !== null`);
    await worker;
    await results.close();
    await until(`document.querySelector('#jobs tbody tr') === null`);
    await page.click('nav a[href="/"]');
    await until(`document.querySelector('#newest .state.good') !== null`);
    await page.click('#newest tbody a');
    await until(`document.querySelector('#report .main-table') !== null && ${READY}`);
    expect(await ask(`document.querySelector('#facts').textContent`)).toMatch(/complete/);
    expect(await ask<number>(`document.querySelectorAll('#cells tbody tr').length`)).toBeGreaterThan(1);
  });
});
