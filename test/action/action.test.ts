import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/base/sqlite.js';
import { packageRoot } from '../../src/base/paths.js';
import { edgeflex } from '../cli/support.js';
import { serveComments, type CommentHost } from '../net/comment-server.js';
import { commitFiles, git, gitIdentity, pruningSuite } from '../support/checkout.js';
import { useFolder } from '../support/folder.js';
import { readAction, runAction, summaryOf, type Job } from './runner.js';

const folder = useFolder();
const action = await readAction(join(packageRoot(), 'action.yml'));
let host: CommentHost | undefined;
afterEach(() => host?.close());

describe('the action', () => {
  it('says what it needs, and has no step that depends on what a pull request is called', () => {
    expect(Object.entries(action.inputs).flatMap(([name, { required }]) => (required ? [name] : []))).toEqual(
      ['suite'],
    );
    // What others may write, such as the name of a branch, gets into a script by the environment alone.
    for (const { run } of action.runs.steps) expect(run ?? '').not.toContain('${{');
  });

  it('measures both commits in turn, fails by the gate, and puts one comment on the pull request', async () => {
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch', 'main', folder('origin.git')]);
    execFileSync('git', ['clone', '--quiet', folder('origin.git'), folder('work')], { stdio: 'ignore' });
    git(folder('work'), 'switch', '--quiet', '--create', 'main');
    const base = await commitFiles(
      folder('work'),
      'small',
      pruningSuite('suite.yaml', 'guarded', 'small', 0.5),
    );
    git(folder('work'), 'switch', '--quiet', '--create', 'larger');
    const head = await commitFiles(
      folder('work'),
      'larger',
      pruningSuite('suite.yaml', 'guarded', 'small', 0.25),
    );
    git(folder('work'), 'switch', '--quiet', 'main');
    // What happens on main meanwhile is not the branch's doing.
    const tip = await commitFiles(
      folder('work'),
      'of others',
      pruningSuite('suite.yaml', 'guarded', 'small', 0.75),
    );
    git(folder('work'), 'push', '--quiet', 'origin', 'main', 'larger');
    git(folder('work'), 'checkout', '--quiet', '--detach', head);

    host = await serveComments(
      { list: '/repos/owner/name/issues/12/comments', one: '/repos/owner/name/issues/comments/' },
      'PATCH',
      { header: 'authorization', value: 'Bearer secret' },
    );
    host.comments.push({ id: 1, body: 'Looks good.' }, { id: 2, body: '<!-- edgeflex: edgeflex -->\nold' });
    await mkdir(folder('runner'));
    await writeFile(folder('runner', 'event.json'), JSON.stringify({ pull_request: { number: 12 } }));
    const job: Job = {
      ...{ workspace: folder('work'), temporary: folder('runner') },
      environment: {
        ...{ ...process.env, ...gitIdentity, EDGEFLEX_CACHE: folder('cache'), EDGEFLEX_DATA: undefined },
        ...{ GITHUB_ACTIONS: 'true', GITHUB_API_URL: host.api, GITHUB_REPOSITORY: 'owner/name' },
        ...{ GITHUB_SERVER_URL: 'https://example.org', GITHUB_RUN_ID: '77' },
        ...{ GITHUB_HEAD_REF: 'larger', GITHUB_BASE_REF: 'main', GITHUB_REF: 'refs/pull/12/merge' },
        GITHUB_EVENT_PATH: folder('runner', 'event.json'),
      },
      github: {
        ...{ token: 'secret', action_path: packageRoot(), repository: 'owner/name' },
        'event.pull_request.base.sha': tip,
        'event.pull_request.head.repo.full_name': 'owner/name',
      },
      used: { 'upload.artifact-url': 'https://example.org/artifact/5' },
    };
    const setup = 'test -d "$EDGEFLEX_CHECKOUT/.git" && git rev-parse HEAD > prepared';
    const ends = await runAction(action, { suite: 'suite.yaml', gates: 'file:1%', setup }, job);

    const [, measured, , commented] = ends;
    const all = ends.map(({ name, code, out }) => `${name}: ${code}\n${out}`).join('\n');
    expect(
      ends.map(({ code }) => code),
      all,
    ).toEqual([0, 1, 0, 0]);
    expect(measured!.out).toMatch(/::error .*file:1%25 failed: small: \d+\.\d %25 larger/);
    // Those of before stay; the one of EdgeFlex is another now.
    expect(host.comments.map(({ id }) => id)).toEqual([1, 2]);
    expect(commented!.out).toContain('comment 2 updated');
    const { body } = host.comments[1]!;
    for (const fact of [
      '| small |',
      `https://example.org/owner/name/commit/${base}`,
      `https://example.org/owner/name/commit/${head}`,
      `https://example.org/owner/name/compare/${base}...${head}`,
      'https://example.org/owner/name/actions/runs/77',
      'https://example.org/artifact/5',
      'in turn on local-cpu',
    ])
      expect(body).toContain(fact);
    expect(body).not.toContain('old');
    expect(await summaryOf(job, 2)).toBe(
      readFileSync(folder('work', 'edgeflex-output', 'comment.md'), 'utf8'),
    );
    expect(readFileSync(folder('work', 'edgeflex-output', 'edgeflex.xml'), 'utf8')).toContain('<failure');

    const database = new Database(folder('work', 'edgeflex-output', 'results', 'edgeflex.db'), {
      readonly: true,
    });
    const runs = database.prepare('select repository_json as git from runs order by started_at').all() as {
      git: string;
    }[];
    expect(runs.map((run) => JSON.parse(run.git) as unknown)).toMatchObject([
      { commit: base, branch: 'main', dirty: false },
      { commit: head, branch: 'larger', dirty: false },
    ]);
    // Timed rounds of both in the order A B B A.
    const order = database
      .prepare(
        `select repository_json like ? as first, round from rounds join cells on cells.id = cell_id join runs on runs.id = run_id
         where kind = 'performance' order by rounds.started_at`,
      )
      .all(`%${base}%`) as { first: number; round: number }[];
    database.close();
    expect(order.map(({ round }) => round)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    for (const round of [0, 1])
      expect(
        order
          .filter((each) => each.round === round)
          .map(({ first }) => first)
          .join(''),
      ).toMatch(/^(1001|0110)$/);
    // The user's own work tree is as it was, and there is no other.
    expect(git(folder('work'), 'worktree', 'list').split('\n')).toHaveLength(1);
    expect(existsSync(folder('work', 'prepared'))).toBe(false);
    expect(git(folder('work'), 'status', '--porcelain', '--untracked-files=no')).toBe('');

    // Where nothing could be measured, the comment says so, and not what it said before.
    await writeFile(folder('work', 'suite.yaml'), 'name: [');
    await writeFile(folder('work', 'edgeflex-output', 'comment.md'), '');
    execFileSync('rm', [folder('work', 'edgeflex-output', 'comment.md')]);
    const again = await runAction(action, { suite: 'suite.yaml', gates: 'file:1%' }, job);
    expect(again.map(({ code }) => code)).toEqual([0, 2, 0, 0]);
    expect(again[1]!.out).toContain(`head ${head.slice(0, 9)}`);
    expect(host.comments[1]!.body).toContain('could not measure');
  }, 180_000);

  it('refuses what it cannot judge: a suite outside a checkout, and unknown commits', async () => {
    const { code, err } = await edgeflex(['gate', 'quickstart', '--base', 'no-such-branch'], {});
    expect([code, err.includes('no-such-branch')]).toEqual([2, true]);
  });
});
