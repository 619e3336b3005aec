import { z } from 'zod';
import { untoldSchema, type UntoldCommit } from '../base/untold.js';

/** Git state of the directory a run was started in: what was measured, as far as the user's repository knows it. */
export const repositorySchema = z.strictObject({
  commit: z.string(),
  /** ISO 8601, UTC. */
  committedAt: z.string(),
  /** Null where no branch is checked out and nobody else tells. */
  branch: z.string().nullable(),
  /** Whether tracked files differ from the commit. */
  dirty: z.boolean(),
});

export type Repository = z.infer<typeof repositorySchema>;

/** What is stored of the checkout that a run was started in: its state, or why that is not known. */
export const storedRepositorySchema = z.union([repositorySchema, untoldSchema]);

/**
 * The git state that a run was started in.
 *
 * @param run - its record
 * @returns null when it was started outside a checkout, in one whose commit git would not tell, or by a version that did not ask
 */
export function repositoryOf({
  repository_json: json,
}: {
  readonly repository_json: string | null;
}): Repository | null {
  const stored = json === null ? null : storedRepositorySchema.parse(JSON.parse(json));
  return stored === null || 'untold' in stored ? null : stored;
}

/**
 * Why the commit that a run was started at is not known, though it was started in a checkout.
 *
 * @param run - its record
 * @returns undefined where it is known, or there was no checkout
 */
export function untoldOf({
  repository_json: json,
}: {
  readonly repository_json: string | null;
}): UntoldCommit | undefined {
  const stored = json === null ? null : storedRepositorySchema.parse(JSON.parse(json));
  return stored !== null && 'untold' in stored ? stored : undefined;
}
