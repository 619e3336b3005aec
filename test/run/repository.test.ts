import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { readRepository } from '../../src/run/repository.js';
import type { Repository } from '../../src/store/repository.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

/** Git in the test's folder, as somebody without settings of their own. */
function git(...args: string[]): string {
  const settings = ['user.name=A Tester', 'user.email=tester@example.org', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', folder(), ...settings.flatMap((each) => ['-c', each]), ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_COMMITTER_DATE: '2026-11-20T12:00:00+02:00' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

function commitFile(name: string, text: string): void {
  writeFileSync(folder(name), text);
  git('add', name);
  git('commit', '--quiet', '--message', `write ${name}`);
}

/** What git tells of a directory. */
async function known(directory: string): Promise<Repository | null> {
  const repository = await readRepository(directory);
  if (repository !== null && 'untold' in repository) throw new Error(repository.said);
  return repository;
}

describe('the state of a repository', () => {
  it('is the commit, when it was made in UTC, and the branch', async () => {
    git('init', '--quiet', '--initial-branch', 'work');
    commitFile('a.txt', 'one');
    expect(await readRepository(folder())).toEqual({
      commit: git('rev-parse', 'HEAD'),
      committedAt: '2026-11-20T10:00:00.000Z',
      branch: 'work',
      dirty: false,
    });
  });

  it('is that of the repository around a directory in it', async () => {
    git('init', '--quiet');
    commitFile('a.txt', 'one');
    mkdirSync(folder('deep', 'er'), { recursive: true });
    expect((await known(folder('deep', 'er')))?.commit).toBe(git('rev-parse', 'HEAD'));
  });

  it('is dirty when a tracked file differs, not when a file is new', async () => {
    git('init', '--quiet');
    commitFile('a.txt', 'one');
    writeFileSync(folder('results.db'), 'new');
    expect((await known(folder()))?.dirty).toBe(false);
    writeFileSync(folder('a.txt'), 'two');
    expect((await known(folder()))?.dirty).toBe(true);
  });

  it('has no branch where only a commit is checked out, as in CI', async () => {
    git('init', '--quiet');
    commitFile('a.txt', 'one');
    git('checkout', '--quiet', '--detach');
    expect((await known(folder()))?.branch).toBeNull();
  });

  it('is nothing outside a checkout and before the first commit', async () => {
    expect(await readRepository(folder())).toBeNull();
    git('init', '--quiet');
    expect(await readRepository(folder())).toBeNull();
  });

  it.runIf(process.getuid?.() === 0)(
    'is why git does not tell it where the checkout belongs to somebody else',
    async () => {
      git('init', '--quiet');
      commitFile('a.txt', 'one');
      chownSync(folder(), 1000, 1000);
      chownSync(folder('.git'), 1000, 1000);
      expect(await readRepository(folder())).toMatchObject({
        untold: 'dubious-ownership',
        said: expect.stringContaining('dubious ownership') as string,
      });
    },
  );

  it('is that git is missing where there is a checkout and no git', async () => {
    git('init', '--quiet');
    commitFile('a.txt', 'one');
    vi.stubEnv('PATH', folder());
    expect(await readRepository(folder())).toMatchObject({ untold: 'no-git' });
    vi.unstubAllEnvs();
  });
});
