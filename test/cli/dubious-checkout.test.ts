import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';
import { edgeflexProcess, type Outcome } from './support.js';

const folder = useFolder();

describe.skipIf(process.geteuid?.() !== 0)('a checkout that belongs to somebody else', () => {
  it('is measured in, and its commit is unknown for a reason that reports give', async () => {
    execFileSync('git', ['init', '--quiet', folder()]);
    chownSync(folder(), 1000, 1000);
    const suite = folder('suite.yaml');
    await writeFile(
      suite,
      [
        'name: dubious',
        `data: { name: shapes10, path: ${shapesDirectory} }`,
        `models: [{ path: ${microDirectory} }]`,
        `devices: [${join(packageRoot(), 'devices', 'local-cpu.yaml')}]`,
        'performance: { batches: [1], tier: smoke, rounds: 1 }',
      ].join('\n'),
    );
    const command = (...words: string[]): Promise<Outcome> =>
      edgeflexProcess(
        words,
        { EDGEFLEX_CACHE: folder('cache'), GIT_CEILING_DIRECTORIES: undefined },
        folder(),
      );
    const run = await command('run', suite, '--images', '16');
    expect([run.code, run.err]).toEqual([exitCodes.fine, expect.not.stringContaining('error')]);
    expect(run.out).toContain('safe.directory');
    for (const words of [['report'], ['history', 'dubious'], ['store', 'check']])
      expect((await command(...words)).code, words.join(' ')).toBe(exitCodes.fine);
  }, 60_000);
});
