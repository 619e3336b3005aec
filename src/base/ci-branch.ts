/** The variable that says which branch a run measures, where git cannot: empty where that is unknown. */
export const BRANCH_VARIABLE = 'EDGEFLEX_BRANCH';

/**
 * The branch that a CI job works on, which git does not know where a single commit is checked out: as GitHub (Gitea, Forgejo), GitLab, Bitbucket,
 * Buildkite and Jenkins say in the environment.
 *
 * @param environment - the job's
 * @returns undefined where nobody tells; `pull/12` for one whose branch has the name of the branch that it is to go into, as those of forks may
 */
export function ciBranch(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const {
    GITHUB_HEAD_REF: head,
    GITHUB_BASE_REF: base,
    GITHUB_REF: ref,
    CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: source,
    CI_MERGE_REQUEST_TARGET_BRANCH_NAME: target,
    CI_MERGE_REQUEST_IID: merge,
    CI_COMMIT_BRANCH: gitlab,
    BITBUCKET_BRANCH: bitbucket,
    BUILDKITE_BRANCH: buildkite,
    CHANGE_BRANCH: jenkinsChange,
    BRANCH_NAME: jenkins,
  } = environment;
  const [, request, branch] = /^refs\/(?:pull\/(\d+)\/|heads\/(.+)$)/.exec(ref ?? '') ?? [];
  if (head) return head === base && request !== undefined ? `pull/${request}` : head;
  if (branch !== undefined) return branch;
  if (source) return source === target && merge ? `pull/${merge}` : source;
  return [gitlab, bitbucket, buildkite, jenkinsChange, jenkins].find(
    (name) => name !== undefined && name !== '',
  );
}

/**
 * The branch that a CI job's pull or merge request is to go into.
 *
 * @param environment - the job's
 * @returns undefined where there is none
 */
export function ciBaseBranch(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment['GITHUB_BASE_REF'] || environment['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'] || undefined;
}
