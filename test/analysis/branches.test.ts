import { describe, expect, it } from 'vitest';
import { isOnBranch, usualBranch } from '../../src/analysis/history/branches.js';
import type { Repository } from '../../src/store/repository.js';

function at(commit: string, branch: string | null, dirty = false): Repository {
  return { commit, branch, dirty, committedAt: '2026-11-20T10:00:00.000Z' };
}

const line = { commits: new Set(['a', 'b', 'm']), whole: true };

describe('a run is of a branch', () => {
  it.each([
    ['that it was recorded on, whatever git says', at('rebased', 'main'), line, true],
    ['whose commit it measured', at('b', null), line, true],
    ['whose commit it measured before the other branch had one of its own', at('b', 'feature'), line, true],
    ['but not with changes of another branch', at('b', 'feature', true), line, false],
    ['but not as one of a branch that was merged', at('f1', 'feature'), line, false],
    ['but not as a commit that git knows elsewhere', at('f1', null), line, false],
    ['if nobody knows the code', null, line, true],
    ['if nobody knows the commits', at('f1', null), undefined, true],
    ['if only the newest commits are known', at('f1', null), { ...line, whole: false }, true],
  ])('%s', (_, repository, commits, is) => {
    expect(isOnBranch(repository, 'main', commits)).toBe(is);
  });
});

describe('the usual branch', () => {
  it('is asked for only where there are several, and is what git says, what it is usually called, or the newest', () => {
    expect(usualBranch([null, 'feature', 'feature'], 'main')).toBeUndefined();
    expect(usualBranch(['feature', 'main', 'trunk'], 'trunk')).toBe('trunk');
    expect(usualBranch(['feature', null, 'main'], undefined)).toBe('main');
    expect(usualBranch(['feature', 'main'], 'elsewhere')).toBe('main');
    expect(usualBranch(['b', 'a'], undefined)).toBe('b');
  });
});
