import { describe, expect, it } from 'vitest';
import { changesPage, commitPage, hostedAt, hostingOf, hostingTold } from '../../src/base/hosting.js';
import { askGit } from '../../src/base/git.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const [before, after] = ['a'.repeat(40), 'b'.repeat(40)] as const;

describe('a remote', () => {
  it.each([
    ['https://github.com/owner/name.git', 'github', 'https://github.com/owner/name'],
    ['git@github.com:owner/name.git', 'github', 'https://github.com/owner/name'],
    ['ssh://git@git.example.org:2222/owner/name/', 'github', 'https://git.example.org/owner/name'],
    ['https://user:secret@gitlab.example.org:8443/a/b/c', 'gitlab', 'https://gitlab.example.org:8443/a/b/c'],
    ['git@bitbucket.org:owner/name', 'bitbucket', 'https://bitbucket.org/owner/name'],
    ['https://example.org/a](javascript:x)', 'github', 'https://example.org/a%5D%28javascript:x%29'],
  ])('%s is hosted as on %s, at %s', (remote, kind, page) => {
    expect(hostedAt(remote)).toEqual({ kind, page });
  });

  it.each(['/srv/git/name.git', '../name', 'file:///srv/name', 'C:\\name', 'javascript:alert(1)', ''])(
    'that names no host, %j, has no page',
    (remote) => {
      expect(hostedAt(remote)).toBeUndefined();
    },
  );
});

describe('the environment of a job', () => {
  const github = {
    ...{ GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/name' },
    GITHUB_RUN_ID: '123',
  };

  it.each([
    [github, 'https://github.com/owner/name/commit/', 'https://github.com/owner/name/actions/runs/123'],
    [
      { CI_PROJECT_URL: 'https://code.example.org/a/b', CI_JOB_URL: 'https://code.example.org/a/b/-/jobs/7' },
      'https://code.example.org/a/b/-/commit/',
      'https://code.example.org/a/b/-/jobs/7',
    ],
    [
      { BITBUCKET_GIT_HTTP_ORIGIN: 'http://bitbucket.org/o/n', BITBUCKET_BUILD_NUMBER: '9' },
      'http://bitbucket.org/o/n/commits/',
      'http://bitbucket.org/o/n/pipelines/results/9',
    ],
  ])('%j tells where commits and the job are', (environment, commits, job) => {
    const hosting = hostingTold(environment);
    expect(commitPage(hosting, after)).toBe(`${commits}${after}`);
    expect(hosting.job).toBe(job);
  });

  it('tells what lies between two commits where the host shows that', () => {
    expect(changesPage(hostingTold(github), before, after)).toBe(
      `https://github.com/owner/name/compare/${before}...${after}`,
    );
    const bitbucket = hostingTold({ BITBUCKET_GIT_HTTP_ORIGIN: 'https://bitbucket.org/o/n' });
    expect(changesPage(bitbucket, before, after)).toBeUndefined();
    expect(commitPage(hostingTold(github), 'HEAD](x)')).toBeUndefined();
  });

  it('that tells the job alone leaves the repository to the remote', async () => {
    await askGit(folder(), 'init', '-q');
    await askGit(folder(), 'remote', 'add', 'origin', 'git@github.com:owner/name.git');
    expect(await hostingOf(folder(), { BUILD_URL: 'https://ci.example.org/job/7/' })).toEqual({
      repository: { kind: 'github', page: 'https://github.com/owner/name' },
      job: 'https://ci.example.org/job/7',
    });
    expect(await hostingOf(folder(), {})).toMatchObject({ job: undefined });
  });

  it('without any of it and without a remote tells nothing', async () => {
    await askGit(folder(), 'init', '-q');
    expect(await hostingOf(folder(), {})).toEqual({ repository: undefined, job: undefined });
  });
});
