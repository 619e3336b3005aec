import type { StoredDevice } from '../store/read.js';
import * as format from './format.js';

/**
 * Which identical devices measured in a device's place, as the end of what is said of it: `, continued on pi5-b after 12 rounds`.
 *
 * @param device - of a run
 * @returns empty where none did
 */
export function takeoverText({ takeovers = [] }: StoredDevice): string {
  return takeovers
    .map(
      ({ device, rounds }) =>
        `, continued on ${device}, an identical device, after ${format.integer(rounds)} ${rounds === 1 ? 'round' : 'rounds'}`,
    )
    .join('');
}
