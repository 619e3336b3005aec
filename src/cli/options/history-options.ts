import { Option, type Command } from 'commander';
import { cosineOf, pointsOf, shareOf } from './flags.js';

/** From which size on changes count. */
export interface ThresholdFlags {
  readonly threshold: number;
  readonly accuracyThreshold: number;
  readonly cosineThreshold: number;
}

/**
 * Adds the flags that say from which size on changes of a history count.
 *
 * @param command - that shows histories
 * @returns the command
 */
export function addThresholds(command: Command): Command {
  return command
    .addOption(
      new Option('--threshold <share>', 'latency, memory and file size: smallest change that counts')
        .argParser(shareOf)
        .default(0.02, '2%'),
    )
    .addOption(
      new Option('--accuracy-threshold <points>', 'top-1 accuracy: smallest change that counts')
        .argParser(pointsOf)
        .default(0.003, '0.3pt'),
    )
    .addOption(
      new Option(
        '--cosine-threshold <difference>',
        'mean cosine of features to fp32: smallest change that counts',
      )
        .argParser(cosineOf)
        .default(0.001),
    );
}
