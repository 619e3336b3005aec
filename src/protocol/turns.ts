import type { Socket } from 'node:net';
import { z } from 'zod';

/*
 * How runs of different processes take turns on a machine: one line of JSON a message, over a socket of each. A run has its turn on a host
 * from the moment it is granted until it asks for the next one there, leaves, or ends.
 */

/** The variable that names the socket of a run that takes turns. */
export const TURNS_VARIABLE = 'EDGEFLEX_TURNS';

/** Before anything is measured: models are loaded and compressed. */
export const PREPARING = -1;

/** When everything is measured: reports are written. */
export const REPORTING = Number.MAX_SAFE_INTEGER;

/** What a run says. */
export const turnRequestSchema = z.discriminatedUnion('kind', [
  /** It waits for its turn on a host; one that it has there is over. The lower of two steps comes first. */
  z.strictObject({ kind: z.literal('take'), host: z.string(), step: z.number().int() }),
  /** It needs a host no more. */
  z.strictObject({ kind: z.literal('leave'), host: z.string() }),
  /** It needs none but these from now on. */
  z.strictObject({ kind: z.literal('only'), hosts: z.array(z.string()) }),
]);

/** What a run says about turns. */
export type TurnRequest = z.infer<typeof turnRequestSchema>;

/** What it is told: it is its turn on a host. */
export const turnGrantSchema = z.strictObject({ kind: z.literal('go'), host: z.string() });

/** What a run is told about turns. */
export type TurnGrant = z.infer<typeof turnGrantSchema>;

/**
 * The step of a round: what is scored and profiled comes before what is timed, whose rounds are kept level.
 *
 * @param isTimed - whether the round is of a timed cell
 * @param round - its number
 */
export function stepOf(isTimed: boolean, round: number): number {
  return isTimed ? round + 1 : 0;
}

/**
 * Calls a function with each whole line that comes over a socket. (`readline` throws the errors of what it reads from.)
 *
 * @param socket - of a run, or of whoever gives the turns
 * @param hear - called with a line, without its end
 */
export function onLines(socket: Socket, hear: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(line);
  });
}
