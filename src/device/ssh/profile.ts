import { z } from 'zod';
import { commonFields } from '../kind.js';

/** A board that is reached over SSH. */
export const sshSchema = z.strictObject({
  kind: z.literal('ssh'),
  host: z
    .string()
    .max(255)
    .regex(
      /^[^-\s\p{Cc}][^\s\p{Cc}]*$/u,
      'a host name or an alias of ~/.ssh/config, which does not begin with "-"',
    )
    .describe(
      'A host name, `user@host`, or an alias of `~/.ssh/config`: user, port, key, ProxyJump and agent stand there.',
    ),
  config: z
    .string()
    .optional()
    .describe('Another file in the place of `~/.ssh/config`, relative to the profile.'),
  folder: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .default('.cache/edgeflex')
    .describe('The folder on the board that everything goes into, from the home of its user.'),
  node: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .optional()
    .describe(
      "A Node on the board, or `bring`; left out, the board's own where it is new enough, and one that is brought elsewhere.",
    ),
  coolDown: z
    .strictObject({
      temperature: z.number().min(0).max(120).describe('Degrees Celsius that it waits for.'),
      seconds: z.number().positive().max(3600).describe('How long it waits at most.'),
    })
    .optional()
    .describe('Before a timed round the board may cool down.'),
  restart: z
    .number()
    .min(0)
    .max(3600)
    .default(180)
    .describe('Seconds that the board may take to come back after a break: a restart takes a minute.'),
  meter: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'A command on this machine, as a list of words, that prints the watts the board takes now, such as that of a metering plug; started without a shell.',
    ),
  ...commonFields,
});

/** The profile of a board that is reached over SSH. */
export type SshProfile = z.infer<typeof sshSchema>;
