import { XMLParser } from 'fast-xml-parser';
import { SyntaxValidator } from 'fast-xml-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { comparisonDocument } from '../../../src/report/compare/document.js';
import type { ComparisonReport } from '../../../src/analysis/compare/gates.js';
import { comparisonExporters } from '../../../src/report/compare/exporters/list.js';
import { checkGates, parseGates } from '../../../src/analysis/compare/gates.js';
import { subjectLabel } from '../../../src/text/compare/label.js';
import { openGates } from '../../../src/text/compare/summary.js';
import { comparisonTable } from '../../../src/text/compare/table.js';
import { useFolder } from '../../support/folder.js';
import { hostileDress, payloads } from '../support/hostile.js';
import { unescaped } from '../support/markdown.js';
import { slower, twoRuns } from '../../analysis/compare/support.js';

const folder = useFolder();

let databases = 0;

/** A comparison with everything in it: worse, better, failed, forced, and gates of every outcome. */
async function eventful(dress?: (text: string) => string): Promise<ComparisonReport> {
  const runs = await twoRuns(
    folder(`${databases++}.sqlite`),
    (database) =>
      void database.exec(`${slower('int8', 8, 1.3)} ${slower('int8', 1, 0.7)}
        update devices set threads = 1 where run_id = 'new';
        update cells set status = 'failed', reason = 'killed <&> "it"'
          where id = (select max(id) from cells where run_id = 'new' and kind = 'performance');`),
    { smooth: true, ...(dress ? { dress } : {}) },
  );
  const comparison = runs.compare({ force: true });
  return { comparison, gates: checkGates(comparison, parseGates('latency:20%,accuracy:0.1pt')) };
}

/** The comparison with every payload in every text that is free, one after the other; made once for all tests. */
let hostile: Promise<ComparisonReport[]> | undefined;
function hostileReports(): Promise<ComparisonReport[]> {
  hostile ??= (async () => {
    const reports: ComparisonReport[] = [];
    for (const first of payloads.keys()) reports.push(await eventful(hostileDress(first)));
    return reports;
  })();
  return hostile;
}

function render(name: string, report: ComparisonReport): string {
  return comparisonExporters.find((exporter) => exporter.name === name)!.render(report);
}

const testcase = z.object({
  name: z.coerce.string(),
  classname: z.string(),
  failure: z.object({ message: z.string(), '#text': z.coerce.string() }).optional(),
  skipped: z.object({ message: z.string() }).optional(),
});
const junit = z.object({
  testsuites: z.object({
    tests: z.coerce.number(),
    failures: z.coerce.number(),
    testsuite: z.array(
      z.object({
        name: z.string(),
        tests: z.coerce.number(),
        failures: z.coerce.number(),
        testcase: z.array(testcase),
      }),
    ),
  }),
});

function readJunit(xml: string): z.infer<typeof junit>['testsuites'] {
  // fast-xml-parser forgives what is not well-formed.
  expect(() => SyntaxValidator.validate(xml)).not.toThrow();
  const isArray = (name: string): boolean => name === 'testsuite' || name === 'testcase';
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray,
    trimValues: false,
  });
  return junit.parse(parser.parse(xml)).testsuites;
}

describe('JUnit', () => {
  it('has a suite for each metric, a test for each figure, and a failure for each broken gate', async () => {
    const report = await eventful();
    const { tests, failures, testsuite } = readJunit(render('junit', report));
    expect(testsuite.map(({ name }) => name)).toEqual(['latency', 'peak memory', 'accuracy', 'file size']);
    const broken = report.gates.filter(({ outcome }) => outcome === 'broken');
    expect(broken).toHaveLength(2);
    expect(failures).toBe(2);
    expect(testsuite[0]!.failures).toBe(2);
    const cases = testsuite.flatMap((suite) => suite.testcase);
    expect(tests).toBe(cases.length);
    const failed = cases.filter(({ failure }) => failure !== undefined);
    expect(failed.map(({ name }) => name)).toEqual([
      'int8, batch 8',
      expect.stringMatching(/^pruned, batch [18]$/),
    ]);
    expect(failed[1]!.failure!.message).toContain('killed <&> "it"');
    const cannot = report.gates.filter(
      ({ outcome }) => outcome === 'cannot tell' || outcome === 'not judged',
    ).length;
    expect(cases.filter(({ skipped }) => skipped !== undefined)).toHaveLength(cannot);
  });

  it('stays well-formed whatever texts say', async () => {
    for (const hostileReport of await hostileReports()) readJunit(render('junit', hostileReport));
    const report = await eventful((text) => `${text}\ud800\ufffe\u0007]]>`);
    expect(readJunit(render('junit', report)).testsuite.length).toBeGreaterThan(0);
  });
});

describe('GitHub annotations', () => {
  it('are commands of one line each, an error for each broken gate, a notice for each improvement', async () => {
    const lines = render('github', await eventful())
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) title=EdgeFlex%3A [^:,]+::\S/);
    expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('::notice'))).toEqual([
      expect.stringMatching(/int8, batch 1: latency \d\d\.\d %25 faster/) as string,
    ]);
    expect(lines[0]).toContain(
      '::warning title=EdgeFlex%3A Runs differ in setup::threads of laptop: 2 in the reference',
    );
  });

  it('let no text begin a command of its own', async () => {
    for (const report of await hostileReports())
      for (const line of render('github', report).trimEnd().split('\n'))
        expect(line).toMatch(/^::(error|warning|notice) title=EdgeFlex%3A [^:,]+::[^\r\n]+$/);
  });
});

describe('Markdown of a comparison', () => {
  it('has what matters on top and every figure folded below', async () => {
    const report = await eventful();
    const text = render('markdown', report);
    const [top, folded] = text.split('<details>') as [string, string];
    expect(top).toMatch(
      /\*\*1 of \d+ figures changed for the worse, 1 for the better, \d+ not distinguishable, gates failed in 2 places\.\*\*/,
    );
    expect(unescaped(top)).toContain('❌ latency:20% failed: int8, batch 8: 30.0 % slower');
    expect(unescaped(top)).toContain(
      'Compared despite differences: threads of laptop: 2 in the reference, 1',
    );
    const rows = folded.split('\n').filter((line) => line.startsWith('|'));
    expect(rows).toHaveLength(report.comparison.compared.length + 2);
    expect(folded.match(/<\/details>/g)).toHaveLength(1);
  });

  it('names the commits of both runs, with links where they lead somewhere', async () => {
    const commits = { reference: 'a'.repeat(40), new: 'b'.repeat(40) };
    const state = (commit: string, dirty: boolean): string =>
      JSON.stringify({ commit, committedAt: '2026-11-22T10:00:00.000Z', branch: 'main', dirty });
    const runs = await twoRuns(folder('commits.sqlite'), (database) => {
      const set = database.prepare('update runs set repository_json = ? where id = ?');
      set.run(state(commits.reference, false), 'reference');
      set.run(state(commits.new, true), 'new');
    });
    const report = { comparison: runs.compare(), gates: [] };
    const plain = unescaped(render('markdown', report));
    expect(plain).toContain('commit aaaaaaaaa<');
    expect(plain).toContain('commit bbbbbbbbb with changes, against');
    expect(plain).not.toContain('](');
    const page = 'https://github.com/owner/name';
    const hosting = { repository: { kind: 'github', page }, job: `${page}/actions/runs/7` } as const;
    const linked = render('markdown', { ...report, hosting });
    const links = [...linked.matchAll(/\]\(([^)]*)\)/g)].map(([, url]) => url);
    expect(links).toEqual([
      `${page}/commit/${commits.new}`,
      `${page}/commit/${commits.reference}`,
      `${page}/compare/${commits.reference}...${commits.new}`,
      `${page}/actions/runs/7`,
    ]);
  });

  it('lets no text be markup', async () => {
    for (const report of await hostileReports()) {
      const text = render('markdown', report);
      const own =
        /^(### EdgeFlex: |\*\*|- |> |\| |<details><summary>All \d+ figures<\/summary>$|<\/details>$|<sub>|>?$)/;
      for (const line of text.split('\n')) expect(line).toMatch(own);
      expect(text.match(/(?<!\\)</g)).toHaveLength(6);
      expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    }
  });
});

describe('JSON of a comparison', () => {
  it('is the document, with nothing lost on the way', async () => {
    const report = await eventful();
    const read = JSON.parse(render('json', report)) as unknown;
    expect(read).toStrictEqual(comparisonDocument(report));
    expect(read).toMatchObject({ schemaVersion: 1, reference: { id: 'reference' }, run: { id: 'new' } });
  });
});

describe('the terminal', () => {
  it('shows every row, then every gate that does not hold', async () => {
    const report = await eventful();
    const text = render('terminal', report);
    for (const { difference } of comparisonTable(report).rows) expect(text).toContain(difference);
    expect(text).toContain('latency:20% failed: int8, batch 8: 30.0 % slower');
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe('gates that do not hold', () => {
  it('are listed with those that failed first, and each place and reason once', async () => {
    const report = await eventful();
    const open = openGates(report);
    const outcomes = open.map(({ outcome }) => outcome);
    expect(outcomes).toContain('broken');
    expect(outcomes.lastIndexOf('broken')).toBe(outcomes.filter((each) => each === 'broken').length - 1);
    const texts = open.map(({ text }) => text);
    const results = report.gates.filter(({ outcome }) => outcome !== 'held');
    for (const { subject } of results)
      if (subject !== undefined)
        expect(texts.some((text) => text.includes(subjectLabel(subject, report.comparison)))).toBe(true);
    const reasonOf = (text: string): string => text.slice(text.lastIndexOf(': '));
    const twice = texts.filter(
      (text, at) =>
        texts.findIndex(
          (other) => reasonOf(other) === reasonOf(text) && other.split(' ')[0] === text.split(' ')[0],
        ) < at,
    );
    expect(twice).toEqual([]);
  });
});
