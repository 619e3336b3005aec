import type { WriteStream } from 'node:tty';
import { SingleBar } from 'cli-progress';
import { seconds } from '../report/format.js';
import type { RoundProgress, RunObserver } from '../run/observer.js';
import type { Plan } from '../suite/plan.js';

/** Shows how far a run is: a bar on a terminal, a line for each step elsewhere. */
export class ProgressView implements RunObserver {
  /** The run's id, once it has one. */
  runId: string | undefined;
  private bar: SingleBar | undefined;

  constructor(private readonly stream: WriteStream) {}

  started(id: string, plan: Plan): void {
    this.runId = id;
    this.line(
      `run ${id}: ${plan.variants.length} variants, ${plan.cells.length} cells, ${plan.rounds.length} measurements`,
    );
  }

  compressing(variant: string, done: number, what: string): void {
    this.show(done, `compress ${variant}: ${what}`, '');
  }

  compressed(variant: string, took: number, cached: boolean): void {
    this.line(`  ${variant}: ${cached ? 'from the cache' : `compressed in ${seconds(took)}`}`);
  }

  measuring(round: RoundProgress): void {
    const left = `${seconds(Math.max(0, round.secondsLeft))} left`;
    this.show((round.position + round.done) / round.rounds, `${describe(round)}, ${round.phase}`, left);
  }

  measured(round: RoundProgress, failure: string | undefined): void {
    if (failure !== undefined) this.line(`  ${describe(round)}: failed: ${failure}`);
    else if (!this.stream.isTTY)
      this.line(
        `  [${round.position + 1}/${round.rounds}] ${describe(round)}, ${seconds(Math.max(0, round.secondsLeft))} left`,
      );
  }

  /** Removes the bar. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private show(done: number, what: string, left: string): void {
    if (!this.stream.isTTY) return;
    if (this.bar === undefined) {
      this.bar = new SingleBar({
        stream: this.stream,
        format: '{bar} {percentage} %  {what}  {left}',
        barsize: 24,
        clearOnComplete: true,
        hideCursor: true,
        linewrap: null,
        gracefulExit: false,
      });
      this.bar.start(1, 0, { what, left });
    }
    this.bar.update(done, { what, left });
  }

  private line(text: string): void {
    this.end();
    this.stream.write(`${text}\n`);
  }
}

function describe({ variant, device, scenario, round }: RoundProgress): string {
  const what = `${variant} on ${device}`;
  if (scenario.kind === 'performance')
    return `${what}, batch ${scenario.batch}, round ${round + 1} of ${scenario.rounds}`;
  return `${what}, ${scenario.kind}`;
}
