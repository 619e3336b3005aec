import { expect, it } from 'vitest';
import { ciBaseBranch, ciBranch } from '../../src/base/ci-branch.js';

it.each([
  [{ GITHUB_REF: 'refs/heads/release/1' }, 'release/1', undefined],
  [{ GITHUB_REF: 'refs/tags/v1' }, undefined, undefined],
  [{ GITHUB_REF: 'refs/pull/12/merge', GITHUB_HEAD_REF: 'mine', GITHUB_BASE_REF: 'main' }, 'mine', 'main'],
  // A fork's main is not this one's.
  [{ GITHUB_REF: 'refs/pull/12/merge', GITHUB_HEAD_REF: 'main', GITHUB_BASE_REF: 'main' }, 'pull/12', 'main'],
  [
    {
      ...{ CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'main', CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main' },
      CI_MERGE_REQUEST_IID: '7',
    },
    'pull/7',
    'main',
  ],
  [{ CI_COMMIT_BRANCH: 'main' }, 'main', undefined],
  [{ BUILDKITE_BRANCH: 'b', BRANCH_NAME: '' }, 'b', undefined],
  [{}, undefined, undefined],
])('%j works on %s, for %s', (environment, own, base) => {
  expect(ciBranch(environment)).toBe(own);
  expect(ciBaseBranch(environment)).toBe(base);
});
