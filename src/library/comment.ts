import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { foundBy, InputError } from '../base/errors.js';
import { postComment, type PostedComment } from '../net/comments/post.js';
import { reviewRequest } from '../net/comments/request.js';
import { commentText } from '../text/comment.js';
import { checkedOptions, fields, signalOf, type Stoppable } from './options.js';

/** How a comment is posted. */
export interface CommentOptions extends Stoppable {
  /** Tells it from others on the same request, such as those of other suites: `edgeflex` if left out. */
  readonly name?: string | undefined;
  /** Of the pull or merge request; left out, that of the CI's job. */
  readonly number?: number | undefined;
  /** Addresses that stand at its end, by what they are called. */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** What is posted where there is no such file: nobody may take an earlier comment for what holds now. */
  readonly missing?: string | undefined;
}

const optionsSchema = z.strictObject({
  signal: fields.signal,
  name: z
    .string()
    .regex(/^[\w./-]+$/)
    .default('edgeflex'),
  number: z.number().int().positive().optional(),
  links: z.record(z.string(), z.url({ protocol: /^https?$/ })).default({}),
  missing: z.string().min(1).optional(),
});

/**
 * Posts a Markdown file as a comment on the pull or merge request that a CI job is for. A later one of the same name replaces it. The
 * environment says where: what GitHub Actions (Gitea, Forgejo) or GitLab CI set in a job, and the token, `GITHUB_TOKEN` or `GITLAB_TOKEN`.
 *
 * @param path - of the file
 * @param options - what it is called, and what it links to
 * @throws InputError when the file cannot be read, the environment does not say where to, or the host refuses; DeviceError when it cannot be
 *   reached
 *
 * @example
 * ```ts
 * const { updated } = await comment('comment.md');
 * ```
 */
export async function comment(path: string, options: CommentOptions = {}): Promise<PostedComment> {
  const { name, number, links, missing, ...stoppable } = checkedOptions('comment', options, optionsSchema);
  const request = reviewRequest(process.env, number);
  const markdown = await readFile(path, 'utf8').catch((error: unknown) => {
    const { code } = error as { readonly code?: unknown };
    if (code === 'ENOENT' && missing !== undefined) return missing;
    throw new InputError({ source: path, found: foundBy(error), expected: 'a Markdown file' });
  });
  const named = Object.entries(links).map(([called, address]) => ({ name: called, address }));
  return postComment(request, name, commentText(markdown, named), signalOf(stoppable));
}
