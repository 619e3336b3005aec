import type { WriteStream } from 'node:tty';
import { SingleBar } from 'cli-progress';
import { withoutControls } from '../base/control.js';
import { oneLine } from '../text/format.js';

/** Milliseconds between two lines where there is no terminal. */
const LINE_INTERVAL = 60_000;

/** A progress bar on a terminal; elsewhere a line each minute. What it shows names models and devices, and is cleaned here. */
export class Bar {
  private bar: SingleBar | undefined;
  private lastLine = performance.now();

  constructor(private readonly stream: WriteStream) {}

  /**
   * Shows how far something is.
   *
   * @param done - from 0 to 1
   * @param text - what is being done
   * @param left - how long it will still take, in words
   */
  show(done: number, text: string, left = ''): void {
    const what = oneLine(text);
    if (!this.stream.isTTY) {
      if (performance.now() - this.lastLine < LINE_INTERVAL) return;
      this.lastLine = performance.now();
      this.stream.write(`  ${Math.floor(done * 100)} %  ${what}${left && `, ${left}`}\n`);
      return;
    }
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

  /** Removes the bar, prints a line and lets the bar come back below it. */
  line(text: string): void {
    this.end();
    this.stream.write(`${withoutControls(text)}\n`);
  }

  /** Removes the bar. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
