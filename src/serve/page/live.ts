import type { EventData, EventName } from '../api/events.js';
import { authorised } from './api.js';

/** What listeners of the stream are called with. */
type Listener<Name extends EventName> = (data: EventData<Name>) => void;

/** Whether the stream is there. */
export type Connection = 'connecting' | 'live' | 'lost';

/** Longest wait before the next attempt, in milliseconds. */
const LONGEST_WAIT = 15_000;
/** The server gives a sign of life more often than that, in milliseconds. */
const SILENCE = 45_000;

/**
 * The stream of what changes. The browser's own EventSource cannot send a token, hence the stream is read here: it goes on where it broke
 * off, and waits longer after each failure.
 */
export class LiveEvents {
  readonly #listeners = new Map<EventName, Set<(data: never) => void>>();
  readonly #watchers = new Set<(connection: Connection) => void>();
  #connection: Connection = 'connecting';
  #last: string | undefined;
  #running: AbortController | undefined;

  /** Whether the stream is there. */
  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Listens to an event.
   *
   * @param name - of the event
   * @param listener - called with its data
   * @param signal - ends it
   */
  on<Name extends EventName>(name: Name, listener: Listener<Name>, signal: AbortSignal): void {
    const known = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, known.add(listener));
    signal.addEventListener('abort', () => known.delete(listener));
  }

  /**
   * Listens to the state of the connection.
   *
   * @param watcher - told at each change
   */
  watch(watcher: (connection: Connection) => void): void {
    this.#watchers.add(watcher);
  }

  /** Begins; anew where it is going on already. */
  start(): void {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    void this.#keepReading(running.signal);
  }

  /** Ends. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#last = undefined;
  }

  async #keepReading(signal: AbortSignal): Promise<void> {
    let wait = 500;
    for (;;) {
      const began = await this.#read(signal);
      if (signal.aborted) return;
      this.#become('lost');
      wait = began ? 500 : Math.min(2 * wait, LONGEST_WAIT);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Reads until the stream ends; gives whether it had begun. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const attempt = new AbortController();
    const timer = { id: setTimeout(() => attempt.abort(), SILENCE) };
    let began = false;
    try {
      const response = await fetch('/api/v1/events', {
        headers: {
          accept: 'text/event-stream',
          ...authorised(),
          ...(this.#last === undefined ? {} : { 'last-event-id': this.#last }),
        },
        cache: 'no-store',
        signal: AbortSignal.any([signal, attempt.signal]),
      });
      if (!response.ok || response.body === null) return false;
      began = true;
      this.#become('live');
      let rest = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer.id);
        timer.id = setTimeout(() => attempt.abort(), SILENCE);
        const blocks = (rest + text.replaceAll('\r\n', '\n')).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // Whatever broke it, the next attempt is what follows.
    } finally {
      clearTimeout(timer.id);
    }
    return began;
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const [, name, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (name !== undefined)
        fields.set(name, fields.has(name) ? `${fields.get(name) ?? ''}\n${value}` : value);
    }
    this.#last = fields.get('id') ?? this.#last;
    const data = fields.get('data');
    if (data === undefined) return;
    const name = (fields.get('event') ?? 'message') as EventName;
    const told = JSON.parse(data) as never;
    for (const listener of this.#listeners.get(name) ?? []) listener(told);
  }

  #become(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    for (const watcher of this.#watchers) watcher(connection);
  }
}
