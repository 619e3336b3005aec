import type { Substitution } from '../base/substitution.js';
import type { WriteStream } from 'node:tty';
import { seconds } from '../text/format.js';
import type { RoundProgress, RunObserver } from '../run/observer.js';
import type { Failure } from '../run/run-state.js';
import type { Disturbance } from '../protocol/disturbance.js';
import type { Plan } from '../suite/plan.js';
import { disturbanceText } from '../text/disturbance.js';
import { failureText } from '../text/failures.js';
import { substitutionsText } from '../text/substitutions.js';
import { Bar } from './bar.js';

/** Shows how far a run is: a bar on a terminal, a line for each measurement elsewhere. */
export class RunProgress implements RunObserver {
  /** The run's id, once it has one. */
  runId: string | undefined;
  private readonly bar: Bar;

  constructor(private readonly stream: WriteStream) {
    this.bar = new Bar(stream);
  }

  started(id: string, plan: Plan): void {
    this.runId = id;
    const { variants, cells, rounds } = plan;
    this.bar.line(
      `run ${id}: ${variants.length} variants, ${cells.length} cells, ${rounds.length} measurements`,
    );
  }

  unusable(device: string, reason: string): void {
    this.bar.line(`  ${device} cannot be used, and is left out: ${reason}`);
  }

  unclosed(device: string, reason: string): void {
    this.bar.line(`  ${device} could not be closed, and something may be left there: ${reason}`);
  }

  compressing(variant: string, done: number, what: string, secondsLeft?: number): void {
    this.bar.show(done, `${variant}: ${what}`, leftOf({ secondsLeft }));
  }

  compressed(variant: string, took: number, cached: boolean): void {
    this.bar.line(`  ${variant}: ${cached ? 'from the cache' : `made in ${seconds(took)}`}`);
  }

  rewritten(variant: string, substitutions: readonly Substitution[]): void {
    this.bar.line(`  ${variant} on a browser's GPU: ${substitutionsText(substitutions)}`);
  }

  measuring(round: RoundProgress): void {
    this.bar.show(round.overall, `${describe(round)}, ${round.phase}`, leftOf(round));
  }

  disturbed(round: RoundProgress, disturbance: Disturbance): void {
    this.bar.line(`  ${describe(round)}: measured again, because ${disturbanceText(disturbance)}`);
  }

  measured(round: RoundProgress, failure: Failure | undefined): void {
    if (failure !== undefined) this.bar.line(`  ${describe(round)}: ${endingText(failure)}`);
    else if (!this.stream.isTTY)
      this.bar.line(`  ${round.over} of ${round.rounds}: ${describe(round)}, ${leftOf(round)}`);
  }

  /** Removes the bar. */
  end(): void {
    this.bar.end();
  }
}

/**
 * How long something will still take, in words.
 *
 * @param secondsLeft - undefined while nothing can be said
 */
export function leftOf({ secondsLeft }: { readonly secondsLeft?: number | undefined }): string {
  return secondsLeft === undefined ? '' : `${seconds(secondsLeft)} left`;
}

function describe({ variant, device, scenario, round }: RoundProgress): string {
  const what = `${variant} on ${device}`;
  if (scenario.kind === 'performance')
    return `${what}, batch ${scenario.batch}, ${numberOf(round, scenario.rounds)}`;
  return `${what}, ${scenario.kind}`;
}

function numberOf(round: number, planned: number): string {
  return round < planned ? `round ${round + 1} of ${planned}` : `round ${round + 1}, for precision`;
}

function endingText({ status, reason }: Failure): string {
  const why = failureText(reason);
  return status === 'failed' ? `failed: ${why}` : `not supported here, because ${why}`;
}
