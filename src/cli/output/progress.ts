import type { WriteStream } from 'node:tty';
import type { Job } from '../../base/job.js';
import type { CompareEvent } from '../../library/compare.js';
import type { RoundProgress, RunEvent } from '../../run/events.js';
import type { Failure } from '../../run/run-state.js';
import { isTimed } from '../../suite/plan.js';
import { disturbanceText } from '../../text/disturbance.js';
import { failureText } from '../../text/failures.js';
import { seconds } from '../../text/format.js';
import { substitutionsText } from '../../text/substitutions.js';
import { clockText } from '../../text/transfer.js';
import { Bar } from './bar.js';
import { showImagesEvent } from './images.js';

/** The line of what comes before anything is measured. */
const PREPARING = 'preparing';

/** Events of these kinds. */
type EventOf<Kind extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: Kind }>;

/** Shows how far a run is: a bar on a terminal, a line for each measurement elsewhere. */
export class RunProgress {
  /** The run's id, once it has one. */
  runId: string | undefined;
  /** The shared store that has not got all of the run; undefined where it has, or there is none. */
  undelivered: string | undefined;
  private readonly bar: Bar;
  /** Variants of the run, and how many of them are compressed. */
  private variants = 0;
  private made = 0;

  constructor(private readonly stream: WriteStream) {
    this.bar = new Bar(stream);
  }

  /**
   * Shows everything that happens until a job is over.
   *
   * @param job - of a run
   * @returns its result
   * @throws what it throws
   */
  async watch<Result>(job: Job<CompareEvent, Result>): Promise<Result> {
    try {
      for await (const event of job) this.show(event);
      return await job;
    } finally {
      this.bar.end();
    }
  }

  private show(event: CompareEvent): void {
    switch (event.kind) {
      case 'opening-images':
      case 'leaks':
        showImagesEvent(event, this.bar);
        return;
      case 'confirming':
        this.bar.line('A gate failed: measuring again.');
        return;
      case 'started': {
        const { id, variants, cells, rounds } = event;
        this.runId = id;
        this.variants = variants;
        this.bar.line(`run ${id}: ${variants} variants, ${cells} cells, ${rounds} measurements`);
        return;
      }
      case 'unusable':
        this.bar.error(`  ${event.device} cannot be used and is skipped: ${event.reason}`);
        return;
      case 'unclosed':
        this.bar.error(`  ${event.device} could not be closed; files may be left there: ${event.reason}`);
        return;
      case 'undelivered':
        this.undelivered = event.place;
        this.bar.error(
          `  not delivered to ${event.place}; it is kept here, and tried again: ${event.reason}`,
        );
        return;
      case 'delivered':
        this.undelivered = undefined;
        this.bar.line(`  delivered to ${event.place} what it had missed`);
        return;
      case 'clock':
        this.bar.error(`  ${clockText(event.seconds)}`);
        return;
      case 'loading':
      case 'compressing':
      case 'refused':
      case 'compressed':
      case 'rewritten':
        this.prepare(event);
        return;
      case 'measuring':
      case 'disturbed':
      case 'measured':
        this.measure(event);
        return;
    }
  }

  /** What happens before anything is measured. */
  private prepare(event: EventOf<'loading' | 'compressing' | 'refused' | 'compressed' | 'rewritten'>): void {
    switch (event.kind) {
      case 'loading': {
        const { model, task, done, text } = event;
        this.bar.show({ place: PREPARING, task: `${model} ${task}`, done, text: `${model}: ${text}` });
        return;
      }
      case 'compressing': {
        const { variant, done, text } = event;
        this.bar.show({
          ...{ place: PREPARING, task: variant, done, left: leftOf(event) },
          text: `variant ${this.made + 1} of ${this.variants}, ${variant}: ${text}`,
        });
        return;
      }
      case 'refused':
        this.made++;
        this.bar.leave(PREPARING);
        this.bar.error(`  ${event.variant} is skipped: ${failureText(event.failure)}`);
        return;
      case 'compressed': {
        const { variant, seconds: took, cached } = event;
        this.made++;
        this.bar.leave(PREPARING);
        this.bar.line(`  ${variant}: ${cached ? 'from the cache' : `compressed in ${seconds(took)}`}`);
        return;
      }
      case 'rewritten': {
        const { variant, substitutions } = event;
        this.bar.line(`  ${variant} on a browser's GPU: ${substitutionsText(substitutions)}`);
        return;
      }
    }
  }

  private measure(event: EventOf<'measuring' | 'disturbed' | 'measured'>): void {
    const { host } = event;
    switch (event.kind) {
      case 'measuring':
        this.bar.show({
          ...{ place: host.name, task: 'measuring', done: host.overall, left: leftOf(host) },
          text: `${describe(event)}, ${event.phase}`,
        });
        return;
      case 'disturbed':
        this.bar.line(`  ${describe(event)}: repeated, because ${disturbanceText(event.disturbance)}`);
        return;
      case 'measured': {
        const { failure, over, rounds } = event;
        if (host.overall >= 1) this.bar.leave(host.name);
        if (failure !== undefined) this.bar.error(`  ${describe(event)}: ${endingText(failure)}`);
        else if (!this.stream.isTTY)
          this.bar.line(`  ${over} of ${rounds}: ${describe(event)}, ${leftOf(event)}`);
        return;
      }
    }
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
  if (isTimed(scenario)) {
    const load = scenario.kind === 'performance' ? '' : `, ${scenario.kind}`;
    return `${what}${load}, batch ${scenario.batch}, ${numberOf(round, scenario.rounds)}`;
  }
  return `${what}, ${scenario.kind}`;
}

function numberOf(round: number, planned: number): string {
  return round < planned ? `round ${round + 1} of ${planned}` : `extra round ${round + 1}`;
}

function endingText({ status, reason }: Failure): string {
  const why = failureText(reason);
  return status === 'failed' ? `failed: ${why}` : `not supported here, because ${why}`;
}
