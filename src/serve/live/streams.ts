import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { problemWords } from '../../text/problems.js';
import { RequestProblem } from '../problem.js';
import type { Change } from './changes.js';

/** Streams at once, of all callers and of one. */
const MOST_STREAMS = 200;
const MOST_OF_ONE = 20;

/** Events that a stream which broke off can be made good with. */
const KEPT_EVENTS = 5000;

/** Bytes that a caller may be behind: one that reads no more is let go, and can come back. */
const MOST_BEHIND = 1 << 20;

/** How often the store is looked at while anybody listens, and a sign of life is given, in milliseconds. */
const LOOK = 1000;
const HEARTBEAT = 15_000;

/** Somebody who listens. */
interface Listener {
  readonly caller: string;
  readonly response: ServerResponse;
  /** Whether they still may. */
  readonly isAllowed: () => Promise<boolean>;
}

/** What streams are made from. */
export interface StreamSource {
  /** What has changed since it was last called. */
  readonly look: () => Promise<readonly Change[]>;
  /** Told when looking fails; the next look may succeed. */
  readonly failed: (error: unknown) => void;
}

/** Streams of events to all who listen, from one look at the store for all. */
export class Streams {
  private readonly listeners = new Set<Listener>();
  private readonly events: { readonly number: number; readonly text: string }[] = [];
  /** Tells this server's events from those of one that was started before. */
  private readonly epoch = randomBytes(6).toString('hex');
  private number = 0;
  private looking: NodeJS.Timeout | undefined;
  private beating: NodeJS.Timeout | undefined;
  private isBusy = false;

  constructor(private readonly source: StreamSource) {}

  /** How many listen. */
  get size(): number {
    return this.listeners.size;
  }

  /**
   * Refuses one stream more than there may be.
   *
   * @param caller - who would listen
   * @throws RequestProblem
   */
  checkRoom(caller: string): void {
    const own = [...this.listeners].filter((each) => each.caller === caller).length;
    if (this.listeners.size < MOST_STREAMS && own < MOST_OF_ONE) return;
    throw new RequestProblem('unavailable', problemWords.streams);
  }

  /**
   * Begins a stream, whose head has been sent.
   *
   * @param listener - who listens
   * @param last - `Last-Event-ID`: what they have heard of; undefined where they begin
   */
  add(listener: Listener, last: string | undefined): void {
    const { response } = listener;
    this.listeners.add(listener);
    response.on('close', () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.rest();
    });
    const missed = this.since(last);
    response.write(
      missed === undefined ? `id: ${this.id(this.number)}\nevent: reset\ndata: {}\n\n` : missed.join(''),
    );
    // So that proxies and browsers see that it has begun, also where nothing was missed.
    response.write(':\n\n');
    this.begin();
  }

  /** Ends every stream. */
  close(): void {
    this.rest();
    for (const { response } of this.listeners) response.end();
    this.listeners.clear();
  }

  private id(number: number): string {
    return `${this.epoch}-${number}`;
  }

  /** Events after one; undefined where they are not known any more. */
  private since(last: string | undefined): string[] | undefined {
    const [, epoch, digits] = /^([0-9a-f]+)-(\d+)$/.exec(last ?? '') ?? [];
    const number = Number(digits);
    const first = this.events[0]?.number ?? this.number + 1;
    if (epoch !== this.epoch || number > this.number || number < first - 1) return undefined;
    return this.events.filter((event) => event.number > number).map(({ text }) => text);
  }

  private begin(): void {
    if (this.looking !== undefined) return;
    this.looking = setInterval(() => void this.look(), LOOK);
    this.beating = setInterval(() => void this.beat(), HEARTBEAT);
    void this.look();
  }

  private rest(): void {
    clearInterval(this.looking);
    clearInterval(this.beating);
    this.looking = undefined;
  }

  private async look(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      for (const { name, data } of await this.source.look()) {
        const number = ++this.number;
        const text = `id: ${this.id(number)}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
        this.events.push({ number, text });
        this.send(text);
      }
      if (this.events.length > KEPT_EVENTS) this.events.splice(0, this.events.length - KEPT_EVENTS);
    } catch (error) {
      this.source.failed(error);
    } finally {
      this.isBusy = false;
    }
  }

  private async beat(): Promise<void> {
    for (const { isAllowed, response } of this.listeners)
      if (!(await isAllowed().catch(() => true))) response.end();
    this.send(':\n\n');
  }

  private send(text: string): void {
    for (const { response } of this.listeners)
      if (response.writableLength > MOST_BEHIND) response.destroy();
      else response.write(text);
  }
}
