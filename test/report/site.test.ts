import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { SyntaxValidator } from 'fast-xml-validator';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CellHistory, History } from '../../src/analysis/history/history.js';
import { badge } from '../../src/report/site/badge.js';
import { sitePages } from '../../src/report/site/split.js';
import { writeSite } from '../../src/report/site/write.js';
import { openStore } from '../../src/store/open.js';
import { historyOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();
const hosted = {
  repository: { kind: 'github', page: 'https://example.org/o/n' },
  job: undefined,
} as const;
let history: History;

beforeEach(async () => {
  const db = await openStore(folder('results.sqlite'));
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(16, (index) => ({ milliseconds: index < 10 ? 10 : 11 })),
  );
  history = await historyOf(db);
  await db.destroy();
});

/** The history with its cells measured on another device, too, and by a name that makes the same file name. */
function onDevices(...devices: readonly string[]): History {
  const of = (device: string) => (each: CellHistory) => ({ ...each, cell: { ...each.cell, device } });
  return { ...history, cells: devices.flatMap((device) => history.cells.map(of(device))) };
}

describe('the pages of a site', () => {
  it('have every cell once, that of its model and device, and names of their own', () => {
    const whole = onDevices('Böard 1', 'board-1', 'here');
    const pages = sitePages([whole, { ...whole, suite: 'other' }]);
    expect(pages).toHaveLength(6);
    expect(new Set(pages.map(({ slug }) => slug)).size).toBe(6);
    for (const { slug, history: own, device } of pages) {
      expect(slug).toMatch(/^[a-z0-9-]+$/);
      expect(own.cells.every(({ cell }) => cell.device === device)).toBe(true);
    }
    const first = pages.filter(({ suite }) => suite === whole.suite);
    expect(first.flatMap((page) => page.history.cells)).toHaveLength(whole.cells.length);
  });
});

describe('a written site', () => {
  it('has an index, a page of each model and device, the same as JSON, and badges; an earlier one is replaced', async () => {
    expect(await writeSite([onDevices('here', 'there')], folder('site'), hosted, false)).toBe(2);
    expect(await writeSite([history], folder('site'), hosted, false)).toBe(1);
    expect((await readdir(folder('site'))).sort()).toEqual(
      [
        ...['.edgeflex-output.json', '.nojekyll', 'badges'],
        ...['index.html', 'tiny-micro-here.html', 'tiny-micro-here.json'],
      ].sort(),
    );
    const json = JSON.parse(readFileSync(folder('site', 'tiny-micro-here.json'), 'utf8')) as {
      suite: string;
    };
    expect(json.suite).toBe('tiny');
    const badges = await readdir(folder('site', 'badges'));
    expect(badges).toHaveLength(history.cells.length + 2);
    const overall = readFileSync(folder('site', 'badges', 'index.svg'), 'utf8');
    expect(overall).toContain('2 worse now');
    expect(readFileSync(folder('site', 'badges', 'tiny-micro-here.svg'), 'utf8')).toContain('2 worse now');
  });

  it('runs nothing, fetches nothing, says so by its policy, and has no link that leads nowhere', async () => {
    await writeSite([history], folder('site'), hosted, false);
    for (const name of ['index.html', 'tiny-micro-here.html']) {
      const page = readFileSync(folder('site', name), 'utf8').replaceAll('&#39;', "'");
      expect(page).not.toMatch(/<script|\son\w+="|@import|url\(/i);
      const rules = /<style>(.*?)<\/style>/s.exec(page)![1]!;
      const hash = createHash('sha256').update(rules).digest('base64');
      expect(page).toContain(`default-src 'none'; style-src 'sha256-${hash}'; img-src data:`);
      expect(page).not.toMatch(/\sstyle="/);
      for (const [, source] of page.matchAll(/\ssrc="([^"]*)"/g)) expect(source).toMatch(/^data:image\/svg/);
      const links = [...page.matchAll(/\shref="([^"]*)"/g)].map(([, link]) => link!);
      for (const link of links) {
        if (link.startsWith('#')) expect(page).toContain(`id="${link.slice(1)}"`);
        else if (!link.startsWith('https://example.org/o/n/'))
          expect([link, existsSync(folder('site', link))]).toEqual([link, true]);
      }
      expect(links.some((link) => link.startsWith('https://example.org/o/n/commit/'))).toBe(true);
    }
    const page = readFileSync(folder('site', 'tiny-micro-here.html'), 'utf8');
    // Between the commits of the change that was put there.
    expect(page).toMatch(/href="https:\/\/example.org\/o\/n\/compare\/0000010c+\.\.\.0000011c+"/);
  });

  it('does not take the place of what somebody else has put there', async () => {
    await writeSite([history], folder('site'), hosted, false);
    await writeFile(folder('site', 'CNAME'), 'example.org');
    await writeSite([history], folder('site'), hosted, false);
    expect(existsSync(folder('site', 'CNAME'))).toBe(true);
    await writeFile(folder('site', 'index.html'), 'mine');
    const fault = await refusalOf(() => writeSite([history], folder('site'), hosted, false));
    expect(JSON.stringify(fault)).toContain('index.html');
  });
});

describe('a badge', () => {
  it.each([
    ['int8 · batch 8 latency', '12.3 ms', 'plain'],
    ['<b>&"\'</b>', 'a\u0007b\ud800', 'bad'],
    ['', '', 'good'],
  ] as const)('of %j and %j is well-formed XML, and wide enough for both', (label, value, state) => {
    const svg = badge(label, value, state);
    expect(SyntaxValidator.validate(svg)).toBe(true);
    const width = Number(/width="(\d+)"/.exec(svg)![1]);
    expect(width).toBeGreaterThanOrEqual(4 * (label.length + value.length));
  });
});
