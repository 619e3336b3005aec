import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { writeSite } from '../../src/report/site/write.js';
import { writeHistory } from '../../src/report/history/write.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { describeInBrowser, useBrowser } from './support/browser.js';
import { historyOf, runsOf, storeHistory } from '../analysis/support/history.js';
import type { History } from '../../src/analysis/history/history.js';

const folder = useFolder();
const visit = useBrowser();
let history: History;

beforeEach(async () => {
  const db = await openStore(folder('results.sqlite'));
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(24, (index) => ({
      milliseconds: index < 10 ? 10 : 11,
      ...(index < 18 ? {} : { processor: 'a <b>bold</b> processor' }),
    })),
  );
  history = await historyOf(db);
  await db.destroy();
});

describe('a written history', () => {
  it('has a page, Markdown, JSON and a picture of each series, and replaces an earlier one', async () => {
    const page = await writeHistory(history, folder('reports'));
    expect(page).toBe(folder('reports', 'history-tiny', 'history.html'));
    expect((await readdir(folder('reports', 'history-tiny'))).sort()).toEqual(
      ['.edgeflex-output.json', 'charts', 'history.html', 'history.json', 'history.md'].sort(),
    );
    const charts = folder('reports', 'history-tiny', 'charts');
    const pictures = await readdir(charts);
    expect(pictures).toContain('latency-fp32-batch-8.svg');
    expect(pictures).toHaveLength(history.cells.length);
    const svg = await readFile(join(charts, 'latency-fp32-batch-8.svg'), 'utf8');
    expect(svg).toContain('0000010cc..0000011cc');
    expect(svg).toContain('another');
    const markdown = await readFile(folder('reports', 'history-tiny', 'history.md'), 'utf8');
    expect(markdown).toContain('**Regressions**');
    expect(markdown).toContain('0000010cc..0000011cc');
    expect(markdown).not.toContain('<b>');
    await writeHistory({ ...history, cells: history.cells.slice(0, 1) }, folder('reports'));
    expect(await readdir(charts)).toEqual(['latency-fp32-batch-8.svg']);
  });

  it('names runs without a commit by their day, and by their time where several are of one day', async () => {
    const db = await openStore(folder('uncommitted.sqlite'));
    await storeHistory(
      db,
      5,
      0.01,
      runsOf(4, () => ({ milliseconds: 10, repository: null })),
    );
    const drawn = async (name: string): Promise<string> => {
      await writeHistory(await historyOf(db), folder(name));
      return readFile(folder(name, 'history-tiny', 'charts', 'latency-fp32-batch-8.svg'), 'utf8');
    };
    const days = await drawn('days');
    for (const label of ['>2026-01-01<', '>2026-01-04<', '>start, UTC<']) expect(days).toContain(label);
    await sql`update runs set started_at = '2026-01-01T0' || substr(started_at, 10, 1) || ':15:00.000Z'`.execute(
      db,
    );
    const times = await drawn('times');
    for (const label of ['>01-01 01:15<', '>01-01 04:15<']) expect(times).toContain(label);
    await db.destroy();
  });

  it('lies where reports lie, whatever the suite is called', async () => {
    const fault = await refusalOf(() => writeHistory({ ...history, suite: '../../x' }, folder('reports')));
    expect(fault.source).toBe('suite');
  });
});

describeInBrowser('the page of a history', () => {
  it('draws its charts offline, says what changed, and fits a phone', async () => {
    const file = await writeHistory(history, folder('reports'));
    const phone = { width: 390, height: 844 };
    const { requests, complaints, ask } = await visit(file, { viewport: phone });
    expect(requests).toEqual([pathToFileURL(file).href]);
    expect(complaints).toEqual([]);
    expect(await ask<number>('document.documentElement.scrollWidth')).toBe(phone.width);
    const widths = await ask<number[]>(
      `[...document.querySelectorAll('#charts figure svg.marks')].map((each) => each.getBoundingClientRect().right)`,
    );
    expect(widths).toHaveLength(history.cells.length);
    for (const right of widths) expect(right).toBeLessThanOrEqual(phone.width - 24);
    const text = await ask<string>(`document.getElementById('changes').textContent`);
    expect(text).toContain('0000010cc..0000011cc');
    expect(text).toContain('a <b>bold</b> processor');
    const marks = await ask<string>(`document.getElementById('latency-fp32-batch-8').textContent`);
    expect(marks).toMatch(/\+\d+\.\d %/);
  });

  it('of a site show everything offline, in dark and on a phone, with nothing that runs', async () => {
    await writeSite([history], folder('site'), { repository: undefined, job: undefined }, false);
    for (const name of ['index.html', 'tiny-micro-here.html']) {
      const file = folder('site', name);
      const { page, requests, complaints, ask } = await visit(file, {
        viewport: { width: 390, height: 844 },
        javaScript: false,
      });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
      expect(requests).toEqual([pathToFileURL(file).href]);
      expect(complaints).toEqual([]);
      expect(await ask<number>('document.documentElement.scrollWidth')).toBe(390);
      expect(await ask<boolean>('[...document.images].every(({ naturalWidth }) => naturalWidth > 0)')).toBe(
        true,
      );
      expect(await ask<string>('getComputedStyle(document.body).backgroundColor')).not.toBe(
        'rgb(255, 255, 255)',
      );
    }
  });
});
