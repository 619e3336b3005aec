import { Option } from 'commander';
import { tiers, type Tier } from '../../suite/schema.js';
import { batchSizes, collected, roundsFrom, wholeNumber } from './flags.js';

/** What commands are given that measure a suite otherwise than it says. */
export interface ScenarioFlags {
  readonly images?: number;
  readonly batch?: readonly number[];
  readonly tier?: Tier;
  readonly rounds?: number;
}

/**
 * The options that change what a suite measures: test images, batch sizes, tier, rounds.
 *
 * @param leastRounds - the fewest that make sense for the command
 */
export function scenarioOptions(
  leastRounds: number,
): readonly [images: Option, batch: Option, tier: Option, rounds: Option] {
  return [
    new Option('--images <n>', 'score only the first n test images').argParser(wholeNumber),
    new Option('--batch <sizes>', "time these batch sizes instead of the suite's, such as 1,8").argParser(
      batchSizes,
    ),
    new Option('--tier <tier>', "how long to time each cell, instead of the suite's tier").choices(
      Object.keys(tiers),
    ),
    new Option('--rounds <n>', 'number of fresh processes to divide that time among').argParser(
      roundsFrom(leastRounds),
    ),
  ];
}

/**
 * The option that names devices in place of those of the suite.
 *
 * @param flags - such as `--device <profile>`
 * @param description - what is done on them, and how they are named
 */
export function devicesOption(flags: string, description: string): Option {
  return new Option(flags, `${description}; repeatable`)
    .argParser(collected)
    .default([], "the suite's devices");
}
