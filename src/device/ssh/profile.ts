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
      'A host name, `user@host`, or an alias from `~/.ssh/config`, which sets user, port, key, ProxyJump and agent.',
    ),
  config: z.string().optional().describe('Another file instead of `~/.ssh/config`, relative to the profile.'),
  folder: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .default('.cache/edgeflex')
    .describe(
      'The folder on the board for everything EdgeFlex puts there, relative to the home of its user.',
    ),
  node: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .optional()
    .describe(
      'Path of Node on the board, or `bring` to copy one there; default: the Node of the board if it is new enough, otherwise `bring`.',
    ),
  coolDown: z
    .strictObject({
      temperature: z
        .number()
        .min(0)
        .max(120)
        .describe('Temperature to wait for, in degrees Celsius.')
        .meta({ unit: '°C' }),
      seconds: z.number().positive().max(3600).describe('How long to wait at most.').meta({ unit: 's' }),
    })
    .optional()
    .describe('Let the board cool down before each timed round.'),
  restart: z
    .number()
    .min(0)
    .max(3600)
    .default(180)
    .describe(
      'Seconds that the board may take to come back after the connection is lost: a restart takes about a minute.',
    )
    .meta({ unit: 's' }),
  meter: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'A command on this machine, as a list of words, that prints the current power of the board in watts, such as a query of a metering plug; started without a shell.',
    ),
  ...commonFields,
});

/** The profile of a board that is reached over SSH. */
export type SshProfile = z.infer<typeof sshSchema>;
