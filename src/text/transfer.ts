import type { CopiedArtifacts } from '../store/transfer/artifacts.js';
import type { TransferredRun } from '../store/transfer/transfer.js';
import * as format from './format.js';

/**
 * What became of a run that was copied, in words.
 *
 * @param run - that was copied
 */
export function transferText({ isNew, rounds, isAhead, id, idThere }: TransferredRun): string {
  const what = isNew
    ? `copied, ${roundsText(rounds)}`
    : rounds > 0
      ? `completed, ${roundsText(rounds)} more`
      : 'was there already';
  const more = [
    ...(idThere === id ? [] : [`as ${idThere}, since another run has its id`]),
    ...(isAhead ? ['more of it is known there'] : []),
  ];
  return [what, ...more].join('; ');
}

/**
 * That clocks differ, in words.
 *
 * @param seconds - by which this machine's is ahead of the server's; negative where it is behind
 */
export function clockText(seconds: number): string {
  return (
    `The clock of this machine is ${format.seconds(Math.abs(seconds))} ${seconds > 0 ? 'ahead of' : 'behind'} the server's: ` +
    'runs are listed by the clock of the machine that recorded them. Set it by NTP.'
  );
}

function roundsText(count: number): string {
  return `${format.integer(count)} ${count === 1 ? 'round' : 'rounds'}`;
}

/**
 * What became of compressed models that were to be copied, in words.
 *
 * @param artifacts - of the runs
 */
export function artifactsText({ copied, there, missing }: CopiedArtifacts): string {
  const parts = [`${copied} copied`, `${there} there already`];
  if (missing.length > 0)
    parts.push(
      `${missing.length} not found where they would come from: ${missing.map((digest) => digest.slice(0, 12)).join(', ')}`,
    );
  return `Compressed models: ${parts.join('; ')}.`;
}
