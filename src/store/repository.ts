import { z } from 'zod';

/** Git state of the directory a run was started in: what was measured, as far as the user's repository knows it. */
export const repositorySchema = z.strictObject({
  commit: z.string(),
  /** ISO 8601, UTC. */
  committedAt: z.string(),
  /** Null when no branch is checked out. */
  branch: z.string().nullable(),
  /** Whether tracked files differ from the commit. */
  dirty: z.boolean(),
});

export type Repository = z.infer<typeof repositorySchema>;

/**
 * The git state that a run was started in.
 *
 * @param run - its record
 * @returns null when it was started outside a checkout, or by a version that did not ask
 */
export function repositoryOf({
  repository_json: json,
}: {
  readonly repository_json: string | null;
}): Repository | null {
  return json === null ? null : repositorySchema.parse(JSON.parse(json));
}
