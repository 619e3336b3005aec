import { askGit } from './git.js';

/** A repository where it is hosted. */
interface HostedRepository {
  /** How its pages are called: GitHub's, Gitea's and Forgejo's alike, GitLab's, Bitbucket's. */
  readonly kind: 'github' | 'gitlab' | 'bitbucket';
  /** Its page, without a slash at its end. */
  readonly page: string;
}

/** Where a repository is hosted and the job that works on it can be looked at: what links are made of. */
export interface Hosting {
  /** Undefined where nobody tells. */
  readonly repository: HostedRepository | undefined;
  /** The page of the CI's job, where its log and the files that it keeps are found. */
  readonly job: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the repository of a directory is hosted: as the CI's environment says (GitHub, Gitea, Forgejo; GitLab; Bitbucket; of Jenkins and
 * Buildkite the job alone), or else as the remote `origin` is called.
 *
 * @param directory - in a checkout
 * @param environment - the process's
 */
export async function hostingOf(directory: string, environment: Environment = process.env): Promise<Hosting> {
  const told = hostingTold(environment);
  if (told.repository !== undefined) return told;
  const remote = await askGit(directory, 'remote', 'get-url', 'origin').catch(() => undefined);
  return { ...told, repository: remote === undefined ? undefined : hostedAt(remote) };
}

/**
 * What the environment of a CI says of where things are.
 *
 * @param environment - the job's
 */
export function hostingTold(environment: Environment): Hosting {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: name,
    GITHUB_RUN_ID: run,
    CI_PROJECT_URL: gitlab,
    CI_JOB_URL: gitlabJob,
    BITBUCKET_GIT_HTTP_ORIGIN: bitbucket,
    BITBUCKET_BUILD_NUMBER: build,
    BUILDKITE_BUILD_URL: buildkite,
    BUILD_URL: jenkins,
  } = environment;
  if (server && name) {
    const own = hosted(`${server}/${name}`, 'github');
    return { repository: own, job: own && isNumber(run) ? `${own.page}/actions/runs/${run}` : undefined };
  }
  if (gitlab) return { repository: hosted(gitlab, 'gitlab'), job: webPage(gitlabJob) };
  if (bitbucket) {
    const own = hosted(bitbucket, 'bitbucket');
    return {
      repository: own,
      job: own && isNumber(build) ? `${own.page}/pipelines/results/${build}` : undefined,
    };
  }
  return { repository: undefined, job: webPage(buildkite) ?? webPage(jenkins) };
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

function hosted(address: string, kind: HostedRepository['kind']): HostedRepository | undefined {
  const page = webPage(address);
  return page === undefined ? undefined : { kind, page };
}

/** `git@host:owner/name.git`: user and host, a colon, no slash before it. */
const SCP_FORM = /^(?:[^@/:]+@)?([\w.-]+\.[\w-]+):(?!\/\/)(.+)$/;

/**
 * The repository that a remote leads to.
 *
 * @param remote - its address: `https://host/owner/name.git`, `ssh://git@host/owner/name`, `git@host:owner/name.git`
 * @returns without what the address says of users, ports of SSH and passwords; undefined where no host is named, as of a folder
 */
export function hostedAt(remote: string): HostedRepository | undefined {
  const [, host, path] = SCP_FORM.exec(remote) ?? [];
  const url = parsed(host !== undefined && path !== undefined ? `ssh://${host}/${path}` : remote);
  if (url === undefined || !['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol)) return undefined;
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  const where = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  if (url.hostname === '' || where === '') return undefined;
  const address = `${isWeb ? url.protocol : 'https:'}//${isWeb ? url.host : url.hostname}${where}`;
  const kinds = ['gitlab', 'bitbucket'] as const;
  return hosted(address, kinds.find((kind) => url.hostname.includes(kind)) ?? 'github');
}

/** By kind: the paths of a commit, and of what lies between two. */
const paths: Readonly<
  Record<HostedRepository['kind'], { readonly commit: string; readonly changes?: string }>
> = {
  github: { commit: 'commit', changes: 'compare' },
  gitlab: { commit: '-/commit', changes: '-/compare' },
  bitbucket: { commit: 'commits' },
};

/**
 * The page of a commit.
 *
 * @param hosting - of its repository
 * @param commit - its hash
 * @returns undefined where the repository's page is not known
 */
export function commitPage({ repository }: Hosting, commit: string): string | undefined {
  if (repository === undefined || !isHash(commit)) return undefined;
  return `${repository.page}/${paths[repository.kind].commit}/${commit}`;
}

/**
 * The page that shows what lies between two commits.
 *
 * @param hosting - of their repository
 * @param before - the hash of the one
 * @param after - that of the other
 * @returns undefined where the repository's page is not known, or its host has no such page
 */
export function changesPage({ repository }: Hosting, before: string, after: string): string | undefined {
  const changes = repository && paths[repository.kind].changes;
  if (repository === undefined || changes === undefined || !isHash(before) || !isHash(after))
    return undefined;
  return `${repository.page}/${changes}/${before}...${after}`;
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(text);
}

/** An address of the web as a link may hold it: without user and password, and with nothing that ends a link in Markdown. */
function webPage(address: string | undefined): string | undefined {
  const url = parsed(address ?? '');
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  const text = `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
  return text.replace(/[()[\]<>|\\*_`~$]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parsed(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}
