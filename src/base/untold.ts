import { z } from 'zod';

/** A checkout whose commit is not known, because git would not tell it or is not there. */
export const untoldSchema = z.strictObject({
  untold: z.enum(['dubious-ownership', 'no-git', 'git-failed']),
  /** What git said first, or what is missing. */
  said: z.string(),
});

export type UntoldCommit = z.infer<typeof untoldSchema>;
