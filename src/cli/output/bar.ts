import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { withoutControls } from '../../base/control.js';
import { wrapped } from '../../base/wrap.js';
import { oneLine } from '../../text/format.js';
import { quiet } from './screen.js';

/** Milliseconds between two lines of a place where there is no terminal. */
const LINE_INTERVAL = 60_000;

/** Milliseconds between two pictures on a terminal. */
const PICTURE_INTERVAL = 100;

/** Characters of a line where the terminal does not say how many it has. */
const USUAL_WIDTH = 80;

/** How far something is. */
export interface Step {
  /** What is done: progress begins anew with another one, and never goes back within one. */
  readonly task: string;
  /** Where it is done, for what is done in several places at a time: each has a line of its own. */
  readonly place?: string;
  /** From 0 to 1. */
  readonly done: number;
  /** What is being done now. */
  readonly text: string;
  /** How long it will still take, in words. */
  readonly left?: string;
}

/** What a place shows. */
interface Shown extends Step {
  /** When a line was written last, where there is no terminal. */
  readonly written: number;
}

/** A line of progress for each place on a terminal; elsewhere a plain line each minute. What it shows names models and devices, and is cleaned here. */
export class Bar {
  private readonly places = new Map<string, Shown>();
  /** How far each place has come with its task, also while it has no line. */
  private readonly reached = new Map<string, Pick<Step, 'task' | 'done'>>();
  private readonly update: ReturnType<typeof createLogUpdate> | undefined;
  private readonly begun = performance.now();
  private pictured = -Infinity;

  constructor(private readonly stream: WriteStream) {
    if (stream.isTTY && !quiet()) this.update = createLogUpdate(stream);
  }

  /**
   * Shows how far something is.
   *
   * @param step - how far
   */
  show(step: Step): void {
    if (quiet()) return;
    const { place = '', task } = step;
    const before = this.places.get(place);
    const reached = this.reached.get(place);
    const least = reached?.task === task ? reached.done : 0;
    const done = Math.min(1, Math.max(least, Number.isFinite(step.done) ? step.done : 0));
    const now = performance.now();
    const shown = { ...step, done, text: oneLine(step.text), written: before?.written ?? this.begun };
    this.places.set(place, shown);
    this.reached.set(place, { task, done });
    if (this.update !== undefined) {
      // A change of what is done is seen at once.
      if (before?.text === shown.text && now - this.pictured < PICTURE_INTERVAL) return;
      this.picture();
    } else if (now - shown.written >= LINE_INTERVAL) {
      this.places.set(place, { ...shown, written: now });
      const { text, left = '' } = shown;
      this.stream.write(`  ${Math.floor(done * 100)} %  ${text}${left && `, ${left}`}\n`);
    }
  }

  /** Prints a line above those of the places. */
  line(text: string): void {
    if (!quiet()) this.error(text);
  }

  /** Prints a line as `line` does, also where the user wants nothing but results and errors. */
  error(text: string): void {
    this.update?.clear();
    const width = this.stream.isTTY ? this.stream.columns || USUAL_WIDTH : Infinity;
    this.stream.write(`${wrapped(withoutControls(text), width, '    ').join('\n')}\n`);
    this.picture();
  }

  /**
   * Takes the line of a place away.
   *
   * @param place - which
   */
  leave(place: string): void {
    if (this.places.delete(place)) this.picture();
  }

  /** Takes all lines of places away. */
  end(): void {
    this.places.clear();
    this.update?.clear();
    this.update?.done();
  }

  private picture(): void {
    if (this.update === undefined) return;
    this.pictured = performance.now();
    const width = (this.stream.columns || USUAL_WIDTH) - 1;
    const lines = [...this.places.values()].map((step) => lineOf(step, width));
    if (lines.length === 0) this.update.clear();
    else this.update(lines.join('\n'));
  }
}

/** A line with a bar, the percentage, what is done and how long it will take: the text gives way where there is no room. */
function lineOf({ done, text, left = '' }: Step, width: number): string {
  const size = width >= 100 ? 24 : width >= 70 ? 16 : 8;
  const full = Math.round(done * size);
  const head = `${'█'.repeat(full)}${'░'.repeat(size - full)} ${String(Math.floor(done * 100)).padStart(3)} %  `;
  const tail = left === '' ? '' : `  ${left}`;
  const room = width - head.length - tail.length;
  if (room < 1) return head.trimEnd().slice(0, width);
  return `${head}${text.length > room ? `${text.slice(0, room - 1)}…` : text}${tail}`;
}
