import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { DeviceError } from '../../src/base/errors.js';
import { postComment } from '../../src/net/comments/post.js';
import { reviewRequest } from '../../src/net/comments/request.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { serveComments, type CommentHost } from './comment-server.js';

const folder = useFolder();
const never = new AbortController().signal;
let host: CommentHost | undefined;
afterEach(() => host?.close());

/** What a job of GitHub's says of itself. */
function github({ api }: CommentHost, token = 'secret'): Record<string, string> {
  writeFileSync(folder('event.json'), JSON.stringify({ pull_request: { number: 12, title: 'x' } }));
  return {
    ...{ GITHUB_API_URL: `${api}/`, GITHUB_REPOSITORY: 'owner/name', GITHUB_TOKEN: token },
    GITHUB_EVENT_PATH: folder('event.json'),
  };
}

const githubHost = (): Promise<CommentHost> =>
  serveComments(
    { list: '/repos/owner/name/issues/12/comments', one: '/repos/owner/name/issues/comments/' },
    'PATCH',
    { header: 'authorization', value: 'Bearer secret' },
  );

const notes = '/projects/34/merge_requests/5/notes';
const gitlabHost = (): Promise<CommentHost> =>
  serveComments({ list: notes, one: `${notes}/` }, 'PUT', { header: 'private-token', value: 'secret' });

describe('the comment', () => {
  it('on a pull request is one, replaced in place; those of others, and of other names, stay', async () => {
    host = await githubHost();
    const request = reviewRequest(github(host));
    for (let id = 0; id < 130; id++) host.comments.push({ id, body: `says <!-- edgeflex: a --> ${id}` });
    const post = (name: string, text: string): ReturnType<typeof postComment> =>
      postComment(request, name, text, never);
    const first = await post('a', 'one');
    expect(await post('b', 'other')).toMatchObject({ updated: false });
    expect(await post('a', 'two')).toEqual({ updated: true, id: first.id });
    const own = host.comments.slice(130).map(({ body }) => body);
    expect(own).toEqual(['<!-- edgeflex: a -->\ntwo', '<!-- edgeflex: b -->\nother']);
    expect(host.comments.slice(0, 130).every(({ body }) => body.startsWith('says'))).toBe(true);
    expect(host.asked.filter(({ method }) => method !== 'GET').map(({ method }) => method)).toEqual([
      ...['POST', 'POST', 'PATCH'],
    ]);
  });

  it('on a merge request is one, too', async () => {
    host = await gitlabHost();
    const request = reviewRequest({
      ...{ CI_API_V4_URL: host.api, CI_PROJECT_ID: '34', CI_MERGE_REQUEST_IID: '5', GITLAB_TOKEN: 'secret' },
    });
    await postComment(request, 'a', 'one', never);
    await postComment(request, 'a', 'two', never);
    expect(host.comments.map(({ body }) => body)).toEqual(['<!-- edgeflex: a -->\ntwo']);
  });

  it('that the token may not write is refused with what the host says', async () => {
    host = await githubHost();
    const request = reviewRequest(github(host, 'readable'));
    const fault = await refusalOf(() => postComment(request, 'a', 'one', never));
    for (const fact of ['403', 'not accessible by integration']) expect(fault.found).toContain(fact);
    expect(fault.hint).toContain('pull-requests: write');
    expect(JSON.stringify(fault)).not.toContain('readable');
  });

  it('cannot be posted where nobody answers', async () => {
    host = await githubHost();
    const request = reviewRequest(github(host));
    await host.close();
    await expect(postComment(request, 'a', 'one', never)).rejects.toThrow(DeviceError);
  });
});

describe('the environment of a job', () => {
  it('names the request by its event, by its reference, or not at all', async () => {
    host = await githubHost();
    const environment = github(host);
    expect(reviewRequest(environment)).toMatchObject({ number: 12, repository: 'owner/name', api: host.api });
    expect(reviewRequest(environment, 7).number).toBe(7);
    const byRef = { ...environment, GITHUB_EVENT_PATH: '', GITHUB_REF: 'refs/pull/9/merge' };
    expect(reviewRequest(byRef).number).toBe(9);
    const push = { ...byRef, GITHUB_REF: 'refs/heads/main' };
    expect(() => reviewRequest(push)).toThrow('--number');
    expect(() => reviewRequest({ ...environment, GITHUB_TOKEN: '' })).toThrow('GITHUB_TOKEN');
    expect(() => reviewRequest({})).toThrow('GITHUB_REPOSITORY');
    expect(() => reviewRequest({ CI_API_V4_URL: host!.api, CI_PROJECT_ID: '1' })).toThrow(
      'CI_MERGE_REQUEST_IID',
    );
  });
});
