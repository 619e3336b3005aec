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
/** A page that nobody sees gives its stream back after so long, in milliseconds. */
const UNSEEN = 2000;
/** Events that are kept for a page that is still loading. */
const MOST_RECENT = 500;

interface Told {
  readonly name: EventName;
  readonly data: never;
}

/**
 * The stream of what changes. The browser's own EventSource cannot send a token, hence the stream is read here: it goes on where it broke
 * off, and waits longer after each failure. A tab that nobody sees has none: a browser has six connections to a server for all of its tabs,
 * and the seventh tab would wait for one without end. It goes on when the tab is seen again.
 */
export class LiveEvents {
  readonly #listeners = new Map<EventName, Set<(data: never) => void>>();
  readonly #watchers = new Set<(connection: Connection) => void>();
  #connection: Connection = 'connecting';
  #last: string | undefined;
  #running: AbortController | undefined;
  #wanted = false;
  #recent: Told[] = [];

  constructor() {
    let timer: number | undefined;
    document.addEventListener('visibilitychange', () => {
      window.clearTimeout(timer);
      if (document.hidden) timer = window.setTimeout(() => this.#end(), UNSEEN);
      else if (this.#wanted && this.#running === undefined) this.#begin();
    });
  }

  /** Whether the stream is there. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Another page is opened: it hears of everything from now on, also of what comes before it listens. */
  turn(): void {
    this.#recent = [];
  }

  /**
   * Listens to an event, also to those that came while the page was loading: what it has loaded may be older.
   *
   * @param name - of the event
   * @param listener - called with its data
   * @param signal - ends it
   */
  on<Name extends EventName>(name: Name, listener: Listener<Name>, signal: AbortSignal): void {
    const known = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, known.add(listener));
    signal.addEventListener('abort', () => known.delete(listener));
    for (const told of this.#recent)
      if (told.name === name)
        queueMicrotask(() => {
          if (!signal.aborted) listener(told.data);
        });
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
    this.#wanted = true;
    if (!document.hidden) this.#begin();
  }

  /** Ends. */
  stop(): void {
    this.#wanted = false;
    this.#last = undefined;
    this.#end();
  }

  #begin(): void {
    const running = new AbortController();
    this.#running = running;
    void this.#keepReading(running.signal);
  }

  #end(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#become('connecting');
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
    const told: Told = { name, data: JSON.parse(data) as never };
    this.#recent.push(told);
    // More than that is better fetched anew.
    if (this.#recent.length > MOST_RECENT) this.#recent = [{ name: 'reset', data: {} as never }];
    for (const listener of this.#listeners.get(name) ?? []) listener(told.data);
  }

  #become(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    for (const watcher of this.#watchers) watcher(connection);
  }
}
