import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { gitState } from '../../src/device/git.js';
import { environmentSchema } from '../../src/protocol/environment.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

afterEach(() => vi.unstubAllEnvs());

describe("the commit of the harness's own code", () => {
  it('is nothing outside a checkout', async () => {
    expect(await gitState(folder())).toBeNull();
  });

  it('is unknown where git is missing, fails or does not read the checkout of somebody else', async () => {
    mkdirSync(folder('.git'));
    const broken = await gitState(folder());
    expect(broken).toMatchObject({ untold: 'git-failed' });
    expect(environmentSchema.shape.git.parse(broken)).toEqual(broken);
    vi.stubEnv('PATH', folder());
    expect(await gitState(folder())).toMatchObject({ untold: 'no-git' });
  });

  it('is known, with whether anything was changed', async () => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', folder(), '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
        encoding: 'utf8',
      }).trim();
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'nothing');
    const commit = git('rev-parse', 'HEAD');
    expect(await gitState(folder())).toEqual({ commit, dirty: false });
    writeFileSync(folder('new.txt'), 'new');
    expect(await gitState(folder())).toEqual({ commit, dirty: true });
    if (process.getuid?.() !== 0) return;
    for (const path of [folder(), folder('.git')]) chownSync(path, 1000, 1000);
    expect(await gitState(folder())).toMatchObject({ untold: 'dubious-ownership' });
  });
});
